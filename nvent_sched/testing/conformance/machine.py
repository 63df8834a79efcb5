"""Random verbs against an adapter and the reference side by side: every answer agrees."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import rule

from nvent_sched._model.claims import Pool, Renewal, Settlement
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.queries import JobQuery, RunQuery
from nvent_sched._model.runs import Outcome, Run, RunState
from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.testing.conformance.builders import (
    NOON,
    a_release,
    a_write,
    an_end,
    an_event,
    an_instance,
)
from nvent_sched.testing.conformance.draws import (
    JOBS,
    handler_sets,
    instances,
    job_ids,
    jobs,
    limits,
    picks,
    plans_for,
    rarely,
    seconds,
)
from nvent_sched.testing.conformance.lock_rules import LockRules
from nvent_sched.testing.conformance.sides import Pair, Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._port import Adapter

LEASE_US: Final = 20 * SECOND_US
DEAD_US: Final = 15 * SECOND_US


class AdapterMachine(LockRules):
    """What can be asked of an adapter, in any order."""

    backend: ClassVar[str]
    new_adapter: ClassVar[Callable[[], Adapter]]

    def __init__(self) -> None:
        super().__init__()
        self.now: Instant = NOON
        self.settled: list[Settlement] = []
        adapter = type(self).new_adapter()
        self.pair: Pair = Pair(MemoryAdapter(), adapter, backend=self.backend)
        self.ask: Callable[..., Any] = self.pair.ask
        self.ask(lambda side: side.adapter.open(now=self.now))

    def teardown(self) -> None:
        """Compare all that can be read, then close."""
        try:
            self.compare()
        finally:
            self.pair.close()

    def at(self, second: int) -> Instant:
        """Say the instant so long after now."""
        return Instant(self.now + second * SECOND_US)

    def runs(self, picked: list[int], query: RunQuery) -> list[Run]:
        """Read some of the runs that a query finds."""
        found = self.ask(lambda side: side.adapter.read_runs(query)).items
        places = dict.fromkeys(pick % len(found) for pick in picked if found)
        return [found[place] for place in places]

    @rule(after=st.integers(1, 12))
    def pass_time(self, after: int) -> None:
        """Let time pass."""
        self.now = self.at(after)

    @rule(data=st.data(), job_ids=job_ids, is_stale=rarely)
    def put_jobs(
        self, data: st.DataObject, job_ids: list[str], *, is_stale: bool
    ) -> None:
        """Write jobs, some over a version that is not theirs."""
        stored = self.ask(lambda side: side.adapter.read_jobs(JobQuery()))
        seen = {job.id: job.version for job in stored}
        drawn = (
            jobs(each, version=seen.get(each, 0) + 1 + is_stale, now=self.now)
            for each in job_ids
        )
        writes = [a_write(data.draw(job)) for job in drawn]
        self.ask(lambda side: side.adapter.put_jobs(writes, now=self.now))

    @rule(job_ids=job_ids)
    def drop_jobs(self, job_ids: list[str]) -> None:
        """Forget jobs."""
        self.ask(lambda side: side.adapter.drop_jobs(job_ids, now=self.now))

    @rule(handlers=handler_sets, limit=limits)
    def take_due(self, handlers: list[str], limit: int) -> None:
        """Take what is due."""
        self.ask(
            lambda side: side.adapter.take_due(
                now=self.now, handlers=handlers, limit=limit
            )
        )

    @rule(job_ids=job_ids, data=st.data(), is_whole=st.booleans())
    def commit_plans(
        self, job_ids: list[str], data: st.DataObject, *, is_whole: bool
    ) -> None:
        """Commit plans, twice: the second time they are stale."""
        facts = self.ask(lambda side: side.adapter.read_facts(job_ids))
        plans = [data.draw(plans_for(due, now=self.now)) for due in facts]
        for _ in range(2):
            self.ask(
                lambda side: side.adapter.commit_plans(
                    plans, now=self.now, is_whole=is_whole
                )
            )

    @rule(
        instance=instances,
        request=st.integers(0, 3),
        pools=st.lists(st.tuples(handler_sets.map(tuple), limits), max_size=2),
        ahead=seconds,
    )
    def begin(
        self,
        instance: str,
        request: int,
        *,
        pools: list[tuple[tuple[str, ...], int]],
        ahead: int,
    ) -> None:
        """Claim what is ready."""
        slots = [Pool(handlers=handlers, limit=limit) for handlers, limit in pools]
        self.ask(
            lambda side: side.adapter.begin(
                request_id=f"{instance} {request}",
                instance=instance,
                pools=slots,
                until=self.at(ahead),
                lease_us=LEASE_US,
                now=self.now,
            )
        )

    @rule(
        instance=instances,
        picked=picks,
        extend=st.booleans(),
        progress=st.none() | st.floats(0, 1),
    )
    def renew(
        self, instance: str, picked: list[int], *, extend: bool, progress: float | None
    ) -> None:
        """Send a heartbeat for some runs, whoever has them."""
        runs = self.runs(picked, RunQuery())

        def renewals(side: Side) -> list[Renewal]:
            return [
                Renewal(
                    run_id=run.id,
                    fence=side.fences[run.fence],
                    extend=extend,
                    progress=progress,
                )
                for run in runs
            ]

        self.ask(
            lambda side: side.adapter.renew(
                an_instance(instance), renewals(side), lease_us=LEASE_US, now=self.now
            )
        )

    @rule(
        picked=picks,
        outcome=st.sampled_from(Outcome),
        keep=st.none() | seconds,
        sees_lease=st.booleans(),
    )
    def end(
        self, picked: list[int], outcome: Outcome, *, keep: int | None, sees_lease: bool
    ) -> None:
        """End some live runs."""
        live = (RunState.WAITING, RunState.READY, RunState.CLAIMED)
        self.settle(
            [
                an_end(
                    run,
                    outcome,
                    now=self.now,
                    keep_until=None if keep is None else self.at(keep),
                    seen_lease_until=run.lease_until if sees_lease else None,
                )
                for run in self.runs(picked, RunQuery(states=live))
            ]
        )

    @rule(picked=picks, ready=seconds)
    def release(self, picked: list[int], ready: int) -> None:
        """Make some claimed runs READY for another attempt."""
        claimed = self.runs(picked, RunQuery(states=(RunState.CLAIMED,)))
        self.settle([a_release(run, ready_at=self.at(ready)) for run in claimed])

    @rule(picked=picks, ready=seconds)
    def revive(self, picked: list[int], ready: int) -> None:
        """Make some finished runs READY once more."""
        finished = self.runs(picked, RunQuery(states=(RunState.FINISHED,)))
        releases = [a_release(run, ready_at=self.at(ready)) for run in finished]
        self.settle(releases)

    @rule(picked=picks)
    def settle_again(self, picked: list[int]) -> None:
        """Repeat some of the last settlements, applied or not."""
        last = self.settled[-5:]
        self.settle([last[pick % len(last)] for pick in picked if last])

    def settle(self, settlements: list[Settlement]) -> None:
        """Settle runs as each side knows them."""
        self.settled += settlements

        def meant(side: Side) -> list[Settlement]:
            return [
                replace(
                    each,
                    run=side.meant(each.run),
                    seen_fence=side.fences[each.seen_fence],
                )
                for each in settlements
            ]

        self.ask(lambda side: side.adapter.settle(meant(side), now=self.now))

    @rule(limit=limits)
    def take_lost(self, limit: int) -> None:
        """Look for lost runs and dead instances."""
        self.ask(
            lambda side: side.adapter.take_lost(
                now=self.now, dead_after_us=DEAD_US, limit=limit
            )
        )

    @rule(picked=picks, reason=st.sampled_from(["enough", "too late"]))
    def cancel(self, picked: list[int], reason: str) -> None:
        """Ask for some runs to be cancelled."""
        ids = [run.id for run in self.runs(picked, RunQuery())]
        self.ask(
            lambda side: side.adapter.cancel_runs(ids, reason=reason, now=self.now)
        )

    @rule(instance=instances)
    def leave(self, instance: str) -> None:
        """Let an instance end in good order."""
        self.ask(lambda side: side.adapter.leave(instance, now=self.now))

    @rule(job_ids=job_ids, runs_max=st.integers(1, 4), limit=limits)
    def prune(self, job_ids: list[str], runs_max: int, limit: int) -> None:
        """Forget old records."""
        self.ask(
            lambda side: side.adapter.prune(
                job_ids=job_ids, runs_max=runs_max, limit=limit, now=self.now
            )
        )

    @rule(details=st.lists(st.text(max_size=3), max_size=3), limit=limits)
    def tell(self, details: list[str], limit: int) -> None:
        """Publish events, then read on."""
        events = [an_event(detail) for detail in details]
        self.ask(lambda side: side.adapter.publish(events))
        self.ask(lambda side: side.hear(limit=limit))

    @rule()
    def compare(self) -> None:
        """Compare all that can be read."""
        self.ask(lambda side: side.all_jobs(limit=2))
        self.ask(lambda side: side.all_runs(limit=3))
        self.ask(lambda side: side.adapter.read_facts(JOBS))
        self.ask(lambda side: side.adapter.read_stats(JOBS))
        self.ask(lambda side: side.adapter.read_stats(None))
        self.ask(lambda side: side.adapter.read_instances())
        self.ask(lambda side: side.adapter.summary(now=self.now, is_deep=False))
