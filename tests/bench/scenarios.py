"""What is measured. Each function measures one subject once and returns its figures."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stage import BEGAN, DUE, ENDED, RECORDED, FailedError, Stage, Worker, cpu_s

if TYPE_CHECKING:
    from collections.abc import Callable

Figures = dict[str, float]
PATIENCE_S: Final = 90
NAN: Final = float("nan")
FAR_S: Final = 30 * 86_400


def quantile_ms(lengths_s: list[float], share: float) -> float:
    """Say how long the given share of them took at most, in milliseconds."""
    ranked = sorted(lengths_s)
    if not ranked:
        return NAN
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] * 1e3


def _late(lengths_s: list[float]) -> Figures:
    return {
        "late_p50_ms": quantile_ms(lengths_s, 0.5),
        "late_p99_ms": quantile_ms(lengths_s, 0.99),
        "late_max_ms": max(lengths_s, default=NAN) * 1e3,
    }


def adds_alone(stage: Stage, count: int) -> Figures:
    """Add jobs, each by itself."""
    return _added(stage, count, is_bulk=False)


def adds_in_bulk(stage: Stage, count: int) -> Figures:
    """Add jobs, many at once."""
    return _added(stage, count, is_bulk=True)


def _added(stage: Stage, count: int, *, is_bulk: bool) -> Figures:
    empty = stage.store.size()
    took = stage.add(count=count, at=time.time() + FAR_S, is_bulk=is_bulk)
    return {
        "adds_s": count / took["took_s"],
        "cpu_us": took["cpu_s"] / count * 1e6,
        "bytes": max(0, stage.store.size() - empty) / count,
    }


def _lead_s() -> float:
    """Say how long it may take to start a process, or two: longer on a busy machine."""
    return 5 + min(20.0, 1.5 * os.getloadavg()[0])


def _filled(stage: Stage, count: int, *, spread_s: float = 0) -> float:
    """Add jobs, and say when the first is due: after all have been added."""
    subject = stage.subject
    lead_s = _lead_s()
    at = time.time() + lead_s + count / subject.pace
    if not subject.is_own_adder:
        stage.add(count=count, at=at, spread_s=spread_s, is_bulk=subject.can_bulk)
        if time.time() > at - lead_s / 2:
            msg = "the jobs were due before all had been added; its pace is too high"
            raise FailedError(msg)
    return at


def _manned(
    stage: Stage, count: int, at: float, *, workers: int = 1, spread_s: float = 0
) -> list[Worker]:
    own = count if stage.subject.is_own_adder else 0
    started = [
        stage.work(at=at, count=own, spread_s=spread_s, total=count if each == 0 else 0)
        for each in range(workers)
    ]
    if time.time() > at - 0.3:
        msg = "the jobs were due before a worker was ready; its pace is too high"
        raise FailedError(msg)
    time.sleep(at - time.time() - 0.2)
    return started


def fires(stage: Stage, count: int, *, workers: int = 1) -> Figures:
    """Let jobs be due at one moment, and work them off."""
    at = _filled(stage, count)
    started = _manned(stage, count, at, workers=workers)
    cpu, server = sum(each.cpu_s() for each in started), cpu_s(stage.store.pid)
    stage.until_noted(count, patience_s=PATIENCE_S)
    is_recorder = stage.subject.script in {"nvent.py", "bullmq.mjs", "limits.py"}
    if is_recorder and not stage.subject.is_own_adder:
        stage.until(lambda: bool(stage.marks(RECORDED)), patience_s=PATIENCE_S)
    else:
        time.sleep(0.5)
    cpu = sum(each.cpu_s() for each in started) - cpu
    server = cpu_s(stage.store.pid) - server
    began = stage.marks(BEGAN)
    recorded = [when for _, when, _ in stage.marks(RECORDED)]
    often = Counter(number for number, _, _ in began)
    last = max((when for _, when, _ in began), default=NAN)
    return {
        "fires_s": count / (last - at),
        "records_s": count / (recorded[0] - at) if recorded else NAN,
        "cpu_us": cpu / count * 1e6,
        "server_us": server / count * 1e6 if stage.store.pid else NAN,
        **_late([when - at for _, when, _ in began]),
        "lost": count - len(often),
        "twice": sum(times > 1 for times in often.values()),
        "early": sum(when < at for _, when, _ in began),
    }


def once(stage: Stage, count: int) -> Figures:
    """Spread one-time jobs over ten seconds; how late does each begin?"""
    spread_s = 10.0
    at = _filled(stage, count, spread_s=spread_s)
    (worker,) = _manned(stage, count, at, spread_s=spread_s)
    cpu = worker.cpu_s()
    stage.until_noted(count, patience_s=spread_s + 20)
    lengths = [
        when - (at + spread_s * number / count)
        for number, when, _ in stage.marks(BEGAN)
        if number >= 0
    ]
    return {
        **_late(lengths),
        "cpu_pct": (worker.cpu_s() - cpu) / spread_s * 100,
        "lost": count - len(lengths),
    }


def every(stage: Stage, count: int) -> Figures:
    """Let jobs be due in every second, all at its beginning; for fifteen seconds."""
    seconds = 15
    at = float(int(time.time() + _lead_s() + count / stage.subject.pace) + 1)
    if not stage.subject.is_own_adder:
        stage.add(count=count, at=at, is_every=True, is_bulk=True)
    own = count if stage.subject.is_own_adder else 0
    worker = stage.work(at=at, count=own, is_every=True)
    time.sleep(max(0.0, at - time.time() - 0.2))
    cpu = worker.cpu_s()
    time.sleep(max(0.0, at + seconds - 0.1 - time.time()))
    cpu = worker.cpu_s() - cpu
    phases: dict[int, float] = {}
    marks = [mark for mark in stage.marks(BEGAN) if at - 0.01 < mark[1] < at + seconds]
    if stage.subject.script == "bullmq.mjs":
        # It chooses the phase itself: late is what comes later than its earliest.
        for number, when, _ in marks:
            phase = (when - at) % 1
            phases[number] = min(phases.get(number, phase), phase)
    lengths = [(when - at - phases.get(number, 0)) % 1 for number, when, _ in marks]
    return {
        **_late(lengths),
        "fired_share": len(lengths) / (count * seconds),
        "cpu_us": cpu / max(1, len(lengths)) * 1e6,
    }


def growth(stage: Stage, count: int) -> Figures:
    """Store jobs that are due in a month; what does a worker cost that finds them?"""
    some, idle_s = 500, 10
    empty = stage.store.size()
    subject = stage.subject
    filled = stage.add(
        count=count, at=time.time() + FAR_S, spread_s=86_400, is_bulk=subject.can_bulk
    )
    size = stage.store.size() - empty
    stage.add(first=count, count=1, at=time.time())
    worker = stage.work()
    stage.until_noted(1, patience_s=PATIENCE_S)
    started = min((when for _, when, _ in stage.marks()), default=NAN) - worker.began
    time.sleep(2)
    cpu, server = worker.cpu_s(), cpu_s(stage.store.pid)
    time.sleep(idle_s)
    idle = worker.cpu_s() - cpu
    server_idle = cpu_s(stage.store.pid) - server
    rss_mb = worker.rss_mb()
    at = time.time() + _lead_s() + some / min(subject.pace, 200)
    server = cpu_s(stage.store.pid)
    added = stage.add(first=count + 1, count=some, at=at)
    add_server = cpu_s(stage.store.pid) - server
    time.sleep(max(0.0, at - time.time() - 0.2))
    cpu, server = worker.cpu_s(), cpu_s(stage.store.pid)
    stage.until_noted(1 + some, patience_s=20)
    time.sleep(1)
    fired = worker.cpu_s() - cpu + cpu_s(stage.store.pid) - server
    if len(stage.marks()) <= some:
        fired = NAN  # it learns nothing of what another process adds
    return {
        "adds_s": count / filled["took_s"],
        "bytes": size / count,
        "start_s": started,
        "rss_mb": rss_mb,
        "idle_pct": idle / idle_s * 100,
        "server_idle_pct": server_idle / idle_s * 100 if stage.store.pid else NAN,
        "add_us": added["took_s"] / some * 1e6,
        "add_cpu_us": (added["cpu_s"] + add_server) / some * 1e6,
        "fire_cpu_us": fired / some * 1e6,
    }


def wake(stage: Stage, count: int) -> Figures:
    """Add, in another process, jobs that are due in 50 ms; how late does each begin?"""
    stage.work()
    time.sleep(2)
    stage.add(count=count, pause_s=0.15)
    stage.until(lambda: len(stage.marks(BEGAN)) >= count, patience_s=15)
    due = {number: when for number, when, _ in stage.marks(DUE)}
    lengths = [when - due[number] for number, when, _ in stage.marks(BEGAN)]
    return {**_late(lengths), "lost": count - len(lengths)}


def crash(stage: Stage, count: int) -> Figures:
    """Kill one of two with -9, in the middle of handlers that take half a second."""
    work_s, patience_s = 0.5, 45
    at = _filled(stage, count)
    pair = [stage.work(work_s=work_s, at=at) for _ in range(2)]
    time.sleep(max(0.0, at - time.time()))
    stage.until_noted(1, patience_s=10)
    time.sleep(work_s / 2)
    began = stage.marks(BEGAN)
    by_pid = Counter(pid for _, _, pid in began)
    if not by_pid:
        msg = "nothing had begun when one was to be killed"
        raise FailedError(msg)
    (pid, _), *_ = by_pid.most_common(1)
    victim = next((each for each in pair if pid in _pids(each)), pair[0])
    ended = {number for number, _, _ in stage.marks(ENDED)}
    begun = {number for number, _, by in began if by == pid} - ended
    killed = time.time()
    victim.kill()

    def ends() -> int:
        return len({number for number, _, _ in stage.marks(ENDED)})

    stage.until(lambda: ends() >= count, patience_s=patience_s)
    again = [
        when - killed
        for number, when, _ in stage.marks(BEGAN)
        if when > killed and number in begun
    ]
    last = max((when for _, when, _ in stage.marks(ENDED)), default=NAN)
    often = Counter(number for number, _, _ in stage.marks(ENDED))
    return {
        "killed": len(begun),
        "again_s": min(again, default=NAN),
        "again_last_s": max(again, default=NAN),
        "done_s": last - killed if len(often) == count else NAN,
        "lost": count - len(often),
        "twice": sum(times > 1 for times in often.values()),
    }


def _pids(worker: Worker) -> set[int]:
    return {worker.pid, *worker.pids()}


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What one table shows.

    Attributes:
        title: What happens.
        measure: Does it once with one subject.
        count: How many jobs, usually.
        figures: The columns.
        better: The column that ratios are of, and whether more of it is better.
        subjects: Who takes part, by name.
        rounds: How often, at most: it takes long.
    """

    title: str
    measure: Callable[[Stage, int], Figures]
    count: int
    figures: tuple[str, ...]
    better: tuple[str, bool]
    subjects: tuple[str, ...]
    rounds: int = 99


OURS: Final = (
    "nvent, SQLite",
    "nvent, SQLite, Trio",
    "nvent, Redis",
    "nvent, Redis, Trio",
)
DURABLE: Final = (
    "APScheduler 3, SQLite",
    "APScheduler 3, Redis",
    "APScheduler 4, SQLite",
    "Huey, SQLite",
    "Huey, Redis",
    "arq, Redis",
    "SAQ, Redis",
    "streaQ, Redis",
    "Celery, redbeat, Redis",
    "procrastinate, Postgres",
    "BullMQ, Redis",
)
MEMORY: Final = ("APScheduler 3, memory", "APScheduler 4, memory")
LOOPS: Final = ("bare loop, asyncio", "bare loop, Trio")
LATE: Final = ("late_p50_ms", "late_p99_ms", "late_max_ms")


def _several(workers: int) -> Callable[[Stage, int], Figures]:
    return lambda stage, count: fires(stage, count, workers=workers)


SCENARIOS: Final = {
    "adds": Scenario(
        title="jobs added one by one",
        measure=adds_alone,
        count=2_000,
        figures=("adds_s", "cpu_us", "bytes"),
        better=("adds_s", True),
        subjects=(*OURS, "bare SQLite", "bare Lua", *DURABLE),
    ),
    "bulk": Scenario(
        title="jobs added in bulk",
        measure=adds_in_bulk,
        count=20_000,
        figures=("adds_s", "cpu_us", "bytes"),
        better=("adds_s", True),
        subjects=(
            *(*OURS, "bare SQLite", "bare Lua", "streaQ, Redis"),
            *("procrastinate, Postgres", "BullMQ, Redis"),
        ),
    ),
    "fires": Scenario(
        title="one-time jobs due at one moment",
        measure=fires,
        count=20_000,
        figures=(
            *("fires_s", "records_s", "cpu_us", "server_us"),
            *("late_p99_ms", "lost", "twice", "early"),
        ),
        better=("fires_s", True),
        subjects=(*OURS, *LOOPS, "bare SQLite", "bare Lua", *DURABLE, *MEMORY),
    ),
    "second": Scenario(
        title="jobs due in one second, all at its beginning",
        measure=fires,
        count=10_000,
        figures=("late_p50_ms", "late_p99_ms", "late_max_ms", "cpu_us"),
        better=("late_max_ms", False),
        subjects=(*OURS, *LOOPS),
    ),
    "once": Scenario(
        title="one-time jobs spread over 10 s",
        measure=once,
        count=1_000,
        figures=(*LATE, "cpu_pct", "lost"),
        better=("late_p99_ms", False),
        subjects=(
            *(*OURS, *LOOPS, "APScheduler 3, memory", "APScheduler 3, SQLite"),
            *("APScheduler 4, memory", "Huey, SQLite", "arq, Redis", "SAQ, Redis"),
            *("streaQ, Redis", "Celery, redbeat, Redis", "procrastinate, Postgres"),
            "BullMQ, Redis",
        ),
    ),
    "every": Scenario(
        title="jobs due every second, for 15 s",
        measure=every,
        count=200,
        figures=(*LATE, "fired_share", "cpu_us"),
        better=("late_p99_ms", False),
        subjects=(
            *(*OURS, *LOOPS, "APScheduler 3, memory", "APScheduler 3, SQLite"),
            *("APScheduler 4, memory", "Celery, redbeat, Redis", "BullMQ, Redis"),
        ),
    ),
    "wake": Scenario(
        title="jobs due in 50 ms, added by another process",
        measure=wake,
        count=60,
        figures=(*LATE, "lost"),
        better=("late_p99_ms", False),
        subjects=(
            *(*OURS, "Huey, SQLite", "arq, Redis", "SAQ, Redis", "streaQ, Redis"),
            *("Celery, redbeat, Redis", "procrastinate, Postgres", "BullMQ, Redis"),
        ),
    ),
    **{
        f"processes{workers}": Scenario(
            title=f"one-time jobs due at one moment, processes: {workers}",
            measure=_several(workers),
            count=20_000,
            figures=("fires_s", "cpu_us", "server_us", "lost", "twice"),
            better=("fires_s", True),
            subjects=("nvent, SQLite", "nvent, Redis", "BullMQ, Redis"),
        )
        for workers in (1, 2, 4)
    },
    "crash": Scenario(
        title="jobs of half a second, one of two processes killed with -9",
        measure=crash,
        count=400,
        figures=("killed", "again_s", "again_last_s", "done_s", "lost", "twice"),
        better=("again_last_s", False),
        subjects=(
            *("nvent, SQLite", "nvent, Redis", "arq, Redis", "SAQ, Redis"),
            *("streaQ, Redis", "BullMQ, Redis"),
        ),
        rounds=2,
    ),
    **{
        name: Scenario(
            title="jobs stored, due in a month",
            measure=growth,
            count=count,
            figures=(
                *("adds_s", "bytes", "start_s", "rss_mb", "idle_pct"),
                *("server_idle_pct", "add_us", "add_cpu_us", "fire_cpu_us"),
            ),
            better=("start_s", False),
            subjects=(
                "nvent, SQLite",
                "nvent, Redis",
                *(("APScheduler 3, SQLite",) if count < 100_000 else ()),
                "BullMQ, Redis",
            ),
            rounds=3 if count < 1_000_000 else 1,
        )
        for name, count in (
            ("growth10k", 10_000),
            ("growth100k", 100_000),
            ("growth1m", 1_000_000),
        )
    },
}
