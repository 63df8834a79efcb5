"""Everything about one job, for its panel. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import Instant, instant_from, moment_from
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.runs import FAILURES, Outcome, Run
from nvent_sched._rules.previewing import preview_of
from nvent_sched._rules.recurrence import schedule_of
from nvent_sched._rules.viewing import policies_view
from nvent_sched._tracebacks import error_line
from nvent_sched._views.policies import policy_pairs
from nvent_sched._views.words import one_line
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvent_sched._model.instances import Instance
    from nvent_sched._model.jobs import Job
    from nvent_sched._views.status.entries import Entry

RUNS_MAX: Final = 12
NEXT_MAX: Final = 5
LOG_MAX: Final = 60
TEXT_MAX: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """An occurrence to come.

    Attributes:
        text: The wall time in the schedule's zone.
        note: What a clock change does to it; empty for nothing.
    """

    at: Instant
    text: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One run of the list.

    Attributes:
        text: The most telling thing about it, one line.
    """

    id: str
    state: str
    outcome: Outcome | None
    origin: str
    scheduled_time: Instant
    started_at: Instant | None
    finished_at: Instant | None
    attempt: int
    instance: str
    count: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDetail:
    """A job's panel.

    Attributes:
        facts: Names and values to list, in order.
        policies: The same, of its policies.
        coming: The next occurrences; empty for none.
        runs: The last ones, the newest first.
        error: The newest error's text with its traceback; None if there is none.
        error_at: When that run ended.
        log: The last lines of the newest run that has any.
        log_run: Which run that is.
    """

    id: str
    facts: tuple[tuple[str, str], ...]
    policies: tuple[tuple[str, str], ...]
    coming: tuple[Coming, ...]
    runs: tuple[RunLine, ...]
    error: str | None
    error_at: Instant | None
    log: tuple[str, ...]
    log_run: str | None


def detail_of(
    entry: Entry, *, runs: Sequence[Run], instances: Iterable[Instance], now: Instant
) -> JobDetail:
    """Put a job's panel together."""
    job = entry.job
    failed = next((run for run in runs if run.error), None)
    told = next((run for run in runs if run.log), None)
    return JobDetail(
        id=job.id,
        facts=tuple(_facts(job, entry, instances=instances)),
        policies=tuple(policy_pairs(policies_view(job.definition.policies))),
        coming=_coming(job, now=now),
        runs=tuple(map(_line, runs[:RUNS_MAX])),
        error=None if failed is None else failed.error,
        error_at=None if failed is None else failed.finished_at,
        log=() if told is None else told.log[-LOG_MAX:],
        log_run=None if told is None else told.id,
    )


def _facts(
    job: Job, entry: Entry, *, instances: Iterable[Instance]
) -> Iterable[tuple[str, str]]:
    definition = job.definition
    yield "id", job.id
    if definition.name != job.id:
        yield "name", definition.name
    row = entry.row()
    yield "schedule", row.words
    yield "handler", _handler(job, instances)
    if job.note:
        yield "paused because", job.note
    payload = json.loads(definition.payload)
    for name in ("args", "kwargs"):
        if payload.get(name):
            yield name, _short(json.dumps(payload[name], ensure_ascii=False))
    if definition.tags:
        yield "tags", ", ".join(definition.tags)
    if definition.metadata != "{}":
        yield "metadata", _short(definition.metadata)
    counts = entry.stats.counts
    counted = (
        f"{counts[each]:,} {each.replace('_', ' ')}"
        for each in Outcome
        if counts.get(each)
    )
    yield "runs", ", ".join(counted) or "none yet"
    if entry.stats.retries:
        yield "retried", f"{entry.stats.retries:,} attempts"


def _handler(job: Job, instances: Iterable[Instance]) -> str:
    handler = job.definition.handler
    if any(handler in each.handlers for each in instances):
        return handler
    return f"{handler} (no instance has it)"


def _coming(job: Job, *, now: Instant) -> tuple[Coming, ...]:
    if job.status is not JobStatus.ACTIVE or job.next_time is None:
        return ()
    try:
        schedule = schedule_of(job)
    except UsageError:
        return ()
    after = moment_from(max(now, job.considered_until, job.next_time - 1))
    found = preview_of(schedule, after=after, n=NEXT_MAX)
    zone = getattr(schedule, "timezone", None)
    listed = []
    for each in found:
        local = each.moment if zone else each.moment.astimezone(UTC)
        text = f"{local:%a %Y-%m-%d %H:%M:%S} {local.tzname()}"
        at = instant_from(each.moment)
        listed.append(Coming(at=at, text=text, note=each.note or ""))
    return tuple(listed)


def _line(run: Run) -> RunLine:
    return RunLine(
        id=run.id,
        state=run.state,
        outcome=run.outcome,
        origin=run.origin,
        scheduled_time=run.scheduled_time,
        started_at=run.started_at,
        finished_at=run.finished_at,
        attempt=run.attempt,
        instance=run.instance or "",
        count=run.count,
        text=_telling(run),
    )


def _telling(run: Run) -> str:
    if run.outcome in FAILURES and run.error:
        return _short(one_line(error_line(run.error) or ""))
    if run.outcome is Outcome.SUCCEEDED:
        return _short(one_line(run.result or "")) if run.result != "null" else ""
    return _short(one_line(run.reason or run.progress_note or ""))


def _short(text: str) -> str:
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"
