"""Whether locks, waits and deadlines kept what they promise. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.roles import Role, is_wait
from nvent_sched.testing.checker import Violation, Wrong
from nvent_sched.testing.checker.journal import TOLERANCE_US
from nvent_sched.testing.checker.owed import shown
from nvent_sched.testing.checker.watching import acts_of_old
from nvent_sched.testing.simulator.barking import judge_alarms
from nvent_sched.testing.simulator.handing import judge_fires

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from nvent_sched._model.jobs import Job
    from nvent_sched.testing.checker import Begun
    from nvent_sched.testing.simulator.hosts import Host
    from nvent_sched.testing.simulator.losing import Failover
    from nvent_sched.testing.simulator.patterns import Tried, Woken
    from nvent_sched.testing.simulator.worlds import World

IDLE_US: Final = 15 * SECOND_US
"""How long nobody may have a lock that somebody wants: others' turns and what they leave."""


def judge_patterns(world: World, hosts: list[Host]) -> tuple[Violation, ...]:
    """Judge what the programs of hosts saw, when all has been well for long."""
    failover = hosts[0].store.failover
    lost = frozenset[str]() if failover is None else failover.jobs_lost
    held = [begun for host in hosts for begun in host.held()]
    since = Instant(hosts[0].store.now() - IDLE_US)
    names = [lock.name for lock in world.patterns.locks]
    violations = [*judge_holds(held), *judge_idle(held, names=names, since=since)]
    woken = [
        each
        for host in hosts
        for each in host.program.woken
        if f"{Role.AWAIT}{each.key}" not in lost
    ]
    # Who has not noticed yet that the clock was set goes by the one before.
    steady_us = TOLERANCE_US if world.is_clock_steady else None
    late_us = None if world.is_troubled else steady_us
    given_up = hosts[0].store.given_up
    violations += judge_woken(
        woken, early_us=steady_us, late_us=late_us, given_up=given_up
    )
    if failover is None and world.is_clock_steady:
        violations += judge_given_up(woken, given_up=given_up)
    tried = [
        each
        for host in hosts
        for each in host.program.tried
        if f"{Role.DEADLINE}{each.key}" not in lost
    ]
    violations += judge_tried(tried, late_us=steady_us)
    if world.is_clock_steady:  # else what they wait for may be far away again
        for host in hosts:
            left = [each for each in host.program.waits_for if each not in lost]
            violations += judge_left(host.name, left)
    if failover is not None:
        begun = [each for host in hosts for each in host.begun]
        violations += judge_repeated(begun, failover)
    return tuple(violations)


def judge_rest(world: World, hosts: list[Host]) -> tuple[Violation, ...]:
    """Judge what patterns left behind, as nothing is left to do."""
    store = hosts[0].store
    violations = [*judge_records(store.jobs())]
    lost = frozenset[str]() if store.failover is None else store.failover.jobs_lost
    for host in hosts:
        for dog in world.patterns.watchdogs if world.is_clock_steady else ():
            key = f"{host.name} {dog.key}"
            if f"{Role.WATCHDOG}{key}" not in lost and dog.key in host.program.done:
                violations += judge_alarms(
                    dog,
                    key=key,
                    signs=host.program.signs,
                    jobs=store.jobs(),
                    runs=store.runs(),
                    is_exact=not world.is_troubled,
                )
    for trigger in world.patterns.triggers:
        violations += judge_fires(
            trigger,
            fired=[each for host in hosts for each in host.program.fired],
            runs=store.runs(),
            failover=store.failover,
        )
    return tuple(violations)


def is_pending_wait(job: Job) -> bool:
    """Whether a job is a wait that nobody has finished."""
    return is_wait(job.id) and job.status is not JobStatus.FINISHED


def judge_records(jobs: Iterable[Job]) -> tuple[Violation, ...]:
    """Look for waits that nobody has finished, as nothing is left to do."""
    text = "its time came, and nobody has finished it"
    return tuple(
        Violation(wrong=Wrong.INCOMPLETE, job_id=job.id, text=text)
        for job in jobs
        if is_pending_wait(job)
    )


def judge_holds(held: Iterable[Begun]) -> Iterator[Violation]:
    """Look for a token that was given twice, and for two who believed in one lock.

    A holder stops itself before another one may begin: nothing is done under a token once
    a newer one is in use, but for what a paused process does as it comes back.
    """
    by_name: dict[str, list[Begun]] = {}
    for begun in held:
        by_name.setdefault(begun.job_id, []).append(begun)
    for group in by_name.values():
        given: dict[int, Begun] = {}
        for begun in group:
            other = given.setdefault(begun.fence, begun)
            if other is not begun:
                yield Violation(
                    wrong=Wrong.EXTRA,
                    job_id=begun.job_id,
                    at=begun.began_at,
                    text=f"token {begun.fence} was given to {begun.instance} and to "
                    f"{other.instance}",
                )
        yield from acts_of_old(group)


def judge_idle(
    held: Iterable[Begun], *, names: Iterable[str], since: Instant
) -> Iterator[Violation]:
    """Look for a lock that nobody has had since, although they want it and all is well."""
    newest: dict[str, Instant] = {}
    for begun in held:
        last = max([begun.began_at, *begun.acts])
        newest[begun.job_id] = max(last, newest.get(begun.job_id, last))
    for name in names:
        job_id = f"lock {name}"
        if job_id not in newest or newest[job_id] < since:
            text = f"nobody has had it since {shown(since)}, and they want it"
            yield Violation(wrong=Wrong.MISSING, job_id=job_id, text=text)


def judge_woken(
    woken: Iterable[Woken],
    *,
    early_us: int | None,
    late_us: int | None,
    given_up: Collection[str],
) -> Iterator[Violation]:
    """Look for a wait with two times, and for one that ended before its time or late.

    Args:
        woken: How waits ended.
        early_us: How far a host may be wrong about the store's time; None if it may be
            wrong by anything.
        late_us: How late a host may go on; None if something may have kept it.
        given_up: The waits that somebody wanted cancelled.
    """
    first: dict[str, Woken] = {}
    for each in woken:
        job_id = f"await:{each.key}"
        if each.at is None and each.key in given_up:
            continue
        if each.at is None:
            text = f"{each.host} was told that it was cancelled, and nobody did that"
            yield Violation(wrong=Wrong.MISSING, job_id=job_id, text=text)
            continue
        known = first.setdefault(each.key, each)
        assert known.at is not None
        if known.at != each.at:
            text = (
                f"{known.host} was told {shown(known.at)}, {each.host} {shown(each.at)}"
            )
            yield Violation(wrong=Wrong.EXTRA, job_id=job_id, text=text)
        if early_us is not None and each.woken_at < each.at - early_us:
            text = f"{each.host} went on at {shown(each.woken_at)}"
            yield Violation(wrong=Wrong.EARLY, job_id=job_id, at=each.at, text=text)
        owed_at = max(each.at, each.asked_at)
        if late_us is not None and each.woken_at > owed_at + late_us:
            text = f"{each.host} went on at {shown(each.woken_at)}"
            yield Violation(wrong=Wrong.LATE, job_id=job_id, at=each.at, text=text)


def judge_given_up(
    woken: Iterable[Woken], *, given_up: Mapping[str, Instant | None]
) -> Iterator[Violation]:
    """Look for a host that asked for a cancelled wait, and was told that it is over."""
    for each in woken:
        cancelled_at = given_up.get(each.key)
        if each.at is None or cancelled_at is None:
            continue
        if each.asked_at > cancelled_at + TOLERANCE_US:
            text = f"it was cancelled at {shown(cancelled_at)}, and {each.host} "
            text += f"asked at {shown(each.asked_at)}"
            job_id = f"await:{each.key}"
            yield Violation(wrong=Wrong.EXTRA, job_id=job_id, at=each.at, text=text)


def judge_tried(tried: Iterable[Tried], *, late_us: int | None) -> Iterator[Violation]:
    """Look for a deadline that moved between tries, and for work that went on past it.

    Who was killed as it forgot the deadline of what it had done begins anew, with a new one.

    Args:
        tried: The tries.
        late_us: How far a host may be wrong about the store's time; None if it may be
            wrong by anything.
    """
    first: dict[str, Tried] = {}
    for each in tried:
        job_id = f"deadline:{each.key}"
        known = first.setdefault(each.key, each)
        if known.at != each.at and not known.is_through:
            text = f"it was {shown(known.at)} before, and {shown(each.at)} then"
            yield Violation(wrong=Wrong.EXTRA, job_id=job_id, text=text)
        first[each.key] = each
        if late_us is None or each.acted_at is None:
            continue
        if each.acted_at > each.at + late_us:
            text = f"{each.host} still worked at {shown(each.acted_at)}"
            yield Violation(wrong=Wrong.LATE, job_id=job_id, at=each.at, text=text)


def judge_repeated(begun: Iterable[Begun], failover: Failover) -> Iterator[Violation]:
    """Look for a run that began again although its end was not among what was lost."""
    for each in begun:
        if each.began_at > failover.at and each.run_id in failover.ended:
            yield Violation(
                wrong=Wrong.EXTRA,
                job_id=each.job_id,
                at=each.began_at,
                run_id=each.run_id,
                text="it began again, and the server that took over knew its end",
            )


def judge_left(host: str, keys: Iterable[str]) -> Iterator[Violation]:
    """Look for what a host still waits for although its time came long ago."""
    for key in keys:
        text = f"{host} still waits for it"
        yield Violation(wrong=Wrong.MISSING, job_id=key, text=text)
