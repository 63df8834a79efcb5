"""What programs do in a simulation beside their jobs: locks, waits and the like. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import MILLISECOND_US, SECOND_US
from nvent_sched._model.roles import Role

if TYPE_CHECKING:
    from random import Random

    from nvent_sched._model.instants import Instant

WAITS_MAX: Final = 3
SUBSCRIBER: Final = "hearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedLock:
    """A lock that every host wants again and again.

    Attributes:
        ttl_us: For how long it is given out.
        length_us: For how long it is held at most.
        wait_us: How long a host waits for it; None for ever.
        gap_us: How long a host does without it at most.
    """

    name: str
    ttl_us: int = 2 * SECOND_US
    length_us: int = 3 * SECOND_US
    wait_us: int | None = None
    gap_us: int = 4 * SECOND_US


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedWait:
    """A key that every host waits for, once, also after a restart.

    Attributes:
        from_us: When they begin to, counted from the beginning; each a little later.
        length_us: How long the first of them says.
    """

    key: str
    from_us: int = 0
    length_us: int = 5 * SECOND_US


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDeadline:
    """Work of every host that must be done by a stored moment, however often it is tried.

    Attributes:
        from_us: When it begins, counted from the beginning.
        length_us: How long there is.
        work_us: How long one try takes.
        failing: In how many of a hundred tries it fails.
    """

    key: str
    from_us: int = 0
    length_us: int = 10 * SECOND_US
    work_us: int = 3 * SECOND_US
    failing: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedTrigger:
    """A trigger that every host declares, fires and hears.

    Attributes:
        every_us: How often its schedule fires it; None for only by hand.
        fires: How often each host fires it.
        length_us: How long who hears it takes at most.
        heard_us: When somebody subscribes, counted from the beginning; None for before
            anything is fired.
    """

    name: str
    every_us: int | None = None
    fires: int = 4
    length_us: int = SECOND_US
    heard_us: int | None = None

    @property
    def job_id(self) -> str:
        """Which job keeps it."""
        return f"{Role.TRIGGER}{self.name}"

    @property
    def subscription_id(self) -> str:
        """Which job keeps the subscription."""
        return f"{Role.SUBSCRIPTION}{self.name}:{SUBSCRIBER}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedWatchdog:
    """Work of every host that is watched, and is silent once.

    Attributes:
        timeout_us: For how long it may be silent.
        silent_from_us: When it falls silent, counted from the beginning.
        silent_us: For how long.
        until_us: When it ends, likewise.
        is_left: It is left unfinished then, instead of done.
    """

    key: str
    timeout_us: int = 2 * SECOND_US
    silent_from_us: int = 6 * SECOND_US
    silent_us: int = 5 * SECOND_US
    until_us: int = 18 * SECOND_US
    is_left: bool = False

    def is_silent(self, elapsed_us: int) -> bool:
        """Whether no sign is given at this moment."""
        return 0 <= elapsed_us - self.silent_from_us < self.silent_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Patterns:
    """What the program of every host does.

    Attributes:
        locks: What it wants for itself.
        waits: What it waits for.
        deadlines: What it does within a time.
        triggers: What it fires and hears.
        watchdogs: What it does that is watched.
    """

    locks: tuple[SimulatedLock, ...] = ()
    waits: tuple[SimulatedWait, ...] = ()
    deadlines: tuple[SimulatedDeadline, ...] = ()
    triggers: tuple[SimulatedTrigger, ...] = ()
    watchdogs: tuple[SimulatedWatchdog, ...] = ()

    @property
    def is_none(self) -> bool:
        """Whether it does nothing."""
        return self == Patterns()


@dataclass(frozen=True, slots=True, kw_only=True)
class Woken:
    """A wait that ended for one who waited.

    Attributes:
        at: The time it was stored to end at, as this one was told; None if it was
            cancelled.
        asked_at: When it began to wait, by the clock that the store goes by.
        woken_at: When it went on, likewise.
    """

    key: str
    host: str
    at: Instant | None
    asked_at: Instant
    woken_at: Instant


@dataclass(slots=True, kw_only=True)
class Tried:
    """One try of work that has a deadline.

    Attributes:
        at: The deadline, as this try was told.
        acted_at: When it did something last, by the clock that the store goes by, but
            for what a paused process does as it comes back; None for never.
        is_through: The work was done, so that the deadline was to be forgotten.
    """

    key: str
    host: str
    at: Instant
    acted_at: Instant | None = None
    is_through: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A fire that was answered.

    Attributes:
        run_id: Its run.
        at: When it was answered, by true time.
    """

    run_id: str
    at: Instant


@dataclass(slots=True, kw_only=True)
class Sign:
    """A sign of life of watched work, by the clock that the store goes by.

    Attributes:
        asked_at: When it was given.
        at: When it was taken: a start waits for the store. None if it may not have been.
    """

    key: str
    asked_at: Instant
    at: Instant | None = None


def draw_patterns(random: Random) -> Patterns:
    """Draw what programs do; often nothing, as it takes its time."""
    return Patterns(
        locks=(_draw_lock(random),) if random.randrange(6) == 0 else (),
        waits=tuple(
            SimulatedWait(
                key=f"wait{n}",
                from_us=random.randrange(12) * SECOND_US,
                length_us=random.randrange(12_000) * MILLISECOND_US,
            )
            for n in range(random.choice((0, 0, 0, 0, 1, WAITS_MAX)))
        ),
        deadlines=(_draw_deadline(random),) if random.randrange(6) == 0 else (),
        triggers=(_draw_trigger(random),) if random.randrange(10) == 0 else (),
        watchdogs=(_draw_watchdog(random),) if random.randrange(6) == 0 else (),
    )


def _draw_lock(random: Random) -> SimulatedLock:
    return SimulatedLock(
        name="lock",
        ttl_us=random.choice((1, 2, 5)) * SECOND_US,
        length_us=random.choice((1, 4)) * SECOND_US,
        wait_us=random.choice((None, None, 2 * SECOND_US, 0)),
    )


def _draw_deadline(random: Random) -> SimulatedDeadline:
    return SimulatedDeadline(
        key="deadline",
        from_us=random.randrange(12) * SECOND_US,
        length_us=random.randrange(1, 12) * SECOND_US,
        work_us=random.choice((1, 3, 20)) * SECOND_US,
    )


def _draw_trigger(random: Random) -> SimulatedTrigger:
    return SimulatedTrigger(
        name="trigger",
        every_us=random.choice((None, 3 * SECOND_US)),
        fires=random.choice((2, 5)),
        length_us=random.choice((0, 2)) * SECOND_US,
        heard_us=random.choice((None, None, random.randrange(20) * SECOND_US)),
    )


def _draw_watchdog(random: Random) -> SimulatedWatchdog:
    return SimulatedWatchdog(
        key="flow",
        timeout_us=random.choice((1, 3)) * SECOND_US,
        silent_from_us=random.randrange(12_000) * MILLISECOND_US,
        silent_us=random.choice((0, SECOND_US // 2, 5 * SECOND_US)),
        is_left=random.randrange(2) == 0,
    )
