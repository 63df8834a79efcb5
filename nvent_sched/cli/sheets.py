"""Jobs, runs and statistics laid out as tables. Values in, renderables out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.runs import Outcome, RunState
from nvent_sched._views.policies import policies_words
from nvent_sched._views.words import (
    NONE,
    STYLES,
    count_words,
    distance_words,
    moment_words,
    one_line,
    outcome_sign,
    run_note,
    span_words,
)
from nvent_sched.cli.output import table_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from rich.console import RenderableType

    from nvent_sched._model.snapshots import JobSnapshot, RunSnapshot, StatsSnapshot

STATUS_STYLES: Final = {JobStatus.PAUSED: "yellow", JobStatus.FINISHED: "dim"}
RUNS_WIDTH: Final = 120
JOBS_WIDTH: Final = 100


def jobs_table(
    jobs: Iterable[JobSnapshot], *, now: datetime, width: int
) -> RenderableType:
    """List jobs; on a narrow screen without their handlers."""
    columns = ["id", "status", "next", "schedule", "tags"]
    is_wide = width >= JOBS_WIDTH
    table = table_of(*columns, *(["handler"] if is_wide else []))
    for job in jobs:
        cells: list[str | Text] = [
            Text(job.id, style="bold"),
            status_text(job),
            distance_words(job.next_due, now=now) if job.next_due else NONE,
            job.schedule.describe(),
            Text(" ".join(job.tags)),
        ]
        table.add_row(*cells, *([Text(job.handler)] if is_wide else []))
    return table


def status_text(job: JobSnapshot) -> Text:
    """Say whether a job fires, and why not."""
    status = Text(str(job.status), style=STATUS_STYLES.get(job.status, "green"))
    return status.append(f" ({one_line(job.note)})") if job.note else status


def outcome_text(run: RunSnapshot) -> Text:
    """Say how a run ended, or where it is."""
    if run.outcome is not None:
        style = STYLES[run.outcome]
        return Text(f"{outcome_sign(run.outcome)} {run.outcome}", style=style)
    if run.state is RunState.CLAIMED and run.started_at is not None:
        share = "" if run.progress is None else f" {run.progress:.0%}"
        return Text(f"▶ running{share}", style="cyan")
    return Text(str(run.state), style="cyan")


def runs_table(
    runs: Iterable[RunSnapshot], *, now: datetime, width: int
) -> RenderableType:
    """List runs; on a narrow screen their ids, which name the job and the time."""
    numbers = ("try", "late", "took")
    if width < RUNS_WIDTH:
        table = table_of("run", "outcome", "try", "took", right=numbers)
    else:
        columns = ("job", "scheduled", "outcome", *numbers, "note", "run")
        table = table_of(*columns, right=numbers)
    for run in runs:
        count = f" × {run.count:,}" if run.count > 1 else ""  # noqa: RUF001  times
        outcome = outcome_text(run) + count
        going = None if run.started_at is None or run.outcome else now - run.started_at
        took = span_words(run.duration or going)
        run_id = Text(run.id, style="dim")
        if width < RUNS_WIDTH:
            table.add_row(run_id, outcome, str(run.attempt), took)
            continue
        table.add_row(
            Text(run.job_id, style="bold"),
            moment_words(run.scheduled_time),
            outcome,
            str(run.attempt),
            span_words(run.lateness),
            took,
            Text(run_note(run)),
            run_id,
        )
    return table


def pairs(rows: Iterable[tuple[str, str | Text]]) -> Table:
    """List names and values."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(name, Text(value) if isinstance(value, str) else value)
    return grid


def job_sheet(job: JobSnapshot, *, now: datetime) -> RenderableType:
    """Show what was declared of a job, and where its schedule stands."""
    rows: list[tuple[str, str | Text]] = [
        ("job", Text(job.id, style="bold")),
        ("name", job.name),
        ("status", status_text(job)),
        ("schedule", job.schedule.describe()),
        (
            "next",
            f"{moment_words(job.next_due)}, {distance_words(job.next_due, now=now)}",
        )
        if job.next_due
        else ("next", NONE),
        ("handler", job.handler),
    ]
    if job.args or job.kwargs:
        given = json.dumps({"args": list(job.args), "kwargs": dict(job.kwargs)})
        rows.append(("arguments", given))
    if job.tags:
        rows.append(("tags", " ".join(job.tags)))
    if job.metadata:
        rows.append(("metadata", json.dumps(dict(job.metadata), ensure_ascii=False)))
    rows += [
        ("policies", policies_words(job.policies)),
        ("created", moment_words(job.created_at)),
        ("changed", f"{moment_words(job.updated_at)} (version {job.version})"),
    ]
    return pairs(rows)


def stats_sheet(stats: StatsSnapshot, *, now: datetime) -> RenderableType:
    """Show statistics."""
    counts = ", ".join(
        f"{stats.counts[outcome]:,} {outcome}"
        for outcome in Outcome
        if stats.counts.get(outcome)
    )
    retries = count_words(stats.retries, "retried attempt")
    rows: list[tuple[str, str | Text]] = [
        ("runs", f"{stats.runs:,}" + (f" ({counts})" if counts else "")),
        ("failures", ", ".join([f"{stats.failures:,}", retries, *_streak(stats)])),
    ]
    if stats.last_finished_at is not None:
        ago = distance_words(stats.last_finished_at, now=now)
        # Of all jobs together only the time is known.
        known = () if stats.last_outcome is None else (stats.last_outcome,)
        rows.append(("last", ", ".join([*known, ago])))
    if stats.last_error:
        rows.append(("last error", one_line(stats.last_error)))
    table = table_of("", "p50", "p95", "p99", right=("p50", "p95", "p99"))
    for name, each in (("duration", stats.duration), ("lateness", stats.lateness)):
        table.add_row(name, *map(span_words, (each.p50, each.p95, each.p99)))
    return Group(pairs(rows), table)


def _streak(stats: StatsSnapshot) -> Iterator[str]:
    """Say how many in a row ended alike; of all jobs together there is no row."""
    if stats.failure_streak:
        yield f"{count_words(stats.failure_streak, 'failure')} in a row"
    elif stats.success_streak:
        words = count_words(stats.success_streak, "success", "successes")
        yield f"{words} in a row"
