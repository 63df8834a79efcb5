"""How the jobs stand, drawn in a terminal from the status model. Values in, renderables out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.box import ROUNDED
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from nvent_sched._model.instants import moment_from
from nvent_sched._model.roles import Role
from nvent_sched._views.status import State, state_of
from nvent_sched._views.status.drawn import blocks_of, next_words
from nvent_sched._views.status.rows import SHAPES
from nvent_sched._views.words import (
    NONE,
    STYLES,
    ago_words,
    count_words,
    one_line,
    outcome_sign,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from nvent_sched._model.instants import Instant
    from nvent_sched._views.status import Row, StatusModel

WIDE: Final = 100
MEDIUM: Final = 76
JOB_WIDTH_MAX: Final = 32
SCHEDULE_WIDTH_MAX: Final = 22
BAR_WIDTH: Final = 10
STRIP_SHOWN: Final = 16
STATE_STYLES: Final = {
    State.FAILING: "red",
    State.LATE: "yellow",
    State.RETRYING: "yellow",
    State.RUNNING: "cyan",
    State.PAUSED: "yellow",
    State.FINISHED: "dim",
}


def standing(
    model: StatusModel, *, now: Instant, width: int, rows_max: int
) -> RenderableType:
    """Show the jobs that need somebody most, and how many there are of each kind.

    Args:
        model: What is known.
        now: The present.
        width: Of the screen, in characters.
        rows_max: At most so many jobs.
    """
    ours = [row for row in model.rows() if row.role is Role.JOB]
    # The model orders all; the patterns' own jobs are left out here, as in `jobs`.
    listed = model.snapshot(now=now, limit=rows_max + len(model) - len(ours))
    shown = [row for row in listed if row.role is Role.JOB][:rows_max]
    parts: list[RenderableType] = [_header(model, ours, now=now)]
    parts.append(_table(shown, now=now, width=width))
    total = len(ours) + model.left_out
    if total > len(shown):
        words = f"the first {len(shown):,} of {total:,} jobs, the most urgent first"
        parts.append(Text(words, style="dim"))
    return Group(*parts)


def _header(model: StatusModel, rows: list[Row], *, now: Instant) -> Panel:
    where = Table.grid(expand=True, padding=(0, 1))
    where.add_column(overflow="ellipsis", no_wrap=True, ratio=1)
    where.add_column(justify="right", no_wrap=True)
    clock = f"{moment_from(now).astimezone():%H:%M:%S}"
    where.add_row(Text(model.url, style="bold"), clock)
    who = ", ".join(each.id for each in model.instances) or "nobody runs handlers"
    where.add_row(Text(who, style="dim"), "")
    parts: list[RenderableType] = [where, _counts(model, rows, now=now)]
    if model.trouble:
        parts.append(Text(f"out of date: {one_line(model.trouble)}", style="red"))
    return Panel(
        Group(*parts),
        title="nvent-sched",
        title_align="left",
        box=ROUNDED,
        padding=(0, 1),
    )


def _counts(model: StatusModel, rows: list[Row], *, now: Instant) -> Text:
    states = [state_of(row, now=now) for row in rows]
    counts = [Text(count_words(len(rows) + model.left_out, "job"))]
    counts += [
        Text(f"{count:,} {state}", style=STATE_STYLES.get(state, ""))
        for state in State
        if (count := states.count(state))
    ]
    runs, failed = sum(row.runs for row in rows), sum(row.failures for row in rows)
    counts.append(Text(count_words(runs, "run")))
    counts.append(Text(f"{failed:,} failed", style="red" if failed else ""))
    before = model.minutes.until(now)[-2][0]
    counts.append(Text(f"{before:,} in the last full minute"))
    return Text(" · ").join(counts)


def _table(rows: list[Row], *, now: Instant, width: int) -> Table:
    table = Table(box=None, header_style="bold dim", expand=True, padding=(0, 1, 0, 0))
    table.add_column("state", no_wrap=True)
    table.add_column("job", overflow="ellipsis", no_wrap=True, max_width=JOB_WIDTH_MAX)
    if width >= WIDE:
        table.add_column(
            "schedule", overflow="ellipsis", no_wrap=True, max_width=SCHEDULE_WIDTH_MAX
        )
    table.add_column("next", overflow="ellipsis", no_wrap=True, ratio=1)
    table.add_column("last", no_wrap=True)
    if width >= MEDIUM:
        table.add_column("recent runs", no_wrap=True)
    table.add_column("runs", justify="right", no_wrap=True)
    table.add_column("failed", justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row, now=now, width=width))
    return table


def _cells(row: Row, *, now: Instant, width: int) -> list[Text]:
    state = state_of(row, now=now)
    cells = [
        Text(f"{SHAPES[state]} {state}", style=STATE_STYLES.get(state, "")),
        Text(row.id, style="bold"),
    ]
    if width >= WIDE:
        cells.append(Text(row.words, style="dim"))
    cells += [_next(row, now=now), _last(row, now=now)]
    if width >= MEDIUM:
        cells.append(_strip(row.strip))
    cells.append(Text(f"{row.runs:,}"))
    cells.append(Text(f"{row.failures:,}", style="red" if row.failures else "dim"))
    return cells


def _next(row: Row, *, now: Instant) -> Text:
    if row.note and not row.going:
        return Text(one_line(row.note), style="yellow")
    words = next_words(row, now=moment_from(now))
    if row.progress is None:
        text = Text(words, style="cyan" if row.going else "magenta")
        return text.append(f"  {one_line(row.error)}", style="red")
    done = round(row.progress * BAR_WIDTH)
    bar = Text("█" * done, style="cyan") + Text("░" * (BAR_WIDTH - done), style="dim")
    note = f", {one_line(row.progress_note)}" if row.progress_note else ""
    return bar + Text(f" {words}{note}", style="cyan")


def _last(row: Row, *, now: Instant) -> Text:
    if row.last_outcome is None or row.last_finished_at is None:
        return Text(NONE, style="dim")
    when = ago_words(moment_from(row.last_finished_at), now=moment_from(now))
    return Text(
        f"{outcome_sign(row.last_outcome)} {when}", style=STYLES[row.last_outcome]
    )


def _strip(strip: str) -> Text:
    drawn = Text()
    for block, is_bad in blocks_of(strip[-STRIP_SHOWN:]):
        drawn.append(block, style="underline red" if is_bad else "green")
    return drawn
