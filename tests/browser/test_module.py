"""The dashboard's module alone in a browser: no Jupyter, a model that only records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

import nvent_sched.widgets
from nvent_sched._model.instants import Instant
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.runs import Outcome
from nvent_sched._views.status import StatusModel, state_of
from nvent_sched._views.status.wire import COLUMNS, head_dict, row_list
from tests.views.builders import a_job, a_run, ended, going, stats

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from nvent_sched._model.runs import Run

pytestmark = pytest.mark.timeout(120)

WIDGETS: Final = Path(nvent_sched.widgets.__file__).parent
EVIL: Final = "<img src=x onerror=window.hacked=1>"
SECOND_US: Final = 1_000_000

MOUNT: Final = """async ({code, options, snap}) => {
  const url = URL.createObjectURL(new Blob([code], {type: 'text/javascript'}));
  const mod = await import(url);
  window.sent = [];
  window.heard = [];
  const traits = {options, snap};
  const model = {
    get: (name) => traits[name], set: (name, value) => { traits[name] = value; },
    send: (content) => window.sent.push(content),
    on: (name, act) => window.heard.push(act), off: () => {},
  };
  window.traits = traits;
  window.tell = (content, rows) => {
    const bytes = rows && new TextEncoder().encode(rows);
    for (const act of window.heard) act(content, bytes ? [new DataView(bytes.buffer)] : []);
  };
  window.unmount = mod.default.render({model, el: document.body});
}"""


class Mounted:
    """A dashboard on a page, and what its kernel would say."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.model = StatusModel(url="sqlite:///jobs.db")
        self.now = Instant(int(page.evaluate("() => Date.now()")) * 1_000)
        self._seq = 0

    def at(self, seconds: float) -> Instant:
        return Instant(self.now + round(seconds * SECOND_US))

    def mount(self, snap: dict[str, Any] | None = None, **options: Any) -> None:
        self.page.goto("about:blank")
        self.page.add_style_tag(content=(WIDGETS / "dashboard.css").read_text())
        code = (WIDGETS / "dashboard.js").read_text()
        given = {"mode": "table", "height": None, "theme": "light", "compact": False}
        self.page.evaluate(
            MOUNT, {"code": code, "options": given | options, "snap": snap or {}}
        )

    def tell(self, content: dict[str, Any], rows: str | None = None) -> None:
        self._seq += 1
        now = int(self.now // 1_000)
        told = {"seq": self._seq, "now": now} | content
        self.page.evaluate("([content, rows]) => tell(content, rows)", [told, rows])

    def tell_all(self) -> None:
        rows = json.dumps([row_list(row) for row in self.model.rows()])
        self.tell({"t": "full", "head": self.head(), "columns": COLUMNS}, rows)

    def head(self) -> dict[str, Any]:
        return head_dict(
            self.model, now=self.now, own_id="i1", dead_after_us=20 * SECOND_US
        )

    def tell_row(self, job_id: str, **content: Any) -> None:
        (row,) = (row for row in self.model.rows() if row.id == job_id)
        self.tell({"t": "d", "rows": [row_list(row)], "gone": [], **content})

    def add(self, *job_ids: str, **fields: Any) -> None:
        due = {"next_time": self.at(600), "considered_until": self.at(-3000)} | fields
        jobs = [a_job(each, anchor=self.at(-9000), **due) for each in job_ids]
        self.model.note_jobs(jobs, map(stats, job_ids))

    def sent(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate(
            "(kind) => window.sent.filter((each) => each.t === kind)", kind
        )
        return found

    def row(self, job_id: str) -> Locator:
        return self.page.locator(f'.nv-row[data-id="{job_id}"]:visible')

    def ids(self) -> list[str]:
        return [
            str(each.get_attribute("data-id"))
            for each in sorted(
                self.page.locator(".nv-row:visible").all(),
                key=lambda row: int(row.get_attribute("aria-rowindex") or 0),
            )
        ]


@pytest.fixture
def mounted(page: Page) -> Mounted:
    return Mounted(page)


@pytest.fixture
def four(mounted: Mounted) -> Mounted:
    """A dashboard of four jobs, one of each kind that needs somebody."""
    mounted.add("fails", "runs", "waits")
    mounted.add("late", next_time=mounted.at(-60))
    failed = ended("f", job_id="fails", outcome=Outcome.FAILED, error="KeyError: 'x'")
    mounted.model.note_runs([failed, run_of(mounted, "runs", progress=0.4)])
    mounted.mount()
    mounted.tell_all()
    return mounted


def run_of(mounted: Mounted, job_id: str, **fields: Any) -> Run:
    return going("g", job_id=job_id, started_at=mounted.at(-8), **fields)


def test_what_needs_somebody_is_on_top_in_word_and_shape(
    four: Mounted, shot: Callable[..., bytes]
) -> None:
    shot(four.page.locator(".nv"))

    assert four.ids() == ["fails", "late", "runs", "waits"]
    states = [four.row(each).locator(".nv-state").inner_text() for each in four.ids()]
    assert states == ["failing", "late", "running", "waiting"]
    assert "late by 01:" in four.row("late").inner_text()
    assert "40%" in four.row("runs").inner_text()
    assert "in 09:5" in four.row("waits").inner_text()
    shapes = {
        four.row(each).locator(".nv-state path").get_attribute("d")
        for each in four.ids()
    }
    assert len(shapes) == 4


def test_the_browser_and_python_agree_how_a_job_stands(mounted: Mounted) -> None:
    paused = {"status": JobStatus.PAUSED, "note": "rain"}
    finished = {"status": JobStatus.FINISHED, "next_time": None}
    mounted.add("waits", "fails", "runs", "retries", "fails-and-runs")
    mounted.add("late", next_time=mounted.at(-60))
    mounted.add("due", next_time=mounted.at(-1))
    mounted.add("paused", "paused-and-runs", "paused-and-failed", **paused)
    mounted.add("finished", "finished-badly", **finished)
    bad = ("fails", "fails-and-runs", "paused-and-failed", "finished-badly")
    mounted.model.note_runs(
        [
            *(ended(f"e{n}", job_id=n, outcome=Outcome.LOST) for n in bad),
            *(
                going(f"g{n}", job_id=n, started_at=mounted.at(-9))
                for n in ("runs", "fails-and-runs", "paused-and-runs")
            ),
            a_run("r", job_id="retries", attempt=2, ready_at=mounted.at(30)),
        ]
    )
    mounted.mount()
    mounted.tell_all()

    here = {
        row.id: state_of(row, now=mounted.now).value for row in mounted.model.rows()
    }
    there = {
        each: mounted.row(each).get_attribute("data-state") for each in mounted.ids()
    }
    assert there == here


def test_a_row_counts_down_by_itself(four: Mounted) -> None:
    before = four.row("waits").locator(".nv-next").inner_text()
    four.page.wait_for_function(
        """(before) => document.querySelector('.nv-row[data-id="waits"] .nv-next')
             .innerText !== before""",
        arg=before,
    )

    assert four.sent("hello")
    assert not four.sent("want")


def test_a_delta_changes_its_row_and_no_other(four: Mounted) -> None:
    four.model.note_runs([ended("f2", job_id="fails", start=9)])
    four.tell_row("fails")

    four.page.wait_for_selector('[data-id="fails"][data-state="waiting"]')
    assert "✓" in four.row("fails").locator(".nv-last").inner_text()


def test_a_job_that_is_gone_leaves(four: Mounted) -> None:
    four.tell({"t": "d", "rows": [], "gone": ["late"]})

    four.row("late").wait_for(state="hidden")
    assert "late" not in four.ids()


def test_a_number_that_is_missing_makes_it_ask_for_everything(four: Mounted) -> None:
    four.page.evaluate("() => { Date.now = ((now) => () => now() + 9000)(Date.now); }")
    four._seq += 1
    four.tell_row("waits")

    assert len(four.sent("hello")) == 2


def test_nothing_a_user_wrote_becomes_markup(mounted: Mounted) -> None:
    mounted.add(EVIL, name=EVIL, tags=(EVIL,), status=JobStatus.PAUSED, note=EVIL)
    mounted.mount()
    mounted.tell_all()
    mounted.page.locator(".nv-row").first.click()
    detail = {
        "id": EVIL,
        "facts": [[EVIL, EVIL]],
        "policies": [[EVIL, EVIL]],
        "coming": [{"at": 0, "text": EVIL, "note": EVIL}],
        "runs": [],
        "error": f"Traceback\n{EVIL}",
        "errorAt": 0,
        "log": [EVIL],
        "logRun": EVIL,
    }
    mounted.tell({"t": "detail", "id": EVIL, "detail": detail})
    mounted.page.get_by_text("Traceback").wait_for()

    assert mounted.page.locator(".nv img").count() == 0
    assert mounted.page.evaluate("() => window.hacked") is None
    assert mounted.page.locator(".nv-panel").inner_text().count(EVIL) >= 5


def test_a_click_asks_the_kernel_and_shows_its_answer(four: Mounted) -> None:
    button = four.page.get_by_role("button", name="Pause waits")
    button.click()
    (asked,) = four.sent("act")
    busy = four.row("waits").locator("[aria-busy=true]")
    busy.wait_for()  # with the next frame
    four.tell({"t": "res", "rid": asked["rid"], "ok": False, "text": "no, thanks"})
    four.page.get_by_text("no, thanks").wait_for()
    busy.wait_for(state="detached")

    assert (asked["verb"], asked["id"]) == ("pause", "waits")


def test_a_kernel_that_does_not_answer_is_said_to_be_busy(four: Mounted) -> None:
    four.page.get_by_role("button", name="Run now waits").click()

    four.page.get_by_text("waiting for the kernel").wait_for()


def test_removing_asks_in_place(four: Mounted) -> None:
    four.row("waits").click()
    four.page.get_by_role("button", name="Remove…").click()
    asked = four.sent("act")
    four.page.get_by_role("button", name="Keep").click()
    four.page.get_by_role("button", name="Remove…").click()
    four.page.get_by_role("button", name="Remove", exact=True).click()

    assert asked == []
    assert [each["verb"] for each in four.sent("act")] == ["remove"]


def test_pausing_all_asks_in_place(four: Mounted) -> None:
    button = four.page.locator(".nv-tools .nv-needs")
    button.click()
    button.filter(has_text="Pause 4 jobs?").wait_for()
    asked = four.sent("act")
    button.click()

    assert asked == []
    assert [each["verb"] for each in four.sent("act")] == ["pause_all"]


def test_a_question_whether_to_pause_all_stands_for_its_own_five_seconds(
    four: Mounted,
) -> None:
    clock, button = four.page.clock, four.page.locator(".nv-tools .nv-needs")
    question = button.filter(has_text="Pause 4 jobs?")
    clock.install()
    for _ in range(2):
        button.click()  # asks, and answers
    clock.run_for(4_000)
    button.click()
    clock.run_for(2_000)
    question.wait_for()
    clock.run_for(4_000)
    question.wait_for(state="detached")

    assert [each["verb"] for each in four.sent("act")] == ["pause_all"]


def test_the_keyboard_does_it_all_and_nothing_leaks_to_the_notebook(
    four: Mounted,
) -> None:
    keyboard = four.page.keyboard
    four.page.evaluate(
        "() => { window.leaked = []; document.addEventListener('keydown', "
        "(event) => window.leaked.push(event.key)); }"
    )
    four.row("fails").focus()
    for key in ("ArrowDown", "r", "End", "p", "Enter"):
        keyboard.press(key)
    opened = four.sent("detail")
    keyboard.press("Escape")
    keyboard.press("/")
    keyboard.type("fai")
    four.row("late").wait_for(state="hidden")

    assert [(each["verb"], each["id"]) for each in four.sent("act")] == [
        ("run_now", "late"),
        ("pause", "waits"),
    ]
    assert [each["id"] for each in opened] == ["waits"]
    assert four.ids() == ["fails"]
    assert four.page.evaluate("() => window.leaked") == []


def test_counts_and_tags_are_filters(mounted: Mounted) -> None:
    mounted.add("a", "b", tags=("etl",))
    mounted.add("c", tags=("mail",))
    mounted.model.note_runs([run_of(mounted, "b"), run_of(mounted, "c")])
    mounted.mount()
    mounted.tell_all()
    mounted.page.locator(".nv-count.running").click()
    running = mounted.ids()
    mounted.page.locator(".nv-tag", has_text="etl").click()
    both = mounted.ids()
    mounted.page.locator(".nv-count.running").click()

    assert (running, both, mounted.ids()) == (["b", "c"], ["b"], ["b", "a"])


def test_what_patterns_keep_is_hidden_until_it_is_asked_for(mounted: Mounted) -> None:
    mounted.add("job", "await:order-42")
    mounted.mount()
    mounted.tell_all()
    before = mounted.ids()
    mounted.page.locator(".nv-tag", has_text="internal").click()

    assert (before, len(mounted.ids())) == (["job"], 2)


def test_a_column_sorts_both_ways(four: Mounted) -> None:
    head = four.page.get_by_role("columnheader", name="Job")
    head.locator("button").click()
    up = four.ids()
    head.locator("button").click()

    assert up == ["fails", "late", "runs", "waits"]
    assert four.ids() == up[::-1]
    assert head.get_attribute("aria-sort") == "descending"


def test_the_timeline_asks_for_the_rows_on_the_screen(four: Mounted) -> None:
    four.page.get_by_role("button", name="Timeline").click()
    four.page.wait_for_function(
        "() => window.sent.some((each) => each.t === 'want' && each.lanes)"
    )
    asked = four.sent("want")[-1]
    at = int(four.now // 1_000)
    past = [[at - 60_000, at - 30_000, "failed"], [at - 300_000, at - 290_000, "lost"]]
    four.tell(
        {"t": "lanes", "lanes": {"waits": {"past": past, "coming": [at + 9_000]}}}
    )
    lane = four.row("waits").get_by_role("img")
    four.page.wait_for_function(
        "(lane) => lane.getAttribute('aria-label').startsWith('2 runs')",
        arg=lane.element_handle(),
    )

    assert sorted(asked["ids"]) == ["fails", "late", "runs", "waits"]
    assert asked["until"] - asked["since"] == pytest.approx(20 * 60_000, abs=2)


def test_a_silent_kernel_is_a_lost_connection(four: Mounted) -> None:
    four.page.evaluate("() => { Date.now = ((now) => () => now() + 20000)(Date.now); }")

    four.page.get_by_text("connection to the scheduler is lost").wait_for()
    assert four.page.get_by_role("button", name="Pause waits").is_disabled()


def test_a_saved_notebook_says_that_it_is_a_snapshot(mounted: Mounted) -> None:
    mounted.add("job")
    rows = [row_list(row) for row in mounted.model.rows()]
    snap = {"now": 0, "head": mounted.head(), "columns": COLUMNS, "rows": rows}
    mounted.mount(snap)
    mounted.page.evaluate(
        "() => { Date.now = ((now) => () => now() + 20000)(Date.now); }"
    )

    mounted.page.get_by_text("no kernel is connected").wait_for()
    assert mounted.ids() == ["job"]
    assert mounted.page.get_by_role("button", name="Pause job").is_disabled()


def test_what_was_unmounted_says_goodbye_and_listens_no_more(four: Mounted) -> None:
    four.page.evaluate("() => window.unmount()")

    assert len(four.sent("bye")) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("mode", ["table", "timeline"])
def test_everybody_can_use_it(
    mounted: Mounted, shot: Callable[..., bytes], theme: str, mode: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  its own group

    mounted.add("fails", "runs", "waits", tags=("etl",))
    failed = ended("f", job_id="fails", outcome=Outcome.FAILED)
    mounted.model.note_runs([failed, run_of(mounted, "runs")])
    mounted.mount(theme=theme, mode=mode)
    mounted.tell_all()
    mounted.row("fails").click()
    shot(mounted.page.locator(".nv"), f"axe-{theme}-{mode}")

    found = Axe().run(mounted.page, context=".nv")
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(
    ("scheme", "attribute", "theme"),
    [("light", "false", "dark"), ("dark", "true", "light"), ("dark", None, "dark")],
)
def test_it_wears_what_the_notebook_wears(
    mounted: Mounted, scheme: Any, attribute: str | None, theme: str
) -> None:
    mounted.page.emulate_media(color_scheme=scheme)
    mounted.mount(theme="auto")
    if attribute is not None:
        mounted.page.evaluate(
            "(said) => document.body.setAttribute('data-jp-theme-light', said)",
            attribute,
        )

    mounted.page.locator(f'.nv[data-theme="{theme}"]').wait_for()


def test_a_narrow_one_keeps_what_matters(
    four: Mounted, shot: Callable[..., bytes]
) -> None:
    four.page.set_viewport_size({"width": 480, "height": 800})
    four.page.locator(".nv.narrow").wait_for()
    shot(four.page.locator(".nv"))

    assert four.page.evaluate(
        "() => document.documentElement.scrollWidth <= window.innerWidth"
    )
    assert "failing" in (four.row("fails").locator(".nv-state").text_content() or "")


MEASURE: Final = """async ({deltas}) => {
  const spent = [];
  let frames = 0, isOver = false;
  const frame = () => { frames++; if (!isOver) requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  for (const [content, rows] of deltas) {
    const began = performance.now();
    window.tell(content, rows);
    spent.push(performance.now() - began);
    await new Promise((go) => setTimeout(go, 100));
  }
  isOver = true;
  spent.sort((x, y) => x - y);
  return {median: spent[Math.floor(spent.length / 2)], frames};
}"""


def test_ten_thousand_jobs_are_few_rows_and_quick(
    mounted: Mounted, shot: Callable[..., bytes]
) -> None:
    ids = [f"etl.job_{n:05}" for n in range(10_000)]
    mounted.add(*ids, tags=("etl",))
    mounted.mount()
    mounted.tell_all()
    page = mounted.page
    page.get_by_text("of 10,000").wait_for()
    in_page = page.locator(".nv-row").count()
    page.locator(".nv-body").evaluate(
        "(body) => { body.scrollTop = body.scrollHeight; }"
    )
    mounted.row(ids[-1]).wait_for()
    page.locator(".nv input").fill("job_0777")
    mounted.row("etl.job_07770").wait_for()
    found = page.get_by_text("of 10", exact=False).first.inner_text()
    rows = [row_list(row) for row in mounted.model.rows()]
    deltas = []
    for n in range(10):
        mounted._seq += 1
        part = rows[n * 500 : n * 500 + 500]
        content = {"t": "d", "seq": mounted._seq, "rows": part, "gone": []}
        deltas.append([content | {"now": int(mounted.now // 1_000)}, None])
    spent = page.evaluate(MEASURE, {"deltas": deltas})
    shot(page.locator(".nv"))

    assert in_page < 40
    assert "of 10" in found
    assert spent["median"] < 50, spent
    assert spent["frames"] > 10, spent
