"""Run one world to its end, and let the checker judge. The same seed, the same trace.

Trio with its deterministic scheduling, seeded, is the loop: which task goes on first is
drawn as well. Handlers are async: nothing runs in a thread, nothing waits for real time.
"""

from __future__ import annotations

import hashlib
import logging
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final

import anyio
import trio

from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.roles import Role, is_wait, role_of
from nvent_sched._model.runs import RunState
from nvent_sched.testing.checker import JobJournal, Journal, Report, judge
from nvent_sched.testing.simulator.acting import Stage
from nvent_sched.testing.simulator.hosts import Host
from nvent_sched.testing.simulator.keeping import (
    is_pending_wait,
    judge_patterns,
    judge_rest,
)
from nvent_sched.testing.simulator.store import SimulatedStore, closed
from nvent_sched.testing.simulator.timeline import BEGIN, HostClock, Timeline
from nvent_sched.testing.simulator.worlds import World, draw_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nvent_sched.testing.checker import Violation
    from nvent_sched.testing.faulty import Faults

RECOVERED_US: Final = 25 * SECOND_US
"""How long after the last trouble its consequences may still be felt: a lease, a
heartbeat, the longest wait of a loop between two tries, and a handler."""
REST_US_MAX: Final = 900 * SECOND_US
LATE_US: Final = 2 * SECOND_US
OVERDUE_US: Final = 4 * SECOND_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a simulation ended.

    Attributes:
        world: What was simulated.
        report: The judgement.
        journal: What was judged.
        log: What was asked of the store and answered, a line each.
        trace: A digest of the log: equal for equal runs.
    """

    world: World
    report: Report
    journal: Journal
    log: tuple[str, ...]
    trace: str


def simulate(seed: int) -> Ending:
    """Simulate the world that a seed stands for."""
    return simulate_world(draw_world(seed))


def simulate_world(
    world: World, *, faults: Callable[[int], Faults | None] = lambda _: None
) -> Ending:
    """Simulate a world.

    Args:
        world: What is drawn, or made by hand.
        faults: The faults of each host by its number; None for drawn ones.
    """
    with _seeded(world.seed), _silent():
        ending: Ending = trio.run(partial(_live, world, faults))
    return ending


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Let Trio draw the order of tasks from a seed, as its own tests do."""
    core: Any = trio._core._run
    before, state = core._ALLOW_DETERMINISTIC_SCHEDULING, core._r.getstate()
    core._ALLOW_DETERMINISTIC_SCHEDULING = True
    core._r.seed(seed)
    try:
        yield
    finally:
        core._ALLOW_DETERMINISTIC_SCHEDULING = before
        core._r.setstate(state)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what simulated instances log to themselves: their troubles are asked for."""
    logger = logging.getLogger("nvent_sched")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


async def _live(world: World, faults: Callable[[int], Faults | None]) -> Ending:
    timeline = Timeline()
    chance = Random(f"hints {world.seed}")
    store = SimulatedStore(
        timeline,
        has_own_clock=world.has_own_clock,
        hints=lambda: chance.randrange(100) >= world.hints_lost,
    )
    hosts = [
        Host(
            f"host{n}",
            store,
            HostClock(timeline, offset_us=offset_us),
            seed=world.seed,
            faults=faults(n),
            slots=world.slots,
            has_handler=n not in world.strangers,
            declared=dict(enumerate(world.declared)).get(n),
            patterns=world.patterns,
        )
        for n, offset_us in enumerate(world.offsets_us)
    ]
    user = Host(
        "user", store, HostClock(timeline), seed=world.seed, runs_handlers=False
    )
    async with anyio.create_task_group() as tasks:
        try:
            stage = Stage(world, hosts=hosts, user=user, tasks=tasks)
            tasks.start_soon(user.run)
            await timeline.run_until(0)
            await _declare(world, user)
            for host in hosts:
                tasks.start_soon(host.run)
            for trouble in world.troubles:
                await timeline.run_until(trouble.at_us)
                stage.apply(trouble)
            await timeline.run_until(timeline.elapsed_us)
            stage.end_trouble()
            troubled_us = timeline.elapsed_us
            await timeline.run_until(troubled_us + world.calm_us)
            calm = _journal(
                world, store, hosts, clock=user.clock, troubled_us=troubled_us
            )
            kept = judge_patterns(world, hosts)
            for host in hosts:
                host.program.end()
            await _come_to_rest(timeline, store, user)
            rest = _journal(
                world, store, hosts, clock=user.clock, troubled_us=troubled_us
            )
            tasks.cancel_scope.cancel()
        finally:
            # Last words are said under a shield, and may wait for an answer.
            timeline.end()
    kept += judge_rest(world, hosts)
    report = _judged(calm, replace(rest, is_at_rest=True), kept=kept)
    text = "\n".join(store.log)
    return Ending(
        world=world,
        report=report,
        journal=rest,
        log=tuple(store.log),
        trace=hashlib.sha256(text.encode()).hexdigest(),
    )


async def _declare(world: World, user: Host) -> None:
    assert user.scheduler is not None
    for job in world.jobs:
        await user.scheduler.schedule(
            "work",
            job.schedule,
            id=job.id,
            args=job.args,
            **job.options,
        )


async def _come_to_rest(timeline: Timeline, store: SimulatedStore, user: Host) -> None:
    """Let nothing new become due, and let everything end."""
    assert user.scheduler is not None
    for job in store.jobs():
        if _stands_alone(job.id):
            await user.scheduler.pause(job.id)
    ends_us = timeline.elapsed_us + REST_US_MAX
    while timeline.elapsed_us < ends_us:
        await timeline.run_until(timeline.elapsed_us + SECOND_US)
        are_waits_over = not any(map(is_pending_wait, store.jobs()))
        are_runs_over = all(run.state is RunState.FINISHED for run in store.runs())
        if are_runs_over and are_waits_over:
            # What was read before the last one ended may still be on its way.
            await timeline.run_until(timeline.elapsed_us + 5 * SECOND_US)
            return


def _stands_alone(job_id: str) -> bool:
    """Whether a job becomes due by itself: no wait, and nothing that must be fired."""
    return not is_wait(job_id) and role_of(job_id) is not Role.SUBSCRIPTION


def _journal(
    world: World,
    store: SimulatedStore,
    hosts: list[Host],
    *,
    clock: HostClock,
    troubled_us: int,
) -> Journal:
    runs = store.runs()
    jobs = []
    for job in store.jobs():
        if is_wait(job.id):
            continue  # whoever waits finishes it: it has no run
        *before, last = store.stretches[job.id]
        jobs.append(
            JobJournal(
                job=job,
                stretches=(*before, closed(last, job)),
                runs=tuple(run for run in runs if run.job_id == job.id),
                stats=store.memory._tables.stats_of(job.id),
            )
        )
    is_judged_late = world.slots >= 50 and world.is_clock_steady  # noqa: PLR2004
    recovered = Instant(BEGIN + troubled_us + RECOVERED_US)
    return Journal(
        now=store.now() if world.has_own_clock else clock.now(),
        jobs=tuple(jobs),
        begun=tuple(begun for host in hosts for begun in host.watched()),
        writes=tuple(store.writes),
        is_whole=True,
        is_clock_steady=world.is_clock_steady,
        overdue_us=OVERDUE_US,
        late_after_us=LATE_US if is_judged_late else None,
        outages=((BEGIN, recovered),),
    )


def _judged(calm: Journal, rest: Journal, *, kept: tuple[Violation, ...]) -> Report:
    """Judge the end, and whether anybody was left waiting before it.

    Args:
        calm: What was known as all was well for long.
        rest: What was known as nothing was left to do.
        kept: What patterns did not keep.
    """
    report = judge(rest)
    waiting = tuple(
        violation
        for violation in judge(calm).violations
        if "nobody looks" in violation.text
    )
    assert not any(
        known.job.status is JobStatus.ACTIVE and _stands_alone(known.job.id)
        for known in rest.jobs
    )
    return replace(report, violations=(*waiting, *kept, *report.violations))
