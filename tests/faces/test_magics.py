"""`%%schedule` and `%jobs` in a real shell of IPython."""

from __future__ import annotations

import atexit
import sys
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from nvent_sched import BlockingScheduler, Interval, JobStatus, Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nvent_sched import RunSnapshot

    Shell = Any  # half of IPython's own has types
    Shown = Callable[[str], str]


@pytest.fixture(scope="module")
def one_shell() -> Iterator[Shell]:
    """A shell that leaves `__main__` and the hooks as they were."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("displayhook", "excepthook", "ps1", "ps2", "ps3"):
            patch.setattr(sys, name, getattr(sys, name, None), raising=False)
        patch.setitem(sys.modules, "__main__", sys.modules["__main__"])
        config = Config()
        config.HistoryManager.enabled = False
        kind: Any = InteractiveShell
        shell = kind(config=config)
        atexit.unregister(shell.atexit_operations)
        yield shell
        shell.atexit_operations()


@pytest.fixture
def shell(one_shell: Shell) -> Shell:
    """The shell, with no variables and the magics loaded."""
    one_shell.reset()
    one_shell.run_cell("%reload_ext nvent_sched").raise_error()
    return one_shell


@pytest.fixture
def scheduler(shell: Shell, anyio_backend: str) -> Iterator[BlockingScheduler]:
    with BlockingScheduler("memory:", backend=anyio_backend) as running:
        shell.user_ns["mine"] = running
        yield running


@pytest.fixture
def shown(shell: Shell, capsys: pytest.CaptureFixture[str]) -> Shown:
    """Execute a cell; say what it prints, and the text of its error."""

    def execute(cell: str) -> str:
        capsys.readouterr()
        shell.run_cell(cell)
        told = capsys.readouterr()
        return told.out + told.err

    return execute


def run_of(scheduler: BlockingScheduler, job: str) -> RunSnapshot:
    return scheduler.wait_for(scheduler.run_now(job))


def test_a_cell_becomes_a_job(shown: Shown, scheduler: BlockingScheduler) -> None:
    told = shown("%%schedule '0 7 * * *' --tz Asia/Tokyo --id report\n21 * 2")

    assert "Job 'report': At 07:00, Asia/Tokyo; next " in told
    assert "07:00:00 Asia/Tokyo" in told
    assert "On `mine`: <BlockingScheduler memory: running>" in told
    assert "only in this kernel" in told
    assert run_of(scheduler, "report").result == 42


def test_a_cron_expression_needs_no_quotes(
    shown: Shown, scheduler: BlockingScheduler
) -> None:
    shown("%%schedule */5 * * * * --id often\n1")

    assert scheduler.get_job("often").schedule.describe() == "Every 5 minutes"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        ("15m", "every 15 minutes"),
        ("1h30m", "every 1 hour and 30 minutes"),
        ("2D", "every 2 days"),
        ("2.5s", "every 2 seconds and 500 milliseconds"),
    ],
)
def test_an_interval_is_written_with_units(
    shown: Shown, scheduler: BlockingScheduler, length: str, words: str
) -> None:
    shown(f"%%schedule --every {length} --id often\n1")

    assert scheduler.get_job("often").schedule.describe() == words


def test_a_cell_may_run_once(shown: Shown, scheduler: BlockingScheduler) -> None:
    shown("%%schedule --in 1ms --id once\n'done'")
    with scheduler.events() as events:
        while scheduler.get_job("once").status is not JobStatus.FINISHED:
            next(events)
    (run,) = scheduler.runs("once")

    assert scheduler.wait_for(run).result == "done"


def test_a_job_sees_and_sets_the_variables_of_the_notebook(
    shell: Shell, shown: Shown, scheduler: BlockingScheduler
) -> None:
    shown("rows = [1]")
    shown("%%schedule --every 1h --id grow\nrows = rows + [2]")

    run_of(scheduler, "grow")

    assert shell.user_ns["rows"] == [1, 2]


def test_a_cell_that_awaits_runs_in_the_loop(
    shown: Shown, scheduler: BlockingScheduler, anyio_backend: str
) -> None:
    shown(
        "%%schedule --every 1h --id wait\n"
        "from anyio.lowlevel import checkpoint\n"
        "import sniffio\n"
        "await checkpoint()\n"
        "sniffio.current_async_library()"
    )

    assert run_of(scheduler, "wait").result == anyio_backend


def test_a_result_that_is_not_json_is_shown_as_the_cell_would(
    shown: Shown, scheduler: BlockingScheduler, capsys: pytest.CaptureFixture[str]
) -> None:
    shown("%%schedule --every 1h --id odd\n{1}")

    run = run_of(scheduler, "odd")

    assert run.result is None
    assert capsys.readouterr().out == "{1}\n"


def test_a_failure_shows_the_line_of_the_cell(
    shown: Shown, scheduler: BlockingScheduler
) -> None:
    shown("%%schedule --every 1h --id fail\nrows = 0\n1 / rows  # too few")

    assert "1 / rows  # too few" in str(run_of(scheduler, "fail").error)


def test_the_cell_executed_again_replaces_its_job(
    shown: Shown, scheduler: BlockingScheduler
) -> None:
    for result in ("old", "new"):
        shown(f"%%schedule --every 1h --id report\n{result!r}")

    assert run_of(scheduler, "report").result == "new"
    assert len(scheduler.jobs()) == 1


def test_the_comment_in_the_first_line_names_the_job(
    shown: Shown, scheduler: BlockingScheduler
) -> None:
    shown("%%schedule --every 1h\n# Morning report\n1")

    (job,) = scheduler.jobs()
    assert job.name == "Morning report"
    assert job.id.startswith("cell-")


def test_a_scheduler_that_is_not_started_keeps_the_job_until_it_is(
    shell: Shell, shown: Shown, anyio_backend: str
) -> None:
    later = shell.user_ns["later"] = BlockingScheduler("memory:", backend=anyio_backend)

    told = shown("%%schedule --every 1h --id report\n1")

    assert "from the scheduler's start" in told
    with later:
        assert run_of(later, "report").result == 1


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("", "when? say a cron expression, or --every, or --in"),
        ("'0 7 * * *' --every 1h", "not 0 7 * * * and 1h"),
        ("'0 99 * * *'", "hour '99': outside 0-23"),
        ("'0 7 * * *' --tz Berlin", "unknown time zone 'Berlin'"),
        ("--every soon", "'soon' is not a length of time"),
        ("--every 1h2", "'1h2' is not a length of time"),
        ("--every 1h --tz UTC", "--tz belongs to a cron expression"),
        ("--each 1h", "unrecognized arguments: --each"),
        ("'0 7", "No closing quotation"),
        ("--every 1h --on nothing", "--on nothing: that is no scheduler"),
    ],
)
@pytest.mark.usefixtures("scheduler")
def test_what_cannot_be_meant_is_refused_in_a_sentence(
    shown: Shown, line: str, trouble: str
) -> None:
    told = shown(f"%%schedule {line}\n1")

    assert "UsageError: " in told
    assert trouble in told
    assert "Traceback" not in told


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_says_what_a_magic_takes(
    shown: Shown, scheduler: BlockingScheduler, word: str
) -> None:
    assert "%%schedule --every 15m" in shown(f"%%schedule {word}\n1")
    assert "%jobs [--on SCHEDULER]" in shown(f"%jobs {word}")
    assert len(scheduler.jobs()) == 0


def test_a_cell_that_cannot_be_read_is_refused_at_once(
    shown: Shown, scheduler: BlockingScheduler
) -> None:
    assert "SyntaxError" in shown("%%schedule --every 1h\nif True print(1)")
    assert len(scheduler.jobs()) == 0


def test_without_a_scheduler_it_says_how_to_make_one(shown: Shown) -> None:
    assert "scheduler = BlockingScheduler(" in shown("%jobs")


@pytest.mark.usefixtures("scheduler")
def test_of_two_schedulers_one_must_be_named(
    shell: Shell, shown: Shown, anyio_backend: str
) -> None:
    with BlockingScheduler("memory:", backend=anyio_backend) as second:
        shell.user_ns["second"] = second

        assert "several schedulers (`mine`, `second`)" in shown("%jobs")
        assert "of `second`" in shown("%jobs --on second")


@pytest.mark.usefixtures("scheduler")
def test_one_scheduler_under_two_names_is_one(shown: Shown) -> None:
    shown("again = mine")

    assert "of `mine`" in shown("%jobs")


def test_jobs_shows_a_table_as_text_and_as_html(
    shell: Shell, scheduler: BlockingScheduler
) -> None:
    shell.run_cell("%%schedule --every 15m --id refresh\n1 / 0")
    run_of(scheduler, "refresh")

    table: Any = shell.run_cell("%jobs").result

    assert repr(table).splitlines()[1].split("  ")[:3] == [
        "refresh",
        "every 15 minutes",
        "active",
    ]
    assert repr(table).splitlines()[1].split()[-3:] == ["failed", "1", "1"]
    assert "<b>refresh</b>" in table._repr_html_()


async def test_jobs_reads_an_async_scheduler_beside_its_loop(
    shell: Shell,
) -> None:
    async with Scheduler("sqlite:///:memory:") as scheduler:
        shell.user_ns["mine"] = scheduler
        shell.run_cell("%%schedule --every 15m --id refresh\n1")
        await scheduler.schedule(print, Interval(hours=1), id="other")

        table = shell.run_line_magic("jobs", "")

    assert "other" in repr(table)


def test_the_extension_can_be_taken_back(shown: Shown, shell: Shell) -> None:
    shown("%unload_ext nvent_sched")

    assert "UsageError" in shown("%jobs")
    assert "schedule" not in shell.magics_manager.magics["cell"]
