"""Triggers: a named entry point, fired by hand or by a schedule, heard by any number.

A fire is first a durable run of the trigger's job, and then, when that run is executed, a
run for each subscriber, all committed in one step. If the instance dies in between, the
run is taken up by another: the ids of the deliveries are made of the fire's, so none is
made twice. Fires of one trigger are handed on one after another, in their order.

A fire that finds no subscriber stays in the trigger's history. Who subscribes asks for a
run that hands on what was kept; as such a run is a fire's equal, nothing can slip between
the two, and what it has handed on lies behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import anyio

from nvent_sched._engine.jobverbs import put_definitions
from nvent_sched._engine.registry import Handler, handler_of
from nvent_sched._engine.runverbs import ask_for_runs, read_run
from nvent_sched._engine.signals import Signal
from nvent_sched._model.instants import Instant
from nvent_sched._model.queries import RunQuery
from nvent_sched._model.roles import Role, name_in
from nvent_sched._model.runs import Origin
from nvent_sched._rules.delivering import (
    Fire,
    disabled,
    handed_on_id,
    is_handing_on,
    kept_fires,
    kept_result,
    newest_kept,
)
from nvent_sched._rules.planning import Asked
from nvent_sched._rules.registration import IfExists, register
from nvent_sched.errors import UnknownJobError
from nvent_sched.patterns.deliveries import deliver, subscriptions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nvent_sched._engine.context import RunContext
    from nvent_sched._engine.core import Core
    from nvent_sched._model.jobs import Job, JobDefinition

FIRES: Final = "nvent.trigger"
"""What the run of a fire calls."""
KEPT_MAX: Final = 100
FIRES_BATCH: Final = 500


@dataclass(slots=True, eq=False)
class _Queue:
    """Fires of one trigger that wait to be stored, in the order of the calls."""

    asked: list[Asked] = field(default_factory=list)
    lock: anyio.Lock = field(default_factory=anyio.Lock)


class Triggers:
    """The companion that hands fires on, and what is declared while this runs.

    Attributes:
        name: Of its loop.
        signal: Wakes it.
    """

    def __init__(self, core: Core) -> None:
        self.name: str = "triggers"
        self.signal: Signal = Signal()
        self._core = core
        self._later: list[tuple[JobDefinition, bool]] = []
        self._subscribed: set[str] = set()
        self._queues: dict[str, _Queue] = {}
        self._last_at = Instant(0)
        self._putting = anyio.Lock()

    def handlers(self) -> Iterable[Handler]:
        """Name what the run of a fire calls."""
        yield handler_of(self.hand_on, name=FIRES, executor=None)

    def close(self) -> None:
        """Let go of nothing: a fire that is not stored is its caller's."""

    def declare_later(self, definition: JobDefinition, *, is_disabled: bool) -> None:
        """Store a trigger or a subscription that is declared while this runs."""
        self._later.append((definition, is_disabled))
        self.signal.set()

    def note_declared(self, definitions: Iterable[JobDefinition]) -> None:
        """Hand on what was kept for these subscriptions, which are stored."""
        self._subscribed.update(map(trigger_of, filter(is_subscription, definitions)))
        self.signal.set()

    async def one_pass(self) -> int | None:
        """Store what is declared, and hand on what was kept."""
        await self.put_declared()
        for trigger_id in tuple(self._subscribed):
            await self._offer_kept(trigger_id)
            self._subscribed.discard(trigger_id)
        return None

    async def put_declared(self) -> None:
        """Store what was declared while this runs, before anything needs it.

        Raises:
            StoreError: It could not be stored; the loop tries again.
        """
        async with self._putting:
            later = tuple(self._later)
            if not later:
                return
            definitions = [definition for definition, _ in later]
            await self.put_disabled(
                [each for each, is_disabled in later if is_disabled]
            )
            await put_definitions(self._core, definitions, if_exists=IfExists.UPDATE)
            del self._later[: len(later)]
            self.note_declared(definitions)

    async def put_disabled(self, definitions: Sequence[JobDefinition]) -> None:
        """Store triggers that begin paused, if they are new."""
        now = self._core.time.now()
        created = (
            register(each, existing=None, if_exists=IfExists.KEEP, now=now)
            for each in definitions
        )
        writes = [disabled(write.job) for write in created if write is not None]
        if writes:
            await self._core.adapter.put_jobs(writes, now=now)

    async def _offer_kept(self, trigger_id: str) -> None:
        """Ask for a run that hands on what was kept, if anything may have been."""
        query = RunQuery(job_id=trigger_id, limit=KEPT_MAX)
        history = (await self._core.adapter.read_runs(query)).items
        newest = newest_kept(history, trigger_id=trigger_id)
        if newest is None:
            return
        asked = Asked(
            run_id=handed_on_id(trigger_id, newest),
            origin=Origin.RECOVERY,
            scheduled_time=self._core.time.now(),
        )
        try:
            await ask_for_runs(self._core, trigger_id, [asked])
        except UnknownJobError:
            return  # it was removed, and what it kept with it

    def next_instant(self) -> Instant:
        """Say which instant the next fire stands for: each of ours a later one.

        So they keep their order, also where the clock stands still.
        """
        self._last_at = Instant(max(self._core.time.now(), self._last_at + 1))
        return self._last_at

    async def fire(
        self, asked: Asked, *, job_id: str, allow: Callable[[Job], None]
    ) -> None:
        """Store a fire; those that wait at the same time go in one step.

        Args:
            asked: Its run.
            job_id: Of the trigger.
            allow: Raises if the trigger must not be fired.

        Raises:
            UnknownJobError: There is no such trigger.
            StoreError: It could not be stored.
        """
        queue = self._queues.setdefault(job_id, _Queue())
        queue.asked.append(asked)
        try:
            async with queue.lock:
                if asked in queue.asked:
                    batch = queue.asked[:FIRES_BATCH]
                    await ask_for_runs(self._core, job_id, batch, allow=allow)
                    stored = {each.run_id for each in batch}
                    # Who gave up meanwhile has taken its own out already.
                    queue.asked = [e for e in queue.asked if e.run_id not in stored]
        finally:
            if asked in queue.asked:
                queue.asked.remove(asked)
            if not queue.asked and self._queues.get(job_id) is queue:
                del self._queues[job_id]

    async def hand_on(self, run: RunContext, payload: Any = None) -> dict[str, Any]:  # noqa: ANN401  the user's
        """Give each subscriber a run for a fire; the handler of every trigger."""
        del payload  # as it is stored, not as it is read
        core, trigger_id = self._core, run.job_id
        subscriptions = await subscriptions_of(core, name_in(trigger_id))
        if is_handing_on(run.id, trigger_id=trigger_id):
            query = RunQuery(job_id=trigger_id, limit=KEPT_MAX)
            history = (await core.adapter.read_runs(query)).items
            fires = kept_fires(history, trigger_id=trigger_id, but=run.id)
        else:
            stored = await read_run(core, run.id)
            fires = [
                Fire(run_id=run.id, at=stored.scheduled_time, payload=stored.payload)
            ]
        if not subscriptions:
            return kept_result()
        is_repeated = run.attempt > 1
        return await deliver(core, subscriptions, fires, is_repeated=is_repeated)


def is_subscription(definition: JobDefinition) -> bool:
    """Whether a job is a subscription."""
    return definition.id.startswith(Role.SUBSCRIPTION)


def trigger_of(definition: JobDefinition) -> str:
    """Say which job keeps the trigger of a subscription: its first tag names it."""
    return next(tag for tag in definition.tags if tag.startswith(Role.TRIGGER))
