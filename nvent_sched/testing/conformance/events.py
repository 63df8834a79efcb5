"""`publish`, `read_events`, `on_hint`: what instances tell one another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvent_sched.testing.conformance.builders import NOON, an_event

if TYPE_CHECKING:
    from nvent_sched._model.events import Event
    from nvent_sched._port import Adapter

MANY = 20_000


async def last_seq(adapter: Adapter) -> int:
    """Say the number of the last event; 0 for none."""
    events = await adapter.read_events(after=None, limit=1)
    return events[-1].seq if events else 0


def details(events: tuple[Event, ...]) -> list[str]:
    """Say what events are about."""
    return [event.detail for event in events]


class TestEvents:
    """Events are numbered, growing, in a ring of bounded length."""

    async def test_without_events_there_is_none_to_start_from(
        self, adapter: Adapter
    ) -> None:
        assert await adapter.read_events(after=None, limit=9) == ()
        assert await adapter.read_events(after=0, limit=9) == ()

    async def test_to_start_from_there_is_the_last_one_only(
        self, adapter: Adapter
    ) -> None:
        await adapter.publish([an_event("a"), an_event("b")])

        assert details(await adapter.read_events(after=None, limit=9)) == ["b"]

    async def test_events_come_after_a_number_the_oldest_first(
        self, adapter: Adapter
    ) -> None:
        await adapter.publish([an_event("a")])
        start = await last_seq(adapter)
        await adapter.publish([an_event("b"), an_event("c")])
        await adapter.publish([an_event("d")])

        events = await adapter.read_events(after=start, limit=9)

        assert details(events) == ["b", "c", "d"]
        assert start < events[0].seq < events[1].seq < events[2].seq
        assert await adapter.read_events(after=events[-1].seq, limit=9) == ()

    async def test_an_event_is_read_back_as_it_was_told(self, adapter: Adapter) -> None:
        full = an_event("é\n", run_id="run")
        bare = replace(full, job_id=None, run_id=None, detail="")
        await adapter.publish([full, bare])

        events = await adapter.read_events(after=0, limit=9)

        assert [replace(event, seq=0) for event in events] == [full, bare]

    async def test_no_more_are_read_than_asked_for_and_none_is_left_out(
        self, adapter: Adapter
    ) -> None:
        await adapter.publish([an_event(name) for name in "abc"])

        first = await adapter.read_events(after=0, limit=2)
        second = await adapter.read_events(after=first[-1].seq, limit=2)

        assert details(first) + details(second) == ["a", "b", "c"]

    async def test_the_ring_is_bounded_and_keeps_the_newest(
        self, adapter: Adapter
    ) -> None:
        step = 1_000
        for start in range(0, MANY, step):
            await adapter.publish([an_event(f"{start + n}") for n in range(step)])

        kept = await adapter.read_events(after=0, limit=MANY)

        assert step <= len(kept) < MANY
        assert details(kept) == [f"{n}" for n in range(MANY - len(kept), MANY)]


class TestHints:
    """A hint is given when something may have changed elsewhere."""

    async def test_a_verb_that_changes_nothing_gives_no_hint(
        self, adapter: Adapter
    ) -> None:
        given: list[str] = []
        adapter.on_hint(lambda: given.append("hint"))

        await adapter.take_due(now=NOON, handlers=["work"], limit=9)
        await adapter.summary(now=NOON, is_deep=False)
        await adapter.cancel_runs(["nobody"], reason="enough", now=NOON)

        assert given == []
