"""What cannot be read or written costs nobody else anything."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvent_sched._model.claims import STORED
from nvent_sched._model.jobs import JobStatus
from nvent_sched._model.queries import RunQuery
from nvent_sched._model.runs import Outcome, RunState
from nvent_sched.testing.conformance.builders import (
    HANDLER,
    NOON,
    a_job,
    a_plan,
    a_release,
    a_run,
    a_tally,
    an_end,
    an_event,
    at,
    the_next,
)
from nvent_sched.testing.conformance.steps import (
    claim,
    commit,
    insert,
    put,
    read_job,
    read_run,
    read_stats,
    settle,
    take_due_ids,
    take_lost_ids,
)

if TYPE_CHECKING:
    from nvent_sched.adapters.sqlite import SqliteAdapter

HALF = "half a pair: \ud83d"
SHOWN = "half a pair: \\ud83d"


async def spoil(adapter: SqliteAdapter, statement: str) -> None:
    await adapter._write(lambda connection: connection.execute(statement))


@pytest.mark.parametrize(
    "spoilt",
    [
        "definition = '{'",
        """definition = replace(definition, '"v":1', '"v":99')""",
        "definition = '[1]'",
        "status = 'dancing'",
        "next_time = considered_until",
        "version = 0",
    ],
)
async def test_a_job_that_cannot_be_read_is_put_aside_whatever_is_wrong_with_it(
    adapter: SqliteAdapter, spoilt: str
) -> None:
    await put(adapter, a_job("bad", look_at=NOON), a_job("good", look_at=NOON))
    await spoil(adapter, f"UPDATE jobs SET {spoilt} WHERE id = 'bad'")  # noqa: S608  ours

    batch = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)

    assert [due.job.id for due in batch.jobs] == ["good"]
    assert list(batch.quarantined) == ["bad"]
    assert await take_due_ids(adapter) == ["good"]
    summary = await adapter.summary(now=NOON, is_deep=True)
    assert summary.quarantined == dict(batch.quarantined)


@pytest.mark.parametrize(
    "spoilt", ["log = '{'", "attempts = '[[1]]'", "origin = 'nowhere'"]
)
async def test_a_run_that_cannot_be_read_stands_in_nobodys_way(
    adapter: SqliteAdapter, spoilt: str
) -> None:
    await put(adapter, a_job())
    await insert(adapter, a_run("bad", ready_at=at(-1)), a_run("good"))
    await spoil(adapter, f"UPDATE runs SET {spoilt} WHERE id = 'bad'")  # noqa: S608  ours

    runs = await claim(adapter)

    assert [run.id for run in runs] == ["good"]
    assert [run.id for run in await adapter.read_runs(RunQuery())] == ["good"]
    assert await take_lost_ids(adapter, now=at(9_999)) == ["good"]
    assert await adapter.cancel_runs(["bad"], reason="enough", now=NOON) == ()
    findings = (await adapter.summary(now=NOON, is_deep=True)).findings
    assert any("'bad'" in finding for finding in findings)


async def test_pages_go_on_behind_a_run_that_cannot_be_read(
    adapter: SqliteAdapter,
) -> None:
    await put(adapter, a_job())
    await insert(adapter, *(a_run(name) for name in "dcba"))
    await spoil(adapter, "UPDATE runs SET log = '{' WHERE id = 'c'")

    first = await adapter.read_runs(RunQuery(limit=2))
    second = await adapter.read_runs(RunQuery(limit=2, after=first.next))

    assert [run.id for run in (*first, *second)] == ["d", "b", "a"]


async def test_text_that_has_no_utf_8_is_stored_so_that_it_can_be_read(
    adapter: SqliteAdapter,
) -> None:
    await put(adapter, replace(a_job(), note=HALF))
    await insert(adapter, a_run())
    (run,) = await claim(adapter)
    end = an_end(run, Outcome.FAILED)
    told = replace(
        end.run,
        error=HALF,
        reason=HALF,
        log=(HALF,),
        progress_note=HALF,
        result=f'"{HALF}"',
    )
    counted = a_tally(Outcome.FAILED, error=HALF)
    settlement = replace(end, run=told, tally=counted)

    assert await settle(adapter, settlement) == STORED
    assert await settle(adapter, settlement) == STORED, "said again"
    await adapter.publish([an_event(HALF)])

    stored = await read_run(adapter)
    assert (stored.error, stored.reason, stored.progress_note) == (SHOWN,) * 3
    assert stored.log == (HALF,), "in JSON a half can be written"
    assert (await read_stats(adapter)).failures == 1
    assert (await read_stats(adapter)).last_error == SHOWN
    assert (await read_job(adapter)).note == SHOWN
    (event,) = await adapter.read_events(after=None, limit=1)
    assert event.detail == SHOWN


async def test_a_settlement_that_leaves_the_state_as_it_is_is_counted_once(
    adapter: SqliteAdapter,
) -> None:
    await put(adapter, a_job())
    (run,) = await insert(adapter, a_run())
    later = replace(a_release(run, ready_at=at(60)), run=replace(run, ready_at=at(60)))
    counted = replace(later, tally=a_tally(None))

    verdicts = await adapter.settle([counted, counted], now=NOON)
    again = await settle(adapter, counted)

    assert (*verdicts, again) == (STORED,) * 3
    assert (await read_run(adapter)).ready_at == at(60)
    assert (await read_stats(adapter)).retries == 1


async def test_an_end_in_few_words_leaves_nothing_of_what_was_said_before(
    adapter: SqliteAdapter,
) -> None:
    await put(adapter, a_job())
    await insert(adapter, a_run())
    (run,) = await claim(adapter)
    said = replace(
        a_release(run), run=replace(a_release(run).run, error="no", log=("a",))
    )
    await settle(adapter, said)
    (again,) = await claim(adapter, request_id="again")
    end = an_end(replace(again, error=None, log=()))

    await settle(adapter, end)

    assert await read_run(adapter) == end.run


async def test_a_batch_may_move_one_job_several_times(adapter: SqliteAdapter) -> None:
    await put(adapter, a_job("a"), a_job("b"))
    first, second = the_next(a_job("a")), the_next(the_next(a_job("a")), look_at=NOON)
    plans = [
        a_plan(first, a_run("1", job_id="a", state=RunState.CLAIMED)),
        a_plan(the_next(a_job("b"))),
        a_plan(second, a_run("2", job_id="a"), a_run("1", job_id="a")),
        a_plan(second, a_run("3", job_id="a")),
    ]

    verdicts = await adapter.commit_plans(plans, now=NOON)

    assert [getattr(each, "fences", None) for each in verdicts] == [
        (1,),
        (),
        (0, 0),
        None,
    ]
    assert await read_job(adapter, "a") == second


async def test_of_two_runs_with_one_name_the_first_is_kept_however_much_they_say(
    adapter: SqliteAdapter,
) -> None:
    await put(adapter, a_job("a"), a_job("b"))
    loud = a_run(job_id="a", state=RunState.FINISHED, outcome=Outcome.MISSED)
    quiet = a_run(job_id="b", state=RunState.CLAIMED)

    verdicts = await adapter.commit_plans(
        [a_plan(the_next(a_job("a")), loud), a_plan(the_next(a_job("b")), quiet)],
        now=NOON,
    )

    assert [getattr(each, "fences", None) for each in verdicts] == [(0,), (0,)]
    assert await read_run(adapter) == loud


async def test_a_plan_that_ends_a_job_changes_how_it_is_counted(
    adapter: SqliteAdapter,
) -> None:
    await put(adapter, a_job())
    ended = replace(the_next(a_job()), status=JobStatus.FINISHED, note="done")

    await commit(adapter, a_plan(ended))

    assert (await read_job(adapter)).note == "done"
    assert (await adapter.summary(now=NOON, is_deep=False)).jobs == {
        JobStatus.FINISHED: 1
    }
