"""`verify`: judge a store's history by what is promised, as our own tests do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from nvent_sched._model.instants import Instant, instant_from, moment_from, span_us
from nvent_sched._views.words import count_words, moment_words, printable
from nvent_sched.cli.arguments import moment_in
from nvent_sched.cli.client import adapter_of, now_of, opened
from nvent_sched.cli.exits import Exit
from nvent_sched.cli.output import table_of
from nvent_sched.testing.checker import Report, journal_of, judge

if TYPE_CHECKING:
    import argparse

    from nvent_sched.cli.output import Output
    from nvent_sched.testing.checker import Violation


async def verify(asked: argparse.Namespace, out: Output) -> Exit:
    """Judge the history of a job, or of all; the answer is no if a promise was broken."""
    since = None
    if asked.since is not None:
        since = instant_from(moment_in(asked.since, "UTC"))
    late_after_us = None
    if asked.late_after is not None:
        late_after_us = span_us(asked.late_after, name="--late-after")
    async with opened(asked.store) as scheduler:
        if asked.job is not None:
            await scheduler.get_job(asked.job)
        now = now_of(scheduler)
        journal = await journal_of(
            adapter_of(scheduler),
            now=instant_from(now),
            job_id=asked.job,
            late_after_us=late_after_us,
        )
        url = scheduler.url
    report = judge(journal, since=since)
    if out.is_json:
        out.document(_document(report, url=url))
    else:
        _show(report, out)
    return Exit.DONE if report.is_clean else Exit.NO


def _moment(at: Instant | None) -> object:
    return None if at is None else moment_from(at)


def _document(report: Report, *, url: str) -> dict[str, object]:
    return {
        "store": url,
        "ok": report.is_clean,
        "jobs": report.jobs,
        "occurrences": report.occurrences,
        "runs": report.runs,
        "violations": [
            {
                "wrong": each.wrong,
                "job_id": each.job_id,
                "at": _moment(each.at),
                "run_id": each.run_id,
                "text": each.text,
            }
            for each in report.violations
        ],
        "unjudged": report.unjudged,
    }


def _show(report: Report, out: Output) -> None:
    if report.violations:
        table = table_of("wrong", "job", "when", "what")
        for each in report.violations:
            table.add_row(*_row(each))
        out.show(table)
    for left in report.unjudged:
        out.note(f"not judged: {printable(left.job_id)} {left.text}")
    looked_at = ", ".join(
        (
            count_words(report.jobs, "job", "jobs"),
            f"{count_words(report.occurrences, 'occurrence', 'occurrences')} owed",
            count_words(report.runs, "record", "records"),
        )
    )
    if report.is_clean:
        out.line(Text(f"✓ every promise was kept: {looked_at}", style="green"))
    else:
        found = count_words(len(report.violations), "violation", "violations")
        out.line(Text(f"✗ {found}: {looked_at}", style="red"))


def _row(each: Violation) -> tuple[Text | str, ...]:
    text = each.text if each.run_id is None else f"{each.run_id}: {each.text}"
    return (
        Text(f"✗ {each.wrong}", style="red"),
        printable(each.job_id),
        "" if each.at is None else moment_words(moment_from(each.at)),
        printable(text),
    )
