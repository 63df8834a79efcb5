"""What a tally tells a script, and statistics as they are read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.histogram import bucket_of
from nvent_sched._model.runs import EXECUTED, Outcome
from nvent_sched._model.statistics import JobStats
from nvent_sched.adapters.redis.rows import instant_of, pairs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvent_sched._model.statistics import Tally

_OUTCOMES: Final = tuple(Outcome)
_NAMES: Final = frozenset(map(str, Outcome))


def tally_row(tally: Tally) -> list[Any]:
    """Write a tally: what `read_tally` reads."""
    outcome = tally.outcome
    return [
        tally.job_id,
        "" if outcome is None else outcome.value,
        tally.count,
        _kind_of(tally),
        "" if tally.started_at is None else tally.started_at,
        tally.finished_at,
        _bucket(tally.duration_us),
        _bucket(tally.lateness_us),
        "" if tally.error is None else f"={tally.error}",
    ]


def _kind_of(tally: Tally) -> str:
    if tally.outcome not in EXECUTED:
        return "n"
    if tally.is_success:
        return "s"
    return "f" if tally.is_failure else "r"


def _bucket(length_us: int | None) -> str:
    return "" if length_us is None else str(bucket_of(length_us))


def stats_from(job_id: str, reply: Sequence[Any]) -> JobStats:
    """Read the statistics of a job, or of all together ("")."""
    started, finished, success, failure, flat = reply
    counted = pairs(flat)
    outcome = counted.get("last_outcome")
    outcome = outcome if outcome in _NAMES else None
    return JobStats(
        job_id=job_id,
        counts={
            each: _count(counted[name])
            for each in _OUTCOMES
            if (name := f"n:{each.value}") in counted
        },
        retries=_count(counted.get("n:retries", "0")),
        success_streak=_count(counted.get("success_streak", "0")),
        failure_streak=_count(counted.get("failure_streak", "0")),
        last_outcome=None if outcome is None else Outcome(outcome),
        last_started_at=instant_of(started),
        last_finished_at=instant_of(finished),
        last_success_at=instant_of(success),
        last_failure_at=instant_of(failure),
        last_error=counted.get("last_error"),
        duration=_buckets(counted, "d:"),
        lateness=_buckets(counted, "l:"),
    )


def _count(text: str) -> int:
    """Read a count; one that was damaged begins anew with the next that is counted."""
    try:
        return int(text)
    except ValueError:
        return 0


def _buckets(counted: Mapping[str, str], beginning: str) -> dict[int, int]:
    return {
        int(bucket): _count(count)
        for name, count in counted.items()
        if name.startswith(beginning)
        and (bucket := name.removeprefix(beginning)).isdecimal()
    }
