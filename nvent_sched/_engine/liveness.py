"""Stay alive, notice who is not, and stop what we may no longer do.

One loop, in this order: say that we live and renew; only when that succeeded look for the
dead, with every heartbeat and at the moment at which somebody is dead who is not heard of. An instance that was itself asleep or cut off would otherwise take everybody else
for dead the moment it wakes. So that all who slept with it, on a machine that was
suspended, can say that they live, it looks for nobody until a heartbeat later.

Trust is counted from when a renewal was asked for. It ends on the monotonic clock,
before any other instance may take our runs; then every handler is stopped.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from nvent_sched._engine.claims import StopCause
from nvent_sched._engine.planner import policies_of
from nvent_sched._logs import logger_of
from nvent_sched._model.claims import Renewal
from nvent_sched._model.events import EventKind
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.runs import RunState
from nvent_sched._rules.losing import OF_NO_JOB, settle_lost

if TYPE_CHECKING:
    from nvent_sched._engine.core import Core
    from nvent_sched._engine.deadlines import Deadline
    from nvent_sched._model.claims import Renewed
    from nvent_sched._model.instances import Instance
    from nvent_sched._model.runs import Run

log = logger_of(__name__)
REPORT_US: Final = SECOND_US
"""How often progress is written, at most."""
LOST_BATCH: Final = 200


class Liveness:
    """The heartbeat of one instance; `one_pass` is what its loop repeats."""

    def __init__(self, core: Core, *, instance: Instance) -> None:
        self._core = core
        self._instance = instance
        self._heartbeat_us = core.options.timing.heartbeat_us
        if (most_us := core.adapter.traits.heartbeat_us_max) is not None:
            self._heartbeat_us = min(self._heartbeat_us, most_us)
        self._beat_at_us = 0
        self._report_at_us = 0
        self._judges_from_us = 0
        self._death_at_us: int | None = None
        self._heard_at: Instant | None = None
        self._trust: Deadline | None = None
        self._drift_us = core.time.drift_us()
        self._is_beat_wanted = False

    async def one_pass(self) -> int:
        """Make one pass; say when the next is due."""
        core = self._core
        asked_at_us = core.clock.monotonic_us()
        # Where a clock jumped, leases may be over, and runs somebody else's.
        drift_us = core.time.drift_us()
        has_jumped = self._has_jumped(asked_at_us) or self._is_beat_wanted
        self._is_beat_wanted = False
        is_beat = asked_at_us >= self._look_at_us or has_jumped
        if not is_beat and asked_at_us < self._report_at_us:
            return min(self._look_at_us, self._report_at_us)
        renewals = self._renewals(asked_at_us=asked_at_us, has_jumped=has_jumped)
        if is_beat and core.adapter.traits.has_own_clock:
            renewals += self._questions({each.run_id for each in renewals})
        try:
            await self._renew(renewals, asked_at_us=asked_at_us, is_beat=is_beat)
        except BaseException:
            self._is_beat_wanted |= has_jumped
            raise
        if is_beat:
            self._drift_us = drift_us
            self._beat_at_us = asked_at_us + self._heartbeat_us
            self._death_at_us = None
            if asked_at_us >= self._judges_from_us:
                await self._take_over()
        # A run shorter than this is settled before anybody could look at it.
        self._report_at_us = asked_at_us + REPORT_US
        if self._is_beat_wanted:
            return asked_at_us
        return (
            min(self._look_at_us, self._report_at_us)
            if core.claims
            else self._look_at_us
        )

    @property
    def _look_at_us(self) -> int:
        """When to say that we live and look for the dead; early if somebody may be."""
        if self._death_at_us is None:
            return self._beat_at_us
        return min(self._beat_at_us, self._death_at_us)

    def _has_jumped(self, now_us: int) -> bool:
        """Notice that the clock was set by which the store's times were written.

        All others look dead by it, and every lease ended, or none ever. So everybody
        renews all it has, and nobody takes anything over before everybody could.
        """
        if self._core.adapter.traits.has_own_clock:
            return False
        has_jumped = self._core.time.was_set_since(self._drift_us)
        if has_jumped:
            self._judges_from_us = now_us + self._core.options.timing.dead_after_us
        return has_jumped

    async def _renew(
        self, renewals: list[Renewal], *, asked_at_us: int, is_beat: bool
    ) -> None:
        core = self._core
        if not renewals and not is_beat:
            return
        dirty, core.dirty = core.dirty, set()
        try:
            renewed = await core.adapter.renew(
                replace(
                    self._instance,
                    heartbeat_at=core.time.now(),
                    handlers=core.registry.names,
                    running=len(core.claims) - len(core.unstarted),
                ),
                renewals,
                lease_us=core.options.timing.lease_us,
                now=core.time.now(),
            )
        except BaseException:
            core.dirty |= dirty
            raise
        core.time.observe(renewed.now, asked_at_us=asked_at_us)
        if not core.is_heard:
            core.planner_signal.set()  # it may claim again
        core.heard_at_us = asked_at_us
        self._note_gap(renewed.now, asked_at_us=asked_at_us)
        self._note_renewed(renewals, renewed, asked_at_us=asked_at_us)
        self._stop_stale(renewed.stale)
        for run_id, reason in renewed.cancelled.items():
            if (claim := core.claims.get(run_id)) is not None:
                core.cancel(claim, reason=reason)
        self._arm_trust()

    def _note_gap(self, heard_at: Instant, *, asked_at_us: int) -> None:
        """Renew all and judge nobody yet if we were silent for as long as the dead.

        So it is when the machine slept, and when the server's clock was set: how long
        others are silent counts from here.
        """
        dead_after_us = self._core.options.timing.dead_after_us
        before, self._heard_at = self._heard_at, heard_at
        # Others were heard of up to a heartbeat before us.
        long_us = dead_after_us - self._heartbeat_us
        if before is not None and heard_at - before > long_us:
            self._judges_from_us = asked_at_us + dead_after_us
            self._is_beat_wanted = True

    def _note_renewed(
        self, renewals: list[Renewal], renewed: Renewed, *, asked_at_us: int
    ) -> None:
        core = self._core
        for renewal in renewals:
            claim = core.claims.get(renewal.run_id)
            if claim is not None and renewal.run_id not in renewed.stale:
                claim.is_reported |= renewal.started_at is not None
                if renewal.extend:
                    claim.asked_at_us = asked_at_us

    def _renewals(self, *, asked_at_us: int, has_jumped: bool) -> list[Renewal]:
        core = self._core
        old_us = asked_at_us - core.options.timing.renew_after_us
        renewals: list[Renewal] = []
        for claim in core.claims.values():
            is_old = claim.asked_at_us <= old_us or has_jumped
            is_news = claim.run.id in core.dirty or (
                claim.started_at is not None
                and not (claim.is_reported or claim.is_ended)
            )
            if not (is_old or is_news):
                continue
            context = claim.context
            renewals.append(
                Renewal(
                    run_id=claim.run.id,
                    fence=claim.run.fence,
                    extend=is_old,
                    progress=None if context is None else context.progress_share,
                    progress_note=None if context is None else context.progress_note,
                    started_at=claim.started_at,
                )
            )
        return renewals

    def _questions(self, renewed: set[str]) -> list[Renewal]:
        """Ask with each heartbeat whether claims are known that need no renewal yet.

        A server that took over from another may never have heard of them, and gives
        them to somebody else once it was quiet for a while.
        """
        return [
            Renewal(run_id=claim.run.id, fence=claim.run.fence, extend=False)
            for claim in self._core.claims.values()
            if claim.run.id not in renewed and not claim.is_ended
        ]

    def _stop_stale(self, stale: frozenset[str]) -> None:
        core = self._core
        for run_id in stale:
            claim = core.claims.get(run_id)
            if claim is None or claim.is_ended:
                continue  # ended by us, or the verdict will be refused and told
            log.warning("run was taken over", extra={"run_id": run_id})
            if run_id in core.unstarted:
                core.release(claim)
            else:
                claim.stop(StopCause.UNTRUSTED, reason="another instance took it over")

    def _arm_trust(self) -> None:
        """Move the moment at which we stop everything unless we are heard again."""
        core = self._core
        timing = core.options.timing
        until_us = core.heard_at_us + timing.dead_after_us - timing.margin_us
        if self._trust is None or self._trust.act is None:
            self._trust = core.deadlines.add(at_us=until_us, act=self._end_trust)
        else:
            self._trust.at_us = until_us

    def _end_trust(self) -> None:
        """Stop every handler whose claim cannot be believed any more."""
        core = self._core
        self._trust = None
        reason = "the store was out of reach for so long that others may take the run"
        now_us = core.clock.monotonic_us()
        for claim in list(core.claims.values()):
            if core.trusted_until_us(claim) <= now_us and claim.started_at is not None:
                log.error("stopped, could not renew", extra={"run_id": claim.run.id})
                claim.stop(StopCause.UNTRUSTED, reason=reason)

    def _note_oldest(self, beat_at: Instant | None) -> None:
        core = self._core
        if beat_at is not None:
            death_at = Instant(beat_at + core.options.timing.dead_after_us + 1)
            self._death_at_us = core.time.monotonic_of(death_at)

    async def _take_over(self) -> None:
        """Decide about runs that the dead left behind."""
        core = self._core
        while True:
            lost = await core.adapter.take_lost(
                now=core.time.now(),
                dead_after_us=core.options.timing.dead_after_us,
                limit=LOST_BATCH,
            )
            self._note_oldest(lost.oldest_beat_at)
            for instance_id in lost.dead:
                log.warning("instance died", extra={"instance": instance_id})
                core.tell(EventKind.INSTANCE_DIED, detail=instance_id)
            if lost.dead:
                for follower in core.followers:
                    follower.instances_died(lost.dead)
            theirs = [run for run in lost.runs if run.id not in core.claims]
            if not theirs:
                return
            policies = await policies_of(core, [run.job_id for run in theirs])
            for run in theirs:
                policy = policies.get(run.job_id, OF_NO_JOB)
                verdict = settle_lost(
                    run,
                    policies=policy,
                    retention=core.options.retention,
                    now=lost.now,
                )
                core.outbox.settle_lost(
                    verdict,
                    policies=policy,
                    tell=partial(self._tell_lost, instance=run.instance),
                )
            await core.outbox.flush()
            if len(lost.runs) < LOST_BATCH:
                return

    def _tell_lost(self, run: Run, *, instance: str | None) -> None:
        """Tell what became of a run that the dead left behind, once it is stored."""
        core = self._core
        is_again = run.state is RunState.READY
        core.found["runs taken up again" if is_again else "runs lost"] += 1
        core.tell(
            EventKind.RUN_RECOVERED if is_again else EventKind.RUN_LOST,
            job_id=run.job_id,
            run_id=run.id,
            detail=f"instance {instance} died with it",
        )
        log.warning("run was lost", extra={"run_id": run.id})
