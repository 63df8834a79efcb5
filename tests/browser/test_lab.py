"""The dashboard in a real JupyterLab, by hand and eye of a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.browser.conftest import Jupyter, Notebook, new_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Locator, Page

    Open = Callable[..., Notebook]
    Shot = Callable[..., bytes]

pytestmark = pytest.mark.timeout(180)

SETUP: Final = """
import time
from datetime import timedelta
from nvent_sched import BlockingScheduler, Interval, JobSpec
scheduler = BlockingScheduler("memory:", backend="BACKEND")

@scheduler.job(Interval(seconds=1), id="ticks")
def ticks(): pass

@scheduler.job(Interval(hours=1), id="slow", tags=["ops"])
def slow(run):
    run.log("halfway there")
    run.progress(0.5, "half")
    time.sleep(60)

@scheduler.job(Interval(hours=2), id="broken", tags=["ops"])
def broken():
    raise KeyError("customer_id")

scheduler.start()
"""
COUNT: Final = """() => {
  const cell = document.querySelector('.nv-row[data-id="ticks"] .nv-runs');
  return cell ? parseInt(cell.innerText) : -1;
}"""


def setup(backend: str = "asyncio") -> str:
    return SETUP.replace("BACKEND", backend)


def row(page: Page, job_id: str) -> Locator:
    return page.locator(f'.nv-row[data-id="{job_id}"]:visible').first


def wait_for_ticks(page: Page, *, more: int) -> None:
    """Wait until the row of `ticks` has counted so many more runs."""
    page.wait_for_function(f"() => ({COUNT})() >= 0")
    before = page.evaluate(COUNT)
    page.wait_for_function(f"(least) => ({COUNT})() >= least", arg=before + more)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_row_changes_by_itself_also_while_a_cell_blocks_the_kernel(
    open_notebook: Open, backend: str
) -> None:
    notebook = open_notebook(
        setup(backend), "scheduler.dashboard()", "time.sleep(8); print('done')"
    )
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    wait_for_ticks(page, more=2)
    notebook.start(2)
    page.wait_for_selector(".jp-InputArea-prompt:has-text('[*]')")
    wait_for_ticks(page, more=3)

    assert "done" not in notebook.text(2)


def test_clicks_change_the_store(open_notebook: Open, shot: Shot) -> None:
    notebook = open_notebook(setup(), "scheduler.dashboard()")
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    page.get_by_role("button", name="Pause ticks").click()
    page.get_by_text("ticks: paused").wait_for()
    paused = notebook.kernel_says("scheduler.get_job('ticks').status.value")
    page.get_by_role("button", name="Resume ticks").click()
    page.get_by_text("ticks: resumed").wait_for()
    resumed = notebook.kernel_says("scheduler.get_job('ticks').status.value")
    page.get_by_role("button", name="Run now broken").click()
    page.locator('.nv-row[data-id="broken"][data-state="failing"]').wait_for()
    failed = notebook.kernel_says("scheduler.stats('broken').failures")
    page.get_by_role("button", name="Run now slow").click()
    row(page, "slow").get_by_text("50%").wait_for()
    row(page, "broken").click()
    page.locator(".nv-panel").get_by_text("KeyError: 'customer_id'").last.wait_for()
    shot(page.locator(".nv"))
    page.get_by_role("button", name="Remove…").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    row(page, "broken").wait_for(state="hidden")
    left = notebook.kernel_says("[job.id for job in scheduler.jobs()]")

    assert (paused, resumed, failed) == ("'paused'", "'active'", "1")
    assert left == "['slow', 'ticks']"


def test_a_click_is_obeyed_while_a_cell_blocks_the_kernel(open_notebook: Open) -> None:
    notebook = open_notebook(
        setup(), "scheduler.dashboard()", "time.sleep(8); print('done')"
    )
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    wait_for_ticks(page, more=1)
    notebook.start(2)
    page.wait_for_selector(".jp-InputArea-prompt:has-text('[*]')")
    page.get_by_role("button", name="Pause ticks").click()
    page.get_by_text("ticks: paused").wait_for()

    assert "done" not in notebook.text(2)


def test_a_cell_that_is_run_again_replaces_its_view(open_notebook: Open) -> None:
    notebook = open_notebook(setup(), "scheduler.dashboard()")
    page = notebook.page
    notebook.run(0)
    for _ in range(4):
        notebook.run(1)
        row(page, "ticks").wait_for()
    wait_for_ticks(page, more=1)
    widgets = "len(__import__('ipywidgets').widgets.widget._instances)"

    assert page.locator(".nv").count() == 1
    assert notebook.kernel_says(widgets) == "2"  # the widget and its layout


def test_what_stays_of_it_is_a_plain_table(open_notebook: Open) -> None:
    notebook = open_notebook(
        setup(), "board = scheduler.dashboard()\nboard", "board.freeze()", "scheduler"
    )
    page = notebook.page
    for cell in (0, 1):
        notebook.run(cell)
    row(page, "ticks").wait_for()
    notebook.run(2)
    page.get_by_text("frozen").wait_for()
    frozen = page.locator(".nv").count()
    notebook.run(3)
    row(page, "ticks").wait_for()
    compact = page.locator(".nv-tools").count()
    notebook.kernel_says("scheduler.stop(grace=timedelta())")
    page.get_by_text("the scheduler stopped").wait_for()

    assert (frozen, compact) == (0, 0)
    assert page.locator(".nv").count() == 0
    assert "every second" in notebook.text(3)


def test_it_is_light_and_dark_as_jupyterlab_is(open_notebook: Open, shot: Shot) -> None:
    notebook = open_notebook(setup(), "scheduler.dashboard()")
    page = notebook.page
    notebook.run(0)
    notebook.run(1)
    for name, theme in (("JupyterLab Dark", "dark"), ("JupyterLab Light", "light")):
        page.evaluate(
            """(theme) => window.jupyterapp.commands.execute(
              'apputils:change-theme', {theme})""",
            name,
        )
        page.locator(f'.nv[data-theme="{theme}"]').wait_for()
        shot(page, f"lab-{theme}")


def test_ten_thousand_jobs_are_there_and_found(open_notebook: Open, shot: Shot) -> None:
    many = """
scheduler.schedule_many(
    JobSpec("work", Interval(hours=1 + n % 24), id=f"etl.job_{n:05}", options={"tags": ["etl"]})
    for n in range(10_000)
)
print(len(scheduler.jobs(limit=10_000)))"""
    notebook = open_notebook(setup(), many, "scheduler.dashboard()")
    page = notebook.page
    for cell in (0, 1, 2):
        notebook.run(cell)
    page.get_by_text("of 10,003").wait_for()
    page.locator(".nv input").fill("job_07771")
    row(page, "etl.job_07771").wait_for()
    page.get_by_role("button", name="Pause etl.job_07771").click()
    page.get_by_text("etl.job_07771: paused").wait_for()
    shot(page.locator(".nv"))

    assert notebook.kernel_says("scheduler.get_job('etl.job_07771').note") == (
        "'paused in the dashboard'"
    )


def test_an_async_scheduler_of_the_notebooks_own_loop_is_live_too(
    open_notebook: Open,
) -> None:
    cells = (
        "from nvent_sched import Scheduler, Interval",
        "scheduler = Scheduler('memory:')",
        "@scheduler.job(Interval(seconds=1), id='ticks')\nasync def ticks(): pass",
        "await scheduler.start()",
        "scheduler",
    )
    notebook = open_notebook("\n\n".join(cells))
    notebook.run(0)
    wait_for_ticks(notebook.page, more=2)
    stopped = notebook.page.evaluate("() => document.querySelectorAll('.nv').length")

    assert stopped == 1


@pytest.fixture
def without_anywidget(tmp_path: Any) -> Any:
    """A JupyterLab whose front end does not know anywidget."""
    server = Jupyter(tmp_path, "jupyterlab")
    config = tmp_path / "jupyter_config_dir" / "labconfig"
    config.mkdir(parents=True)
    (config / "page_config.json").write_text(
        '{"disabledExtensions": {"anywidget": true}}'
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()


def test_where_the_front_end_has_no_anywidget_the_plain_view_steps_in(
    without_anywidget: Jupyter, page: Page, shot: Shot
) -> None:
    name = without_anywidget.write(setup(), "scheduler.dashboard()")
    notebook = Notebook(page, without_anywidget, name)
    notebook.open()
    notebook.run(0)
    notebook.run(1)
    page.get_by_placeholder("Filter jobs").wait_for()
    page.get_by_placeholder("A job's id").fill("ticks")
    page.get_by_placeholder("A job's id").press("Tab")
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("ticks: paused").wait_for()
    shot(page, "plain")

    errors = page.get_by_text("Click to show javascript error").count()
    text = notebook.text(1)
    notebook.kernel_says("scheduler.stop(grace=timedelta())")
    page.get_by_text("the scheduler stopped").wait_for()

    assert errors == 0
    assert "paused" in text


def test_notebook_7_shows_it_as_well(browser: Browser, tmp_path: Any) -> None:
    server = Jupyter(tmp_path, "notebook")
    try:
        server.start()
        with new_page(browser) as page:
            name = server.write(setup(), "scheduler.dashboard()")
            notebook = Notebook(page, server, name)
            notebook.open("notebooks")
            notebook.run(0)
            notebook.run(1)
            wait_for_ticks(page, more=2)
    finally:
        server.stop()
