"""The verbs about triggers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from nvent_sched._engine import jobverbs
from nvent_sched._engine.registry import handler_of, name_of
from nvent_sched._model.jobs import checked_name
from nvent_sched._model.policies import Retry, count_in_range
from nvent_sched._model.queries import PAGE_MAX, Page
from nvent_sched._model.roles import Role, id_of
from nvent_sched._rules.declaring import (
    JobOptions,
    definition_from,
    payload_from,
)
from nvent_sched._rules.delivering import NO_PAYLOAD
from nvent_sched._rules.demand import OnDemand
from nvent_sched._rules.viewing import run_view
from nvent_sched.errors import UsageError
from nvent_sched.patterns import firing
from nvent_sched.patterns.looking import read_triggers
from nvent_sched.patterns.triggers import FIRES
from nvent_sched.scheduler.declaring import refuse_bare, refuse_namesake
from nvent_sched.scheduler.verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from nvent_sched._engine.registry import Handler
    from nvent_sched._model.jobs import JobDefinition
    from nvent_sched._model.schedules import Schedule
    from nvent_sched._model.snapshots import RunSnapshot
    from nvent_sched._model.triggers import TriggerSnapshot

F = TypeVar("F", bound="Callable[..., Any]")
WAITING_MAX: Final = 1_000
QUEUED: Final[JobOptions] = {"overlap": "buffer_all", "max_buffered": WAITING_MAX}
DURABLE: Final[JobOptions] = {
    **QUEUED,
    "retry": Retry(attempts=20, delay_max=timedelta(minutes=1)),
}
"""A fire waits for the one before it, and is tried again: what it owes is kept."""
OF_SCHEDULES: Final = {
    *("catch_up_window", "max_catch_up", "misfire", "misfire_grace"),
    *("ends_at", "jitter", "max_runs", "spread", "starts_at"),
}


class TriggerVerbs(Verbs):
    """What is fired, and who hears it."""

    def trigger(
        self,
        name: str,
        schedule: Schedule | None = None,
        *,
        enabled: bool = True,
        **options: Unpack[JobOptions],
    ) -> None:
        """Declare a trigger: something that is fired, by hand or by a schedule.

        Declaring the same one again changes nothing. It is kept as job `trigger:<name>`,
        with statistics and history of its fires.

        Args:
            name: 1 to 192 characters.
            schedule: When it fires by itself; only by hand without one.
            enabled: Without it a new trigger begins paused.
            **options: Policies of its schedule, see `JobOptions`.

        Raises:
            UsageError: Something about it is not allowed.
        """
        definition = definition_from(
            FIRES,
            OnDemand() if schedule is None else schedule,
            id=id_of(Role.TRIGGER, name),
            name=name,
            payload=NO_PAYLOAD,
            options={**DURABLE, **options},
            is_declared=True,
        )
        if not enabled:
            self._disabled.add(definition.id)
        self._declare_pattern(definition)

    def on(
        self,
        name: str,
        *,
        id: str | None = None,  # noqa: A002  the API's word
        handler: str | None = None,
        executor: str | None = None,
        **options: Unpack[JobOptions],
    ) -> Callable[[F], F]:
        """Subscribe a function to a trigger (a decorator).

        Each fire gives it a run of its own, with its own retries, history and
        statistics, one after another in their order, also of fires while no instance
        had the function. What a fire carries is its first argument after the run's
        context, if it takes that; a function without parameters is called without.

        It is kept as job `on:<trigger>:<id>`; `unschedule` of that ends the subscription.

        Args:
            name: The trigger; it may be declared elsewhere, or later.
            id: The subscriber's; without one the function's name.
            handler: What the store calls the function; without one the job's id.
            executor: "loop", "thread" or "process".
            **options: Policies, see `JobOptions`; up to 1,000 runs wait for their turn
                unless they say otherwise.

        Raises:
            UsageError: Something about it is not allowed.
        """
        refuse_bare(name, decorator="on", write="on('a-trigger')")
        trigger_id = id_of(Role.TRIGGER, name)
        if refused := sorted(OF_SCHEDULES & options.keys()):
            msg = f"{refused}: a subscription has no schedule; its trigger may have one"
            raise UsageError(msg)

        def subscribe(function: F) -> F:
            own = _own_name_of(function) if id is None else id
            checked_name(own, what="a subscriber's id")
            job_id = id_of(Role.SUBSCRIPTION, f"{name}:{own}")
            entry = handler_of(function, name=handler or job_id, executor=executor)
            tags = (trigger_id, *options.get("tags", ()))
            definition = definition_from(
                entry.name,
                OnDemand(),
                id=job_id,
                name=own,
                payload=_payload_for(entry),
                options={**QUEUED, **options, "tags": tags},
                is_declared=True,
            )
            refuse_namesake(
                self._registry, entry, job_id=job_id, declared=self._declared
            )
            self._registry.add(entry)
            self._declare_pattern(definition)
            return function

        return subscribe

    def _declare_pattern(self, definition: JobDefinition) -> None:
        self._declared[definition.id] = definition
        if self._patterns is not None:
            is_disabled = definition.id in self._disabled
            self._patterns.triggers.declare_later(definition, is_disabled=is_disabled)

    async def fire(
        self, name: str, payload: object = None, *, idempotency_key: str | None = None
    ) -> RunSnapshot:
        """Fire a trigger: every subscriber gets a run, all in one step.

        Once this returns the fire is stored and will be delivered, whatever dies. While
        nobody has subscribed it is kept for who does so first: the newest 100 fires.

        Args:
            name: The trigger.
            payload: What subscribers are called with, as JSON of at most 32 KiB.
            idempotency_key: Firing twice with one key fires once, as long as history
                has the first.

        Returns:
            The run of the trigger that hands it on; `wait_for` gives its result, how
            many subscribers have it. Theirs are called `on:<trigger>:<id>!<its id>`.

        Raises:
            UnknownTriggerError: There is no such trigger.
            TriggerClosedError: It is paused or retired.
            UsageError: The key or the payload is not allowed.
            StoreError: It could not be stored.
        """
        core, triggers = self._core("fire"), self._patterned("fire").triggers
        return run_view(
            await firing.fire(
                core, triggers, name, payload=payload, key=idempotency_key
            )
        )

    async def pause_trigger(self, name: str, *, reason: str = "") -> bool:
        """Stop a trigger: its schedule is silent and it cannot be fired.

        What was fired before is still delivered.

        Args:
            name: The trigger.
            reason: Kept with it, shown, and told to who fires it.

        Returns:
            Whether that changed anything.

        Raises:
            UnknownTriggerError: There is no such trigger.
        """
        core, job_id = self._core("pause_trigger"), id_of(Role.TRIGGER, name)
        pausing = jobverbs.pause_job(core, job_id, reason=str(reason)[:500])
        return await firing.of_trigger(name, pausing)

    async def resume_trigger(self, name: str, *, catch_up: bool = False) -> bool:
        """Let a paused trigger fire again.

        Args:
            name: The trigger.
            catch_up: Treat what its schedule owed meanwhile as missed, by its misfire
                policy; otherwise nothing of it is owed.

        Returns:
            Whether that changed anything.

        Raises:
            UnknownTriggerError: There is no such trigger.
        """
        core, job_id = self._core("resume_trigger"), id_of(Role.TRIGGER, name)
        resuming = jobverbs.resume_job(core, job_id, is_catch_up=catch_up)
        return await firing.of_trigger(name, resuming)

    async def retire_trigger(self, name: str) -> bool:
        """Take a trigger out of service for good; its history and statistics stay.

        It stays retired although the code declares it. What was fired before is still
        delivered. `unschedule("trigger:<name>")` forgets it.

        Returns:
            Whether that changed anything.

        Raises:
            UnknownTriggerError: There is no such trigger.
        """
        return await firing.retire_trigger(self._core("retire_trigger"), name)

    async def triggers(
        self, *, after: str | None = None, limit: int = 100
    ) -> Page[TriggerSnapshot]:
        """Read triggers with their statistics in the order of their names, by pages.

        Args:
            after: The `next` of the page before.
            limit: 1 to 10,000.
        """
        count_in_range(limit, name="limit", most=PAGE_MAX)
        return await read_triggers(self._core("triggers"), after=after, limit=limit)


def _own_name_of(function: Callable[..., Any]) -> str:
    """Name a subscriber by its function, wherever that was made."""
    return name_of(function).rsplit(":", 1)[-1].rsplit("<locals>.", 1)[-1]


def _payload_for(entry: Handler) -> str:
    """Say whether a subscriber takes what a fire carries.

    Raises:
        UsageError: It needs more than that.
    """
    try:
        entry.check_arguments([None], {})
    except UsageError:
        entry.check_arguments([], {})
        return NO_PAYLOAD
    return payload_from([None], None)
