"""What instances did, by a ledger of their own, beside what the store says they did.

The set of occurrences is compared, not a count: none is missing, none is there twice, and
each ended as the last who claimed it said. Where nothing is wrong they begin on time.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from statistics import median
from typing import TYPE_CHECKING, Final

from nvent_sched import Outcome, Scheduler
from nvent_sched._model.instants import SECOND_US
from tests.chaos.troubles import LATE_US_MAX

if TYPE_CHECKING:
    from pathlib import Path

    from nvent_sched import RunSnapshot
    from tests.chaos.troubles import Troubles

STEP: Final = timedelta(milliseconds=200)
STEPS: Final = {"second": timedelta(seconds=1), "two": timedelta(seconds=2)}
POISON: Final = "poison"
POISON_CRASHES: Final = 3
RECOVERY_US: Final = 4 * SECOND_US
"""Until who is silent is dead, and two heartbeats: its last, and who takes over's next."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the ledger: one attempt that began.

    Attributes:
        due_at: When the run was due.
        at: When it began.
    """

    pid: int
    fence: int
    attempt: int
    origin: str
    due_at: int
    at: int


Ledger = dict[tuple[str, datetime], list[Entry]]


def read_ledger(path: Path) -> Ledger:
    entries: Ledger = defaultdict(list)
    for line in path.read_text().splitlines():
        pid, job_id, scheduled, fence, attempt, origin, due_at, at = line.split()
        begun = (int(due_at), int(at))
        entry = Entry(int(pid), int(fence), int(attempt), origin, *begun)
        entries[job_id, datetime.fromisoformat(scheduled)].append(entry)
    return entries


async def read_history(url: str) -> dict[str, list[RunSnapshot]]:
    """Read every record, by job."""
    records: dict[str, list[RunSnapshot]] = defaultdict(list)
    async with Scheduler(url, runs_handlers=False) as client:
        page = await client.runs(limit=10_000)
        while True:
            for run in page:
                records[run.job_id].append(run)
            if page.next is None:
                return records
            page = await client.runs(limit=10_000, after=page.next)


def occurrences_of(records: list[RunSnapshot], step: timedelta) -> list[datetime]:
    """List what the records stand for, each occurrence as often as it is there."""
    return sorted(
        run.scheduled_time + number * step
        for run in records
        for number in range(run.count)
    )


async def judge(
    url: str, ledger_path: Path, *, jobs: int, paused: set[int], troubles: Troubles
) -> None:
    """Compare the ledger of the instances with the history of the store.

    Args:
        url: Of the store, in which nothing goes on any more.
        ledger_path: What the handlers wrote down.
        jobs: How many there are.
        paused: The processes that stood still for so long that others took over.
        troubles: What went wrong, but for the instances that a job took with it.
    """
    ledger, history = read_ledger(ledger_path), await read_history(url)
    for (job_id, _), began in ledger.items():
        for entry in began if job_id == POISON else ():
            troubles.add(began_at=entry.at, over_at=entry.at + RECOVERY_US)
    assert len(history) == jobs
    assert any(len(began) > 1 for began in ledger.values()), "nothing was recovered"
    calm = [
        entry.at - entry.due_at
        for began in ledger.values()
        for entry in began
        if entry.attempt == 1 and troubles.is_calm(entry.at)
    ]
    assert median(calm) < LATE_US_MAX, "most begin late, and nothing is wrong"
    for job_id, records in history.items():
        for run in records:
            began = ledger.get((job_id, run.scheduled_time), [])
            check_attempts(run, began, paused=paused)
        noted = {at for name, at in ledger if name == job_id}
        known = {run.scheduled_time for run in records}
        assert noted <= known, f"the store knows nothing of a run of {job_id}"
        if job_id != POISON:
            step = STEPS.get(job_id, STEP)
            times = occurrences_of(records, step)
            assert {b - a for a, b in pairwise(times)} <= {step}, f"a gap in {job_id}"
    (poison,) = history.get(POISON, [None])
    assert poison is None or poison.outcome is Outcome.DEAD_LETTERED
    assert poison is None or poison.crashes == POISON_CRASHES


def check_attempts(run: RunSnapshot, began: list[Entry], *, paused: set[int]) -> None:
    """Compare what the store says of a run with the ledger."""
    fences = [entry.fence for entry in began]
    assert len(fences) == len(set(fences)), f"{run.id}: one claim acted on twice"
    late = {after.pid for e, after in pairwise(began) if after.fence < e.fence}
    # Stopped between its last look at the clock and the handler's first line, a process
    # begins when it goes on. Nothing can prevent that; what it says is refused.
    assert late <= paused, f"{run.id}: a claim acted on after the next: {began}"
    began = sorted(began, key=attrgetter("fence"))
    again = began[1:]
    assert all(e.attempt > 1 and e.origin == "recovery" for e in again), run.id
    if run.outcome is Outcome.SUCCEEDED:
        assert began, f"{run.id}: it succeeded and nobody ran it"
        assert run.fencing_token == began[-1].fence, run.id
    if run.outcome in {Outcome.MISSED, Outcome.SKIPPED_OVERLAP}:
        assert not began, f"{run.id}: it was skipped and ran"
    assert run.state in {"finished", "ready", "waiting"}, f"{run.id} is {run.state}"
