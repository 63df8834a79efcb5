"""What a notebook or a prompt shows where there is no HTML. Values in, text out. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._views.words import NONE, count_words, distance_words, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._model.snapshots import SchedulerSnapshot

COLUMNS: Final = ("job", "schedule", "status", "next", "last", "runs", "failures")
CELL_MAX: Final = 48


def overview_text(seen: SchedulerSnapshot) -> str:
    """Write all jobs with how they did, a line each."""
    rows = [COLUMNS]
    for job in seen.jobs:
        stats = seen.stats.get(job.id)
        is_going = any(run.job_id == job.id for run in seen.running)
        coming = distance_words(job.next_due, now=seen.at)
        last = None if stats is None else stats.last_outcome
        rows.append(
            (
                job.id,
                job.schedule.describe(),
                str(job.status),
                "running" if is_going else coming,
                str(last or NONE),
                f"{stats.runs:,}" if stats else "0",
                f"{stats.failures:,}" if stats else "0",
            )
        )
    foot = f"{count_words(len(seen.jobs), 'job')}, {count_words(len(seen.instances), 'instance')}"
    return "\n".join([*aligned(rows), foot])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows in columns, each cell cut and without what a terminal would obey."""
    cells = [[_short(printable(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _short(text: str) -> str:
    return text if len(text) <= CELL_MAX else text[: CELL_MAX - 1] + "…"
