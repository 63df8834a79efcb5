"""The rows without a live front end: plain HTML, and text. Pure.

What a saved notebook keeps is read where style and script are stripped, so the state is a
word and a shape, and the table is a plain one. Everything a user wrote is escaped.
"""

from __future__ import annotations

from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import Instant, moment_from
from nvent_sched._model.roles import Role
from nvent_sched._views.status.rows import (
    LEVELS,
    SHAPES,
    State,
    state_of,
    strip_words,
)
from nvent_sched._views.texts import aligned
from nvent_sched._views.words import (
    NONE,
    count_words,
    distance_words,
    moment_words,
    outcome_sign,
    span_words,
    whole_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from nvent_sched._views.status.model import StatusModel
    from nvent_sched._views.status.rows import Row

STATIC_MAX: Final = 200
"""How many jobs a saved notebook keeps."""
COLUMNS: Final = (
    *("state", "job", "schedule", "next", "last run", "took", "usually"),
    *("recent runs", "runs", "failed"),
)
COLOURS: Final = {
    State.FAILING: "var(--jp-error-color1,#c0281f)",
    State.LATE: "var(--jp-warn-color1,#b35900)",
    State.RETRYING: "var(--jp-warn-color1,#b35900)",
    State.RUNNING: "var(--jp-info-color1,#0b62b8)",
}
BLOCKS: Final = "▁▂▃▄▅▆▇█"


def status_html(model: StatusModel, *, now: Instant, remark: str) -> str:
    """Draw how the jobs stood at a moment.

    Args:
        model: Whose.
        now: The moment.
        remark: What this is, for the last line: "frozen", "live elsewhere".
    """
    rows = model.snapshot(now=now, limit=STATIC_MAX)
    shown = [row for row in rows if row.role is Role.JOB]
    if not shown:
        shown = list(rows)
    foot = escape(summary_line(model, now=now))
    more = len(model) - len(shown)
    if more > 0:
        foot += f" The first {len(shown):,} are shown, {more:,} are not."
    caption = f"<b>{escape(model.url)}</b>: {escape(remark)}"
    table = rows_html(shown, now=now, caption=caption)
    return f'<div class="nvent-static">{table}<div>{foot}</div></div>'


def rows_html(rows: Iterable[Row], *, now: Instant, caption: str = "") -> str:
    """Draw rows as a table.

    Args:
        rows: In order.
        now: The present.
        caption: HTML.
    """
    cell = "text-align:left;padding:2px 12px 2px 0"
    head = "".join(f'<th style="{cell}">{name}</th>' for name in COLUMNS)
    body = "".join(_line_html(row, now=now) for row in rows)
    above = "text-align:left;caption-side:top"
    return (
        '<table style="border-collapse:collapse">'
        f'<caption style="{above}">{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _line_html(row: Row, *, now: Instant) -> str:
    state = state_of(row, now=now)
    colour = COLOURS.get(state)
    style = f' style="color:{colour}"' if colour else ""
    title = f"<b>{escape(row.id)}</b>"
    if row.name != row.id:
        title += f" {escape(row.name)}"
    note = row.error or row.note
    if note:
        title += f"<br><small>{escape(note)}</small>"
    strip = f'<span title="{strip_words(row.strip)}">{blocks_html(row.strip)}</span>'
    cells = [
        f"<span{style}>{SHAPES[state]} {state}</span>",
        title,
        *map(escape, _words_of(row, now=now)),
        strip,
        f"{row.runs:,}",
        f"<b{style}>{row.failures:,}</b>" if row.failures else "0",
    ]
    return f"<tr>{''.join(map(_cell_html, cells))}</tr>"


def _cell_html(text: str) -> str:
    return f'<td style="text-align:left;padding:2px 12px 2px 0">{text}</td>'


def _words_of(row: Row, *, now: Instant) -> tuple[str, str, str, str, str]:
    """Say when, and how it went: schedule, next, last run, took, usually."""
    present = moment_from(now)
    last = NONE
    if row.last_outcome is not None:
        when = distance_words(_moment(row.last_finished_at), now=present)
        last = f"{outcome_sign(row.last_outcome)} {row.last_outcome} {when}"
    return (
        row.words,
        next_words(row, now=present),
        last,
        span_words(_span(row.last_duration_us)),
        span_words(_span(row.usual_us)),
    )


def next_words(row: Row, *, now: datetime) -> str:
    """Say when a job is due, or how far its run is."""
    if row.going and row.started_at is not None:
        since = whole_words(now - moment_from(row.started_at))
        share = "" if row.progress is None else f" {row.progress:.0%}"
        return f"running{share} for {since}"
    if row.again_at is not None:
        return f"again {distance_words(moment_from(row.again_at), now=now)}"
    return distance_words(_moment(row.next_due), now=now)


def blocks_html(strip: str) -> str:
    """Draw a strip with block characters; what failed is also underlined."""
    style = f"color:{COLOURS[State.FAILING]}"
    return "".join(
        f'<u style="{style}">{block}</u>' if is_bad else block
        for block, is_bad in blocks_of(strip)
    )


def blocks_of(strip: str) -> Iterator[tuple[str, bool]]:
    """Say for each run of a strip its block character, and whether it failed."""
    for each in strip:
        if each in ".x":
            yield "·" if each == "." else "×", False  # noqa: RUF001  a sign
            continue
        level = (ord(each.lower()) - ord("a")) * len(BLOCKS) // LEVELS
        yield BLOCKS[level], each.isupper()


def summary_line(model: StatusModel, *, now: Instant) -> str:
    """Say how many there are, and when that was."""
    counts = dict.fromkeys(State, 0)
    for row in model.rows():
        counts[state_of(row, now=now)] += 1
    states = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)
    parts = [count_words(len(model) + model.left_out, "job")]
    if states:
        parts[0] += f" ({states})"
    parts.append(count_words(len(model.instances), "instance"))
    if model.trouble:
        parts.append(f"out of date: {model.trouble}")
    return f"{', '.join(parts)}, at {moment_words(moment_from(now))}."


def status_text(model: StatusModel, *, now: Instant, limit: int) -> str:
    """Write how the jobs stand, a line each, those that need somebody first."""
    lines: list[Sequence[str]] = [
        ("state", "job", "next", "last run", "runs", "failed")
    ]
    for row in model.snapshot(now=now, limit=limit):
        state = state_of(row, now=now)
        _, coming, last, _, _ = _words_of(row, now=now)
        lines.append(
            (
                f"{SHAPES[state]} {state}",
                row.id,
                coming,
                last,
                f"{row.runs:,}",
                f"{row.failures:,}",
            )
        )
    foot = summary_line(model, now=now)
    return "\n".join([*aligned(lines), foot] if len(lines) > 1 else [foot])


def _moment(instant: Instant | None) -> datetime | None:
    return None if instant is None else moment_from(instant)


def _span(length_us: int | None) -> timedelta | None:
    return None if length_us is None else timedelta(microseconds=length_us)
