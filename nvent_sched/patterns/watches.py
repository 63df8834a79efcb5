"""What an instance remembers of a watchdog: signs of life, and which of them is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import MILLISECOND_US, SECOND_US
from nvent_sched._rules.watching import timeout_us_of

if TYPE_CHECKING:
    from nvent_sched._model.jobs import Job, JobDefinition

WRITE_US_MIN: Final = 10 * MILLISECOND_US
"""Signs of one watchdog are stored no more often than this."""
WRITE_US_MAX: Final = 60 * SECOND_US
"""A sign is stored after this time at the latest, however long the time-out is."""


def interval_us_of(timeout_us: int) -> int:
    """Say how often signs are stored: a quarter of the time-out, within bounds."""
    return min(max(timeout_us // 4, WRITE_US_MIN), WRITE_US_MAX)


@dataclass(slots=True, eq=False)
class Watch:
    """One watchdog that this instance gives signs for. All times are monotonic.

    Attributes:
        job_id: The job that keeps it.
        definition: What to store if it is not stored yet; None if it is.
        job: As it was stored last; None if that is not known.
        beat_us: The last sign of life.
        stored_us: The sign that is stored; before every sign if none of ours is.
        wrote_at_us: When a sign was stored last, or the watch began.
        ripe_us: From when on a newer sign is worth a write.
        run_id: The run that gives the signs, if one does.
        timeout_us: How long the work may be silent; None while that is not known.
        is_sent: Something of it may be in the store.
    """

    job_id: str
    definition: JobDefinition | None = None
    job: Job | None = None
    beat_us: int = 0
    stored_us: int = -1
    wrote_at_us: int = 0
    ripe_us: int = 0
    run_id: str | None = None
    timeout_us: int | None = None
    is_sent: bool = False

    @property
    def is_unknown(self) -> bool:
        """Whether what is stored of it must be read first."""
        return self.job is None and self.definition is None

    @property
    def known(self) -> JobDefinition:
        """The watchdog, as stored or as it shall be; not asked if it is unknown."""
        known = self.definition if self.job is None else self.job.definition
        assert known is not None
        return known

    def note_stored(self, job: Job, *, sign_us: int, now_us: int) -> None:
        """Remember what was written, and for which sign."""
        self.job, self.definition = job, None
        self.timeout_us = timeout_us_of(job.definition)
        self.stored_us, self.wrote_at_us = sign_us, now_us
        self.ripe_us = now_us + interval_us_of(self.timeout_us)

    def forget_stored(self) -> None:
        """Remember that somebody else wrote it."""
        self.job = self.definition = None

    @property
    def has_news(self) -> bool:
        """Whether a sign is newer than the stored one."""
        return self.beat_us > self.stored_us

    @property
    def nearly_ripe_us(self) -> int:
        """From when on it goes along with a write that is made anyway."""
        return (self.wrote_at_us + self.ripe_us) // 2

    def is_alive(self, now_us: int) -> bool:
        """Whether, for all that is known here, the work is not stalled."""
        return self.timeout_us is None or now_us - self.beat_us < self.timeout_us
