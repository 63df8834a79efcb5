"""What the engine asks of the world: a store (`Adapter`) and the time (`Clock`).

The contract of every adapter, whatever its technology:

* A verb is one atomic step over its whole batch: a crash leaves all of it or nothing,
  except that each element of a batch of compare-and-set writes gets its own verdict.
* An adapter orders, compares and writes. It never decides: values come in as they shall
  be stored, and are written if what they were decided on (a version, a fence, a state)
  is still true. Expected outcomes are values (`Stale`), broken promises exceptions
  (`StoreError`). No driver type passes in either direction.
* Each verb can be repeated after its reply was lost: writes are compare-and-set on a
  version or a fence, `begin` carries a request id, and repeating an applied settlement
  with the same fence answers `Stored`.
* `now` is the caller's clock. An adapter whose store has a clock of its own
  (`Traits.has_own_clock`) judges by that one instead and answers with it.
* Ordering is by time, then by id, so that every adapter gives the same answer.

`nvent_sched.testing.conformance` is this contract as tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from nvent_sched._model.instants import SECOND_US

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nvent_sched._model.claims import (
        Claims,
        Committed,
        DueBatch,
        DueJob,
        JobWrite,
        Lost,
        Plan,
        Pool,
        Renewal,
        Renewed,
        Settled,
        Settlement,
        Stale,
        Verdict,
    )
    from nvent_sched._model.events import Event
    from nvent_sched._model.instances import Instance
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.locks import LockAnswers, LockAsk, LockRecord
    from nvent_sched._model.queries import JobQuery, Page, RunQuery, StoreSummary
    from nvent_sched._model.runs import Run
    from nvent_sched._model.statistics import JobStats

HANDED_US: Final = SECOND_US // 2
"""How long what was handed to one instance may be kept from the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What an adapter can do; what it cannot it says here, nobody asks for its name.

    Attributes:
        name: For people: "memory", "sqlite", "redis".
        is_shared: Several processes may use the same store at once.
        is_durable: What was stored is there after the process died.
        has_own_clock: The store judges time by itself.
        hint_delay_us_max: How late a change made elsewhere may be noticed: the
            engine looks at least this often.
        heartbeat_us_max: An instance must say that it lives at least this often: a
            store that lost a claim gives it to another soon after. None where no claim
            can be lost.
    """

    name: str
    is_shared: bool
    is_durable: bool
    has_own_clock: bool
    hint_delay_us_max: int
    heartbeat_us_max: int | None = None


class Adapter(Protocol):
    """One storage technology. Every verb may raise `StoreError`."""

    @property
    def traits(self) -> Traits:
        """What it can do."""
        ...

    @property
    def url(self) -> str:
        """Where it is, for people and logs: without any secret."""
        ...

    async def open(self, *, now: Instant) -> None:
        """Connect, and create or migrate the schema. Once; before any other verb.

        Raises:
            SchemaError: A newer release wrote the store; nothing was touched.
        """
        ...

    async def close(self) -> None:
        """Let go of everything. Idempotent; no other verb afterwards.

        Who is cancelled meanwhile lets go all the same, and waits for nobody who may
        never answer.
        """
        ...

    async def put_jobs(
        self, writes: Sequence[JobWrite], *, now: Instant
    ) -> tuple[Verdict, ...]:
        """Write each job whose stored version is the one that was seen.

        Returns:
            A verdict for each write, in order. Of two writes for one id in a batch
            the second sees the first.
        """
        ...

    async def drop_jobs(
        self, job_ids: Sequence[str], *, now: Instant
    ) -> tuple[str, ...]:
        """Forget jobs with their statistics, history and runs nobody has claimed.

        A CLAIMED run stays until it is settled.

        Returns:
            The ids that existed.
        """
        ...

    async def take_due(
        self, *, now: Instant, handlers: Sequence[str], limit: int
    ) -> DueBatch:
        """Hand out jobs whose `look_at` has come and whose handler is one of these.

        A job may be handed to two planners; `commit_plans` lets one of them through. A
        store that knows of several instances may keep what it handed to one of them
        from the others for up to `HANDED_US`, so that they do not plan the same: of an
        instance that commits nothing the others hear so much later.
        A job that cannot be decoded is put into quarantine: it is not looked at
        again, it is listed by `summary`, its bytes are kept.
        """
        ...

    async def commit_plans(
        self, plans: Sequence[Plan], *, now: Instant, is_whole: bool = False
    ) -> tuple[Committed | Stale, ...]:
        """Apply each plan whose job still has the version it was decided on.

        With *is_whole* all of them or none: if one is stale, every one is, and nothing
        is written.

        Inserts a CLAIMED run with a fencing token higher than every one before it. A
        run whose id exists already is left alone, gets no token, and a tally of such a
        record is not counted. Marks runs to be
        cancelled: one that is WAITING or READY ends as CANCELLED at once, a CLAIMED
        one is told through `renew`.

        Returns:
            A verdict for each plan, in order.
        """
        ...

    async def read_facts(self, job_ids: Sequence[str]) -> tuple[DueJob, ...]:
        """Read what a plan for these jobs needs, due or not. Unknown ids are left out."""
        ...

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
        """Claim READY runs whose `ready_at` is at or before *until*, oldest first.

        Never more than a pool's limit; only runs of its handlers. A store may give
        fewer at once than there are; the `next_ready_at` of the answer tells. With the
        same *request_id* again: the same runs, as long as they are still claimed by it.
        """
        ...

    async def confirm(self, claims: Sequence[Run]) -> frozenset[str]:
        """Say which claims are as safe as the store was asked to keep them.

        Asked about claims whose handler must not start again anywhere: a store that
        is replicated waits, for a bounded time, until its replicas have them. One that
        has no replicas to wait for answers with all.

        Returns:
            The ids of these runs that are ours by their fence, and kept.
        """
        ...

    async def renew(
        self,
        instance: Instance,
        renewals: Sequence[Renewal],
        *,
        lease_us: int,
        now: Instant,
    ) -> Renewed:
        """Say that the instance lives, extend its leases, store progress.

        Lists an instance at its first call, and takes the operating system's lock for
        it where the store has one. Answers also with every run of this instance that
        somebody wants cancelled, whether or not it was in the request.
        """
        ...

    async def leave(self, instance_id: str, *, now: Instant) -> None:
        """Take the instance off the list: it ended in good order. Idempotent."""
        ...

    async def settle(
        self, settlements: Sequence[Settlement], *, now: Instant
    ) -> tuple[Settled, ...]:
        """Write what became of each run whose state and fence are those seen.

        A run that ends (FINISHED) makes the store look at its job at once if the job
        `looks_on_finish`, and adds its tally to the job's statistics if the job still
        exists. Repeating an applied settlement answers `Stored` and adds nothing.

        Returns:
            A verdict for each settlement, in order.
        """
        ...

    async def take_lost(self, *, now: Instant, dead_after_us: int, limit: int) -> Lost:
        """Find CLAIMED runs whose lease ended or whose instance is dead.

        An instance is dead when its heartbeat is older than *dead_after_us*, when the
        operating system's lock it held is free, or when it is not listed. Dead ones
        are taken off the list once none of their runs is left to hand out. The oldest
        heartbeat of the others says when to look again.
        """
        ...

    async def cancel_runs(
        self, run_ids: Sequence[str], *, reason: str, now: Instant
    ) -> tuple[Run, ...]:
        """Ask for CLAIMED runs to be cancelled; others are left as they are.

        Returns:
            The runs that exist, as they were before, in the order of the request.
        """
        ...

    async def prune(
        self, *, job_ids: Sequence[str], runs_max: int, limit: int, now: Instant
    ) -> int:
        """Forget FINISHED runs past their `keep_until`, at most *limit* of them.

        Then of each job in *job_ids* the oldest beyond *runs_max*. What goes by its age
        is not counted: a success that is past its time takes no failure with it that
        is to be kept for longer.

        Returns:
            How many were forgotten.
        """
        ...

    async def acquire_locks(
        self, asks: Sequence[LockAsk], *, now: Instant
    ) -> LockAnswers:
        """Give each lock that is free to whoever asks first, and queue the others.

        A lock is free when nobody has it or the hold has ended. While others are in
        its queue only the first of them gets it. Asking with a ticket that has the
        lock extends the hold under the same token; asking with one that is in the
        queue keeps its place. A hold that would last a minute longer than its length
        from now on lasts no longer than that, and a place in the queue not longer than
        *ask.place_us*: a clock that was set back keeps nobody waiting, and a question
        that was on its way for less ends no hold before its time. Of two asks for one
        lock in a batch the second sees the first.
        """
        ...

    async def renew_locks(
        self, asks: Sequence[LockAsk], *, now: Instant
    ) -> tuple[Verdict, ...]:
        """Extend each hold from now on whose ticket still has the lock.

        Also one that has ended, as long as nobody else got it since.
        """
        ...

    async def release_locks(self, asks: Sequence[LockAsk], *, now: Instant) -> None:
        """Give back locks that these tickets have, and places that they take.

        Idempotent. Hints to others if anybody waits.
        """
        ...

    async def read_locks(self, *, now: Instant, limit: int) -> tuple[LockRecord, ...]:
        """List locks that somebody has, those that end first before others."""
        ...

    async def read_jobs(self, query: JobQuery) -> Page[Job]:
        """Read jobs in the order of their ids."""
        ...

    async def read_runs(self, query: RunQuery) -> Page[Run]:
        """Read runs, newest occurrence first."""
        ...

    async def read_stats(self, job_ids: Sequence[str] | None) -> tuple[JobStats, ...]:
        """Read the statistics of these jobs, in order; None for all jobs added up.

        A job without any, or unknown, has empty ones. The sum has the id "".
        """
        ...

    async def read_instances(self) -> tuple[Instance, ...]:
        """List the instances, the oldest first."""
        ...

    async def summary(self, *, now: Instant, is_deep: bool) -> StoreSummary:
        """Look at the store as a whole; *is_deep* also checks every invariant."""
        ...

    async def publish(self, events: Sequence[Event]) -> None:
        """Tell all instances. Kept in a ring of bounded length."""
        ...

    async def read_events(self, *, after: int | None, limit: int) -> tuple[Event, ...]:
        """Read events with a number above *after*, oldest first.

        With None: none but, to start from, the last one (if any).
        """
        ...

    def on_hint(self, hint: Callable[[], None]) -> None:
        """Call *hint*, from any thread, when something may have changed elsewhere."""
        ...


class Waitable(Protocol):
    """What a clock can wait for besides the time."""

    async def wait(self) -> None:
        """Return once it was set."""
        ...


class Clock(Protocol):
    """The only thing that knows the time, and the only thing that waits for it."""

    @property
    def moves_by_itself(self) -> bool:
        """Whether waiting makes time pass; a stop gives no grace where it does not."""
        ...

    def now(self) -> Instant:
        """Read the wall clock."""
        ...

    def monotonic_us(self) -> int:
        """Read a clock that never goes back, in microseconds."""
        ...

    async def wait(self, signal: Waitable, *, until_us: int | None) -> bool:
        """Wait for *signal*, at the longest until `monotonic_us()` is *until_us*.

        Returns:
            Whether the signal came.
        """
        ...

    def bind(
        self, is_busy: Callable[[], bool], *, on_jump: Callable[[int], None]
    ) -> Callable[[], None]:
        """Name somebody who must come to rest before a manual clock moves on.

        Args:
            is_busy: Whether they have not.
            on_jump: Tells them that the wall clock was set, and by how much.

        Returns:
            What undoes it. A clock that moves by itself does nothing.
        """
        ...
