"""Which jobs stand still because a clock was ahead. Pure.

The mark up to which a schedule was considered never goes back. If a clock was ahead for a
moment, a job that was looked at then has nothing to do until the right clock is there:
without a word it would look well meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import SECOND_US, moment_from
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.roles import is_wait

if TYPE_CHECKING:
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job

AHEAD_US: Final = 60 * SECOND_US
"""More than clocks of several machines differ by, or a plan is made before its time."""


def is_ahead(job: Job, *, now: Instant) -> bool:
    """Whether the schedule of a job was considered up to a time that is still to come.

    Waits are not asked about: each is for one moment, and a sign of life moves it.
    """
    return (
        job.status is JobStatus.ACTIVE
        and job.next_time is not None
        and job.considered_until > now + AHEAD_US
        and not is_wait(job.id)
    )


def ahead_words(job: Job) -> str:
    """Say of a job that is ahead until when it stands still, and what brings it back."""
    assert job.next_time is not None
    mark, due = (
        f"{moment_from(at):%Y-%m-%d %H:%M:%S} UTC"
        for at in (job.considered_until, job.next_time)
    )
    return (
        f"job {job.id!r} is not due before {due}: a clock was ahead, and its schedule "
        f"was considered up to {mark}, which is still to come; `reschedule` it to "
        "another timing and then to its own (pause and resume do not bring it back)"
    )
