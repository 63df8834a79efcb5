"""What handlers print in a notebook's kernel is their runs', and what cells print theirs."""

from __future__ import annotations

from tests.faces.kernels import outputs_of

SETUP = """
import asyncio, logging, sys
from functools import partial
import anyio
from nvent_sched import Interval, Scheduler

async def log_of(handler):
    async with Scheduler("memory:") as scheduler:
        job = await scheduler.schedule(handler, Interval(hours=1), id="job")
        run = await scheduler.wait_for(await scheduler.run_now(job))
        return run.log

def on(handler, backend="BACKEND"):
    return asyncio.to_thread(partial(anyio.run, log_of, handler, backend=backend))

def plain():
    print("from a thread")
    print("1", "2", sep="\\n", end="", file=sys.stderr)

async def in_the_loop():
    print("from the loop")
    logging.getLogger("mine").warning("water is low")
"""


def shown(backend: str, *cells: str) -> list[str]:
    return outputs_of(SETUP.replace("BACKEND", backend), *cells)[1:]


def test_a_print_goes_to_the_run_and_not_to_a_cell(anyio_backend: str) -> None:
    outputs = shown(anyio_backend, "await on(plain)", "await on(in_the_loop)")

    assert outputs == [
        "('from a thread', '1', '2')\n",
        "('from the loop', 'WARNING mine: water is low')\n",
    ]


def test_a_cell_keeps_what_it_prints_itself_while_a_run_prints() -> None:
    cell = """
async def slow():
    print("mine")
    started.set()
    await go_on.wait()
    print("mine as well")

async def watch():
    global started, go_on
    started, go_on = anyio.Event(), anyio.Event()
    async with anyio.create_task_group() as tasks:
        async def job(): lines.extend(await log_of(slow))
        tasks.start_soon(job)
        await started.wait()
        print("the cell's")
        go_on.set()

lines = []
await watch()
lines
"""

    (output,) = shown("asyncio", cell)

    assert output == "the cell's\n['mine', 'mine as well']\n"


def test_what_is_logged_to_the_screen_is_in_the_log_once() -> None:
    (output,) = shown(
        "asyncio", "logging.basicConfig(format='> %(message)s'); await on(in_the_loop)"
    )

    assert output == "('from the loop', '> water is low')\n"


def test_a_run_outlives_the_cell_that_started_it() -> None:
    start = """
import threading
started, go_on, ended = threading.Event(), threading.Event(), threading.Event()

def late():
    started.set()
    go_on.wait(20)
    print("much later")

def work():
    print(anyio.run(log_of, late))
    ended.set()

threading.Thread(target=work).start()
assert started.wait(20)
"""

    outputs = shown("asyncio", start, "1 + 1", "go_on.set(); assert ended.wait(20)")

    assert outputs == ["", "2\n", "('much later',)\n"]


def test_the_streams_are_as_before_when_the_last_scheduler_has_stopped() -> None:
    cell = """
kind = type(sys.stdout)
async with Scheduler("memory:"):
    async with Scheduler("memory:"):
        pass
    print(type(sys.stdout) is kind, isinstance(sys.stdout, kind))
print(type(sys.stdout) is kind, type(sys.stderr) is kind)
"""

    assert shown("asyncio", cell) == ["False True\nTrue True\n"]
