"""The verbs about runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nvent_sched.blocking.verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from nvent_sched._model.queries import Page
    from nvent_sched._model.runs import Origin, Outcome, RunState
    from nvent_sched._model.snapshots import JobSnapshot, RunSnapshot


class RunVerbs(Verbs):
    """What can be done with runs."""

    def run_now(
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
        return self._call(
            self._scheduler.run_now,
            job,
            idempotency_key=idempotency_key,
            args=args,
            kwargs=kwargs,
        )

    def backfill(
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
        return self._call(self._scheduler.backfill, job, start, end)

    def cancel_run(self, run: str | RunSnapshot, *, reason: str = "") -> bool:
        """Cancel a run, begun or not.

        An async handler is cancelled at its next await; a plain one is asked to stop
        (`run.check_cancelled()`).

        Returns:
            Whether there was anything to cancel: False if it had ended.

        Raises:
            UnknownRunError: There is no such run.
        """
        return self._call(self._scheduler.cancel_run, run, reason=reason)

    def retry_run(self, run: str | RunSnapshot) -> RunSnapshot:
        """Run what failed once more, as a run of its own.

        Raises:
            UnknownRunError: There is no such run.
            UsageError: It did not fail, or as many of its job wait as ever may.
        """
        return self._call(self._scheduler.retry_run, run)

    def runs(  # noqa: PLR0913  the words of the API
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
        return self._call(
            self._scheduler.runs,
            job,
            outcome=outcome,
            state=state,
            origin=origin,
            since=since,
            until=until,
            after=after,
            limit=limit,
        )

    def get_run(self, run: str | RunSnapshot) -> RunSnapshot:
        """Read one run.

        Raises:
            UnknownRunError: There is no such run.
        """
        return self._call(self._scheduler.get_run, run)

    def wait_for(
        self,
        run: str | RunSnapshot,
        *,
        timeout: timedelta | None = None,
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
        return self._call(
            self._scheduler.wait_for,
            run,
            timeout=timeout,
            raise_on_failure=raise_on_failure,
        )
