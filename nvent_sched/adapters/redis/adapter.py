"""The adapter: each verb is one script, handed to the owner of the connection."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvent_sched._logs import logger_of
from nvent_sched._model.claims import Claims, DueBatch, Lost, Renewed
from nvent_sched._model.instants import Instant
from nvent_sched._port import HANDED_US
from nvent_sched.adapters._codec import DEFINITION_END, quoted
from nvent_sched.adapters.redis.locking import LockVerbs
from nvent_sched.adapters.redis.readers import RedisReader
from nvent_sched.adapters.redis.rows import (
    facts_from,
    instance_text,
    instant_of,
    pairs,
)
from nvent_sched.adapters.redis.run_rows import readable_runs, unquoted
from nvent_sched.adapters.redis.server import PART_MAX, parts_of
from nvent_sched.adapters.redis.telling import event_text
from nvent_sched.adapters.redis.writing import (
    committed_from,
    plan_row,
    pools_row,
    renewal_row,
    settled_from,
    settlement_row,
    verdicts_from,
    write_row,
)
from nvent_sched.errors import SchemaError, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._model.claims import (
        Committed,
        DueJob,
        JobWrite,
        Plan,
        Pool,
        Renewal,
        Settled,
        Settlement,
        Stale,
        Verdict,
    )
    from nvent_sched._model.events import Event
    from nvent_sched._model.instances import Instance
    from nvent_sched._model.runs import Run

log: Final = logger_of(__name__)
EVENTS_KEPT_MAX: Final = 10_000


class RedisAdapter(RedisReader, LockVerbs):
    """A store on a Redis or Valkey server, shared by any number of instances.

    Args:
        location: Where it is, or a URL.
        has_own_clock: Whether the server's clock decides what is due. Without it the
            `now` of each call does: for tests under a clock driven by hand, and
            unsafe with several instances.

    Raises:
        UsageError: The URL is malformed.
    """

    async def put_jobs(
        self,
        writes: Sequence[JobWrite],
        *,
        now: Instant,  # noqa: ARG002  nothing here depends on the time
    ) -> tuple[Verdict, ...]:
        """Write each job whose stored version is the one that was seen."""
        parts = list(parts_of(map(write_row, writes)))
        replies = await self._send("put_jobs", parts, is_told=True)
        return tuple(verdicts_from("".join(replies)))

    async def drop_jobs(
        self,
        job_ids: Sequence[str],
        *,
        now: Instant,  # noqa: ARG002  nothing here depends on the time
    ) -> tuple[str, ...]:
        """Forget jobs with their statistics, history and runs nobody has claimed."""
        parts = list(parts_of([job_id] for job_id in job_ids))
        replies = await self._send("drop_jobs", parts, is_told=True)
        existed = "".join(replies)
        return tuple(
            job_id
            for job_id, verdict in zip(job_ids, existed, strict=True)
            if verdict == "1"
        )

    async def take_due(
        self, *, now: Instant, handlers: Sequence[str], limit: int
    ) -> DueBatch:
        """Hand out jobs whose `look_at` has come and whose handler is one of these."""
        # By a clock that is driven by hand no moment passes.
        kept_for_us = HANDED_US if self._has_own_clock else 0
        at, next_look, next_ready, replies = await self._ask(
            "take_due",
            *(self._time(now), kept_for_us, DEFINITION_END, limit),
            *(len(handlers), *handlers),
        )
        facts: list[DueJob] = []
        quarantined: dict[str, str] = {}
        for reply in replies:
            try:
                facts.append(facts_from(reply))
            except SchemaError:
                continue  # an instance of the newer release will look at it
            except StoreError as error:
                quarantined[reply[0]] = str(error)
        if quarantined:
            aside = (part for found in quarantined.items() for part in found)
            await self._ask("put_aside", len(quarantined), *aside)
        return DueBatch(
            now=Instant(int(at)),
            jobs=tuple(facts),
            next_look_at=instant_of(next_look),
            next_ready_at=instant_of(next_ready),
            quarantined=quarantined,
        )

    async def commit_plans(
        self, plans: Sequence[Plan], *, now: Instant, is_whole: bool = False
    ) -> tuple[Committed | Stale, ...]:
        """Apply each plan whose job still has the version it was decided on."""
        if not plans:
            return ()
        head = [self._time(now), int(is_whole)]
        most = len(plans) if is_whole else PART_MAX
        parts = list(parts_of(map(plan_row, plans), head=head, most=most))
        replies = await self._send("commit_plans", parts, is_told=True)
        return tuple(
            committed_from(text) for reply in replies for text in reply.split(";")
        )

    async def read_facts(self, job_ids: Sequence[str]) -> tuple[DueJob, ...]:
        """Read what a plan for these jobs needs, due or not."""
        parts = list(parts_of([job_id] for job_id in job_ids))
        facts: list[DueJob] = []
        for replies in await self._send("read_facts", parts, is_told=False):
            for reply in replies:
                try:
                    facts.append(facts_from(reply))
                except StoreError:
                    continue  # `take_due` and `summary` tell
        return tuple(facts)

    async def begin(
        self,
        *,
        request_id: str,
        instance: str,
        pools: Sequence[Pool],
        until: Instant,
        lease_us: int,
        now: Instant,
    ) -> Claims:
        """Claim READY runs whose `ready_at` is at or before *until*, oldest first."""
        bounded = [replace(each, limit=min(each.limit, PART_MAX)) for each in pools]
        at, next_ready, *replies = await self._ask(
            "begin",
            self._time(now),
            *(request_id, instance, until, lease_us),
            *pools_row(bounded),
        )
        return Claims(
            now=Instant(int(at)),
            runs=tuple(readable_runs(replies)),
            next_ready_at=instant_of(next_ready),
        )

    async def confirm(self, claims: Sequence[Run]) -> frozenset[str]:
        """Say which claims are known to as many replicas as was asked for."""
        if not (claims and self._location.wait_replicas):
            return frozenset(run.id for run in claims)
        return await self._wait_for_replicas(claims)

    async def renew(
        self,
        instance: Instance,
        renewals: Sequence[Renewal],
        *,
        lease_us: int,
        now: Instant,
    ) -> Renewed:
        """Say that the instance lives, extend its leases, store progress."""
        head = [self._time(now), instance.id, instance_text(instance), lease_us]
        parts = list(parts_of(map(renewal_row, renewals), head=head))
        replies = await self._send("renew", parts, is_told=False)
        at, _, cancelled = replies[-1]
        return Renewed(
            now=Instant(int(at)),
            stale=frozenset(run_id for _, stale, _ in replies for run_id in stale),
            cancelled={
                run_id: unquoted(reason) for run_id, reason in pairs(cancelled).items()
            },
        )

    async def leave(self, instance_id: str, *, now: Instant) -> None:  # noqa: ARG002
        """Take the instance off the list: it ended in good order."""
        await self._ask("leave", self._caller, instance_id)

    async def settle(
        self, settlements: Sequence[Settlement], *, now: Instant
    ) -> tuple[Settled, ...]:
        """Write what became of each run whose state and fence are those seen."""
        head = [self._caller, self._time(now)]
        parts = list(parts_of(map(settlement_row, settlements), head=head))
        replies = await self._send("settle", parts, is_told=False)
        return tuple(settled_from("".join(replies)))

    async def take_lost(self, *, now: Instant, dead_after_us: int, limit: int) -> Lost:
        """Find CLAIMED runs whose lease ended or whose instance is dead."""
        wanted = [self._time(now), dead_after_us, limit]
        (reply,) = await self._send("take_lost", [wanted], is_told=True)
        at, dead, oldest, *replies = reply
        return Lost(
            now=Instant(int(at)),
            runs=tuple(readable_runs(replies)),
            dead=tuple(sorted(dead)),
            oldest_beat_at=instant_of(oldest),
        )

    async def cancel_runs(
        self,
        run_ids: Sequence[str],
        *,
        reason: str,
        now: Instant,  # noqa: ARG002  nothing here depends on the time
    ) -> tuple[Run, ...]:
        """Ask for CLAIMED runs to be cancelled; the first reason given stays."""
        head = [self._caller, quoted(reason)]
        parts = list(parts_of(([run_id] for run_id in run_ids), head=head))
        replies = await self._send("cancel_runs", parts, is_told=False)
        return tuple(run for reply in replies for run in readable_runs(reply))

    async def prune(
        self, *, job_ids: Sequence[str], runs_max: int, limit: int, now: Instant
    ) -> int:
        """Forget FINISHED runs past their `keep_until`, then the oldest of each job."""
        forgotten: int = await self._ask(
            "prune", self._time(now), runs_max, limit, len(job_ids), *job_ids
        )
        return forgotten

    async def publish(self, events: Sequence[Event]) -> None:
        """Tell all instances. Kept in a ring of bounded length."""
        if events:
            rows = ([event_text(event)] for event in events)
            parts = list(parts_of(rows, head=["", EVENTS_KEPT_MAX]))
            replies = await self._send("publish", parts, is_told=True)
            if any(reply.startswith("!") for reply in replies):
                log.warning(
                    "the last event was none of ours: the events begin anew",
                    extra={"store": self.url},
                )
