"""Another process on the same store; run as a script, told what to do by its words.

    another_process.py ROLE FILE NAME

It says "ready" once it can begin and waits for a line; what it did it prints, a line each.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING

import anyio

from nvent_sched._model.claims import Committed
from nvent_sched._model.runs import RunState
from nvent_sched.adapters.sqlite import SqliteAdapter
from nvent_sched.errors import StoreError
from nvent_sched.testing.conformance.builders import (
    HANDLER,
    NOON,
    a_plan,
    a_run,
    the_next,
)
from nvent_sched.testing.conformance.steps import beat, claim

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


TWINS = 30


def wait_for_the_word() -> None:
    """Say that all is ready, and wait until the others are."""
    print("ready", flush=True)  # noqa: T201  how processes talk
    sys.stdin.readline()


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201  how processes talk


async def create(adapter: SqliteAdapter, name: str) -> None:
    """Open a file that may not exist yet."""
    wait_for_the_word()
    await adapter.open(now=NOON)
    await beat(adapter, name)
    say("opened")


async def plan(adapter: SqliteAdapter, name: str) -> None:
    """Plan whatever is due, until nothing is."""
    await adapter.open(now=NOON)
    wait_for_the_word()
    while due := (await adapter.take_due(now=NOON, handlers=[HANDLER], limit=7)).jobs:
        plans = [
            a_plan(
                the_next(each.job),
                a_run(
                    f"{each.job.id} by {name}",
                    job_id=each.job.id,
                    state=RunState.CLAIMED,
                    instance=name,
                ),
            )
            for each in due
        ]
        verdicts = await adapter.commit_plans(plans, now=NOON)
        for each, verdict in zip(due, verdicts, strict=True):
            if isinstance(verdict, Committed):
                say(each.job.id, verdict.fences[0])


async def begin(adapter: SqliteAdapter, name: str) -> None:
    """Claim whatever is ready, until nothing is."""
    await adapter.open(now=NOON)
    wait_for_the_word()
    number = 0
    while runs := await claim(
        adapter, limit=7, request_id=f"{name} {number}", instance=name
    ):
        number += 1
        for run in runs:
            say(run.id, run.fence)


async def hold(adapter: SqliteAdapter, name: str) -> None:
    """Be an instance with claimed runs, until told otherwise."""
    await adapter.open(now=NOON)
    await beat(adapter, name)
    await claim(adapter, instance=name, request_id=name)
    wait_for_the_word()


async def fork(adapter: SqliteAdapter, name: str) -> None:
    """Be an instance whose child outlives it."""
    await adapter.open(now=NOON)
    await beat(adapter, name)
    await claim(adapter, instance=name, request_id=name)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, b"!")
        signal.pause()
    # The child lets go of the lock's copy as its first deed; it must have begun.
    os.read(reading, 1)
    say(child)
    wait_for_the_word()


def twins(path: str, name: str) -> None:
    """Split in two, which open a new file at the same moment; again and again."""
    for number in range(TWINS):
        child = os.fork()
        adapter = SqliteAdapter(f"{path}{number}", synchronous="OFF")
        try:
            anyio.run(partial(adapter.open, now=NOON))
        except StoreError as error:
            say(name, type(error).__name__, "of the", "parent" if child else "child")
        if not child:
            os._exit(0)
        os.waitpid(child, 0)


async def refused(adapter: SqliteAdapter, name: str) -> None:
    """Open the file as somebody who has to heed its permissions."""
    heed_permissions()
    try:
        await adapter.open(now=NOON)
        await beat(adapter, name)
    except Exception as error:  # noqa: BLE001  whatever it is, it is told
        say(type(error).__name__)
        say(error)


def heed_permissions() -> None:
    """Be somebody to whom permissions apply, even if run by root: one of Linux's calls."""
    if os.geteuid() == 0:
        version_3, this_thread, nothing = 0x2008_0522, 0, (0,) * 6
        head = (ctypes.c_uint32 * 2)(version_3, this_thread)
        held = (ctypes.c_uint32 * 6)(*nothing)
        assert ctypes.CDLL(None).capset(head, held) == 0


ROLES: dict[str, Callable[[SqliteAdapter, str], Awaitable[None]]] = {
    role.__name__: role for role in (create, plan, begin, hold, fork, refused)
}


async def main() -> None:
    role, path, name = sys.argv[1:]
    adapter = SqliteAdapter(path, synchronous="OFF")
    await ROLES[role](adapter, name)
    await adapter.close()


if __name__ == "__main__":
    if sys.argv[1] == twins.__name__:
        twins(*sys.argv[2:])
    else:
        anyio.run(main)
