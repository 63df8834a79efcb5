"""What a handler writes to its run, line by line."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched import Interval, RunContext
from nvent_sched._engine.context import RunContext as Context
from nvent_sched._model.instants import Instant
from nvent_sched._model.runs import LOG_LINE_MAX, LOG_LINES_MAX, Run

if TYPE_CHECKING:
    from nvent_sched import Scheduler
    from nvent_sched.testing import ManualClock

NOON = Instant(0)
TEXTS = st.lists(st.text(st.characters(exclude_characters="\r"), max_size=20))


def context() -> Context:
    run = Run(
        id="r",
        job_id="j",
        handler="h",
        scheduled_time=NOON,
        due_time=NOON,
        ready_at=NOON,
    )
    return Context(run, on_progress=lambda _: None)


def lines_of(*texts: str) -> tuple[str, ...]:
    run = context()
    for text in texts:
        run.write(text)
    run.end_output()
    return run.lines


@given(TEXTS)
def test_the_lines_are_those_of_the_text_however_it_comes(texts: list[str]) -> None:
    whole = "".join(texts).split("\n")

    assert lines_of(*texts) == tuple(whole if whole[-1] else whole[:-1])


@pytest.mark.parametrize(
    "texts",
    [
        ("10%\r20%\r30%\n",),
        ("10%\r", "20%\r", "30%\n"),
        ("\r10%", "\r20%", "\r30%"),
        ("10%\r\r30%\r\r\n",),
        ("30%\r\n",),
    ],
)
def test_a_progress_bar_leaves_its_last_state(texts: tuple[str, ...]) -> None:
    assert lines_of(*texts) == ("30%",)


def test_a_line_that_never_ends_is_kept_within_its_limit() -> None:
    run = context()
    for _ in range(100):
        run.write("x" * LOG_LINE_MAX)

    assert len(run._begun) <= LOG_LINE_MAX + 1


def test_lines_without_end_are_kept_within_their_limit() -> None:
    assert len(lines_of("line\n" * 10 * LOG_LINES_MAX)) == LOG_LINES_MAX


async def test_print_takes_the_run_as_its_file(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    def count(run: RunContext) -> None:
        print("one", "two", file=run, flush=True)
        print("three", end="", file=run)

    job = await scheduler.schedule(count, Interval(hours=1), id="count")
    await clock.advance(timedelta(hours=1))

    (ended,) = (await scheduler.runs(job)).items
    assert ended.log == ("one two", "three")
