"""The store at a glance, and what should never be found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.queries import StoreSummary
from nvent_sched._model.runs import RunState
from nvent_sched.adapters._codec import SCHEMA
from nvent_sched.adapters.redis.rows import instant_of, job_from, pairs
from nvent_sched.adapters.redis.run_rows import run_from
from nvent_sched.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nvent_sched._model.instances import Instance

DIGITS_MAX: Final = 20
COUNTED_MAX: Final = 2**53 - 2**40
"""From here on a script would soon not count exactly."""


def summary_from(
    reply: Sequence[Any],
    *,
    instances: Iterable[Instance],
    findings: Iterable[str],
    settings: Mapping[str, str],
    dangers: Iterable[str],
) -> StoreSummary:
    """Read what `summary` counted."""
    statuses, waiting, ready, claimed, runs, oldest, waits, aside, *_ = reply
    live = {
        RunState.WAITING: waiting,
        RunState.READY: ready,
        RunState.CLAIMED: claimed,
    }
    listed = {name for each in instances for name in each.handlers}
    return StoreSummary(
        jobs=_by_status(pairs(statuses), ""),
        waits=_by_status(pairs(statuses), "wait "),
        live_runs={state: count for state, count in live.items() if count},
        finished_runs=runs - sum(live.values()),
        oldest_look_at=instant_of(oldest),
        unresolved={
            name: int(count)
            for name, count in pairs(waits).items()
            if name not in listed
        },
        quarantined=dict(pairs(aside)),
        findings=tuple(findings),
        settings=dict(settings),
        dangers=tuple(dangers),
    )


def _by_status(counts: Mapping[str, str], kind: str) -> dict[JobStatus, int]:
    named = {status: f"{kind}{status}" for status in JobStatus}
    return {
        status: int(counts[name]) for status, name in named.items() if name in counts
    }


def size_findings(reply: Sequence[Any]) -> Iterator[str]:
    """Find indexes that disagree with what they index."""
    jobs, definitions, listed = reply[8]
    if not jobs == definitions == listed:
        yield (
            f"{jobs} jobs, {definitions} definitions and {listed} listed ids: keys were "
            "changed by hand, or evicted"
        )


def counted(text: str) -> int | None:
    """Read a number that is counted up as the scripts do; None if it is damaged."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX
    number = int(text) if is_number else COUNTED_MAX
    return number if number < COUNTED_MAX else None


def number_findings(reply: Sequence[Any]) -> Iterator[str]:
    """Find a number that is none, of those that all jobs share."""
    fence, schema = reply[9:11]
    if fence and counted(fence) is None:
        yield (
            f"the last fencing token is {fence[:20]!r}: the next claim makes a new one of "
            "the server's time"
        )
    if not counted(schema):
        yield (
            f"the schema number is {schema[:20]!r}: no instance can start; set it to "
            f"{SCHEMA}"
        )


def lock_finding(name: str) -> str:
    """Say that a hold was damaged."""
    return (
        f"lock {name!r}: what is stored of its hold is damaged, so it is nobody's, and "
        "is given out once that hold would have ended"
    )


def job_findings(row: Sequence[str]) -> Iterator[str]:
    """Find a job that cannot be read, or that nothing will ever look at."""
    job_id, stand, definition, reason = row
    if reason:
        return
    try:
        job = job_from(stand, definition)
    except StoreError as error:
        yield f"job {job_id!r} cannot be read: {error}"
        return
    is_looked_at = job.look_at is not None or job.looks_on_finish
    if job.status is JobStatus.ACTIVE and job.next_time and not is_looked_at:
        yield f"job {job_id!r} is active, but nothing will ever look at it"


def run_findings(row: Sequence[Any], *, fence: int | None) -> Iterator[str]:
    """Find a run that cannot be read, or whose token was never given out."""
    run_id = row[0]
    try:
        run = run_from(row)
    except StoreError as error:
        yield f"run {run_id!r} cannot be read, and nobody will start it: {error}"
        return
    if fence is not None and run.fence > fence:
        yield f"run {run_id!r} has a fence above every one given out"
