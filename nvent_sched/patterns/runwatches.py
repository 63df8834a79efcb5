"""Runs of jobs with `stall_after`, watched by the same mechanism as any work.

The instance that runs them remembers their signs. Nothing is stored of a run that ends
within a quarter of its time-out: only from then on another instance could need it.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Protocol

from nvent_sched._model.jobs import ID_LENGTH_MAX
from nvent_sched._model.roles import Role
from nvent_sched._rules.watching import watch_definition
from nvent_sched.patterns.watches import Watch, interval_us_of

if TYPE_CHECKING:
    from nvent_sched._engine.claims import Claim

QUIET: Final = "nvent.stalled"
"""What an alarm calls that nobody asked for."""


def watch_id_of(run_id: str) -> str:
    """Name the watchdog of a run; by a hash if its own name is too long."""
    job_id = f"{Role.WATCHDOG}run:{run_id}"
    if len(job_id) <= ID_LENGTH_MAX:
        return job_id
    digest = blake2b(run_id.encode(), digest_size=16).hexdigest()
    return f"{Role.WATCHDOG}run:#{digest}"


class Signs(Protocol):
    """Where signs of life go."""

    def take_sign(self, watch: Watch) -> None:
        """Remember a sign of what is watched."""
        ...

    def end_watch(self, watch: Watch) -> None:
        """End what was watched."""
        ...


class RunWatches:
    """The runs that are watched in one instance."""

    def __init__(self, signs: Signs) -> None:
        self._signs = signs
        self._watches: dict[str, Watch] = {}

    def begin(self, claim: Claim, *, now_us: int) -> None:
        """Watch a run, if its job says how long it may be silent."""
        timeout_us = claim.policies.stall_after_us
        if timeout_us is None:
            return
        run = claim.run
        definition = watch_definition(
            watch_id_of(run.id),
            handler=QUIET,
            timeout_us=timeout_us,
            facts={
                "key": run.id[:ID_LENGTH_MAX],
                "owner": run.instance,
                "job_id": run.job_id,
                "run_id": run.id,
            },
        )
        watch = Watch(
            definition.id,
            definition=definition,
            wrote_at_us=now_us,
            ripe_us=now_us + interval_us_of(timeout_us),
            run_id=run.id,
            timeout_us=timeout_us,
            is_sent=run.attempt > 1,
        )
        self._watches[run.id] = watch
        self._signs.take_sign(watch)

    def take_sign(self, run_id: str) -> None:
        """Take a sign of life of a run; from any thread."""
        if (watch := self._watches.get(run_id)) is not None:
            self._signs.take_sign(watch)

    def end(self, claim: Claim) -> None:
        """End the watch over a run."""
        watch = self._watches.pop(claim.run.id, None)
        if watch is not None:
            self._signs.end_watch(watch)
