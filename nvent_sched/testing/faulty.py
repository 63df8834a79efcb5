"""A store that fails as stores do: before, after, in silence, late, twice.

Wrap any adapter, and say what happens to which call::

    faults = Scripted({("commit_plans", 1): Fault.REPLY_LOST})
    scheduler = Scheduler(with_faults(MemoryAdapter(), faults, clock=clock), clock=clock)

The worst of them is the reply that is lost: the step was made, and the caller is told
that the time is up. Draws are made from a random source that is passed in, so that the
same seed gives the same faults.
"""

from __future__ import annotations

import copy
import inspect
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from nvent_sched._engine.signals import Signal
from nvent_sched._model.instants import SECOND_US
from nvent_sched._port import Adapter
from nvent_sched.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from nvent_sched._port import Clock
    from nvent_sched.adapters.memory import MemoryAdapter
    from nvent_sched.adapters.memory.tables import Tables

TIMEOUT_US: Final = 5 * SECOND_US
"""How long a caller waits for a reply that does not come."""
DELAY_US_MAX: Final = SECOND_US
FENCES_LOST_MAX: Final = 1_000_000
"""A failover may lose as many fencing tokens; those given out afterwards are higher."""

VERBS: Final = tuple(
    name for name, verb in vars(Adapter).items() if inspect.iscoroutinefunction(verb)
)
"""Every verb of the port that can fail, in its order."""


class Fault(StrEnum):
    """What happens to a call. A closed set."""

    FAILS_BEFORE = "fails_before"
    FAILS_AFTER = "fails_after"
    REPLY_LOST = "reply_lost"
    DELAYED = "delayed"
    DUPLICATED = "duplicated"


class Faults(Protocol):
    """Says what happens to each call."""

    def next(self, verb: str, /) -> Fault | None:
        """Say what happens to the next call of *verb*; None if all goes well."""
        ...

    def delay_us(self) -> int:
        """Say how long a call that is delayed is on its way, in microseconds."""
        ...


class Scripted:
    """Faults at chosen calls.

    Args:
        script: By verb and the number of its call, from 1.
        delay_us: How long each delayed call is on its way.
    """

    def __init__(
        self, script: Mapping[tuple[str, int], Fault], *, delay_us: int = DELAY_US_MAX
    ) -> None:
        self._script = dict(script)
        self._delay_us = delay_us
        self._calls: Counter[str] = Counter()

    def next(self, verb: str, /) -> Fault | None:
        """Say what the script has for the next call of *verb*."""
        self._calls[verb] += 1
        return self._script.get((verb, self._calls[verb]))

    def delay_us(self) -> int:
        """Say how long a delayed call is on its way."""
        return self._delay_us


class Drawn:
    """Faults at random calls.

    Args:
        random: Where chance comes from; the same seed, the same faults.
        share: How many of a thousand calls go wrong.
        delay_us_max: How long a delayed call is on its way at most.

    Attributes:
        share: May be changed at any time; 0 ends the trouble.
    """

    def __init__(
        self, random: Random, *, share: int, delay_us_max: int = DELAY_US_MAX
    ) -> None:
        self._random = random
        self._delay_us_max = delay_us_max
        self.share = share

    def next(self, verb: str, /) -> Fault | None:
        """Draw what happens to the next call."""
        del verb
        if self._random.randrange(1_000) >= self.share:
            return None
        return self._random.choice(tuple(Fault))

    def delay_us(self) -> int:
        """Draw how long a delayed call is on its way."""
        return self._random.randrange(1, self._delay_us_max + 1)


def with_faults(adapter: Adapter, faults: Faults, *, clock: Clock) -> Adapter:
    """Wrap an adapter, so that its verbs fail as *faults* say.

    Args:
        adapter: Any adapter.
        faults: What happens to which call.
        clock: What a delay and a time-out are waited for on. A `ManualClock` takes a
            call that waits for something that needs real time: give it little patience.
    """
    return cast("Adapter", _Faulty(adapter, faults, clock))


class _Faulty:
    """Passes every verb on, after asking what shall happen to it."""

    def __init__(self, adapter: Adapter, faults: Faults, clock: Clock) -> None:
        self._adapter, self._faults, self._clock = adapter, faults, clock

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the adapter has
        verb = getattr(self._adapter, name)
        return self._faulty(verb, name) if name in VERBS else verb

    def _faulty(self, verb: Callable[..., Any], name: str) -> Callable[..., Any]:
        @wraps(verb)
        async def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  passed on
            fault = self._faults.next(name)
            if fault is Fault.FAILS_BEFORE:
                raise _failed(name, "was not reached")
            if fault is Fault.DELAYED:
                await self._wait(self._faults.delay_us())
            answer = await verb(*args, **kwargs)
            match fault:
                case Fault.FAILS_AFTER:
                    raise _failed(name, "broke the connection")
                case Fault.REPLY_LOST:
                    await self._wait(TIMEOUT_US)
                    raise _failed(name, "did not answer in time")
                case Fault.DUPLICATED:
                    return await verb(*args, **kwargs)
                case _:
                    return answer

        return call

    async def _wait(self, length_us: int) -> None:
        until_us = self._clock.monotonic_us() + length_us
        await self._clock.wait(Signal(), until_us=until_us)


def _failed(verb: str, what: str) -> StoreUnavailableError:
    return StoreUnavailableError(f"the store {what} ({verb}); this fault was asked for")


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a memory store held at one moment: what a replica had heard by then."""

    tables: Tables


def remember(store: MemoryAdapter) -> Remembered:
    """Keep what a memory store holds now."""
    return Remembered(copy.deepcopy(store._tables))  # noqa: SLF001  ours


def lose_writes(store: MemoryAdapter, *, since: Remembered) -> None:
    """Let a store forget everything since then, as a failover to a replica does.

    Fencing tokens go on growing: a store that can lose writes makes them of its time.
    """
    fence = store._tables.fence  # noqa: SLF001  ours
    tables = copy.deepcopy(since.tables)
    tables.fence = fence + FENCES_LOST_MAX
    store._tables = tables  # noqa: SLF001  ours
    store._tell(is_changed=True)  # noqa: SLF001  ours
