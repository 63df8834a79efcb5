"""The verbs about triggers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from nvent_sched.blocking.verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from nvent_sched._model.queries import Page
    from nvent_sched._model.schedules import Schedule
    from nvent_sched._model.snapshots import RunSnapshot
    from nvent_sched._model.triggers import TriggerSnapshot
    from nvent_sched._rules.declaring import JobOptions

F = TypeVar("F", bound="Callable[..., Any]")


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
        self._where_the_loop_is(
            partial(self._scheduler.trigger, name, schedule, enabled=enabled, **options)
        )

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
        return self._in_loop(
            self._scheduler.on(
                name, id=id, handler=handler, executor=executor, **options
            )
        )

    def fire(
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
        return self._call(
            self._scheduler.fire, name, payload, idempotency_key=idempotency_key
        )

    def pause_trigger(self, name: str, *, reason: str = "") -> bool:
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
        return self._call(self._scheduler.pause_trigger, name, reason=reason)

    def resume_trigger(self, name: str, *, catch_up: bool = False) -> bool:
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
        return self._call(self._scheduler.resume_trigger, name, catch_up=catch_up)

    def retire_trigger(self, name: str) -> bool:
        """Take a trigger out of service for good; its history and statistics stay.

        It stays retired although the code declares it. What was fired before is still
        delivered. `unschedule("trigger:<name>")` forgets it.

        Returns:
            Whether that changed anything.

        Raises:
            UnknownTriggerError: There is no such trigger.
        """
        return self._call(self._scheduler.retire_trigger, name)

    def triggers(
        self, *, after: str | None = None, limit: int = 100
    ) -> Page[TriggerSnapshot]:
        """Read triggers with their statistics in the order of their names, by pages.

        Args:
            after: The `next` of the page before.
            limit: 1 to 10,000.
        """
        return self._call(self._scheduler.triggers, after=after, limit=limit)
