"""What a job stands for, told by its id."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest

from nvent_sched import Interval, Scheduler
from nvent_sched._model.roles import (
    PATTERNS,
    WAITS,
    Role,
    checked_job_id,
    id_of,
    is_wait,
    name_in,
    past_waits,
    role_of,
)
from nvent_sched.adapters.redis.scripts import source
from nvent_sched.adapters.sqlite.schema import WAITS as IN_SQL
from nvent_sched.errors import UsageError


@pytest.mark.parametrize("role", PATTERNS)
def test_a_role_and_a_name_can_be_read_off_the_id(role: Role) -> None:
    job_id = id_of(role, "order-42")

    assert (role_of(job_id), name_in(job_id)) == (role, "order-42")


def test_any_other_id_is_that_of_a_job_of_a_user() -> None:
    assert role_of("cleanup") is Role.JOB
    assert checked_job_id("cleanup") == "cleanup"


def test_adapters_count_the_same_ids_as_waits() -> None:
    ids = [f"{role}a" for role in Role] + ["await", "await;", "awaits:a", "a:await:"]

    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE jobs (id TEXT)")
        connection.executemany("INSERT INTO jobs VALUES (?)", [(each,) for each in ids])
        counted = connection.execute(f"SELECT id FROM jobs WHERE {IN_SQL}")  # noqa: S608
        by_sqlite = {job_id for (job_id,) in counted}
    in_lua = re.findall(r"\['(\w+:)'\] = true", source("_jobs").text)

    assert by_sqlite == set(filter(is_wait, ids))
    assert set(in_lua) == WAITS


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
