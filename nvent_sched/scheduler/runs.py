"""The verbs about runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from nvent_sched._engine import runverbs
from nvent_sched._model.instants import instant_from, span_us
from nvent_sched._model.jobs import checked_name, checked_payload
from nvent_sched._model.policies import count_in_range
from nvent_sched._model.queries import PAGE_MAX, Page, RunQuery
from nvent_sched._model.runs import Origin, Outcome, RunState
from nvent_sched._rules.declaring import (
    payload_from,
)
from nvent_sched._rules.planning import Asked
from nvent_sched._rules.viewing import (
    run_view,
)
from nvent_sched.errors import RunFailedError
from nvent_sched.scheduler.verbs import Verbs, job_id_of, member_of, run_id_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from nvent_sched._model.snapshots import (
        JobSnapshot,
        RunSnapshot,
    )


class RunVerbs(Verbs):
    """What can be done to runs."""

    async def run_now(
        self,
        job: str | JobSnapshot,
        *,
        idempotency_key: str | None = None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> RunSnapshot:
        """Ask for a run by hand; the schedule stays where it is.

        It obeys the job's overlap policy: beside a run that is going it may end as
        `skipped_overlap` at once.

        Args:
            job: Which job; it may be paused.
            idempotency_key: Asking twice with one key gives one run.
            args: Other arguments than the job's.
            kwargs: Other keyword arguments than the job's.

        Raises:
            UnknownJobError: There is no such job.
            UsageError: The key or the arguments are not allowed.
        """
        core, job_id = self._core("run_now"), job_id_of(job)
        key = uuid4().hex if idempotency_key is None else idempotency_key
        run_id = f"{job_id}!{checked_name(key, what='an idempotency key')}"
        if (run := await runverbs.find_run(core, run_id)) is None:
            payload = None
            if args is not None or kwargs is not None:
                payload = checked_payload(
                    payload_from(args or (), kwargs),
                    what=f"the arguments of a run of job {job_id!r}",
                )
            asked = Asked(
                run_id=run_id,
                origin=Origin.MANUAL,
                scheduled_time=core.time.now(),
                payload=payload,
            )
            await runverbs.ask_for_runs(core, job_id, [asked])
            run = await runverbs.read_run(core, run_id)
        return run_view(run)

    async def backfill(
        self, job: str | JobSnapshot, start: datetime, end: datetime
    ) -> tuple[str, ...]:
        """Run the occurrences between *start* and before *end*, in the past, again.

        They are runs of their own: they neither collide with nor replace what the
        schedule produced, and one after another they wait for their turn, however few
        `max_buffered` lets wait.

        Returns:
            The ids of the runs; the same call again gives the same.

        Raises:
            UnknownJobError: There is no such job.
            UsageError: More than 1,000 occurrences, or more than may wait beside those
                that do, no range of the past, or all of it before what an interval
                counts from.
        """
        ids = await runverbs.backfill(
            self._core("backfill"),
            job_id_of(job),
            start=instant_from(start),
            end=instant_from(end),
        )
        return tuple(ids)

    async def cancel_run(self, run: str | RunSnapshot, *, reason: str = "") -> bool:
        """Cancel a run, begun or not.

        An async handler is cancelled at its next await; a plain one is asked to stop
        (`run.check_cancelled()`).

        Returns:
            Whether there was anything to cancel: False if it had ended.

        Raises:
            UnknownRunError: There is no such run.
        """
        text = str(reason)[:500] or "cancelled by hand"
        return await runverbs.cancel_run(
            self._core("cancel_run"), run_id_of(run), reason=text
        )

    async def retry_run(self, run: str | RunSnapshot) -> RunSnapshot:
        """Run what failed once more, as a run of its own.

        Raises:
            UnknownRunError: There is no such run.
            UsageError: It did not fail, or as many of its job wait as ever may.
        """
        core = self._core("retry_run")
        return run_view(
            await runverbs.read_run(
                core, await runverbs.retry_run(core, run_id_of(run))
            )
        )

    async def runs(  # noqa: PLR0913  the words of the API
        self,
        job: str | JobSnapshot | None = None,
        *,
        outcome: Outcome | str | None = None,
        state: RunState | str | None = None,
        origin: Origin | str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Page[RunSnapshot]:
        """Read runs and records of what was not run, the newest first.

        Args:
            job: Only of this job.
            outcome: Only with this outcome.
            state: Only in this state: "waiting", "ready", "claimed", "finished".
            origin: Only of this origin.
            since: Only scheduled at or after it.
            until: Only scheduled before it.
            after: The `next` of the page before.
            limit: 1 to 10,000.
        """
        count_in_range(limit, name="limit", most=PAGE_MAX)
        query = RunQuery(
            job_id=None if job is None else job_id_of(job),
            outcomes=None
            if outcome is None
            else (member_of(Outcome, outcome, name="outcome"),),
            states=None
            if state is None
            else (member_of(RunState, state, name="state"),),
            origin=None if origin is None else member_of(Origin, origin, name="origin"),
            since=None if since is None else instant_from(since),
            until=None if until is None else instant_from(until),
            after=after,
            limit=limit,
        )
        page = await self._core("runs").adapter.read_runs(query)
        return Page(items=tuple(map(run_view, page.items)), next=page.next)

    async def get_run(self, run: str | RunSnapshot) -> RunSnapshot:
        """Read one run.

        Raises:
            UnknownRunError: There is no such run.
        """
        return run_view(await runverbs.read_run(self._core("get_run"), run_id_of(run)))

    async def wait_for(
        self,
        run: str | RunSnapshot,
        *,
        timeout: timedelta | None = None,  # noqa: ASYNC109  it survives a restart
        raise_on_failure: bool = False,
    ) -> RunSnapshot:
        """Wait until a run has ended, on whatever instance.

        Args:
            run: Which run.
            timeout: For how long; for as long as it takes without one.
            raise_on_failure: Raise if it did not succeed.

        Returns:
            The run with its outcome and result.

        Raises:
            UnknownRunError: There is no such run.
            TimeoutError: It has not ended in time.
            RunFailedError: It did not succeed, and that was to be raised.
        """
        core = self._core("wait_for")
        until_us = None
        if timeout is not None:
            until_us = core.clock.monotonic_us() + span_us(timeout, name="timeout")
        ended = run_view(
            await runverbs.wait_for_run(core, run_id_of(run), until_us=until_us)
        )
        if raise_on_failure and ended.outcome is not Outcome.SUCCEEDED:
            raise RunFailedError(
                run_id=ended.id,
                outcome=str(ended.outcome),
                error=ended.error or ended.reason,
            )
        return ended
