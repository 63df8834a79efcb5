"""A history that kept every promise passes; what breaks one is found, and named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvent_sched import Cron, Interval, OneTime, Outcome, Retry
from nvent_sched._model.instants import SECOND_US, Instant, moment_from
from nvent_sched._model.policies import Misfire, Overlap, Policies
from nvent_sched._model.runs import Run, RunState
from nvent_sched._model.values import changed
from nvent_sched._rules.drafting import run_id_of
from nvent_sched.testing.checker import Begun, Journal, Violation, Wrong, judge
from nvent_sched.testing.checker.journal import FencedWrite
from tests.simulation.histories import EVERY_US, NOON, Step, made, steady

if TYPE_CHECKING:
    from nvent_sched._model.schedules import Schedule

SCHEDULES = st.sampled_from(
    [
        Interval(seconds=10),
        Interval(seconds=10, after="finish"),
        Cron("*/10 * * * * *"),
        Cron("*/2 * * * *"),
        OneTime(moment_from(Instant(NOON + 35 * SECOND_US))),
        OneTime(moment_from(Instant(NOON - 35 * SECOND_US))),
    ]
)
STEPS = st.lists(
    st.builds(
        Step,
        st.integers(1, 20).map(lambda s: s * SECOND_US)
        | st.sampled_from([SECOND_US // 7, 70 * SECOND_US, 600 * SECOND_US]),
        st.sampled_from([0, SECOND_US, 15 * SECOND_US, 90 * SECOND_US]),
        fails=st.booleans(),
    ),
    min_size=1,
    max_size=25,
)
POLICIES = st.builds(
    Policies,
    overlap=st.sampled_from(Overlap),
    running_max=st.none() | st.just(2),
    buffer_max=st.sampled_from([2, 100]),
    misfire=st.sampled_from(Misfire),
    misfire_grace_us=st.sampled_from([0, 5 * SECOND_US, 60 * SECOND_US]),
    catch_up_max=st.sampled_from([1, 100]),
    jitter_us=st.sampled_from([0, 3 * SECOND_US]),
    spread_us=st.sampled_from([0, 2 * SECOND_US]),
    runs_max=st.none() | st.just(4),
    retry=st.sampled_from([Retry(), Retry(attempts=3, delay=timedelta(seconds=2))]),
)


@given(schedule=SCHEDULES, policies=POLICIES, steps=STEPS)
def test_what_the_rules_decide_keeps_every_promise(
    schedule: Schedule, policies: Policies, steps: list[Step]
) -> None:
    journal = made(steps, schedule=schedule, policies=policies)

    assert judge(replace(journal, is_whole=True)).violations == ()
    assert judge(journal).violations == ()


def names(journal: Journal) -> set[Wrong]:
    return {violation.wrong for violation in judge(journal).violations}


def with_runs(journal: Journal, *runs: Run) -> Journal:
    (known,) = journal.jobs
    return replace(journal, jobs=(replace(known, runs=runs),))


def oldest_first(journal: Journal) -> list[Run]:
    return sorted(journal.jobs[0].runs, key=lambda run: run.scheduled_time)


def standing_for(run: Run, at: Instant) -> Run:
    """Let a run stand for another occurrence."""
    return changed(run, id=run_id_of(run.job_id, at), scheduled_time=at)


PLACES = st.integers(1, 18)
"""Neither the oldest record, which could have been pruned, nor the newest."""


@given(place=PLACES)
def test_a_run_that_is_gone_is_missing(place: int) -> None:
    journal = steady()
    runs = oldest_first(journal)
    gone = runs.pop(place)

    report = judge(with_runs(journal, *runs))

    (found,) = report.violations
    assert (found.wrong, found.at) == (Wrong.MISSING, gone.scheduled_time)


@given(place=PLACES)
def test_a_second_record_of_an_occurrence_is_extra(place: int) -> None:
    journal = steady()
    runs = oldest_first(journal)
    twin = changed(runs[place], started_at=None, fence=0)

    assert Wrong.EXTRA in names(with_runs(journal, *runs, twin))


@given(place=PLACES, shift_us=st.integers(1, EVERY_US - 1))
def test_a_run_at_another_time_is_extra_and_its_occurrence_missing(
    place: int, shift_us: int
) -> None:
    journal = steady()
    runs = oldest_first(journal)
    at = Instant(runs[place].scheduled_time + shift_us)
    shifted = f"job@{moment_from(at).replace(tzinfo=None).isoformat()}Z"
    runs[place] = changed(runs[place], id=shifted, scheduled_time=at)

    assert {Wrong.EXTRA, Wrong.MISSING} <= names(with_runs(journal, *runs))


@given(place=PLACES)
def test_a_due_time_that_is_not_the_jitters_is_extra(place: int) -> None:
    journal = steady(policies=Policies(jitter_us=3 * SECOND_US))
    runs = oldest_first(journal)
    runs[place] = changed(runs[place], due_time=Instant(runs[place].due_time + 1))

    assert Wrong.EXTRA in names(with_runs(journal, *runs))


@given(place=PLACES)
def test_runs_beside_one_another_overlap(place: int) -> None:
    journal = steady()
    runs = oldest_first(journal)
    began = runs[place + 1].started_at
    assert began is not None
    runs[place] = changed(runs[place], finished_at=Instant(began + 1))

    (found,) = judge(with_runs(journal, *runs)).violations

    assert (found.wrong, found.run_id) == (Wrong.OVERLAPPING, runs[place + 1].id)


@given(outcome=st.sampled_from(Outcome), by=st.sampled_from([-1, 1]))
def test_a_counter_that_was_changed_disagrees(outcome: Outcome, by: int) -> None:
    journal = replace(steady(), is_whole=True)
    (known,) = journal.jobs
    counts = dict(known.stats.counts)
    counts[outcome] = counts.get(outcome, 0) + by
    stats = replace(known.stats, counts=counts)

    assert names(replace(journal, jobs=(replace(known, stats=stats),))) == {
        Wrong.COUNTERS
    }


def test_a_counter_below_the_history_disagrees_although_it_may_be_pruned() -> None:
    journal = steady()
    (known,) = journal.jobs
    stats = replace(known.stats, counts={Outcome.SUCCEEDED: 3})

    assert names(replace(journal, jobs=(replace(known, stats=stats),))) == {
        Wrong.COUNTERS
    }


def test_retries_that_were_not_counted_disagree() -> None:
    retry = Retry(attempts=3, delay=timedelta(seconds=1))
    steps = [Step(2 * SECOND_US, SECOND_US // 2, fails=True)] * 30
    journal = made(steps, policies=Policies(retry=retry))
    (known,) = journal.jobs
    assert known.stats.retries
    stats = replace(known.stats, retries=0)

    assert names(replace(journal, jobs=(replace(known, stats=stats),))) == {
        Wrong.COUNTERS
    }


@given(place=PLACES)
def test_an_older_token_after_a_newer_one_is_a_stale_write(place: int) -> None:
    journal = steady()
    runs = oldest_first(journal)
    first, second = runs[place], runs[place + 1]
    runs[place] = changed(first, fence=second.fence)
    runs[place + 1] = changed(second, fence=first.fence)

    assert names(with_runs(journal, *runs)) == {Wrong.STALE_WRITE}


def test_one_token_given_twice_is_a_stale_write() -> None:
    journal = steady()
    runs = oldest_first(journal)
    runs[3] = changed(runs[3], fence=runs[4].fence)

    assert names(with_runs(journal, *runs)) == {Wrong.STALE_WRITE}


def test_two_that_began_and_ended_at_one_instant_did_so_in_the_order_of_their_tokens() -> (
    None
):
    journal = steady()
    runs = oldest_first(journal)
    at = runs[4].started_at
    both = [changed(each, started_at=at, finished_at=at) for each in runs[3:5]]

    assert names(with_runs(journal, *runs[:3], *reversed(both), *runs[5:])) == set()


def test_a_write_under_a_token_that_was_not_given_out_is_a_stale_write() -> None:
    claim = FencedWrite(job_id="job", run_id="run", fence=3, is_claim=True)
    journal = replace(steady(), writes=(claim, replace(claim, is_claim=False)))
    unknown = replace(claim, fence=4, is_claim=False)

    assert names(journal) == set()
    assert names(replace(journal, writes=(*journal.writes, unknown))) == {
        Wrong.STALE_WRITE
    }


def test_of_a_chain_whose_clock_was_set_back_as_a_run_was_going_no_end_is_told() -> (
    None
):
    chain = made([Step(EVERY_US)] * 20, schedule=Interval(seconds=10, after="finish"))
    runs = oldest_first(chain)
    before, after = runs[3], runs[4]
    assert after.started_at is not None
    late = Instant(after.started_at + SECOND_US)
    journal = with_runs(chain, *runs[:3], changed(before, finished_at=late), *runs[4:])

    assert names(chain) == set()
    assert names(replace(journal, is_clock_steady=False)) == set()
    assert names(journal) == {Wrong.OVERLAPPING}


def test_in_a_chain_a_run_does_not_follow_one_that_others_were_claimed_after() -> None:
    chain = made([Step(EVERY_US)] * 20, schedule=Interval(seconds=10, after="finish"))
    runs, (known,) = oldest_first(chain), chain.jobs
    # Edited where the third stood; set back to before that as the fifth had ended.
    (life,) = known.stretches
    edited = replace(known, stretches=(replace(life, after=runs[2].scheduled_time),))
    chain = replace(chain, jobs=(edited,), is_clock_steady=False)
    runs[5] = standing_for(runs[5], Instant(runs[2].scheduled_time - 1))
    runs[6] = standing_for(runs[6], Instant(runs[4].scheduled_time + 5 * SECOND_US))

    assert names(with_runs(chain, *runs)) == set()
    assert names(with_runs(chain, *runs[:5], *runs[6:])) == {Wrong.EXTRA}


def test_a_start_past_the_grace_that_forbids_it_is_late() -> None:
    policies = Policies(misfire=Misfire.SKIP, misfire_grace_us=2 * SECOND_US)
    journal = steady(policies=policies)
    runs = oldest_first(journal)
    began = Instant(runs[5].due_time + 3 * SECOND_US)
    runs[5] = changed(runs[5], started_at=began, finished_at=began)

    assert names(with_runs(journal, *runs)) == {Wrong.LATE}


def test_how_late_a_run_may_be_can_be_asked_for() -> None:
    journal = made([*[Step(EVERY_US)] * 5, Step(4 * EVERY_US), *[Step(EVERY_US)] * 5])
    outage = (NOON, Instant(NOON + 100 * EVERY_US))

    asked = replace(journal, late_after_us=SECOND_US)

    assert names(asked) == {Wrong.LATE}
    assert names(replace(asked, outages=(outage,))) == set()


def test_a_range_that_counts_wrongly_disagrees() -> None:
    journal = made([Step(30 * EVERY_US), Step(EVERY_US), Step(EVERY_US)])
    runs = oldest_first(journal)
    place = next(n for n, run in enumerate(runs) if run.count > 1)
    runs[place] = changed(runs[place], count=runs[place].count - 1)

    assert Wrong.COUNTERS in names(with_runs(journal, *runs))


def test_a_claim_that_ran_out_long_ago_is_incomplete() -> None:
    journal = steady()
    runs = oldest_first(journal)
    runs[-1] = changed(
        runs[-1],
        state=RunState.CLAIMED,
        instance="dead",
        lease_until=Instant(journal.now - 3_600 * SECOND_US),
        outcome=None,
        finished_at=None,
        started_at=None,
    )

    (found,) = judge(with_runs(journal, *runs)).violations

    assert (found.wrong, found.run_id) == (Wrong.INCOMPLETE, runs[-1].id)


def test_what_nobody_serves_is_owed_but_not_wrong() -> None:
    journal = steady()
    (known,) = journal.jobs
    later = Instant(journal.now + 3_600 * SECOND_US)
    unserved = replace(known, is_served=False)

    assert names(replace(journal, now=later)) == {Wrong.MISSING}
    assert names(replace(journal, now=later, jobs=(unserved,))) == set()


def test_a_job_that_stands_past_an_occurrence_misses_it() -> None:
    journal = steady()
    (known,) = journal.jobs
    assert known.job.next_time is not None
    ahead = changed(known.job, next_time=Instant(known.job.next_time + EVERY_US))

    assert names(replace(journal, jobs=(replace(known, job=ahead),))) == {Wrong.MISSING}


@given(kept=st.integers(1, 19))
def test_what_was_pruned_is_not_judged_and_said_so(kept: int) -> None:
    journal = steady()

    report = judge(with_runs(journal, *oldest_first(journal)[-kept:]))

    assert report.violations == ()
    assert "pruned" in report.unjudged[0].text


def test_what_was_before_an_edit_is_not_judged_and_said_so() -> None:
    journal = steady()
    (known,) = journal.jobs
    stretch = replace(known.stretches[0], after=Instant(NOON + 5 * EVERY_US))
    edited = replace(known, stretches=(stretch,))
    runs = oldest_first(journal)
    del runs[2]

    report = judge(with_runs(replace(journal, jobs=(edited,)), *runs))

    assert report.violations == ()
    assert any("edited" in each.text for each in report.unjudged)


def a_begin(fence: int, began: int, *acts: int) -> Begun:
    return Begun(
        job_id="job",
        run_id="run",
        fence=fence,
        instance=f"i{fence}",
        began_at=Instant(began),
        acts=[Instant(act) for act in acts],
    )


def watched(*begun: Begun) -> tuple[Violation, ...]:
    return judge(Journal(now=NOON, jobs=(), begun=begun)).violations


def test_a_handler_that_begins_twice_under_one_claim_is_extra() -> None:
    (found,) = watched(a_begin(1, 10), a_begin(1, 20))

    assert found.wrong is Wrong.EXTRA


def test_an_owner_that_acts_after_another_began_overlaps() -> None:
    (found,) = watched(a_begin(1, 10, 15, 25), a_begin(2, 20))

    assert (found.wrong, found.at) == (Wrong.OVERLAPPING, 25)


def test_an_owner_that_was_paused_may_do_what_it_was_about_to_do() -> None:
    paused = replace(a_begin(1, 10, 15, 25), thawed=frozenset({Instant(25)}))

    assert watched(paused, a_begin(2, 20)) == ()


@pytest.mark.parametrize(
    ("writes", "found"),
    [
        ([(1, True), (1, False)], set()),
        ([(1, True), (2, True), (2, False)], set()),
        ([(1, True), (2, True), (1, False)], {Wrong.STALE_WRITE}),
        ([(2, True), (1, True)], {Wrong.STALE_WRITE}),
    ],
)
def test_a_write_under_an_old_token_that_was_accepted_is_stale(
    writes: list[tuple[int, bool]], found: set[Wrong]
) -> None:
    recorded = tuple(
        FencedWrite(job_id="job", run_id="run", fence=fence, is_claim=is_claim)
        for fence, is_claim in writes
    )

    assert names(Journal(now=NOON, jobs=(), writes=recorded)) == found
