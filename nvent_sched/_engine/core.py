"""What the loops of one instance share: the claims it holds, and who is woken by what."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nvent_sched._engine.claims import Claim, StopCause
from nvent_sched._engine.deadlines import Deadlines
from nvent_sched._engine.doubts import Doubts
from nvent_sched._engine.janitor import Janitor
from nvent_sched._engine.outbox import Outbox
from nvent_sched._engine.processes import WorkerProcesses
from nvent_sched._engine.registry import Executor, Registry
from nvent_sched._engine.signals import Signal
from nvent_sched._engine.storetime import StoreTime
from nvent_sched._engine.threads import WorkerThreads
from nvent_sched._engine.watched import watched
from nvent_sched._model.claims import Pool
from nvent_sched._model.events import Event, EventKind
from nvent_sched._rules.drafting import Claimant
from nvent_sched._rules.editing import still_owes
from nvent_sched._rules.settling import hand_back, settle_cancelled
from nvent_sched._rules.trust import trusted_until_us

if TYPE_CHECKING:
    from anyio import CancelScope

    from nvent_sched._engine.companions import Follower
    from nvent_sched._engine.options import Options
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.policies import Policies
    from nvent_sched._model.runs import Run
    from nvent_sched._port import Adapter, Clock


class Core:
    """The shared state of one instance. No loop of its own, no decision."""

    def __init__(
        self,
        *,
        adapter: Adapter,
        clock: Clock,
        registry: Registry,
        options: Options,
        instance_id: str,
    ) -> None:
        wrapped, self._open_calls = watched(adapter)
        self.adapter: Adapter = wrapped
        self.clock = clock
        self.registry: Registry = registry
        self.options: Options = options
        self.instance_id = instance_id
        self.time: StoreTime = StoreTime(
            clock, has_own_clock=adapter.traits.has_own_clock
        )
        self.claims: dict[str, Claim] = {}
        self.unstarted: dict[str, Claim] = {}
        self.scopes: dict[Claim, CancelScope] = {}
        self.deadlines: Deadlines = Deadlines(clock)
        self.threads: WorkerThreads = WorkerThreads()
        self.processes: WorkerProcesses = WorkerProcesses(most=options.processes_max)
        self.janitor: Janitor = Janitor(self)
        self.outbox: Outbox = Outbox(self)
        self.doubts: Doubts = Doubts(self)
        self.planner_signal: Signal = Signal()
        self.launcher_signal: Signal = Signal()
        self.liveness_signal: Signal = Signal()
        self.bus_signal: Signal = Signal()
        self.idle_signal: Signal = Signal()
        self.jump_signals: list[Signal] = [
            self.planner_signal,
            self.launcher_signal,
            self.liveness_signal,
        ]
        self.arrivals: list[Claim] = []
        self.dirty: set[str] = set()
        self.run_waiters: dict[str, list[Signal]] = {}
        self.followers: list[Follower] = []
        self.found: Counter[str] = Counter()
        self.limits: dict[Executor, int] = {
            Executor.LOOP: options.running_max,
            Executor.THREAD: options.threads_max,
            Executor.PROCESS: options.processes_max,
        }
        self.taken: dict[Executor, int] = dict.fromkeys(Executor, 0)
        self.heard_at_us: int = clock.monotonic_us()
        self.passed_at_us: dict[str, int] = {}
        self.backing_off: set[str] = set()
        self.trouble: str | None = None
        self.is_taking = True

    @property
    def is_heard(self) -> bool:
        """Whether others still take this instance for alive, as far as we know."""
        return self.clock.monotonic_us() < self._heard_until_us

    @property
    def _heard_until_us(self) -> int:
        timing = self.options.timing
        return trusted_until_us(
            asked_at_us=self.heard_at_us,
            granted_us=timing.dead_after_us,
            margin_us=timing.margin_us,
        )

    def free(self, executor: Executor) -> int:
        """How many more runs could start in one kind of place.

        None while we are not heard of: what we claimed then we could not begin, and
        would claim and give back for as long as it lasts.
        """
        if not self.is_heard:
            return 0
        return max(0, self.limits[executor] - self.taken[executor])

    def free_pools(self) -> tuple[Pool, ...]:
        """What could be started, by handler."""
        return tuple(
            Pool(handlers=names, limit=free)
            for executor in Executor
            if (names := self.registry.names_in(executor))
            and (free := self.free(executor)) > 0
        )

    @property
    def unclaiming(self) -> Claimant:
        """Who plans for others to start: this instance, without a slot."""
        return Claimant(
            instance=self.instance_id,
            claims_max=0,
            lease_us=self.options.timing.lease_us,
            retention=self.options.retention,
        )

    def trusted_until_us(self, claim: Claim) -> int:
        """Until when, on the monotonic clock, we may act on a claim."""
        timing = self.options.timing
        by_lease = trusted_until_us(
            asked_at_us=claim.asked_at_us,
            granted_us=timing.lease_us,
            margin_us=timing.margin_us,
        )
        return min(by_lease, self._heard_until_us)

    def take(self, run: Run, *, policies: Policies, asked_at_us: int) -> None:
        """Hold a run that was just claimed, until its time comes.

        One that comes when we are stopping, claimed by a pass that had begun before, is
        given back: nothing is left that could start it.
        """
        if not self.is_taking:
            self.outbox.settle(hand_back(run), policies=policies)
            return
        handler = self.registry.get(run.handler)
        assert handler is not None
        claim = Claim(
            run=run,
            policies=policies,
            executor=handler.executor,
            asked_at_us=asked_at_us,
        )
        self.taken[handler.executor] += 1
        self.claims[run.id] = claim
        self.unstarted[run.id] = claim
        self.arrivals.append(claim)

    def release(self, claim: Claim) -> None:
        """Let go of a claim whose verdict is written, or that is no longer ours. Once.

        We may have claimed its run anew meanwhile: that claim stays.
        """
        if claim.is_released:
            return
        claim.is_released = True
        self.taken[claim.executor] -= 1
        if self.claims.get(claim.run.id) is claim:
            del self.claims[claim.run.id]
            self.dirty.discard(claim.run.id)
        if self.unstarted.get(claim.run.id) is claim:
            del self.unstarted[claim.run.id]
        for follower in self.followers:
            follower.run_ended(claim)
        self.idle_signal.set()
        if self.limits[claim.executor] - self.taken[claim.executor] == 1:
            self.planner_signal.set()

    def recall(self, job_id: str, *, reason: str, edited: Job | None = None) -> int:
        """End the runs of a job that were claimed ahead and have not begun.

        Of one that was *edited*, those that it owes no more.
        """
        recalled = [
            claim
            for claim in self.unstarted.values()
            if claim.run.job_id == job_id
            and not (edited is not None and still_owes(edited, claim.run))
        ]
        for claim in recalled:
            self._end_unstarted(claim, reason=reason)
        return len(recalled)

    def _end_unstarted(self, claim: Claim, *, reason: str) -> None:
        del self.unstarted[claim.run.id]
        verdict = settle_cancelled(
            claim.run,
            reason=reason,
            retention=self.options.retention,
            now=self.time.now(),
        )
        self.outbox.settle(verdict, policies=claim.policies, claim=claim)

    def cancel(self, claim: Claim, *, reason: str) -> None:
        """Cancel a run of ours, begun or not."""
        if claim.run.id in self.unstarted:
            self._end_unstarted(claim, reason=reason)
        else:
            claim.stop(StopCause.CANCELLED, reason=reason)

    def break_off(self) -> None:
        """End the tasks of all runs, begun or not: the engine is left."""
        for claim, scope in self.scopes.items():
            if claim.stop_cause is None:
                claim.stop_cause = StopCause.STOPPING
            scope.cancel()

    def note_progress(self, run_id: str) -> None:
        """A handler said how far it is; called from any thread."""
        # Adding to a set is atomic; the loop looks at it with the next pass.
        self.dirty.add(run_id)
        for follower in self.followers:
            follower.run_spoke(run_id)

    def tell(
        self,
        kind: EventKind,
        *,
        job_id: str | None = None,
        run_id: str | None = None,
        detail: str = "",
    ) -> None:
        """Queue an event for publishing."""
        self.outbox.tell(
            Event(
                at=self.time.now(),
                kind=kind,
                instance=self.instance_id,
                job_id=job_id,
                run_id=run_id,
                detail=detail,
            )
        )

    def is_busy(self) -> bool:
        """Whether something is under way that will go on without the clock's help."""
        return bool(
            self._open_calls()
            or self.arrivals
            or (self.outbox.is_waiting and "outbox" not in self.backing_off)
            or self.threads.busy
        )
