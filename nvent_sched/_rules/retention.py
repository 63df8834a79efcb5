"""How long records are kept. Counters outlive them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nvent_sched._model.instants import SECOND_US, Instant
from nvent_sched._model.runs import Outcome
from nvent_sched._model.spans import us_words
from nvent_sched.errors import UsageError

DAY_US: Final = 86_400 * SECOND_US
FINE: Final = frozenset({Outcome.SUCCEEDED, Outcome.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long records are kept.

    Attributes:
        runs_max: How many finished runs of a job. At least 1.
        success_us: For how long what went well is kept, in microseconds.
        failure_us: For how long all else is kept: what went wrong is asked for later.
    """

    runs_max: int = 100
    success_us: int = 7 * DAY_US
    failure_us: int = 30 * DAY_US

    def __post_init__(self) -> None:
        if self.runs_max < 1 or min(self.success_us, self.failure_us) < 0:
            msg = (
                f"history needs at least one run a job and no negative age, not "
                f"{self.runs_max} runs, {us_words(self.success_us)}, "
                f"{us_words(self.failure_us)}"
            )
            raise UsageError(msg)

    def keep_until(self, outcome: Outcome, *, ended_at: Instant) -> Instant:
        """Say when a record may go."""
        kept_us = self.success_us if outcome in FINE else self.failure_us
        return Instant(ended_at + kept_us)


RETENTION: Final = Retention()
