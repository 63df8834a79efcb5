"""What a judgement consists of. Values only. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nvent_sched._model.instants import Instant


class Wrong(StrEnum):
    """Which promise was broken. A closed set."""

    MISSING = "missing"
    EXTRA = "extra"
    EARLY = "early"
    LATE = "late"
    INCOMPLETE = "incomplete"
    OVERLAPPING = "overlapping"
    STALE_WRITE = "stale_write"
    COUNTERS = "counters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A promise that was not kept.

    Attributes:
        job_id: Of which job.
        at: Which occurrence, or when; None if it is about the job as a whole.
        run_id: Which run, if one.
        text: What is there, and what should be.
    """

    wrong: Wrong
    job_id: str
    at: Instant | None = None
    run_id: str | None = None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjudged:
    """Something that the history cannot show."""

    job_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The judgement on a journal.

    Attributes:
        violations: What is wrong, in the order of the jobs.
        unjudged: What could not be judged, with the reason.
        jobs: How many jobs were looked at, without those that stand for waits.
        occurrences: How many occurrences were owed and looked for.
        runs: How many records were looked at.
    """

    violations: tuple[Violation, ...]
    unjudged: tuple[Unjudged, ...]
    jobs: int
    occurrences: int
    runs: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.violations
