"""Locks that this instance has or wants: one loop asks, renews and gives back for all.

How long a hold may be believed is not this loop's business: that is a deadline of the
engine, on the monotonic clock, so that a store that does not answer cannot stretch it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import anyio

from nvent_sched._engine.signals import Signal, into_this_loop
from nvent_sched._engine.storetime import JUMP_US
from nvent_sched._logs import logger_of
from nvent_sched._model.claims import Stale
from nvent_sched._model.instants import MILLISECOND_US, SECOND_US
from nvent_sched._model.locks import LockAsk, LockBusy, LockGranted
from nvent_sched._rules.locking import (
    PLACE_US,
    ask_after_us,
    retry_after_us,
)
from nvent_sched.errors import LockTimeoutError, NotRunningError, StoreError
from nvent_sched.patterns.holds import TOO_LATE, Hold, Wish
from nvent_sched.patterns.setclock import SetClock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvent_sched._engine.core import Core
    from nvent_sched._engine.registry import Handler
    from nvent_sched._model.locks import LockAnswer, LockRecord

log: Final = logger_of(__name__)
BATCH: Final = 500
RELEASE_US: Final = 2 * SECOND_US
"""How long who leaves waits for the store to take the lock back; then the loop does it."""
HINT_GAP_US: Final = 20 * MILLISECOND_US


class Locks:
    """All locks of one instance; a companion of its engine."""

    name = "locks"

    def __init__(self, core: Core) -> None:
        self.signal: Signal = Signal()
        self._core = core
        self._holds: dict[str, Hold] = {}
        self._wishes: dict[str, Wish] = {}
        self._unwanted: dict[str, tuple[LockAsk, int]] = {}
        self._asked_us = 0
        self._set_clock = SetClock(core)
        self._is_listening = self._is_closed = self._is_hinted = False

    def handlers(self) -> Iterable[Handler]:
        """Name none."""
        return ()

    async def acquire(self, name: str, *, ttl_us: int, wait_us: int | None) -> Hold:
        """Get a lock.

        Args:
            name: Of the lock.
            ttl_us: For how long it is ours unless it is renewed.
            wait_us: How long to wait for it; None for ever.

        Raises:
            LockTimeoutError: Somebody else had it all the time.
            NotRunningError: The scheduler stopped.
            StoreError: The store could not be asked.
        """
        ask = LockAsk(
            name=name,
            ticket=uuid4().hex,
            holder=self._core.instance_id,
            ttl_us=ttl_us,
            place_us=0 if wait_us == 0 else PLACE_US,
        )
        until_us = None
        if wait_us is not None:
            until_us = self._core.clock.monotonic_us() + wait_us
        try:
            return await self._acquire(ask, until_us=until_us)
        except BaseException:
            # The answer may be on its way: give back whatever we have by now.
            self._give_back(ask)
            raise

    async def _acquire(self, ask: LockAsk, *, until_us: int | None) -> Hold:
        core = self._core
        if self._set_clock.look():
            self.signal.set()  # what is had is renewed
            await core.clock.wait(Signal(), until_us=self._set_clock.ask_from_us)
            self._refuse_when_closed()
        wish = Wish(ask, ask_at_us=core.clock.monotonic_us())
        await self._ask([wish])
        if wish.hold is None and ask.place_us:
            self._listen()
            self._wishes[ask.ticket] = wish
            self.signal.set()
        try:
            while wish.hold is None:
                self._refuse_when_closed()
                now_us = core.clock.monotonic_us()
                if not ask.place_us or (until_us is not None and now_us >= until_us):
                    holder = "" if wish.busy is None else wish.busy.holder
                    raise LockTimeoutError(name=ask.name, holder=holder)
                await core.clock.wait(wish.signal, until_us=until_us)
        finally:
            self._wishes.pop(ask.ticket, None)
        return wish.hold

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            verb = "lock"
            raise NotRunningError(verb)

    def _listen(self) -> None:
        if not self._is_listening:
            self._is_listening = True
            self._core.adapter.on_hint(partial(into_this_loop(), self._note_hint))

    def _note_hint(self) -> None:
        if self._wishes:
            self._is_hinted = True
            self.signal.set()

    async def _ask(self, wishes: list[Wish]) -> None:
        """Ask for locks; those that are given become holds."""
        core = self._core
        asked_at_us = core.clock.monotonic_us()
        for wish in wishes:
            wish.is_hurried = False
        answers = await core.adapter.acquire_locks(
            [wish.ask for wish in wishes], now=core.time.now()
        )
        core.time.observe(answers.now, asked_at_us=asked_at_us)
        for wish, answer in zip(wishes, answers.answers, strict=True):
            self._note_answer(wish, answer, asked_at_us=asked_at_us)

    def _note_answer(self, wish: Wish, answer: LockAnswer, *, asked_at_us: int) -> None:
        core, ask = self._core, wish.ask
        now_us = core.clock.monotonic_us()
        if isinstance(answer, LockBusy):
            wish.busy = answer
            until_us = core.time.monotonic_of(answer.until)
            later_us = ask_after_us(answer, now_us=now_us, until_us=until_us)
            wish.ask_at_us = now_us if wish.is_hurried else later_us
            return
        assert isinstance(answer, LockGranted)
        wish.ask_at_us = now_us  # an answer that took too long is asked for again
        hold = Hold(core, ask, fence=answer.fence, asked_at_us=asked_at_us)
        if now_us < hold.until_us and not self._is_closed:
            hold.trust = core.deadlines.add(
                at_us=hold.until_us,
                act=partial(self._lose, hold, TOO_LATE),
            )
            self._holds[ask.ticket] = wish.hold = hold
            self.signal.set()
            wish.signal.set()

    def _lose(self, hold: Hold, reason: str) -> None:
        if self._forget(hold.ask.ticket) is hold:
            log.warning("lock was lost", extra={"lock": hold.ask.name})
            hold.lost = reason
            if hold.on_lost is not None:
                hold.on_lost()

    def _forget(self, ticket: str) -> Hold | None:
        hold = self._holds.pop(ticket, None)
        if hold is not None and hold.trust is not None:
            hold.trust.call_off()
        return hold

    def _give_back(self, ask: LockAsk) -> None:
        self._forget(ask.ticket)
        until_us = self._core.clock.monotonic_us() + max(ask.ttl_us, ask.place_us)
        self._unwanted[ask.ticket] = (ask, until_us)
        self.signal.set()

    async def release(self, hold: Hold) -> None:
        """Give a lock back, also while being cancelled; at the latest it ends itself."""
        core = self._core
        self._give_back(hold.ask)
        with anyio.CancelScope(shield=True) as scope:
            until_us = core.clock.monotonic_us() + RELEASE_US
            bound = core.deadlines.add(at_us=until_us, act=scope.cancel)
            try:
                await self._release([hold.ask])
            except StoreError as error:
                log.warning("lock is given back later", extra={"error": str(error)})
            finally:
                bound.call_off()

    async def _release(self, asks: list[LockAsk]) -> None:
        await self._core.adapter.release_locks(asks, now=self._core.time.now())
        for ask in asks:
            self._unwanted.pop(ask.ticket, None)
        self._hurry({ask.name for ask in asks})

    def _hurry(self, names: set[str]) -> None:
        """Ask at once for what we have just given back: others here may want it."""
        now_us = self._core.clock.monotonic_us()
        for wish in self._wishes.values():
            if wish.ask.name in names:
                wish.ask_at_us, wish.is_hurried = now_us, True
                self.signal.set()

    async def flush(self) -> None:
        """Give back what nobody wants.

        Raises:
            StoreError: The store did not take it.
        """
        now_us = self._core.clock.monotonic_us()
        for ticket, (_, until_us) in tuple(self._unwanted.items()):
            if until_us <= now_us:
                del self._unwanted[ticket]
        while asks := [ask for ask, _ in self._unwanted.values()][:BATCH]:
            await self._release(asks)

    async def one_pass(self) -> int | None:
        """Renew, give back and ask; say when the next is due."""
        try:
            await self._renew()
            await self.flush()
            await self._ask_again()
        except StoreError as error:
            log.warning("store trouble, will try again", extra={"error": str(error)})
            lengths_us = [hold.ask.ttl_us for hold in self._holds.values()]
            lengths_us += [PLACE_US] * bool(self._wishes)
            if not lengths_us:
                raise
            return self._core.clock.monotonic_us() + retry_after_us(min(lengths_us))
        return self._next_us()

    async def _renew(self) -> None:
        core, asked_at_us = self._core, self._core.clock.monotonic_us()
        # A clock that was set may have ended holds: renewed at once, they are ours yet.
        is_set = self._set_clock.take()
        old = [
            hold
            for hold in self._holds.values()
            if is_set or hold.renew_at_us <= asked_at_us
        ]
        for start in range(0, len(old), BATCH):
            batch = old[start : start + BATCH]
            verdicts = await core.adapter.renew_locks(
                [hold.ask for hold in batch], now=core.time.now()
            )
            for hold, verdict in zip(batch, verdicts, strict=True):
                if isinstance(verdict, Stale):
                    self._lose(hold, "somebody else has it now")
                elif hold.lost is None and hold.trust is not None:
                    hold.asked_at_us = asked_at_us
                    hold.trust.at_us = hold.until_us

    async def _ask_again(self) -> None:
        if self._set_clock.look():
            return
        now_us = self._core.clock.monotonic_us()
        is_told = self._is_hinted and now_us >= self._asked_us + HINT_GAP_US
        due = [
            wish
            for wish in self._wishes.values()
            if wish.hold is None and (is_told or wish.ask_at_us <= now_us)
        ]
        if is_told:
            self._is_hinted = False
        for start in range(0, len(due), BATCH):
            self._asked_us = now_us
            await self._ask(due[start : start + BATCH])

    def _next_us(self) -> int | None:
        now_us = self._core.clock.monotonic_us()
        times_us = [hold.renew_at_us for hold in self._holds.values()]
        if times_us and self._core.clock.moves_by_itself:
            times_us.append(now_us + JUMP_US)
        asks_us = [w.ask_at_us for w in self._wishes.values() if w.hold is None]
        if self._is_hinted and self._wishes:
            asks_us.append(self._asked_us + HINT_GAP_US)
        times_us += [max(each, self._set_clock.ask_from_us) for each in asks_us]
        return min(times_us, default=None)

    async def held(self, *, limit: int) -> tuple[LockRecord, ...]:
        """List the locks that somebody has, on all instances."""
        core = self._core
        return await core.adapter.read_locks(now=core.time.now(), limit=limit)

    def close(self) -> None:
        """Lose what is held and wait for nothing: nobody renews any more. Idempotent."""
        self._is_closed = True
        for hold in tuple(self._holds.values()):
            self._lose(hold, "the scheduler stopped")
        for wish in self._wishes.values():
            wish.signal.set()
