"""Which of the occurrences that are due are still run. Pure.

An occurrence is a misfire when it is past its grace and was not started: because every
instance was down, suspended or busy, or the job was paused and resumed with catch-up.
One rule serves all of these. What is not run is never dropped in silence: it becomes a
record with its reason, one for a whole range.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, assert_never

from nvent_sched._model.policies import Misfire
from nvent_sched._model.spans import us_words
from nvent_sched._model.values import quick
from nvent_sched._rules.recurrence import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvent_sched._model.instants import Instant
    from nvent_sched._model.policies import Policies


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One occurrence that is due.

    Attributes:
        is_made_up: It is run although it was missed, and its like are as well, so
            they queue up behind one another instead of being skipped.
    """

    scheduled_time: Instant
    due_time: Instant
    is_made_up: bool = False


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What becomes of the occurrences that are due.

    Attributes:
        chosen: To be run, in order.
        missed: Not to be run, in order, each range with its reason.
    """

    chosen: tuple[Due, ...]
    missed: tuple[tuple[Span, str], ...] = ()


def choose_due(
    due: Sequence[Due], *, policies: Policies, now: Instant, omitted: Span | None = None
) -> Choice:
    """Choose what to run.

    Args:
        due: Occurrences, oldest first; those of the near future count as on time.
        policies: For the misfire policy, the grace and the bounds of catching up.
        now: The store's time.
        omitted: Late occurrences that are too many to list and not worth a choice.

    Returns:
        Every occurrence of *due* and *omitted* either chosen or missed, never both.
    """
    oldest_on_time = now - policies.misfire_grace_us
    late = [each for each in due if each.due_time < oldest_on_time]
    if not late and omitted is None:
        return Choice(chosen=tuple(due))
    fresh = tuple(due[len(late) :])
    kept, reason = _kept(late, policies=policies, now=now, has_fresh=bool(fresh))
    spans = _ranges(late, kept=frozenset(each.scheduled_time for each in kept))
    if omitted is not None:
        spans = sorted([*spans, omitted], key=lambda span: span.first)
    return Choice(
        chosen=(*kept, *fresh), missed=tuple((span, reason) for span in spans)
    )


def _kept(
    late: Sequence[Due], *, policies: Policies, now: Instant, has_fresh: bool
) -> tuple[tuple[Due, ...], str]:
    match policies.misfire:
        case Misfire.LATEST:
            reason = "missed; the latest one runs for all of them"
            return (() if has_fresh else tuple(late[-1:])), reason
        case Misfire.SKIP:
            return (), f"missed; more than {us_words(policies.misfire_grace_us)} late"
        case Misfire.EARLIEST:
            return tuple(late[:1]), "missed; the earliest one runs for all of them"
        case Misfire.ALL:
            oldest = now - policies.catch_up_window_us
            within = [each for each in late if each.due_time >= oldest]
            made_up = tuple(
                Due(
                    scheduled_time=each.scheduled_time,
                    due_time=each.due_time,
                    is_made_up=True,
                )
                for each in within[-policies.catch_up_max :]
            )
            return made_up, "missed; older than catching up reaches"
        case _:
            assert_never(policies.misfire)


def _ranges(late: Sequence[Due], *, kept: frozenset[Instant]) -> list[Span]:
    """Fold neighbours that are not kept into one range each."""
    spans: list[Span] = []
    for is_kept, group in groupby(late, key=lambda each: each.scheduled_time in kept):
        if not is_kept:
            times = [each.scheduled_time for each in group]
            spans.append(Span(first=times[0], last=times[-1], count=len(times)))
    return spans
