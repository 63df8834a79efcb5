"""What waits to be written: settlements and events, many in one step.

A verdict stays here until the store has it: trouble with the store delays it, and the
claim keeps its slot meanwhile, so no more can pile up than there are slots. A verdict the
store refuses (`Stale`) is told as RUN_FENCED: somebody took the run over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import anyio

from nvent_sched._engine.edits import pause_if_failing
from nvent_sched._engine.signals import Signal
from nvent_sched._engine.verdicts import verdict_on
from nvent_sched._logs import logger_of
from nvent_sched._model.claims import Cancelled, Settlement, Stale
from nvent_sched._model.events import Event, EventKind
from nvent_sched._model.queries import RunQuery
from nvent_sched._model.runs import RunState
from nvent_sched._rules.settling import settle_cancelled_instead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nvent_sched._engine.claims import Claim, Ended
    from nvent_sched._engine.core import Core
    from nvent_sched._model.policies import Policies
    from nvent_sched._model.runs import Run

log = logger_of(__name__)
BATCH_MAX: Final = 500
EVENTS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Entry:
    """A verdict, with the claim it ends if that is ours; else who hears of it."""

    settlement: Settlement
    policies: Policies
    claim: Claim | None
    tell: Callable[[Run], None] | None = None

    @property
    def may_pause(self) -> bool:
        tally = self.settlement.tally
        return (
            self.policies.pause_after_failures is not None
            and tally is not None
            and tally.is_failure
        )


class Outbox:
    """Settlements and events on their way to the store."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._started: list[Claim] = []
        self._ended: list[Ended] = []
        self._settlements: list[_Entry] = []
        self._failing: list[_Entry] = []
        self._events: list[Event] = []
        self.signal: Signal = Signal()
        self.is_writing: bool = False
        self._lock = anyio.Lock()

    @property
    def is_waiting(self) -> bool:
        """Whether anything is not written yet."""
        return bool(
            self._started
            or self._ended
            or self._settlements
            or self._failing
            or self._events
            or self.is_writing
        )

    def note_start(self, claim: Claim) -> None:
        """Tell that a handler begins; what there is to write is made later."""
        self._started.append(claim)
        self.signal.set()

    def note_end(self, ended: Ended) -> None:
        """Tell that a handler ended; the verdict is reached when it is written."""
        ended.claim.is_ended = True
        self._ended.append(ended)
        self.signal.set()
        self._core.idle_signal.set()

    def settle(
        self, settlement: Settlement, *, policies: Policies, claim: Claim | None = None
    ) -> None:
        """Queue the verdict on a run; with its claim if it is ours."""
        if claim is not None:
            claim.is_ended = True
        self._queue(_Entry(settlement, policies, claim))

    def settle_lost(
        self, settlement: Settlement, *, policies: Policies, tell: Callable[[Run], None]
    ) -> None:
        """Queue the verdict on a run that the dead left behind.

        All who live reach one at the same time. Whose is stored first gets the run by
        *tell*; that the others' are refused is nothing to tell of.
        """
        self._queue(_Entry(settlement, policies, None, tell))

    def _queue(self, entry: _Entry) -> None:
        self._settlements.append(entry)
        self.signal.set()
        self._core.idle_signal.set()

    def tell(self, event: Event) -> None:
        """Queue an event; the oldest are dropped if the store takes none for long."""
        self._events.append(event)
        self._drop_oldest()
        self.signal.set()

    def _drop_oldest(self) -> None:
        if len(self._events) > EVENTS_MAX:
            del self._events[: len(self._events) - EVENTS_MAX]

    async def flush(self) -> None:
        """Write everything that waits.

        Raises:
            StoreError: It could not be written; it still waits.
        """
        async with self._lock:
            while self.is_waiting:
                self.is_writing = True
                try:
                    self._judge()
                    await self._write_batch()
                finally:
                    self.is_writing = False

    def _judge(self) -> None:
        """Make events of the starts and verdicts of the ends."""
        core = self._core
        started, self._started = self._started, []
        for claim in started:
            assert claim.started_at is not None
            self._events.append(
                Event(
                    at=claim.started_at,
                    kind=EventKind.RUN_STARTED,
                    instance=core.instance_id,
                    job_id=claim.run.job_id,
                    run_id=claim.run.id,
                )
            )
        self._drop_oldest()
        ended, self._ended = self._ended, []
        for each in ended:
            verdict = verdict_on(each, retention=core.options.retention)
            claim = each.claim
            self._settlements.append(_Entry(verdict, claim.policies, claim))

    async def _write_batch(self) -> None:
        core = self._core
        batch = self._settlements[:BATCH_MAX]
        if batch:
            verdicts = await core.adapter.settle(
                [entry.settlement for entry in batch], now=core.time.now()
            )
            del self._settlements[: len(batch)]
            self._failing += [entry for entry in batch if entry.may_pause]
            # A run that ended may be what another one waits for.
            core.planner_signal.set()
            asked: list[_Entry] = []
            for entry, verdict in zip(batch, verdicts, strict=True):
                if isinstance(verdict, Cancelled):
                    asked.append(entry)
                else:
                    self._after(entry, is_stale=isinstance(verdict, Stale))
            if asked:
                await self._cancel_instead(asked)
        while self._failing:
            entry = self._failing[0]
            await pause_if_failing(core, entry.settlement.run, policies=entry.policies)
            del self._failing[0]
        events = self._events[: 2 * BATCH_MAX]
        if events:
            await core.adapter.publish(events)
            del self._events[: len(events)]
            core.bus_signal.set()

    async def _cancel_instead(self, asked: Sequence[_Entry]) -> None:
        """End runs that would have gone on, but that somebody wants cancelled."""
        core = self._core
        ids = tuple(entry.settlement.run.id for entry in asked)
        try:
            page = await core.adapter.read_runs(RunQuery(ids=ids, limit=len(ids)))
        except BaseException:
            self._settlements += asked  # they are answered the same once more
            raise
        reasons = {run.id: run.cancel_reason for run in page.items}
        for entry in asked:
            verdict = settle_cancelled_instead(
                entry.settlement,
                reason=reasons.get(entry.settlement.run.id) or "cancelled",
                retention=core.options.retention,
                now=core.time.now(),
            )
            self._settlements.append(replace(entry, settlement=verdict))

    def _after(self, entry: _Entry, *, is_stale: bool) -> None:
        core, run = self._core, entry.settlement.run
        if entry.claim is not None:
            core.release(entry.claim)
        for waiter in core.run_waiters.get(run.id, ()):
            waiter.set()
        if entry.tell is not None:
            if is_stale:
                return
            entry.tell(run)
        if is_stale:
            fence = entry.settlement.seen_fence
            log.warning(
                "a late result was refused", extra={"run_id": run.id, "fence": fence}
            )
            self._tell_of(run, EventKind.RUN_FENCED, detail=f"our fence was {fence}")
        elif run.state is RunState.FINISHED:
            core.janitor.note_end(run.job_id)
            self._tell_of(run, EventKind.RUN_FINISHED, detail=str(run.outcome))
        else:
            self._tell_of(run, EventKind.RUN_RETRYING, detail=f"attempt {run.attempt}")

    def _tell_of(self, run: Run, kind: EventKind, *, detail: str) -> None:
        self._core.tell(kind, job_id=run.job_id, run_id=run.id, detail=detail)
