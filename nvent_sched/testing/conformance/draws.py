"""What the machine draws: few names and near times, so that things meet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.runs import Outcome, RunState
from nvent_sched.testing.conformance.builders import a_job, a_plan, a_run, a_tally

if TYPE_CHECKING:
    from nvent_sched._model.claims import DueJob, Plan
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.runs import Run

JOBS: Final = ("a", "b", "c")
HANDLERS: Final = ("x", "y")
INSTANCES: Final = ("one", "two")

job_ids: st.SearchStrategy[list[str]] = st.lists(
    st.sampled_from(JOBS), max_size=3, unique=True
)
handler_sets: st.SearchStrategy[list[str]] = st.lists(
    st.sampled_from(HANDLERS), max_size=2, unique=True
)
instances: st.SearchStrategy[str] = st.sampled_from(INSTANCES)
seconds: st.SearchStrategy[int] = st.integers(-3, 6)
limits: st.SearchStrategy[int] = st.integers(0, 4)
picks: st.SearchStrategy[list[int]] = st.lists(st.integers(0, 99), max_size=3)
rarely: st.SearchStrategy[bool] = st.sampled_from([False, False, False, True])


def after(now: Instant, seconds: int) -> Instant:
    """Say the instant so long after now."""
    return Instant(now + seconds * SECOND_US)


def near(now: Instant) -> st.SearchStrategy[Instant]:
    """Draw an instant around now."""
    return seconds.map(lambda drawn: after(now, drawn))


def jobs(job_id: str, *, version: int, now: Instant) -> st.SearchStrategy[Job]:
    """Draw a job that is looked at about now, if at all."""
    return st.builds(
        a_job,
        st.just(job_id),
        handler=st.sampled_from(HANDLERS),
        status=st.sampled_from(JobStatus),
        look_at=st.none() | near(now),
        looks_on_finish=st.booleans(),
        version=st.just(version),
    )


def runs_of(job_id: str, *, now: Instant) -> st.SearchStrategy[Run]:
    """Draw a run of a job, of few names, so that some exist already."""
    return st.builds(
        a_run,
        st.integers(0, 9).map(lambda number: f"{job_id}{number}"),
        job_id=st.just(job_id),
        handler=st.sampled_from(HANDLERS),
        scheduled=near(now),
        ready_at=near(now),
        state=st.sampled_from(RunState),
        instance=instances,
        lease_until=st.integers(1, 30).map(lambda drawn: after(now, drawn)),
        outcome=st.sampled_from(Outcome),
        finished_at=st.just(now),
        keep_until=st.none() | near(now),
    )


def plans_for(due: DueJob, *, now: Instant) -> st.SearchStrategy[Plan]:
    """Draw a plan for a job: runs in any state, promotions, cancels, or a drop."""
    job_id = due.job.id
    live = [run.id for run in due.live]
    some = st.lists(st.sampled_from(live), unique=True) if live else st.just([])

    def plan(
        job: Job, runs: list[Run], promote: list[str], *, cancel: list[str]
    ) -> Plan:
        tallies = tuple(
            replace(
                a_tally(run.outcome, job_id=job_id, finished_at=now), record_id=run.id
            )
            for run in runs
            if run.outcome is not None
        )
        reasons = dict.fromkeys(cancel, "newer")
        return a_plan(
            job, *runs, promote=tuple(promote), cancel=reasons, tallies=tallies
        )

    drawn = jobs(job_id, version=due.job.version + 1, now=now)
    # A plan moves a job on; only `put_jobs` changes what was declared.
    job = drawn.map(lambda moved: replace(moved, definition=due.job.definition))
    runs = st.lists(runs_of(job_id, now=now), unique_by=lambda run: run.id, max_size=4)
    drop = job.map(lambda dropped: a_plan(dropped, is_drop=True))
    made = st.builds(plan, job, runs, some, cancel=some)
    return rarely.flatmap(lambda is_drop: drop if is_drop else made)
