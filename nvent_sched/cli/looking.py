"""Commands that look and change nothing: `jobs`, `show`, `runs`, `stats`, `check`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from rich.text import Text

from nvent_sched._model.instants import moment_from
from nvent_sched._views.words import count_words, moment_words, printable
from nvent_sched.cli.client import now_of, opened
from nvent_sched.cli.exits import Exit
from nvent_sched.cli.output import table_of
from nvent_sched.cli.sheets import (
    job_sheet,
    jobs_table,
    outcome_text,
    runs_table,
    stats_sheet,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from nvent_sched._model.jobs import JobStatus
    from nvent_sched._model.queries import StoreSummary
    from nvent_sched.cli.output import Output

PREVIEWS: int = 5
LAST_RUNS: int = 10


async def list_jobs(asked: argparse.Namespace, out: Output) -> Exit:
    """Print the jobs that match."""
    async with opened(asked.store) as scheduler:
        page = await scheduler.jobs(
            status=asked.status, tag=asked.tag, text=asked.text, limit=asked.limit
        )
        now = now_of(scheduler)
    if out.is_json:
        out.document({"jobs": page.items, "more": page.next is not None})
    elif not page.items:
        out.note("no job matches" if _is_restricted(asked) else "there are no jobs")
    else:
        out.show(jobs_table(page.items, now=now, width=out.console.width))
        _tell_of_more(out, shown=len(page), is_more=page.next is not None)
    return Exit.DONE


def _is_restricted(asked: argparse.Namespace) -> bool:
    return any((asked.status, asked.tag, asked.text))


def _tell_of_more(out: Output, *, shown: int, is_more: bool) -> None:
    if is_more:
        out.note(f"the first {shown:,}; there are more (--limit)")


async def show_job(asked: argparse.Namespace, out: Output) -> Exit:
    """Print all there is to know about a job."""
    async with opened(asked.store) as scheduler:
        job = await scheduler.get_job(asked.id)
        coming = await scheduler.preview(asked.id, PREVIEWS) if job.next_time else ()
        stats = await scheduler.stats(asked.id)
        runs = await scheduler.runs(asked.id, limit=LAST_RUNS)
        now = now_of(scheduler)
    if out.is_json:
        out.document(
            {"job": job, "next": coming, "stats": stats, "runs": list(runs.items)}
        )
        return Exit.DONE
    out.show(job_sheet(job, now=now))
    if coming:
        table = table_of("next", "note")
        for each in coming:
            table.add_row(
                f"{each.moment:%a %Y-%m-%d %H:%M:%S %Z}".strip(), each.note or ""
            )
        out.show(table)
    out.show(stats_sheet(stats, now=now))
    if runs.items:
        out.show(runs_table(runs.items, now=now, width=out.console.width))
    failed = next((run for run in runs if run.error), None)
    if failed is not None and failed.error is not None:
        out.show(
            Text.assemble("last error ", outcome_text(failed), f"  {failed.id}"),
            Text(printable(failed.error.rstrip()), style="dim"),
        )
    return Exit.DONE


async def list_runs(asked: argparse.Namespace, out: Output) -> Exit:
    """Print the runs that match."""
    async with opened(asked.store) as scheduler:
        if asked.id is not None:
            await scheduler.get_job(asked.id)
        page = await scheduler.runs(
            asked.id, outcome=asked.outcome, state=asked.state, limit=asked.limit
        )
        now = now_of(scheduler)
    if out.is_json:
        out.document({"runs": page.items, "more": page.next is not None})
    elif not page.items:
        out.note("no run matches")
    else:
        out.show(runs_table(page.items, now=now, width=out.console.width))
        _tell_of_more(out, shown=len(page), is_more=page.next is not None)
    return Exit.DONE


async def show_stats(asked: argparse.Namespace, out: Output) -> Exit:
    """Print the statistics of a job, or of all jobs added up."""
    async with opened(asked.store) as scheduler:
        stats = await scheduler.stats(asked.id)
        now = now_of(scheduler)
    if out.is_json:
        out.document(stats)
    else:
        out.show(stats_sheet(stats, now=now))
    return Exit.DONE


async def check_store(asked: argparse.Namespace, out: Output) -> Exit:
    """Print what is wrong with a store; the answer is no if its invariants are broken.

    If asked to be strict, also if its settings are dangerous, handlers are missing or jobs
    stand still because a clock was ahead.
    """
    async with opened(asked.store) as scheduler:
        summary, url = await scheduler.check(), scheduler.url
    is_bad = bool(summary.findings or summary.quarantined)
    if asked.strict:
        is_bad = is_bad or bool(summary.dangers or summary.unresolved or summary.ahead)
    if out.is_json:
        looked_at = summary.oldest_look_at
        document = dataclasses.asdict(summary) | {
            "store": url,
            "ok": not is_bad,
            "oldest_look_at": None if looked_at is None else moment_from(looked_at),
        }
        out.document(document)
    else:
        _show_summary(summary, out, url=url)
    return Exit.NO if is_bad else Exit.DONE


def _counts_words(counts: Mapping[JobStatus, int]) -> str:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)
    return f"{sum(counts.values()):,}" + (f" ({kinds})" if kinds else "")


def _show_summary(summary: StoreSummary, out: Output, *, url: str) -> None:
    out.line(f"store      {url}")
    out.line(f"jobs       {_counts_words(summary.jobs)}")
    out.line(f"waits      {_counts_words(summary.waits)}")
    live = ", ".join(f"{count:,} {kind}" for kind, count in summary.live_runs.items())
    out.line(
        f"runs       {summary.finished_runs:,} finished" + (f", {live}" if live else "")
    )
    if summary.oldest_look_at is not None:
        out.line(f"next look  {moment_words(moment_from(summary.oldest_look_at))}")
    settings = ", ".join(f"{name} {value}" for name, value in summary.settings.items())
    if settings:
        out.line(f"settings   {settings}")
    for mark, told, style in _told(summary):
        out.line(Text(f"{mark} {told}", style=style))
    if not (summary.findings or summary.quarantined):
        out.line(Text("✓ every invariant holds", style="green"))


def _told(summary: StoreSummary) -> Iterator[tuple[str, str, str]]:
    """Say what is not well: a mark, what it is, and its colour."""
    for finding in summary.findings:
        yield "✗", f"broken: {finding}", "red"
    for job_id, reason in summary.quarantined.items():
        yield "✗", f"quarantined: job {job_id!r}: {reason}", "red"
    for danger in summary.dangers:
        yield "!", f"danger: {danger}", "yellow"
    for standing in summary.ahead:
        yield "!", f"ahead: {standing}", "yellow"
    for handler, count in summary.unresolved.items():
        waits = count_words(count, "due job or run", "due jobs and runs")
        no_one = f"unresolved: no running instance has handler {handler!r}: {waits}"
        yield "!", no_one, "yellow"
