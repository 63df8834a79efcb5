"""Another server takes over: what it has not heard of, and how long nothing is given out.

What was written in between may be done twice, or be owed anew, and no more than that. The
life of a job begins anew where the server that took over knew it to stand, and all that
is due from there on is owed. A run whose end it knew does not begin again, a wait that it
knew keeps its time, and nobody acts, or writes, under a claim or a hold that it does not
know once another one was given. The last holds as nothing is given out for as long as an
instance without a way to the store believes in its claims: here both are six seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.claims import Claims, DueBatch
from nvent_sched._model.instants import SECOND_US
from nvent_sched._model.locks import LockAnswers, LockBusy
from nvent_sched._model.runs import RunState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvent_sched._model.instants import Instant
    from nvent_sched.adapters.memory.tables import Tables

QUIET_US: Final = 6 * SECOND_US
"""How long nothing is claimed after a failover, as with the adapter for Redis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failover:
    """A failover: what it may not have changed, and what it has lost.

    Attributes:
        since: When the server that took over heard for the last time.
        at: When it was.
        ended: The runs whose end was known to the server that took over.
        jobs_lost: The jobs, and the waits, that it had not heard of.
    """

    since: Instant
    at: Instant
    ended: frozenset[str]
    jobs_lost: frozenset[str]


def failed_over(
    tables: Tables, *, since: Instant, at: Instant, jobs_before: set[str]
) -> Failover:
    """Say what a failover has lost.

    Args:
        tables: What the server that took over holds.
        since: When it heard for the last time.
        at: When it was.
        jobs_before: The jobs that the other one held.
    """
    ended = (
        run_id
        for run_id, record in tables.runs.items()
        if record.bare.state is RunState.FINISHED
    )
    return Failover(
        since=since,
        at=at,
        ended=frozenset(ended),
        jobs_lost=frozenset(jobs_before - tables.jobs.keys()),
    )


def quiet_answer(
    verb: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    tables: Tables,
    ends: Instant,
) -> Any:
    """Answer a verb that gives nothing out for a while; None for all others."""
    match verb:
        case "take_due":
            return DueBatch(
                now=kwargs["now"],
                jobs=(),
                next_look_at=ends,
                next_ready_at=None,
                quarantined={},
            )
        case "begin":
            return Claims(now=kwargs["now"], runs=(), next_ready_at=ends)
        case "acquire_locks":
            holds = tables.locks.holds
            if any(
                ask.name in holds and holds[ask.name].ask.ticket == ask.ticket
                for ask in args[0]
            ):
                return None  # who has it may ask again
            busy = LockBusy(holder="", since=None, until=ends, ahead=0)
            return LockAnswers(now=kwargs["now"], answers=(busy,) * len(args[0]))
        case _:
            return None
