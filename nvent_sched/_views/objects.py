"""Jobs and runs as a notebook draws them: values in, HTML out. Pure.

Everything a user wrote is escaped. Colours are those of the notebook's theme, light or
dark, and are never the only sign.
"""

from __future__ import annotations

import json
from datetime import UTC
from html import escape
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.queries import Page
from nvent_sched._model.runs import FAILURES, Outcome, RunState
from nvent_sched._model.showing import html_of
from nvent_sched._model.snapshots import JobSnapshot, RunSnapshot, SchedulerSnapshot
from nvent_sched._tracebacks import error_line
from nvent_sched._views.words import (
    NONE,
    count_words,
    distance_words,
    one_line,
    outcome_sign,
    run_note,
    span_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    Row = tuple[str, str]

NOTE_MAX: Final = 120
LIST_MAX: Final = 200
STYLE: Final = """<style>
.nvent-view{color:var(--jp-ui-font-color1,var(--vscode-foreground,inherit));
 font:13px/1.5 var(--jp-ui-font-family,system-ui,sans-serif);overflow-x:auto}
.nvent-view table{border-collapse:collapse;margin:4px 0}
.nvent-view th,.nvent-view td{text-align:left;vertical-align:top;padding:3px 12px 3px 0;
 border-bottom:1px solid var(--jp-border-color2,rgba(128,128,128,.3))}
.nvent-view th{font-weight:600;white-space:nowrap}
.nvent-view pre{margin:0;white-space:pre-wrap;background:none;color:inherit;
 max-height:18em;overflow:auto;font:12px/1.45 var(--jp-code-font-family,monospace)}
.nvent-view .good{color:var(--jp-success-color1,#2e9d57)}
.nvent-view .bad{color:var(--jp-error-color1,#d9534f)}
.nvent-view .odd{color:var(--jp-warn-color1,#c77d00)}
.nvent-view .busy{color:var(--jp-info-color1,#2a8bd0)}
.nvent-view .dim{opacity:.7}
</style>"""


@html_of.register
def job_html(job: JobSnapshot) -> str:
    """Draw one job: when, what, and how it stands."""
    rows = [
        ("schedule", escape(job.schedule.describe())),
        ("next", _moment(job.next_due, zone=_zone(job))),
        ("status", _status(job)),
        ("handler", _code(job.handler)),
    ]
    if job.args or job.kwargs:
        given = [*map(_json, job.args)]
        given += (f"{name}={_json(value)}" for name, value in job.kwargs.items())
        rows.append(("arguments", _code(", ".join(given))))
    policies = f"overlap {job.policies.overlap}, misfire {job.policies.misfire}"
    rows.append(("policies", escape(policies)))
    if job.tags:
        rows.append(("tags", escape(" ".join(job.tags))))
    if job.metadata:
        rows.append(("metadata", _code(_json(dict(job.metadata)))))
    return _view(_pairs(_title(job.id, job.name), rows))


@html_of.register
def run_html(run: RunSnapshot) -> str:
    """Draw one run: how it went, and what it left."""
    rows = [
        ("state", _state(run)),
        ("scheduled", f"{_moment(run.scheduled_time)}, {escape(run.origin)}"),
        ("started", _started(run)),
    ]
    if run.duration is not None:
        rows.append(("took", escape(span_words(run.duration))))
    rows += (
        (f"attempt {each.number}", _earlier(each.outcome, each.error))
        for each in run.attempts
    )
    if run.reason:
        rows.append(("reason", escape(run.reason)))
    if run.result is not None:
        rows.append(("result", _text(_json(run.result))))
    if run.error:
        rows.append(("error", _text(run.error)))
    if run.log:
        rows.append(("log", _text("\n".join(run.log))))
    return _view(_pairs(_title(run.job_id, run.id), rows))


@html_of.register(Page)
def page_html(page: Page[Any]) -> str | None:
    """Draw a page of jobs or of runs; of other things nothing."""
    if not page.items:
        return _view('<span class="dim">nothing here</span>')
    more = len(page.items) > LIST_MAX or page.next is not None
    shown = page.items[:LIST_MAX]
    note = f"the first {count_words(len(shown), 'line')}; there are more"
    foot = f'<div class="dim">{note}</div>' if more else ""
    if all(isinstance(each, JobSnapshot) for each in shown):
        return _view(_jobs_table(shown) + foot)
    if all(isinstance(each, RunSnapshot) for each in shown):
        return _view(_runs_table(shown) + foot)
    return None


@html_of.register
def overview_html(seen: SchedulerSnapshot, *, source: str = "") -> str:
    """Draw all jobs with how they did: the table of `%jobs`.

    Args:
        seen: What to draw.
        source: Whose jobs these are, for the last line.
    """
    rows = []
    for job in seen.jobs[:LIST_MAX]:
        stats = seen.stats.get(job.id)
        going = [run for run in seen.running if run.job_id == job.id]
        last = None if stats is None else stats.last_outcome
        coming = distance_words(job.next_due, now=seen.at) if job.next_due else NONE
        rows.append(
            (
                _title(job.id, job.name),
                escape(job.schedule.describe()),
                _status(job),
                _state(going[0]) if going else escape(coming),
                NONE if last is None else _outcome(last),
                "0" if stats is None else f"{stats.runs:,}",
                "0" if stats is None else f"{stats.failures:,}",
            )
        )
    names = ("job", "schedule", "status", "next", "last", "runs", "failures")
    foot = f"{count_words(len(seen.jobs), 'job')}, {_instances(seen)} {escape(source)}"
    return _view(_table(names, rows) + f'<div class="dim">{foot}</div>')


def _instances(seen: SchedulerSnapshot) -> str:
    return count_words(len(seen.instances), "instance")


def _jobs_table(jobs: Iterable[JobSnapshot]) -> str:
    rows = [
        (
            _title(job.id, job.name),
            escape(job.schedule.describe()),
            _status(job),
            _moment(job.next_due, zone=_zone(job)),
            escape(" ".join(job.tags)),
        )
        for job in jobs
    ]
    return _table(("job", "schedule", "status", "next", "tags"), rows)


def _runs_table(runs: Iterable[RunSnapshot]) -> str:
    rows = [
        (
            f"<b>{escape(run.job_id)}</b>",
            _moment(run.scheduled_time),
            _state(run) + (f" × {run.count:,}" if run.count > 1 else ""),  # noqa: RUF001
            str(run.attempt),
            escape(span_words(run.duration)),
            escape(run_note(run)[:NOTE_MAX]),
        )
        for run in runs
    ]
    return _table(("job", "scheduled", "outcome", "try", "took", "note"), rows)


def _state(run: RunSnapshot) -> str:
    """Say how a run ended, or where it is."""
    if run.outcome is not None:
        return _outcome(run.outcome)
    if run.state is RunState.CLAIMED and run.started_at is not None:
        share = "" if run.progress is None else f" {run.progress:.0%}"
        note = f" {one_line(run.progress_note)}" if run.progress_note else ""
        return f'<span class="busy">▶ running{share}</span>{escape(note)}'
    return escape(run.state)


def _outcome(outcome: Outcome) -> str:
    is_good = outcome is Outcome.SUCCEEDED
    kind = "good" if is_good else "bad" if outcome in FAILURES else "odd"
    return f'<span class="{kind}">{outcome_sign(outcome)} {escape(outcome)}</span>'


def _earlier(outcome: Outcome, error: str | None) -> str:
    line = one_line(error_line(error) or "")
    return _outcome(outcome) + (f" {escape(line[:NOTE_MAX])}" if line else "")


def _status(job: JobSnapshot) -> str:
    kind = "good" if job.status is JobStatus.ACTIVE else "odd"
    note = f" ({escape(one_line(job.note))})" if job.note else ""
    return f'<span class="{kind}">{escape(job.status)}</span>{note}'


def _started(run: RunSnapshot) -> str:
    if run.started_at is None:
        return NONE
    return f"{_moment(run.started_at)}, {escape(span_words(run.lateness))} late"


def _zone(job: JobSnapshot) -> str:
    zone = getattr(job.schedule, "timezone", "UTC")
    return zone if isinstance(zone, str) else "UTC"


def _moment(moment: datetime | None, *, zone: str = "UTC") -> str:
    if moment is None:
        return NONE
    local = moment.astimezone(UTC if zone == "UTC" else ZoneInfo(zone))
    return escape(f"{local:%Y-%m-%d %H:%M:%S} {zone}")


def _json(value: Any) -> str:  # noqa: ANN401  JSON
    return json.dumps(value, ensure_ascii=False, default=str)


def _title(first: str, second: str) -> str:
    more = "" if first == second else f' <span class="dim">{escape(second)}</span>'
    return f"<b>{escape(first)}</b>{more}"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _text(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def _pairs(title: str, rows: Iterable[Row]) -> str:
    lines = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    return f"<div>{title}</div><table>{lines}</table>"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in names)
    lines = "".join(
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _view(body: str) -> str:
    return f'{STYLE}<div class="nvent-view">{body}</div>'
