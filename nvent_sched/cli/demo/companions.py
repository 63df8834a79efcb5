"""More instances of the demo, in processes of their own; one of them is killed."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import anyio
from anyio.to_thread import run_sync

from nvent_sched._model.runs import RunState
from nvent_sched.cli.waiting import pause_for
from nvent_sched.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._model.snapshots import RunSnapshot
    from nvent_sched.scheduler import Scheduler

LOOK_EVERY: Final = timedelta(seconds=0.25)
KILL_AFTER: Final = timedelta(seconds=6)
LOOKS_MAX: Final = 120
"""How often a process with a run to lose is looked for, before any other is killed."""
END_S: Final = 5.0


class Companions:
    """The other processes.

    Args:
        url: Their store.
        count: How many.
        scheduler: Ours, which looks on.
        say: How to say that one was killed.
    """

    def __init__(
        self, url: str, *, count: int, scheduler: Scheduler, say: Callable[[str], None]
    ) -> None:
        self._url, self._count = url, count
        self._scheduler, self._say = scheduler, say
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    async def run(self) -> None:
        """Start them, kill one, and end the others when cancelled."""
        try:
            for _ in range(self._count):
                self._start()
            await pause_for(KILL_AFTER)
            await self._kill_one()
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await run_sync(self._end)

    def _start(self) -> None:
        words = ("-W", "ignore", "-m", "nvent_sched", "demo", "--json")
        process = subprocess.Popen(  # noqa: S603  ourselves
            [sys.executable, *words, "--store", self._url],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes[process.pid] = process

    async def _kill_one(self) -> None:
        instances: dict[str, int] = {}
        for _ in range(LOOKS_MAX):
            going: tuple[RunSnapshot, ...] = ()
            with suppress(StoreError):
                instances = await self._ours()
                going = (await self._scheduler.runs(state=RunState.CLAIMED)).items
            for run in going:
                if run.instance in instances:
                    self._kill(run.instance, instances, doing=run.job_id)
                    return
            await pause_for(LOOK_EVERY)
        for instance_id in instances:
            self._kill(instance_id, instances, doing="nothing")
            return

    async def _ours(self) -> dict[str, int]:
        """Say which listed instances are our processes."""
        listed = await self._scheduler.instances()
        return {each.id: each.pid for each in listed if each.pid in self._processes}

    def _kill(self, instance_id: str, instances: dict[str, int], *, doing: str) -> None:
        self._processes[instances[instance_id]].kill()
        self._say(f"killed instance {instance_id} while it was doing {doing}")

    def _end(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
