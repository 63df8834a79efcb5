"""What a job stands for, told by its id."""

from __future__ import annotations

import pytest

from nvent_sched import Interval, Scheduler
from nvent_sched._model.roles import (
    PATTERNS,
    Role,
    checked_job_id,
    id_of,
    is_wait,
    name_in,
    past_waits,
    role_of,
)
from nvent_sched.errors import UsageError


@pytest.mark.parametrize("role", PATTERNS)
def test_a_role_and_a_name_can_be_read_off_the_id(role: Role) -> None:
    job_id = id_of(role, "order-42")

    assert (role_of(job_id), name_in(job_id)) == (role, "order-42")


def test_any_other_id_is_that_of_a_job_of_a_user() -> None:
    assert role_of("cleanup") is Role.JOB
    assert checked_job_id("cleanup") == "cleanup"


@pytest.mark.parametrize("name", ["", " padded", "tab\t", "x" * 200])
def test_a_name_that_cannot_be_stored_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="await:"):
        id_of(Role.AWAIT, name)


@pytest.mark.parametrize("role", PATTERNS)
def test_a_user_cannot_give_a_job_an_id_that_stands_for_something_else(
    role: Role,
) -> None:
    scheduler = Scheduler("memory:")

    with pytest.raises(UsageError, match="cannot begin with"):

        @scheduler.job(Interval(hours=1), id=f"{role}mine")
        def mine() -> None: ...


def test_reading_on_past_waits_passes_over_them_and_nothing_else() -> None:
    after = past_waits("await:key")

    assert is_wait("await:key")
    assert "await:\U0001f600" < after < "awaited"
    assert past_waits("trigger:x") == "trigger:x"
