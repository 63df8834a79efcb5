"""What a query finds, and where a page goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nvent_sched._model.instants import Instant
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.queries import JobQuery, RunQuery, next_after
from nvent_sched._model.runs import Origin, Outcome, RunState
from nvent_sched.errors import UsageError
from nvent_sched.testing.conformance.builders import HANDLER, NOON, a_job, a_run

JOB, RUN = a_job("Import Daily"), a_run(job_id="job")


def test_a_query_that_says_nothing_finds_every_job_and_every_run() -> None:
    assert JobQuery().finds(JOB)
    assert RunQuery().finds(RUN)


@pytest.mark.parametrize("kind", [JobQuery, RunQuery])
@pytest.mark.parametrize("after", [5, [], b"x", "\ud800"], ids=ascii)
def test_what_is_no_text_is_nothing_to_look_for(kind: type[Any], after: object) -> None:
    with pytest.raises(UsageError, match="after must be text, not"):
        kind(after=after)


@pytest.mark.parametrize("name", ["tag", "handler", "text"])
def test_jobs_are_looked_for_by_text(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} must be text, not int 9223372036"):
        JobQuery(**{name: 2**63})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        (JobQuery(text="IMPORT"), True),
        (JobQuery(text="export"), False),
        (JobQuery(status=JOB.status), True),
        (JobQuery(status=JobStatus.PAUSED), False),
        (JobQuery(handler=HANDLER), True),
        (JobQuery(handler="another"), False),
        (JobQuery(tag="nightly"), False),
    ],
)
def test_a_job_is_found_by_all_that_is_said(query: JobQuery, *, is_found: bool) -> None:
    assert query.finds(JOB) is is_found


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        (RunQuery(job_id="job"), True),
        (RunQuery(job_id="another"), False),
        (RunQuery(states=(RUN.state,)), True),
        (RunQuery(states=(RunState.FINISHED,)), False),
        (RunQuery(outcomes=(Outcome.FAILED,)), False),
        (RunQuery(origin=Origin.BACKFILL), False),
        (RunQuery(instance="another"), False),
        (RunQuery(since=RUN.scheduled_time), True),
        (RunQuery(since=Instant(RUN.scheduled_time + 1)), False),
        (RunQuery(until=RUN.scheduled_time), False),
        (RunQuery(until=Instant(RUN.scheduled_time + 1)), True),
    ],
)
def test_a_run_is_found_by_all_that_is_said(query: RunQuery, *, is_found: bool) -> None:
    assert query.finds(RUN) is is_found


def test_a_page_goes_on_where_the_one_before_ended_whatever_the_id() -> None:
    query = RunQuery(after=next_after((NOON, "job@a:b")))

    assert query.after_place() == (NOON, "job@a:b")
    assert replace(query, after=None).after_place() is None


def test_what_is_no_end_of_a_page_is_refused() -> None:
    with pytest.raises(
        UsageError, match="`after` must be the `next` of the page before"
    ):
        RunQuery(after="yesterday").after_place()
