"""What a seed stands for: how many hosts, which jobs, which troubles and when. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.instants import MILLISECOND_US, SECOND_US, Instant, moment_from
from nvent_sched._model.policies import Misfire, OnLost, Overlap, Retry
from nvent_sched._rules.cron import Cron
from nvent_sched._rules.schedules import Interval, OneTime
from nvent_sched.testing.simulator.patterns import Patterns, draw_patterns
from nvent_sched.testing.simulator.timeline import BEGIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvent_sched._model.schedules import Schedule

HOSTS_MAX: Final = 3
JOBS_MAX: Final = 3
TROUBLED_US: Final = 25 * SECOND_US
"""For how long there is trouble; afterwards all is well and must become so."""


class Kind(StrEnum):
    """A trouble, or something that a user does. A closed set."""

    KILL = "kill"
    KILL_AT_CALL = "kill_at_call"
    STOP = "stop"
    FREEZE = "freeze"
    THAW = "thaw"
    CUT = "cut"
    MEND = "mend"
    JUMP = "jump"
    FAULTS = "faults"
    PAUSE = "pause"
    RESUME = "resume"
    RESCHEDULE = "reschedule"
    RUN_NOW = "run_now"
    CANCEL = "cancel"
    EDIT = "edit"
    BACKFILL = "backfill"
    CLOSE = "close"
    OPEN = "open"
    HUSH = "hush"
    HEAR = "hear"
    GIVE_UP = "give_up"
    REMEMBER = "remember"
    FAIL_OVER = "fail_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that happens.

    Attributes:
        at_us: When, counted from the beginning.
        who: Which host, job, trigger or wait; -1 for all hosts.
        amount: How much of it: a length in microseconds, a share, a number of calls.
    """

    at_us: int
    kind: Kind
    who: int = 0
    amount: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedJob:
    """A job of a simulation.

    Attributes:
        length_us: How long its handler takes at most.
        failing: In how many of a hundred attempts it fails.
        killing: In how many of a hundred attempts it takes its process with it.
    """

    id: str
    schedule: Schedule
    options: dict[str, Any] = field(default_factory=dict)
    length_us: int = SECOND_US
    failing: int = 0
    killing: int = 0

    @property
    def args(self) -> list[int]:
        """What its handler is called with."""
        return [self.length_us, self.failing, self.killing]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that is drawn before a simulation begins.

    Attributes:
        has_own_clock: The store judges time by itself, as Redis does; otherwise all
            hosts are processes of one machine with one wall clock, as with SQLite.
        offsets_us: By how much each host's wall clock is wrong.
        hints_lost: How many of a hundred hints are lost.
        slots: How many runs a host can have going.
        strangers: The hosts that do not have the handler.
        declared: By host: a job that its code declares at each start, if any.
        patterns: What the program of every host does beside its jobs.
        calm_us: How long all is well before the end.
    """

    seed: int
    has_own_clock: bool = True
    offsets_us: tuple[int, ...] = (0, 0)
    jobs: tuple[SimulatedJob, ...]
    troubles: tuple[Trouble, ...] = ()
    hints_lost: int = 0
    slots: int = 50
    strangers: frozenset[int] = frozenset()
    declared: tuple[SimulatedJob, ...] = ()
    patterns: Patterns = field(default_factory=Patterns)
    calm_us: int = 33 * SECOND_US

    @property
    def is_clock_steady(self) -> bool:
        """Whether the times in the journal can be compared."""
        has_jumps = any(each.kind is Kind.JUMP for each in self.troubles)
        return self.has_own_clock or not has_jumps

    @property
    def is_troubled(self) -> bool:
        """Whether anything but what users do is to happen."""
        return any(each.kind not in BY_USERS for each in self.troubles)


def draw_world(seed: int) -> World:
    """Draw a world; the same for the same seed, for ever and everywhere."""
    random = Random(seed)
    has_own_clock = random.randrange(3) > 0
    hosts = random.randrange(1, HOSTS_MAX + 1)
    jobs = tuple(_draw_job(random, n) for n in range(random.randrange(1, JOBS_MAX + 1)))
    patterns = draw_patterns(Random(f"patterns {seed}"))
    offsets = [0] * hosts
    if has_own_clock:
        offsets = [random.randrange(-300, 301) * SECOND_US for _ in offsets]
    return World(
        seed=seed,
        has_own_clock=has_own_clock,
        offsets_us=tuple(offsets),
        jobs=jobs,
        troubles=_in_order(
            *_draw_troubles(random, hosts=hosts, jobs=len(jobs)),
            *(_draw_failover(Random(f"failover {seed}")) if has_own_clock else ()),
            *_draw_meddling(Random(f"meddling {seed}"), patterns),
        ),
        hints_lost=random.choice((0, 20, 100)),
        slots=random.choice((2, 50)),
        patterns=patterns,
    )


def _draw_job(random: Random, number: int) -> SimulatedJob:
    every = random.choice((1, 2, 5, 7))
    schedules: tuple[Schedule, ...] = (
        Interval(seconds=every),
        Interval(seconds=every),
        Interval(seconds=every, after="finish"),
        Cron(f"*/{every} * * * * *"),
        OneTime(moment_from(Instant(BEGIN + random.randrange(60) * SECOND_US))),
    )
    options: dict[str, Any] = {
        "overlap": random.choice(tuple(Overlap)),
        "max_buffered": random.choice((1, 3)),
        "misfire": random.choice(tuple(Misfire)),
        "misfire_grace": timedelta(seconds=random.choice((0, 2, 60))),
        "max_catch_up": random.choice((2, 100)),
        "on_lost": random.choice((OnLost.RETRY, OnLost.RETRY, OnLost.FAIL)),
        "retry": random.choice(
            (Retry(), Retry(attempts=3, delay=timedelta(seconds=1)))
        ),
        "jitter": timedelta(seconds=random.choice((0, 0, 1))),
        "spread": timedelta(seconds=random.choice((0, 0, 1))),
    }
    if options["overlap"] is Overlap.ALLOW_ALL:
        options["max_running"] = random.choice((None, 2))
    if random.randrange(4) == 0:
        options["max_runs"] = random.randrange(1, 12)
    if random.randrange(4) == 0:
        options["timeout"] = timedelta(seconds=3)
    if random.randrange(6) == 0:
        options["pause_after_failures"] = 3
    return SimulatedJob(
        id=f"job{number}",
        schedule=random.choice(schedules),
        options=options,
        length_us=random.choice((0, 1, 4, 12)) * SECOND_US,
        failing=random.choice((0, 0, 30)),
    )


ON_HOSTS: Final = (
    Kind.KILL,
    Kind.KILL,
    Kind.KILL_AT_CALL,
    Kind.KILL_AT_CALL,
    Kind.STOP,
    Kind.FREEZE,
    Kind.FREEZE,
    Kind.CUT,
    Kind.JUMP,
    Kind.FAULTS,
    Kind.FAULTS,
)
ON_JOBS: Final = (
    Kind.PAUSE,
    Kind.RESUME,
    Kind.RESUME,
    Kind.RESCHEDULE,
    Kind.RUN_NOW,
    Kind.RUN_NOW,
    Kind.CANCEL,
    Kind.CANCEL,
    Kind.EDIT,
    Kind.BACKFILL,
)
ON_TRIGGERS: Final = (Kind.CLOSE, Kind.OPEN, Kind.HUSH, Kind.HEAR)
ON_PATTERNS: Final = (*ON_TRIGGERS, Kind.GIVE_UP)
BY_USERS: Final = frozenset({*ON_JOBS, *ON_PATTERNS})


def _draw_troubles(random: Random, *, hosts: int, jobs: int) -> tuple[Trouble, ...]:
    troubles: list[Trouble] = []
    for _ in range(random.randrange(1, 12)):
        # Half of them happen exactly when something is due.
        at_us = random.randrange(TROUBLED_US // SECOND_US) * SECOND_US
        at_us += random.choice((0, random.randrange(SECOND_US)))
        if random.randrange(2):
            who = random.randrange(hosts)
            troubles += _on_host(random, random.choice(ON_HOSTS), at_us=at_us, who=who)
        else:
            kind, amount = random.choice(ON_JOBS), random.randrange(1_000)
            who = random.randrange(jobs)
            troubles.append(Trouble(at_us=at_us, kind=kind, who=who, amount=amount))
    return tuple(troubles)


def _draw_meddling(random: Random, patterns: Patterns) -> Iterator[Trouble]:
    """Draw what users do with triggers and waits: often nothing."""
    acts = [
        (kind, who)
        for who in range(len(patterns.triggers))
        for kind in random.choices(ON_TRIGGERS, k=random.choice((0, 2, 6)))
    ]
    waits = [who for who in range(len(patterns.waits)) if random.randrange(3) == 0]
    for kind, who in [*acts, *((Kind.GIVE_UP, who) for who in waits)]:
        at_us = random.randrange(TROUBLED_US // MILLISECOND_US) * MILLISECOND_US
        yield Trouble(at_us=at_us, kind=kind, who=who, amount=random.randrange(2))


def _draw_failover(random: Random) -> tuple[Trouble, ...]:
    """Draw, rarely, that another server takes over and has not heard of the last writes."""
    if random.randrange(8):
        return ()
    at_us = random.randrange(TROUBLED_US // SECOND_US) * SECOND_US
    at_us += random.choice((0, random.randrange(SECOND_US)))
    lost_us = random.choice((1, 100, 1_000, 4_000)) * MILLISECOND_US
    return (
        Trouble(at_us=at_us, kind=Kind.REMEMBER),
        Trouble(at_us=at_us + lost_us, kind=Kind.FAIL_OVER),
    )


def _in_order(*troubles: Trouble) -> tuple[Trouble, ...]:
    return tuple(sorted(troubles, key=lambda each: each.at_us))


def _on_host(random: Random, kind: Kind, *, at_us: int, who: int) -> list[Trouble]:
    # Some pauses are longer than the lease, some than what counts as dead.
    length_us = random.choice((1, 5, 8, 25)) * SECOND_US + random.randrange(SECOND_US)
    amount = 0
    ends: Kind | None = None
    match kind:
        case Kind.FREEZE:
            ends = Kind.THAW
        case Kind.CUT:
            ends = Kind.MEND
        case Kind.FAULTS:
            amount, ends = random.choice((20, 100, 400)), Kind.FAULTS
        case Kind.KILL_AT_CALL:
            amount = random.randrange(1, 40)
        case Kind.JUMP:
            amount = random.choice((-40, -3, 3, 40, 4_000)) * SECOND_US
            amount += random.randrange(100) * MILLISECOND_US
        case _:
            pass
    began = Trouble(at_us=at_us, kind=kind, who=who, amount=amount)
    if ends is None:
        return [began]
    return [began, Trouble(at_us=at_us + length_us, kind=ends, who=who)]
