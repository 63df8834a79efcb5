"""One thread that owns a connection: what waits is done together, and nobody waits for ever."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio
import pytest
from anyio import create_task_group, wait_all_tasks_blocked
from anyio.from_thread import start_blocking_portal
from anyio.to_thread import run_sync as run_sync_in_thread

from nvent_sched.adapters._owner import GROUP_MAX, Owner, ThreadEnd
from nvent_sched.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from nvent_sched.adapters._owner import Call

R = TypeVar("R")
WAIT_S = 30.0


class Ledger:
    """A connection that remembers what was done with it, and can be held up."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.done: list[str] = []
        self.is_finished = False
        self.has_begun = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def execute(self, group: Sequence[Call[Ledger]]) -> Iterator[list[Call[Ledger]]]:
        self.groups.append(len(group))
        self.has_begun.set()
        self.gate.wait()
        for call in group:
            try:
                call.result = call.step(self)
            except Exception as error:  # noqa: BLE001  whose call it is hears of it
                call.error = error
            yield [call]

    def finish(self) -> None:
        self.is_finished = True

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """Let nothing be done meanwhile."""
        self.gate.clear()
        try:
            yield
        finally:
            self.gate.set()

    def note(self, name: str) -> str:
        self.done.append(name)
        return name


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
async def owner(ledger: Ledger) -> AsyncIterator[Owner[Ledger]]:
    started = Owner(name="owner", execute=ledger.execute, finish=ledger.finish)
    yield started
    await started.close()


async def note(owner: Owner[Ledger], name: str) -> str:
    return await owner.call(lambda ledger: ledger.note(name), is_write=True)


def refuse(ledger: Ledger) -> None:
    msg = f"not after {len(ledger.done)}"
    raise LookupError(msg)


async def test_a_call_is_answered_with_what_its_step_gave(
    owner: Owner[Ledger],
) -> None:
    assert await note(owner, "one") == "one"


async def test_everything_that_waits_is_done_in_one_group_in_order(
    owner: Owner[Ledger], ledger: Ledger
) -> None:
    names = [f"{number:02}" for number in range(20)]

    with ledger.held_up():
        async with create_task_group() as callers:
            callers.start_soon(note, owner, "first")
            await run_sync_in_thread(ledger.has_begun.wait)
            for name in names:
                callers.start_soon(note, owner, name)
                await wait_all_tasks_blocked()
            ledger.gate.set()

    assert ledger.groups == [1, len(names)]
    assert ledger.done == ["first", *names]


async def test_who_is_answered_goes_on_while_the_rest_of_the_group_is_executed(
    owner: Owner[Ledger], ledger: Ledger
) -> None:
    has_answer, waited = threading.Event(), list[bool]()

    async def ask() -> None:
        await note(owner, "first of two")
        has_answer.set()

    async def ask_next() -> None:
        step = partial(has_answer.wait, WAIT_S)
        waited.append(await owner.call(lambda _: step(), is_write=True))

    with ledger.held_up():
        async with create_task_group() as callers:
            callers.start_soon(note, owner, "alone")
            await run_sync_in_thread(ledger.has_begun.wait)
            for task in (ask, ask_next):
                callers.start_soon(task)
                await wait_all_tasks_blocked()
            ledger.gate.set()

    assert ledger.groups == [1, 2]
    assert waited == [True]


async def test_a_group_is_bounded(owner: Owner[Ledger], ledger: Ledger) -> None:
    with ledger.held_up():
        async with create_task_group() as callers:
            for number in range(GROUP_MAX + 2):
                callers.start_soon(note, owner, f"{number}")
            await wait_all_tasks_blocked()
            ledger.gate.set()

    assert len(ledger.done) == GROUP_MAX + 2
    assert max(ledger.groups) <= GROUP_MAX


async def test_an_error_is_raised_to_the_caller_whose_step_it_is(
    owner: Owner[Ledger], ledger: Ledger
) -> None:
    async def refused() -> None:
        with pytest.raises(LookupError, match="not after"):
            await owner.call(refuse, is_write=False)

    with ledger.held_up():
        async with create_task_group() as callers:
            callers.start_soon(note, owner, "before")
            callers.start_soon(refused)
            callers.start_soon(note, owner, "after")
            await wait_all_tasks_blocked()
            ledger.gate.set()

    assert sorted(ledger.done) == ["after", "before"]


async def test_what_a_cancelled_caller_asked_for_is_done_all_the_same(
    owner: Owner[Ledger], ledger: Ledger
) -> None:
    with ledger.held_up():
        async with create_task_group() as callers:
            callers.start_soon(note, owner, "unwanted")
            await wait_all_tasks_blocked()
            callers.cancel_scope.cancel()

    assert await note(owner, "next") == "next"
    assert ledger.done == ["unwanted", "next"]


def test_callers_in_several_loops_are_answered(anyio_backend_name: str) -> None:
    ledger = Ledger()
    with (
        start_blocking_portal(anyio_backend_name) as one,
        start_blocking_portal("asyncio") as two,
        start_blocking_portal("trio") as three,
    ):
        owner = Owner(name="owner", execute=ledger.execute, finish=ledger.finish)
        with ledger.held_up():
            tasks = [
                portal.start_task_soon(note, owner, f"{portal_no} {number}")
                for number in range(3)
                for portal_no, portal in enumerate((one, two, three))
            ]
            one.call(wait_all_tasks_blocked)
        answers = {task.result() for task in tasks}
        one.call(owner.close)

    assert answers == set(ledger.done)
    assert len(answers) == len(tasks)


def test_a_loop_that_ended_meanwhile_harms_nobody(anyio_backend_name: str) -> None:
    ledger = Ledger()
    owner = Owner(name="owner", execute=ledger.execute, finish=ledger.finish)

    async def give_up() -> None:
        async with create_task_group() as callers:
            callers.start_soon(note, owner, "unheard")
            await wait_all_tasks_blocked()
            callers.cancel_scope.cancel()

    async def carry_on() -> str:
        answer = await note(owner, "heard")
        await owner.close()
        return answer

    with ledger.held_up():
        anyio.run(give_up, backend=anyio_backend_name)

    assert anyio.run(carry_on, backend=anyio_backend_name) == "heard"
    assert ledger.done == ["unheard", "heard"]


async def test_closing_does_first_what_was_asked_for(
    owner: Owner[Ledger], ledger: Ledger
) -> None:
    with ledger.held_up():
        async with create_task_group() as callers:
            callers.start_soon(note, owner, "one")
            await wait_all_tasks_blocked()
            callers.start_soon(note, owner, "two")
            await wait_all_tasks_blocked()
            callers.start_soon(owner.close)
            await wait_all_tasks_blocked()
            ledger.gate.set()

    assert ledger.done == ["one", "two"]
    assert ledger.is_finished


async def test_once_it_is_closed_a_call_is_refused(owner: Owner[Ledger]) -> None:
    await owner.close()

    with pytest.raises(StoreUnavailableError, match="closed"):
        await note(owner, "late")


async def test_closing_twice_does_nothing_more(
    owner: Owner[Ledger], ledger: Ledger
) -> None:
    await owner.close()
    await owner.close()

    assert ledger.is_finished


async def test_the_thread_ends_with_it(owner: Owner[Ledger]) -> None:
    def the_thread(_: Ledger) -> threading.Thread:
        return threading.current_thread()

    thread = await owner.call(the_thread, is_write=False)
    assert thread.daemon, "a forgotten store does not keep a program from ending"

    await owner.close()

    assert not thread.is_alive()


async def test_a_thread_that_has_told_its_end_is_gone_for_who_waited() -> None:
    end = ThreadEnd()

    def tell_and_linger() -> None:
        end.tell()
        threading.Event().wait(0.05)

    thread = threading.Thread(target=tell_and_linger)
    thread.start()

    await end.wait()
    assert not thread.is_alive()
    await end.wait()


async def test_it_closes_even_if_who_closes_it_is_cancelled(
    owner: Owner[Ledger], ledger: Ledger
) -> None:
    async with create_task_group() as closing:
        closing.cancel_scope.cancel()
        closing.start_soon(owner.close)

    await owner.close()
    assert ledger.is_finished


async def test_who_can_hang_up_is_not_waited_for_by_who_is_cancelled(
    ledger: Ledger,
) -> None:
    hung_up = threading.Event()
    owner = Owner(
        name="owner",
        execute=ledger.execute,
        finish=ledger.finish,
        hang_up=hung_up.set,
    )
    with ledger.held_up():
        async with create_task_group() as callers:
            callers.start_soon(note, owner, "unanswered")
            await run_sync_in_thread(ledger.has_begun.wait)
            callers.cancel_scope.cancel()
        async with create_task_group() as closing:
            closing.start_soon(owner.close)
            await wait_all_tasks_blocked()
            assert not hung_up.is_set()
            closing.cancel_scope.cancel()
        assert not ledger.is_finished

    assert hung_up.is_set()
    await owner.close()
    assert ledger.is_finished
