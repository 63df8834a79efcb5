"""How much a reader asks of the server for what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nvent_sched._model.queries import RunQuery
from nvent_sched._model.runs import RunState
from nvent_sched.testing.conformance.builders import a_job, a_run, at
from nvent_sched.testing.conformance.steps import insert, put

if TYPE_CHECKING:
    from nvent_sched.adapters.redis import RedisAdapter
    from tests.conftest import Server

ENDED = 2_000


@pytest.mark.parametrize("job_id", [None, "job"])
@pytest.mark.parametrize("second", [-1, ENDED + 1])
async def test_the_few_that_are_going_are_found_without_reading_all_that_ended(
    adapter: RedisAdapter, server: Server, job_id: str | None, second: int
) -> None:
    await put(adapter, a_job())
    ended = (
        a_run(f"{n}", scheduled=at(n), state=RunState.FINISHED) for n in range(ENDED)
    )
    going = a_run("going", scheduled=at(second), state=RunState.CLAIMED)
    await insert(adapter, *ended, going)
    query = RunQuery(states=(RunState.CLAIMED,), job_id=job_id, limit=20)
    with server.client() as client:
        client.config_resetstat()

        page = await adapter.read_runs(query)

        stats: Any = client.info("commandstats")
    assert ([run.id for run in page.items], page.next) == (["going"], None)
    assert stats["cmdstat_evalsha"]["calls"] <= 3
