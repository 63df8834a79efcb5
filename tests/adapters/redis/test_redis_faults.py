"""What may happen to a server and to the line to it, and what it costs: nothing twice."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest
from redis.exceptions import ResponseError

from nvent_sched._model.claims import STALE, STORED, Committed, Pool, Renewal
from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.locks import LockGranted
from nvent_sched._model.runs import RunState
from nvent_sched.adapters.redis import RedisAdapter
from nvent_sched.adapters.redis.asking import LARGE
from nvent_sched.adapters.redis.faults import fault_of, named
from nvent_sched.adapters.redis.keys import Keys
from nvent_sched.errors import (
    SchemaError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnavailableError,
)
from nvent_sched.testing.conformance.builders import (
    HANDLER,
    LEASE_US,
    NOON,
    a_job,
    a_plan,
    a_run,
    a_write,
    an_ask,
    an_end,
    an_event,
    an_instance,
    at,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    acquire,
    beat,
    claim,
    insert,
    put,
    read_job,
    read_run,
    read_stats,
    run_ids,
    settle,
    take_due_ids,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Server
    from tests.lines import Line


class TestLostReply:
    """The script ran and its answer was lost: asked again, it answers as it did."""

    @pytest.fixture
    async def lossy(self, far_adapter: RedisAdapter, line: Line) -> RedisAdapter:
        await put(far_adapter, a_job("other"))
        line.lose_next_answer()
        return far_adapter

    @pytest.fixture(autouse=True)
    def is_lost(self, line: Line) -> Iterator[None]:
        yield
        assert line.lost == 1

    async def test_of_put_jobs(self, lossy: RedisAdapter) -> None:
        verdicts = await lossy.put_jobs([a_write(a_job())], now=NOON)

        assert verdicts == (STORED,)
        assert await read_job(lossy) == a_job()

    async def test_of_drop_jobs(self, lossy: RedisAdapter) -> None:
        assert await lossy.drop_jobs(["other"], now=NOON) == ("other",)

    async def test_of_commit_plans(
        self, adapter: RedisAdapter, lossy: RedisAdapter
    ) -> None:
        await put(adapter, a_job())
        plan = a_plan(the_next(a_job()), a_run(state=RunState.CLAIMED))

        (verdict,) = await lossy.commit_plans([plan], now=NOON)

        assert isinstance(verdict, Committed)
        assert verdict.fences == ((await read_run(adapter)).fence,)

    async def test_of_begin(self, adapter: RedisAdapter, lossy: RedisAdapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, *(a_run(name) for name in "abc"))

        claims = await lossy.begin(
            request_id="request",
            instance="one",
            pools=[Pool(handlers=(HANDLER,), limit=2)],
            until=NOON,
            lease_us=LEASE_US,
            now=NOON,
        )

        assert [run.id for run in claims.runs] == ["a", "b"]
        assert (await read_run(adapter, "c")).state is RunState.READY

    async def test_of_renew(self, adapter: RedisAdapter, lossy: RedisAdapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())
        (run,) = await claim(adapter)
        await adapter.cancel_runs(["run"], reason="enough", now=NOON)

        renewed = await lossy.renew(
            an_instance(),
            [Renewal(run_id="run", fence=run.fence)],
            lease_us=LEASE_US,
            now=at(9),
        )

        assert not renewed.stale
        assert renewed.cancelled == {"run": "enough"}
        assert (await read_run(adapter)).lease_until == at(9) + LEASE_US

    async def test_of_settle(self, adapter: RedisAdapter, lossy: RedisAdapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())
        (run,) = await claim(adapter)

        assert await settle(lossy, an_end(run)) == STORED

        assert (await read_stats(adapter)).runs == 1

    async def test_of_take_lost(
        self, adapter: RedisAdapter, lossy: RedisAdapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run(state=RunState.CLAIMED))

        await beat(adapter, "one")

        lost = await lossy.take_lost(now=at(900), dead_after_us=LEASE_US, limit=9)

        assert [run.id for run in lost.runs] == ["run"]
        assert lost.dead == ("one",)
        assert await adapter.read_instances() == ()

    async def test_of_cancel_runs(
        self, adapter: RedisAdapter, lossy: RedisAdapter
    ) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run(state=RunState.CLAIMED))

        await lossy.cancel_runs(["run"], reason="enough", now=NOON)

        assert (await read_run(adapter)).cancel_reason == "enough"

    async def test_of_prune(self, adapter: RedisAdapter, lossy: RedisAdapter) -> None:
        await put(adapter, a_job())
        finished = (a_run(name, state=RunState.FINISHED) for name in "abc")
        await insert(adapter, *finished)

        await lossy.prune(job_ids=["job"], runs_max=2, limit=9, now=NOON)

        assert await run_ids(adapter) == ["b", "c"]

    async def test_of_publish(self, adapter: RedisAdapter, lossy: RedisAdapter) -> None:
        await lossy.publish([an_event("a"), an_event("b")])

        events = await adapter.read_events(after=0, limit=9)
        assert [event.detail for event in events] == ["a", "b"]

    async def test_of_two_large_calls_that_waited_together(
        self, lossy: RedisAdapter
    ) -> None:
        events = [an_event(f"{number}") for number in range(LARGE)]
        async with anyio.create_task_group() as callers:
            for _ in range(2):
                callers.start_soon(lossy.publish, events)

        found = await lossy.read_events(after=0, limit=3 * LARGE)
        assert [event.detail for event in found] == 2 * [each.detail for each in events]

    async def test_of_take_due(
        self, adapter: RedisAdapter, lossy: RedisAdapter
    ) -> None:
        await put(adapter, a_job(look_at=NOON))

        assert await take_due_ids(lossy) == ["job"]

    async def test_of_acquire_locks(
        self, adapter: RedisAdapter, lossy: RedisAdapter
    ) -> None:
        granted = await acquire(lossy, an_ask("a"))

        (record,) = await adapter.read_locks(now=NOON, limit=9)
        assert isinstance(granted, LockGranted)
        assert record.fence == granted.fence

    async def test_of_renew_locks(
        self, adapter: RedisAdapter, lossy: RedisAdapter
    ) -> None:
        await acquire(adapter, an_ask("a"))

        assert await lossy.renew_locks([an_ask("a")], now=at(9)) == (STORED,)

        (record,) = await adapter.read_locks(now=at(9), limit=9)
        assert record.until == at(39)

    async def test_of_release_locks(
        self, adapter: RedisAdapter, lossy: RedisAdapter
    ) -> None:
        await acquire(adapter, an_ask("a"))

        await lossy.release_locks([an_ask("a")], now=NOON)

        assert await adapter.read_locks(now=NOON, limit=9) == ()

    async def test_of_confirm(self, adapter: RedisAdapter, lossy: RedisAdapter) -> None:
        await put(adapter, a_job())
        await insert(adapter, a_run())
        runs = await claim(adapter)

        assert await lossy.read_facts(["job"])
        assert await lossy.confirm(runs) == {"run"}

    async def test_of_leave(self, adapter: RedisAdapter, lossy: RedisAdapter) -> None:
        await beat(adapter)

        await lossy.leave("one", now=NOON)

        assert await adapter.read_instances() == ()


async def test_a_question_that_was_lost_is_not_answered_as_an_older_one_was(
    adapter: RedisAdapter, far_adapter: RedisAdapter, line: Line
) -> None:
    """The store remembers so many answers, and then begins anew."""
    async with anyio.create_task_group() as asking:
        for number in range(1_024):
            write = a_write(a_job(f"{number}"))
            asking.start_soon(partial(far_adapter.put_jobs, [write], now=NOON))
    line.lose_next_question()

    verdicts = await far_adapter.put_jobs([a_write(a_job("0"))], now=NOON)

    assert line.lost == 1
    assert verdicts == (STALE,)
    assert await read_job(adapter, "0") == a_job("0")


async def test_a_line_that_falls_silent_is_told_to_the_caller_and_comes_back(
    far_adapter: RedisAdapter, line: Line
) -> None:
    line.fall_silent()

    with pytest.raises(StoreUnavailableError):
        await put(far_adapter, a_job())

    line.speak()
    await put(far_adapter, a_job())
    assert await read_job(far_adapter) == a_job()


async def test_who_is_cancelled_closes_without_waiting_for_a_line_that_is_silent(
    server: Server, line: Line, adapter: RedisAdapter
) -> None:
    url = server.url.replace(f":{server.port}/", f":{line.port}/")
    patient = RedisAdapter(f"{url}&timeout=600", has_own_clock=False)
    await patient.open(now=NOON)
    line.fall_silent()

    for verb in (partial(put, patient, a_job()), patient.close):
        async with anyio.create_task_group() as asking:
            asking.start_soon(verb)
            await anyio.wait_all_tasks_blocked()
            asking.cancel_scope.cancel()

    with pytest.raises(StoreUnavailableError, match="not open"):
        await put(patient, a_job())
    await put(adapter, a_job())


async def test_who_is_cancelled_opens_nothing_and_waits_for_nobody(line: Line) -> None:
    line.fall_silent()
    adapter = RedisAdapter(f"redis://127.0.0.1:{line.port}/0?timeout=600")

    for _ in range(2):
        async with anyio.create_task_group() as opening:
            opening.start_soon(partial(adapter.open, now=NOON))
            await anyio.wait_all_tasks_blocked()
            opening.cancel_scope.cancel()

    assert adapter.url == f"redis://127.0.0.1:{line.port}/0"


async def test_scripts_that_the_server_forgot_are_sent_again(
    adapter: RedisAdapter, server: Server
) -> None:
    await put(adapter, a_job())
    with server.client() as client:
        client.script_flush()

    await insert(adapter, a_run())
    (run,) = await claim(adapter)

    assert await settle(adapter, an_end(run)) == STORED


async def test_text_that_has_no_utf_8_is_stored_as_well_as_can_be(
    adapter: RedisAdapter,
) -> None:
    await put(adapter, a_job())
    await insert(adapter, a_run())
    (run,) = await claim(adapter)
    end = an_end(run)
    odd = replace(end, run=replace(end.run, error="half \udc80 \x1f é"))

    verdicts = [await settle(adapter, odd), await settle(adapter, odd)]

    assert verdicts == [STORED, STORED]
    assert (await read_run(adapter)).error == "half \\udc80 \x1f é"


async def test_the_clock_of_a_client_changes_nothing(url: str) -> None:
    adapter = RedisAdapter(url)
    await adapter.open(now=NOON)
    truth = (await adapter.take_due(now=NOON, handlers=[], limit=1)).now
    later, earlier = Instant(truth + 3_600 * SECOND_US), Instant(truth - SECOND_US)
    await put(adapter, a_job("due", look_at=earlier), a_job("not yet", look_at=later))
    await insert(adapter, a_run(job_id="due", ready_at=earlier))
    await beat(adapter, now=at(-9_999))
    try:
        for wrong in (NOON, at(10**9)):
            batch = await adapter.take_due(now=wrong, handlers=[HANDLER], limit=9)
            claims = await adapter.begin(
                request_id="request",
                instance="one",
                pools=[Pool(handlers=(HANDLER,), limit=9)],
                until=truth,
                lease_us=LEASE_US,
                now=wrong,
            )
            lost = await adapter.take_lost(now=wrong, dead_after_us=LEASE_US, limit=9)

            assert [due.job.id for due in batch.jobs] == ["due"]
            assert batch.next_look_at == later
            (run,) = claims.runs
            assert run.lease_until is not None
            assert truth <= run.lease_until - LEASE_US <= truth + 60 * SECOND_US
            assert (lost.runs, lost.dead) == ((), ())
    finally:
        await adapter.close()


async def test_what_was_stored_outlives_a_server_that_was_killed(
    new_server: Callable[..., Server],
) -> None:
    server = new_server("valkey", "--appendonly", "yes", "--appendfsync", "always")
    adapter = RedisAdapter(server.url, has_own_clock=False)
    await adapter.open(now=NOON)
    await put(adapter, a_job())
    await insert(adapter, a_run())
    (run,) = await claim(adapter)
    server.kill()
    with pytest.raises(StoreUnavailableError):
        await settle(adapter, an_end(run))

    server.start()

    assert await settle(adapter, an_end(run)) == STORED
    assert (await read_stats(adapter)).runs == 1
    await adapter.close()
    server.kill()


async def test_a_server_without_room_says_so_and_has_stored_nothing(
    new_server: Callable[..., Server],
) -> None:
    server = new_server("valkey")
    adapter = RedisAdapter(server.url, has_own_clock=False)
    await adapter.open(now=NOON)
    await put(adapter, a_job())
    with server.client() as client:
        client.config_set("maxmemory", 1)

    with pytest.raises(StoreFullError):
        await insert(adapter, a_run())

    with server.client() as client:
        client.config_set("maxmemory", 0)
    assert await run_ids(adapter) == []
    assert await read_job(adapter) == a_job()
    await adapter.close()
    server.kill()


async def test_a_job_that_a_newer_release_wrote_is_left_to_it(
    adapter: RedisAdapter, server: Server
) -> None:
    await put(adapter, a_job("newer", look_at=NOON), a_job("ours", look_at=NOON))
    key = Keys(adapter._location.prefix)["definitions"]
    with server.client() as client:
        client.hset(key, "newer", '{"v":99}')

    batches = [
        await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9) for _ in "ab"
    ]

    for batch in batches:
        assert [due.job.id for due in batch.jobs] == ["ours"]
        assert not batch.quarantined
    with server.client() as client:
        assert client.hget(key, "newer") == '{"v":99}'


async def test_a_store_of_a_newer_release_is_not_touched(
    url: str, adapter: RedisAdapter, server: Server
) -> None:
    await put(adapter, a_job())
    key = Keys(adapter._location.prefix)["schema"]
    with server.client() as client:
        client.set(key, 99)

    with pytest.raises(SchemaError):
        await RedisAdapter(url).open(now=NOON)

    with server.client() as client:
        assert client.get(key) == "99"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("-READONLY You can't write against a read only replica.", StoreReadOnlyError),
        ("-OOM command not allowed when used memory > 'maxmemory'.", StoreFullError),
    ],
)
def test_what_an_old_server_wraps_in_words_about_a_script_has_its_name(
    text: str, kind: type[StoreError]
) -> None:
    wrapped = f"Error running script (call to f_0): @user_script:12: {text}"

    fault = fault_of(named(ResponseError(wrapped)), url="redis://here")

    assert type(fault) is kind
