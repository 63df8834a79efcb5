"""Hints: one thread that listens to what other instances changed.

A hint that is lost costs no more than the engine's poll: nothing here is waited for, and
whatever happens to the connection, it is made anew for as long as the adapter is open.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from redis.backoff import EqualJitterBackoff

from nvent_sched._logs import logger_of
from nvent_sched.adapters._owner import ThreadEnd
from nvent_sched.adapters.redis.connecting import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched.adapters.redis.location import Location

log: Final = logger_of(__name__)
LOOK_UP_S: Final = 1.0
"""How often the thread sees whether it shall end, if nobody tells it."""
LOOKS_SILENT: Final = 5
"""After how many looks without a word the server is asked for one."""
LOOKS_SILENT_MAX: Final = 10
"""After how many the connection is taken for dead: what stands between us and the server
may have forgotten it, and tells nobody."""
WAIT_S: Final = 0.1
WAIT_S_MAX: Final = 10.0


class HintThread:
    """The thread.

    Args:
        location: Of the server.
        channel: What to listen to.
        name: What we say there ourselves, and do not want to hear.
    """

    def __init__(self, location: Location, *, channel: str, name: str) -> None:
        self._location, self._channel, self._name = location, channel, name
        self._hints: list[Callable[[], None]] = []
        self._is_ending = threading.Event()
        self._failures = 0
        self._backoff = EqualJitterBackoff(cap=WAIT_S_MAX, base=WAIT_S)
        self._end = ThreadEnd()
        threading.Thread(
            target=self._work, name="nvent-redis-hints", daemon=True
        ).start()

    def add(self, hint: Callable[[], None]) -> None:
        """Call this too, from the thread."""
        self._hints.append(hint)

    def end(self) -> None:
        """Let it end as soon as it hears anything."""
        self._hints.clear()
        self._is_ending.set()

    async def join(self) -> None:
        """Wait for its end; who is cancelled waits no more."""
        await self._end.wait(is_patient=False)

    def _work(self) -> None:
        while not self._is_ending.is_set():
            try:
                self._listen(was_cut=self._failures > 0)
            except Exception as error:  # noqa: BLE001  whatever it is, hints come again
                self._failures += 1
                log.debug("no hints for now", extra={"error": type(error).__name__})
                self._is_ending.wait(self._backoff.compute(self._failures))
        self._end.tell()

    def _listen(self, *, was_cut: bool) -> None:
        """Listen until told to end.

        Args:
            was_cut: Whether something may have been said while nobody listened.
        """
        client = connect(self._location, slot_key=self._channel)
        try:
            driver: Any = client
            with driver.pubsub() as listener:
                listener.subscribe(self._channel)
                while not self._is_ending.is_set():
                    message = self._heard(listener)
                    if message is None or message["data"] == self._name:
                        continue
                    self._failures = 0
                    if message["type"] == "message" or (
                        message["type"] == "subscribe" and was_cut
                    ):
                        self._give()
        finally:
            client.close()

    def _heard(self, listener: Any) -> dict[str, Any] | None:  # noqa: ANN401  the driver's
        """Wait a little for a word; None if we are to end.

        Raises:
            ConnectionError: There was none for long, though we asked for one.
        """
        for look in range(LOOKS_SILENT_MAX):
            if look == LOOKS_SILENT:
                listener.ping()
            message: dict[str, Any] | None = listener.get_message(timeout=LOOK_UP_S)
            if message is not None or self._is_ending.is_set():
                return message
        msg = "nothing is heard any more"
        raise ConnectionError(msg)

    def _give(self) -> None:
        for hint in tuple(self._hints):
            hint()
