"""The dashboard without a browser: what is sent, when, and what a click does."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from nvent_sched import BlockingScheduler, Cron, Interval, RunContext, Scheduler
from nvent_sched._views.status.wire import COLUMNS
from nvent_sched.errors import UsageError
from nvent_sched.testing import ManualClock
from nvent_sched.widgets import _dashboard as dashboard_module
from nvent_sched.widgets import _kernel as kernel_module
from tests.views.widgets import FrontEnd

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
EVIL = "<img src=x onerror=alert(1)>"


class Shown:
    """What a kernel would have displayed."""

    def __init__(self) -> None:
        self.bundles: list[tuple[dict[str, Any], bool]] = []

    def show(
        self, bundle: dict[str, Any], *, display_id: str, is_update: bool = False
    ) -> None:
        assert display_id
        self.bundles.append((bundle, is_update))


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """A kernel, as far as displaying goes; it is idle."""
    shown = Shown()
    monkeypatch.setattr(dashboard_module, "show", shown.show)
    monkeypatch.setattr(dashboard_module, "kernel_shell", object)
    return shown


@pytest.fixture
def front_end(monkeypatch: pytest.MonkeyPatch) -> FrontEnd:
    return FrontEnd(monkeypatch)


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def scheduler(
    clock: ManualClock, shown: Shown, front_end: FrontEnd
) -> AsyncIterator[Scheduler]:
    del shown, front_end
    async with Scheduler("memory:", clock=clock) as running:
        await running.schedule(print, Interval(hours=1), id="job", tags=["ops"])
        yield running


def open_dashboard(scheduler: Scheduler, **options: Any) -> Any:
    """Show a dashboard as a cell would."""
    dashboard: Any = scheduler.dashboard(**options)
    dashboard._ipython_display_()
    return dashboard


def cells(row: list[Any]) -> dict[str, Any]:
    return dict(zip(COLUMNS, row, strict=True))


async def test_every_form_of_it_tells_the_same(
    scheduler: Scheduler, shown: Shown
) -> None:
    dashboard = open_dashboard(scheduler)

    ((bundle, is_update),) = shown.bundles
    assert not is_update
    assert "every hour" in bundle["text/html"]
    assert "● waiting  job" in bundle["text/plain"]
    widget = bundle["application/vnd.jupyter.widget-view+json"]
    assert widget["model_id"] == dashboard.widget.model_id
    assert [cells(row)["id"] for row in dashboard.widget.snap["rows"]] == ["job"]


async def test_a_view_that_says_hello_gets_everything_and_then_what_changes(
    scheduler: Scheduler, clock: ManualClock, front_end: FrontEnd
) -> None:
    widget = open_dashboard(scheduler).widget
    front_end.say(widget, t="hello")
    await clock.advance(SECOND)
    (row,) = front_end.rows()
    await scheduler.pause("job", reason="rain")
    await clock.advance(SECOND)

    assert (cells(row)["words"], cells(row)["status"]) == ("every hour", "active")
    deltas = [m for m in front_end.messages("d") if "rows" in m]
    assert cells(deltas[-1]["rows"][0])["note"] == "rain"
    numbers = [m["seq"] for m in front_end.messages() if "seq" in m]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_a_quiet_scheduler_sends_a_heartbeat_in_five_seconds(
    scheduler: Scheduler, clock: ManualClock, front_end: FrontEnd
) -> None:
    widget = open_dashboard(scheduler).widget
    front_end.say(widget, t="hello")
    await clock.advance(SECOND)
    before = len(front_end.messages())
    await clock.advance(timedelta(seconds=60))

    assert 12 <= len(front_end.messages()) - before <= 24


async def test_a_busy_one_sends_at_most_four_messages_a_second(
    scheduler: Scheduler, clock: ManualClock, front_end: FrontEnd
) -> None:
    async def work() -> None:
        """Be quick."""

    for n in range(5):
        await scheduler.schedule(
            work, Interval(every=timedelta(milliseconds=50)), id=f"busy{n}"
        )
    widget = open_dashboard(scheduler).widget
    front_end.say(widget, t="hello")
    await clock.advance(SECOND)
    before = len(front_end.messages())
    await clock.advance(timedelta(seconds=2))

    assert 4 <= len(front_end.messages()) - before <= 8


async def test_nothing_is_sent_while_no_view_is_on_the_screen(
    scheduler: Scheduler, clock: ManualClock, front_end: FrontEnd
) -> None:
    widget = open_dashboard(scheduler).widget
    front_end.say(widget, t="hello")
    await clock.advance(SECOND)
    front_end.say(widget, t="vis", on=False)
    await clock.advance(SECOND)
    before = len(front_end.messages())
    await scheduler.pause("job")
    await clock.advance(timedelta(seconds=30))
    silent = len(front_end.messages()) - before
    front_end.say(widget, t="vis", on=True)
    await clock.advance(SECOND)

    assert silent == 0
    assert cells(front_end.messages("d")[-1]["rows"][0])["status"] == "paused"


async def test_a_browser_that_was_closed_is_sent_nothing_for_long(
    scheduler: Scheduler, clock: ManualClock, front_end: FrontEnd
) -> None:
    widget = open_dashboard(scheduler).widget
    front_end.say(widget, t="hello")
    await clock.advance(timedelta(seconds=120))
    before = len(front_end.messages())
    await clock.advance(timedelta(seconds=60))

    assert len(front_end.messages()) == before


async def test_who_asks_again_gets_everything_again(
    scheduler: Scheduler, clock: ManualClock, front_end: FrontEnd
) -> None:
    widget = open_dashboard(scheduler).widget
    for _ in range(2):
        front_end.say(widget, t="hello")
        await clock.advance(SECOND)

    assert len(front_end.messages("full")) == 2


async def test_a_click_is_obeyed_and_answered(
    scheduler: Scheduler, clock: ManualClock, front_end: FrontEnd
) -> None:
    widget = open_dashboard(scheduler).widget
    for rid, verb in enumerate(("pause", "resume", "run_now", "remove", "explode")):
        front_end.say(widget, t="act", rid=rid, verb=verb, id="job")
        await clock.advance(SECOND)

    replies = front_end.messages("res")
    assert [each["rid"] for each in replies] == [0, 1, 2, 3, 4]
    assert [each["ok"] for each in replies] == [True, True, True, True, False]
    assert replies[0]["text"] == "job: paused"
    assert "explode" in replies[4]["text"]
    assert len(await scheduler.jobs()) == 0


async def test_a_click_on_a_job_that_is_gone_says_so(
    scheduler: Scheduler, clock: ManualClock, front_end: FrontEnd
) -> None:
    widget = open_dashboard(scheduler).widget
    front_end.say(widget, t="act", rid=1, verb="run_now", id="nobody")
    await clock.advance(SECOND)

    (reply,) = front_end.messages("res")
    assert not reply["ok"]
    assert "nobody" in reply["text"]


async def test_all_jobs_are_paused_and_only_those_resumed(
    scheduler: Scheduler, clock: ManualClock, front_end: FrontEnd
) -> None:
    await scheduler.schedule(print, Interval(hours=1), id="mine")
    await scheduler.pause("mine", reason="my own")
    widget = open_dashboard(scheduler).widget
    await clock.advance(SECOND)
    front_end.say(widget, t="act", rid=1, verb="pause_all")
    await clock.advance(SECOND)
    paused = {job.id: job.note for job in await scheduler.jobs()}
    front_end.say(widget, t="act", rid=2, verb="resume_all")
    await clock.advance(SECOND)

    assert paused == {"job": "all paused in the dashboard", "mine": "my own"}
    after = {job.id: str(job.status) for job in await scheduler.jobs()}
    assert after == {"job": "active", "mine": "paused"}


async def test_the_panel_of_a_job_has_its_runs_error_log_and_next_times(
    scheduler: Scheduler, clock: ManualClock, front_end: FrontEnd
) -> None:
    async def fail(run: RunContext) -> None:
        run.log("about to")
        raise ValueError(EVIL)

    await scheduler.schedule(fail, Cron("0 2 * * *", timezone="Asia/Tokyo"), id="bad")
    await scheduler.run_now("bad")
    widget = open_dashboard(scheduler).widget
    front_end.say(widget, t="hello")
    await clock.advance(SECOND)
    front_end.say(widget, t="detail", id="bad")
    await clock.advance(SECOND)

    (told,) = front_end.messages("detail")
    detail = told["detail"]
    assert detail["log"] == ["about to"]
    assert "ValueError" in detail["error"]
    assert [each["outcome"] for each in detail["runs"]] == ["failed"]
    assert detail["coming"][0]["text"] == "Fri 2026-01-02 02:00:00 JST"


async def test_a_timeline_is_told_what_was_and_what_comes(
    scheduler: Scheduler, clock: ManualClock, front_end: FrontEnd
) -> None:
    await scheduler.schedule(print, Interval(seconds=10), id="job")
    await clock.advance(21 * SECOND)
    widget = open_dashboard(scheduler).widget
    await clock.advance(SECOND)
    since, until = (
        int((clock.moment + by * SECOND).timestamp() * 1000) for by in (-30, 30)
    )
    front_end.say(widget, t="want", ids=["job"], lanes=True, since=since, until=until)
    await clock.advance(SECOND)

    (told,) = front_end.messages("lanes")
    lane = told["lanes"]["job"]
    assert [each[2] for each in lane["past"]] == ["succeeded", "succeeded"]
    assert len(lane["coming"]) == 3


async def test_a_cell_that_is_run_again_shows_the_same_widget(
    scheduler: Scheduler, front_end: FrontEnd
) -> None:
    for _ in range(5):
        open_dashboard(scheduler)
    opened = [kind for kind, _, _ in front_end.sent if kind == "comm_open"]

    assert scheduler.dashboard() is scheduler.dashboard()
    assert scheduler.dashboard() is not scheduler.dashboard(compact=True)
    assert len(opened) == 2  # the widget and its layout


async def test_a_frozen_dashboard_is_a_plain_table_in_place(
    scheduler: Scheduler, shown: Shown, front_end: FrontEnd
) -> None:
    dashboard = open_dashboard(scheduler)
    dashboard.freeze()

    bundle, is_update = shown.bundles[-1]
    assert is_update
    assert bundle.keys() == {"text/plain", "text/html"}
    assert "frozen" in bundle["text/html"]
    assert front_end.sent[-1][0] == "comm_close"
    assert dashboard.widget is None
    dashboard._ipython_display_()
    assert dashboard.widget is not None


async def test_the_end_of_the_scheduler_leaves_a_plain_table(
    shown: Shown, front_end: FrontEnd, clock: ManualClock
) -> None:
    async with Scheduler("memory:", clock=clock) as scheduler:
        await scheduler.schedule(print, Interval(seconds=2), id="job")
        widget = open_dashboard(scheduler).widget
        front_end.say(widget, t="hello")
        await clock.advance(3 * SECOND)

    bundle, is_update = shown.bundles[-1]
    assert is_update
    assert "the scheduler stopped" in bundle["text/html"]
    assert "succeeded" in bundle["text/html"]
    assert widget.comm is None
    again: Any = scheduler.dashboard()
    assert "succeeded" in again._repr_mimebundle_()["text/html"]


async def test_where_no_view_says_hello_the_plain_one_steps_in(
    scheduler: Scheduler, shown: Shown, clock: ManualClock
) -> None:
    dashboard = open_dashboard(scheduler)
    rich = dashboard.widget
    await clock.advance(timedelta(seconds=6))

    bundle, is_update = shown.bundles[-1]
    assert is_update
    assert dashboard.widget is not rich
    assert dashboard.widget.model_id == _model_id(bundle)
    (_, table, line) = dashboard.widget.children
    assert "every hour" in table.value
    assert "1 job" in line.value


def _model_id(bundle: dict[str, Any]) -> str:
    return str(bundle["application/vnd.jupyter.widget-view+json"]["model_id"])


async def test_while_a_cell_runs_nobody_can_say_hello_and_none_is_missed(
    scheduler: Scheduler,
    shown: Shown,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernel_module.KernelWatch, "is_busy", True, raising=False)
    monkeypatch.setattr(kernel_module.KernelWatch, "__init__", lambda _: None)
    monkeypatch.setattr(kernel_module.KernelWatch, "close", lambda _: None)
    open_dashboard(scheduler)
    await clock.advance(timedelta(seconds=60))

    assert len(shown.bundles) == 1


async def test_the_plain_view_pauses_runs_and_asks_before_it_removes(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    dashboard = open_dashboard(scheduler, plain=True)
    controls = dashboard.widget.children[0].children
    _, job, run_now, pause, _, remove, *_ = controls
    await clock.advance(2 * SECOND)
    for value, button in (("nobody", pause), ("job", pause), ("job", run_now)):
        job.value = value
        button.click()
        await clock.advance(2 * SECOND)
    is_paused = (await scheduler.get_job("job")).status
    remove.click()
    await clock.advance(2 * SECOND)
    asked = (remove.description, len(await scheduler.jobs()))
    remove.click()
    await clock.advance(2 * SECOND)

    assert is_paused == "paused"
    assert asked == ("Really?", 1)
    assert len(await scheduler.jobs()) == 0
    assert "job: removed" in dashboard.widget.children[2].value


async def test_the_plain_view_filters_and_turns_pages(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    for n in range(60):
        await scheduler.schedule(print, Interval(hours=2), id=f"j{n:02}")
    dashboard = open_dashboard(scheduler, plain=True)
    controls = dashboard.widget.children[0].children
    table = dashboard.widget.children[1]
    await clock.advance(2 * SECOND)
    first = table.value
    controls[-1].click()
    await clock.advance(2 * SECOND)
    second = table.value
    controls[0].value = "J5"
    await clock.advance(2 * SECOND)

    assert ("j10" in first, "j40" in first) == (True, False)
    assert ("j10" in second, "j40" in second) == (False, True)
    assert ("j10" in table.value, "j55" in table.value) == (False, True)


async def test_what_a_user_wrote_is_no_markup(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    await scheduler.schedule(
        print, Interval(hours=1), id=EVIL, name=f"{EVIL} & co", tags=[EVIL]
    )
    await scheduler.pause(EVIL, reason=EVIL)
    plain: Any = open_dashboard(scheduler, plain=True)
    await clock.advance(2 * SECOND)

    for html in (plain.to_html(), plain.widget.children[1].value):
        assert "<img" not in html
        assert "&lt;img" in html


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_ten_thousand_jobs_are_sent_in_one_buffer(
    clock: ManualClock, shown: Shown, front_end: FrontEnd
) -> None:
    del shown
    clock.patience = 10.0
    async with Scheduler("memory:", clock=clock) as scheduler:
        from nvent_sched import JobSpec  # noqa: PLC0415  only here

        await scheduler.schedule_many(
            JobSpec("work", Interval(hours=1 + n % 7), id=f"job{n:05}")
            for n in range(10_000)
        )
        widget = open_dashboard(scheduler).widget
        front_end.say(widget, t="hello")
        await clock.advance(SECOND)
        told = {row[0] for row in front_end.rows()}
        for message in front_end.messages("d"):
            told |= {row[0] for row in message.get("rows", ())}
            assert len(message.get("rows", ())) <= 500

    assert len(told) == 10_000
    assert len(widget.snap["rows"]) == 200
    assert len(json.dumps(widget.snap)) < 60_000


@pytest.mark.parametrize(
    "options",
    [{"mode": "gantt"}, {"theme": "pink"}, {"height": 3}, {"height": "tall"}],
)
def test_an_option_that_is_not_allowed_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="must be"):
        Scheduler("memory:").dashboard(**options)


def test_a_scheduler_that_does_not_run_says_so_in_every_form() -> None:
    scheduler: Any = Scheduler("memory:")

    bundle = scheduler._repr_mimebundle_()
    assert "not running" in bundle["text/html"]
    assert "not running" in bundle["text/plain"]
    assert "not running" in scheduler._repr_html_()
    with pytest.raises(NotImplementedError):
        scheduler._ipython_display_()


@pytest.fixture
def blocking(anyio_backend_name: str) -> Iterator[BlockingScheduler]:
    with BlockingScheduler("memory:", backend=anyio_backend_name) as running:
        yield running


def test_it_is_live_in_the_thread_of_a_blocking_scheduler(
    blocking: BlockingScheduler, shown: Shown, front_end: FrontEnd
) -> None:
    blocking.schedule(print, Interval(hours=1), id="job")
    dashboard: Any = blocking.dashboard()
    dashboard._ipython_display_()
    with blocking.events() as events:
        front_end.say(dashboard.widget, t="act", rid=1, verb="pause", id="job")
        next(each for each in events if each.kind == "job_paused")
    dashboard.close()

    assert blocking.get_job("job").note == "paused in the dashboard"
    assert "waiting  job" in shown.bundles[0][0]["text/plain"]
    assert "paused" in shown.bundles[-1][0]["text/html"]


def test_the_first_picture_waits_for_the_store(
    blocking: BlockingScheduler, shown: Shown
) -> None:
    del shown
    blocking.schedule(print, Interval(hours=1), id="job")
    compact: Any = blocking

    assert "every hour" in compact._repr_html_()
    assert "job" in compact._repr_mimebundle_()["text/plain"]


NO_WIDGETS = """
import sys
for name in ("ipywidgets", "anywidget"):
    sys.modules[name] = None
from importlib import util
find = util.find_spec
util.find_spec = lambda name, *a: None if name in ("ipywidgets", "anywidget") else find(name, *a)
from nvent_sched import BlockingScheduler, Interval
with BlockingScheduler("memory:") as scheduler:
    scheduler.schedule(print, Interval(hours=1), id="job")
    bundle = scheduler._repr_mimebundle_()
    print(sorted(bundle), "every hour" in scheduler._repr_html_(), "job" in bundle["text/plain"])
"""


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_without_ipywidgets_the_table_and_the_text_are_true() -> None:
    ran = await anyio.to_thread.run_sync(
        lambda: subprocess.run(  # noqa: S603  our own words
            [sys.executable, "-c", NO_WIDGETS],
            capture_output=True,
            check=True,
            text=True,
        )
    )

    assert ran.stdout.strip() == "['text/html', 'text/plain'] True True"
