"""How statistics add up. Pure.

Occurrences that were not run are counted and change nothing else: every `last_…` and
both streaks speak of runs. An attempt that another one follows counts as a retry only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from nvent_sched._model.histogram import bucket_of
from nvent_sched._model.runs import EXECUTED
from nvent_sched._model.statistics import JobStats

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nvent_sched._model.instants import Instant
    from nvent_sched._model.statistics import Tally

K = TypeVar("K")
T = TypeVar("T")


def stats_with(stats: JobStats, tally: Tally) -> JobStats:
    """Add what one record says to the statistics of its job."""
    if tally.outcome is None:
        return replace(stats, retries=stats.retries + tally.count)
    counted = replace(stats, counts=_plus(stats.counts, {tally.outcome: tally.count}))
    if tally.outcome not in EXECUTED:
        return counted
    timed = replace(
        counted,
        last_outcome=tally.outcome,
        last_started_at=_first_of(tally.started_at, stats.last_started_at),
        last_finished_at=tally.finished_at,
        duration=_plus(stats.duration, _length(tally.duration_us)),
        lateness=_plus(stats.lateness, _length(tally.lateness_us)),
    )
    if tally.is_success:
        return replace(
            timed,
            success_streak=stats.success_streak + 1,
            failure_streak=0,
            last_success_at=tally.finished_at,
        )
    if tally.is_failure:
        return replace(
            timed,
            success_streak=0,
            failure_streak=stats.failure_streak + 1,
            last_failure_at=tally.finished_at,
            last_error=tally.error,
        )
    return timed


def summed(parts: Iterable[JobStats]) -> JobStats:
    """Add up several jobs: counts are summed, instants are the latest of all.

    Streaks, the last outcome and the last error are a job's own: the sum has none.
    """
    total = JobStats(job_id="")
    for part in parts:
        total = replace(
            total,
            counts=_plus(total.counts, part.counts),
            retries=total.retries + part.retries,
            last_started_at=_latest(total.last_started_at, part.last_started_at),
            last_finished_at=_latest(total.last_finished_at, part.last_finished_at),
            last_success_at=_latest(total.last_success_at, part.last_success_at),
            last_failure_at=_latest(total.last_failure_at, part.last_failure_at),
            duration=_plus(total.duration, part.duration),
            lateness=_plus(total.lateness, part.lateness),
        )
    return total


def _plus(some: Mapping[K, int], more: Mapping[K, int]) -> Mapping[K, int]:
    total = dict(some)
    for key, count in more.items():
        total[key] = total.get(key, 0) + count
    return total


def _length(length_us: int | None) -> Mapping[int, int]:
    return {} if length_us is None else {bucket_of(length_us): 1}


def _first_of(value: T | None, otherwise: T | None) -> T | None:
    return otherwise if value is None else value


def _latest(one: Instant | None, other: Instant | None) -> Instant | None:
    if one is None or other is None:
        return _first_of(one, other)
    return max(one, other)
