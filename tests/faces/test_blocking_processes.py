"""A blocking scheduler in a script: how the script ends, is interrupted, and forks."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from textwrap import dedent
from typing import IO, TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BEGINNING: Final = """
import os, sys, threading
from datetime import timedelta
from nvent_sched import BlockingScheduler, Interval, OneTime
from nvent_sched.errors import UsageError

def say(*words):
    print(*words, flush=True)

begun, may_end = threading.Event(), threading.Event()

def wait_for_stop(scheduler):
    # Until it takes nothing more.
    while scheduler.async_scheduler._engine.core.is_taking:
        may_end.wait(0.01)
"""


class Script:
    """A script of a user's, as a process."""

    def __init__(self, text: str, folder: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own words
            [sys.executable, "-c", BEGINNING + dedent(text)],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def _output(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout

    def reads(self, line: str) -> bool:
        return self.line() == f"{line}\n"

    def line(self) -> str:
        return self._output.readline()

    def interrupt(self, number: int = signal.SIGINT) -> None:
        self._process.send_signal(number)

    def ended(self) -> tuple[int, list[str]]:
        """Wait for the end; say the exit code and the rest of what it said."""
        said = self._output.read().splitlines()
        return self._process.wait(), said

    def close(self) -> None:
        self._process.kill()
        with self._process:
            pass


@pytest.fixture
def run(tmp_path: Path, anyio_backend_name: str) -> Iterator[Callable[[str], Script]]:
    """Start a script; BACKEND in it is the name of one."""
    started: list[Script] = []

    def start(text: str) -> Script:
        text = text.replace("BACKEND", f"backend={anyio_backend_name!r}")
        started.append(Script(text, tmp_path))
        return started[-1]

    yield start
    for script in started:
        script.close()


def test_a_script_that_ends_without_a_stop_lets_its_runs_end(
    run: Callable[[str], Script],
) -> None:
    script = run("""
        scheduler = BlockingScheduler("sqlite:///jobs.db", BACKEND)

        @scheduler.job(OneTime(in_=timedelta()), id="last")
        def last():
            begun.set()
            may_end.wait()
            say("done")

        scheduler.start()
        begun.wait()
        threading.Timer(0.2, may_end.set).start()
    """)

    assert script.ended() == (0, ["done"])


def test_a_script_is_not_kept_by_a_handler_that_never_ends(
    run: Callable[[str], Script],
) -> None:
    script = run("""
        grace = timedelta(milliseconds=100)
        scheduler = BlockingScheduler("sqlite:///jobs.db", BACKEND, grace=grace)

        @scheduler.job(OneTime(in_=timedelta()), id="last")
        def last():
            begun.set()
            may_end.wait()

        scheduler.start()
        begun.wait()
        say("bye")
    """)

    code, said = script.ended()
    assert (code, said[0]) == (0, "bye")
    assert "a thread was left behind" in said[1]


HANGING: Final = """
import anyio
from nvent_sched.blocking import life
from nvent_sched.testing import ManualClock

life.LAST_WORDS_US = 100_000
grace = timedelta(milliseconds=100)
scheduler = BlockingScheduler("memory:", BACKEND, clock=ManualClock(), grace=grace)

@scheduler.job(OneTime(in_=timedelta()), id="last")
async def last():
    begun.set()
    HANG

FINISH
say("stopped")
"""
STOP: Final = """
scheduler.start()
begun.wait()
scheduler.stop()"""
SIGNAL: Final = """
def interrupt():
    begun.wait()
    os.kill(os.getpid(), 15)

threading.Thread(target=interrupt, daemon=True).start()
scheduler.run_forever()"""
SHIELDED: Final = """with anyio.CancelScope(shield=True):
        await anyio.sleep_forever()"""


@pytest.mark.parametrize("hang", [SHIELDED, "may_end.wait()"], ids=["async", "plain"])
@pytest.mark.parametrize("end", [STOP, SIGNAL], ids=["stop", "signal"])
def test_a_loop_whose_handler_never_ends_is_left_behind(
    run: Callable[[str], Script], hang: str, end: str
) -> None:
    script = run(HANGING.replace("HANG", hang).replace("FINISH", end))

    code, said = script.ended()
    assert (code, said[-1]) == (0, "stopped")
    assert "the scheduler did not stop within its grace" in said[-2]


def test_an_interrupt_ends_the_wait_and_nothing_else(
    run: Callable[[str], Script],
) -> None:
    script = run("""
        with BlockingScheduler("sqlite:///jobs.db", BACKEND) as scheduler:
            scheduler.schedule("nobody", OneTime(in_=timedelta(hours=1)), id="job")
            waited_for = scheduler.run_now("job")
            try:
                say("waiting")  # from here on it may come
                scheduler.wait_for(waited_for)
            except KeyboardInterrupt:
                say("interrupted")
            say(scheduler.cancel_run(waited_for))
    """)
    assert script.reads("waiting")
    script.interrupt()

    assert script.ended() == (0, ["interrupted", "True"])


def test_an_interrupt_that_another_thread_receives_ends_the_wait_too(
    run: Callable[[str], Script],
) -> None:
    script = run("""
        import signal
        main = threading.get_ident()

        def interrupt():
            while "reply.py" not in sys._current_frames()[main].f_code.co_filename:
                may_end.wait(0.01)
            may_end.wait(0.1)
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)

        with BlockingScheduler("memory:", BACKEND) as scheduler:
            scheduler.schedule("nobody", OneTime(in_=timedelta(hours=1)), id="job")
            waited_for = scheduler.run_now("job")
            threading.Thread(target=interrupt, daemon=True).start()
            try:
                scheduler.wait_for(waited_for)
            except KeyboardInterrupt:
                say("interrupted")
    """)

    assert script.ended() == (0, ["interrupted"])


@pytest.mark.parametrize("verb", ["start", "run_forever"])
def test_an_interrupt_gives_up_a_start_that_hangs(
    run: Callable[[str], Script], verb: str
) -> None:
    script = run(
        """
        import socket
        silent = socket.create_server(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0?timeout=600"
        kept = []
        def tell():
            kept.append(silent.accept())
            say("called")
        threading.Thread(target=tell, daemon=True).start()
        try:
            BlockingScheduler(url, BACKEND).VERB()
        except KeyboardInterrupt:
            say("given up")
    """.replace("VERB", verb)
    )
    assert script.reads("called")
    script.interrupt()

    assert script.ended() == (0, ["given up"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_forever_stops_in_order_at_the_first_signal(
    run: Callable[[str], Script], number: int
) -> None:
    script = run("""
        scheduler = BlockingScheduler("sqlite:///jobs.db", BACKEND)

        @scheduler.job(OneTime(in_=timedelta()), id="last")
        def last(run):
            say("begun")
            wait_for_stop(scheduler)
            say("done")

        scheduler.run_forever()
        say("stopped")
    """)
    assert script.reads("begun")
    script.interrupt(number)

    assert script.ended() == (0, ["done", "stopped"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_forever_stops_in_order_as_soon_as_it_has_started(
    run: Callable[[str], Script], number: int
) -> None:
    script = run(f"""
        import signal

        class Interrupted(BlockingScheduler):
            def start(self):
                super().start()
                signal.raise_signal({number:d})

        Interrupted("sqlite:///jobs.db", BACKEND).run_forever()
        say("stopped")
    """)

    assert script.ended() == (0, ["stopped"])


def test_run_forever_takes_a_signal_that_comes_twice_at_once_for_one(
    run: Callable[[str], Script],
) -> None:
    script = run("""
        import signal

        scheduler = BlockingScheduler("sqlite:///jobs.db", BACKEND)

        @scheduler.job(OneTime(in_=timedelta()), id="last")
        def last(run):
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
            wait_for_stop(scheduler)
            say("done" if run.is_cancelled is False else "broken off")

        scheduler.run_forever()
        say("stopped")
    """)

    assert script.ended() == (0, ["done", "stopped"])


def test_run_forever_stops_at_once_at_the_second_signal(
    run: Callable[[str], Script],
) -> None:
    script = run("""
        scheduler = BlockingScheduler("sqlite:///jobs.db", BACKEND)

        @scheduler.job(OneTime(in_=timedelta()), id="last")
        async def last():
            import anyio
            begun.set()
            say("begun")
            try:
                await anyio.sleep_forever()
            finally:
                say("broken off")

        def tell():
            begun.wait()
            wait_for_stop(scheduler)
            may_end.wait(0.6)  # what comes sooner is the same signal once more
            say("stopping")

        threading.Thread(target=tell, daemon=True).start()
        scheduler.run_forever()
        say("stopped")
    """)
    assert script.reads("begun")
    script.interrupt()
    assert script.reads("stopping")
    script.interrupt()

    assert script.ended() == (0, ["broken off", "stopped"])


FOREVER: Final = """
scheduler = BlockingScheduler("sqlite:///jobs.db", BACKEND)

@scheduler.job(OneTime(in_=timedelta()), id="last")
def last():
    begun.set()
    say("begun")
    threading.Event().wait()

def end():
    say("interrupted")
    late = threading.Timer(4, say, ["late"])
    late.daemon = True
    late.start()
"""
ENDS: Final = {
    "with": """
try:
    with scheduler:
        threading.Event().wait()
except KeyboardInterrupt:
    end()
""",
    "run_forever": """
scheduler.run_forever()
end()
""",
    "exit": """
scheduler.start()
begun.wait()
""",
}


@pytest.mark.parametrize("how", list(ENDS))
def test_a_stop_that_waits_for_a_handler_says_so_and_how_it_ends_at_once(
    run: Callable[[str], Script], how: str
) -> None:
    script = run(FOREVER + ENDS[how])
    assert script.reads("begun")
    if how != "exit":
        script.interrupt()

    told = script.line()
    script.interrupt()

    assert "stopping: 1 run is still going (last)" in told
    assert re.search("for at most 3[0-5] s more, Ctrl-C now stops at once", told)
    code, said = script.ended()
    assert code == 0
    assert "late" not in said


def test_after_a_fork_only_the_parent_may_use_it(run: Callable[[str], Script]) -> None:
    script = run("""
        import warnings
        warnings.simplefilter("ignore")  # that a process with threads forks
        with BlockingScheduler("sqlite:///jobs.db", BACKEND) as scheduler:
            child = os.fork()
            if child == 0:
                for verb in (scheduler.jobs, scheduler.start):
                    try:
                        verb()
                    except UsageError as error:
                        say(str(error).partition(":")[0])
                sys.exit(0)
            os.waitpid(child, 0)
            say(len(scheduler.jobs().items))
    """)

    assert script.ended() == (0, ["jobs", "start", "0"])


def test_one_that_was_made_before_a_fork_can_be_started_after_it(
    run: Callable[[str], Script],
) -> None:
    script = run("""
        scheduler = BlockingScheduler("sqlite:///jobs.db", BACKEND)
        child = os.fork()
        with scheduler:
            say(len(scheduler.jobs().items))
        if child:
            os.waitpid(child, 0)
    """)

    assert script.ended() == (0, ["0", "0"])
