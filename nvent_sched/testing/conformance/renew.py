"""`renew`: a heartbeat that extends leases, stores progress and hears of cancels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvent_sched._model.claims import Renewal
from nvent_sched._model.runs import RunState
from nvent_sched.testing.conformance.builders import (
    LEASE_US,
    NOON,
    a_job,
    a_release,
    a_run,
    an_end,
    an_instance,
    at,
)
from nvent_sched.testing.conformance.steps import (
    claim,
    insert,
    put,
    read_run,
    settle,
    take_lost_ids,
)

if TYPE_CHECKING:
    from nvent_sched._model.claims import Renewed
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.runs import Run
    from nvent_sched._port import Adapter


async def claimed(adapter: Adapter, *names: str) -> tuple[Run, ...]:
    """Store a job with READY runs and claim them for instance "one"."""
    await put(adapter, a_job())
    await insert(adapter, *(a_run(name) for name in names))
    return await claim(adapter)


async def renew(
    adapter: Adapter, *renewals: Renewal, instance: str = "one", now: Instant = NOON
) -> Renewed:
    """Send a heartbeat."""
    return await adapter.renew(
        an_instance(instance), renewals, lease_us=LEASE_US, now=now
    )


class TestRenew:
    """Extend leases and store progress, with the right fence only."""

    async def test_the_lease_is_extended_from_now(self, adapter: Adapter) -> None:
        (run,) = await claimed(adapter, "run")

        renewed = await renew(
            adapter, Renewal(run_id="run", fence=run.fence), now=at(7, us=1)
        )

        assert renewed.now == at(7, us=1)
        assert not renewed.stale
        assert await read_run(adapter) == replace(run, lease_until=at(307, us=1))

    async def test_a_renewed_run_is_not_lost_when_the_old_lease_ends(
        self, adapter: Adapter
    ) -> None:
        (run,) = await claimed(adapter, "run")
        await renew(adapter, Renewal(run_id="run", fence=run.fence), now=at(200))

        assert await take_lost_ids(adapter, now=at(301)) == []
        assert await take_lost_ids(adapter, now=at(501)) == ["run"]

    async def test_an_old_fence_is_stale_and_changes_nothing(
        self, adapter: Adapter
    ) -> None:
        (old,) = await claimed(adapter, "run")
        await settle(adapter, a_release(old))
        (new,) = await claim(adapter, request_id="again")

        renewal = Renewal(run_id="run", fence=old.fence, progress=0.5)
        renewed = await renew(adapter, renewal, now=at(9))

        assert renewed.stale == {"run"}
        assert await read_run(adapter) == new

    async def test_what_is_settled_released_or_unknown_is_stale(
        self, adapter: Adapter
    ) -> None:
        ended, released, kept = await claimed(adapter, "a", "b", "c")
        await settle(adapter, an_end(ended))
        await settle(adapter, a_release(released))
        renewals = [
            Renewal(run_id=run.id, fence=run.fence) for run in (ended, released, kept)
        ]

        renewed = await renew(adapter, *renewals, Renewal(run_id="nobody", fence=1))

        assert renewed.stale == {"a", "b", "nobody"}
        assert (await read_run(adapter, "b")).state is RunState.READY

    async def test_progress_is_stored(self, adapter: Adapter) -> None:
        (run,) = await claimed(adapter, "run")

        renewal = Renewal(
            run_id="run",
            fence=run.fence,
            extend=False,
            progress=0.25,
            progress_note="a quarter",
            started_at=at(1, us=1),
        )
        await renew(adapter, renewal, now=at(9))

        assert await read_run(adapter) == replace(
            run, progress=0.25, progress_note="a quarter", started_at=at(1, us=1)
        )

    async def test_a_renewal_without_progress_leaves_what_was_said(
        self, adapter: Adapter
    ) -> None:
        (run,) = await claimed(adapter, "run")
        said = Renewal(
            run_id="run",
            fence=run.fence,
            progress=0.5,
            progress_note="half",
            started_at=NOON,
        )
        await renew(adapter, said)

        await renew(adapter, Renewal(run_id="run", fence=run.fence), now=at(1))

        assert await read_run(adapter) == replace(
            run,
            progress=0.5,
            progress_note="half",
            started_at=NOON,
            lease_until=at(301),
        )

    async def test_without_extend_the_lease_ends_when_it_did(
        self, adapter: Adapter
    ) -> None:
        (run,) = await claimed(adapter, "run")

        renewal = Renewal(run_id="run", fence=run.fence, extend=False)
        await renew(adapter, renewal, now=at(9))

        assert await read_run(adapter) == run


class TestCancelled:
    """A heartbeat is answered with every run of ours that somebody wants cancelled."""

    async def test_a_cancelled_run_is_told_though_it_was_not_in_the_request(
        self, adapter: Adapter
    ) -> None:
        await claimed(adapter, "a", "b")
        await adapter.cancel_runs(["a"], reason="enough", now=NOON)

        assert (await renew(adapter)).cancelled == {"a": "enough"}

    async def test_it_is_told_again_until_it_is_settled(self, adapter: Adapter) -> None:
        (run,) = await claimed(adapter, "run")
        await adapter.cancel_runs(["run"], reason="enough", now=NOON)
        renewal = Renewal(run_id="run", fence=run.fence)
        await renew(adapter, renewal)

        again = await renew(adapter, renewal)
        await settle(adapter, an_end(run))
        after = await renew(adapter)

        assert again.cancelled == {"run": "enough"}
        assert after.cancelled == {}

    async def test_runs_of_other_instances_are_not_told(self, adapter: Adapter) -> None:
        await claimed(adapter, "run")
        await adapter.cancel_runs(["run"], reason="enough", now=NOON)

        assert (await renew(adapter, instance="two")).cancelled == {}
