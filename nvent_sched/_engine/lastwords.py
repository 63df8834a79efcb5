"""What an end still has to say to its store, and how long it may take.

A store that does not answer must not keep a process from ending. What is left unsaid then
is what a crash leaves: others take it up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from nvent_sched._engine.signals import Signal
from nvent_sched._logs import logger_of
from nvent_sched._model.instants import SECOND_US

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nvent_sched._port import Clock

log = logger_of(__name__)
LAST_WORDS_US: Final = 10 * SECOND_US
"""How long a stop tries to write its verdicts to a store that does not answer."""
IN_HASTE_US: Final = 2 * SECOND_US
"""The same for who shall stop at once."""


class LastWords:
    """The words of one end.

    Args:
        clock: Measures the time; one that stands still gives all that is needed.

    Attributes:
        are_unheard: Whether the store did not answer in time: nothing more is said.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until_us = 0
        self.are_unheard: bool = False

    def begin(self, *, length_us: int) -> None:
        """Begin; again for who shall end sooner."""
        self._until_us = self.after_us(length_us)

    def after_us(self, length_us: int) -> int:
        """Say until when to wait for others; a clock that stands still gives no time."""
        given_us = length_us if self._clock.moves_by_itself else 0
        return self._clock.monotonic_us() + given_us

    async def say(self, words: Callable[[], Awaitable[None]]) -> None:
        """Do something, and break it off when the time is over.

        However late it is, a store that has answered so far is given a moment.
        """
        errors: list[Exception] = []
        said = Signal()
        async with anyio.create_task_group() as saying:
            saying.start_soon(_say, words, said, errors)
            if not await self._clock.wait(said, until_us=self._patience_us()):
                self._give_up()
            saying.cancel_scope.cancel()
        if errors:
            raise errors[0]

    def _give_up(self) -> None:
        if not self.are_unheard:
            self.are_unheard = True
            log.error(
                "the store does not answer, and is not waited for any more; what was "
                "going is taken over by another instance"
            )

    def _patience_us(self) -> int | None:
        if not self._clock.moves_by_itself:
            return None
        if self.are_unheard:
            return self._clock.monotonic_us()
        return max(self._until_us, self.after_us(IN_HASTE_US))

    async def close(self, close: Callable[[], Awaitable[None]]) -> None:
        """Close the store, also while being cancelled."""
        with anyio.CancelScope(shield=True):
            await self.say(close)


async def _say(
    words: Callable[[], Awaitable[None]], said: Signal, errors: list[Exception]
) -> None:
    try:
        await words()
    except Exception as error:  # noqa: BLE001  raised by who waits, outside the group
        errors.append(error)
    said.set()
