"""What a reader may ask for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from nvent_sched._model.showing import Shown
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job, JobStatus
    from nvent_sched._model.runs import Origin, Outcome, Run, RunState

PAGE_MAX: Final = 10_000
T = TypeVar("T")
Place = tuple[int, str]
"""Where a run lies in the order of runs: its scheduled time, then its id."""


def refuse_no_text(**given: object) -> None:
    """Refuse what is neither text nor None: a store can look for nothing else.

    Raises:
        UsageError: Something is not, or is text that no store could hold.
    """
    for name, value in given.items():
        if value is None:
            continue
        if not isinstance(value, str):
            msg = f"{name} must be text, not {type(value).__name__} {value!r}"
            raise UsageError(msg)
        try:
            value.encode()
        except UnicodeEncodeError as error:
            msg = f"{name} must be text, not half of a surrogate pair: {error}"
            raise UsageError(msg) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """Which jobs. What is None does not restrict.

    Attributes:
        ids: Exactly these; unknown ones are left out.
        text: Part of the id or the name, in any case.
        after: The `next` of the page before; jobs come in the order of their ids.
        limit: 1 to 10,000 a page.
    """

    ids: tuple[str, ...] | None = None
    status: JobStatus | None = None
    tag: str | None = None
    handler: str | None = None
    text: str | None = None
    after: str | None = None
    limit: int = 100

    def __post_init__(self) -> None:
        refuse_no_text(
            tag=self.tag, handler=self.handler, text=self.text, after=self.after
        )

    def finds(self, job: Job) -> bool:
        """Whether a job is one of these, whatever its id and its place."""
        definition = job.definition
        if self.text is not None:
            text, named = self.text.casefold(), (definition.id, definition.name)
            if not any(text in each.casefold() for each in named):
                return False
        return (
            self.status in {None, job.status}
            and self.handler in {None, definition.handler}
            and (self.tag is None or self.tag in definition.tags)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuery:
    """Which runs. What is None does not restrict.

    Attributes:
        ids: Exactly these; unknown ones are left out.
        since: Only occurrences at or after it.
        until: Only occurrences before it.
        after: The `next` of the page before; runs come newest first.
        limit: 1 to 10,000 a page.
    """

    ids: tuple[str, ...] | None = None
    job_id: str | None = None
    states: tuple[RunState, ...] | None = None
    outcomes: tuple[Outcome, ...] | None = None
    origin: Origin | None = None
    instance: str | None = None
    since: Instant | None = None
    until: Instant | None = None
    after: str | None = None
    limit: int = 100

    def __post_init__(self) -> None:
        refuse_no_text(job=self.job_id, instance=self.instance, after=self.after)

    def finds(self, run: Run) -> bool:
        """Whether a run is one of these, whatever its id and its place."""
        return (
            self.job_id in {None, run.job_id}
            and (self.states is None or run.state in self.states)
            and (self.outcomes is None or run.outcome in self.outcomes)
            and self.origin in {None, run.origin}
            and self.instance in {None, run.instance}
            and (self.since is None or run.scheduled_time >= self.since)
            and (self.until is None or run.scheduled_time < self.until)
        )

    def after_place(self) -> Place | None:
        """Say where the page before ended; None for the first page.

        Raises:
            UsageError: `after` is not the `next` of a page.
        """
        if self.after is None:
            return None
        at, _, run_id = self.after.partition(":")
        try:
            return int(at), run_id
        except ValueError as error:
            msg = f"`after` must be the `next` of the page before, not {self.after!r}"
            raise UsageError(msg) from error


def next_after(place: Place) -> str:
    """Say what a page that ends there has as its `next`."""
    at, run_id = place
    return f"{at}:{run_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Shown, Generic[T]):
    """A part of a longer answer.

    Attributes:
        items: At most as many as asked for.
        next: What to pass as `after` for the next page; None at the end.
    """

    items: tuple[T, ...]
    next: str | None = None

    def __iter__(self) -> Iterator[T]:
        """Iterate over the items of this page."""
        return iter(self.items)

    def __len__(self) -> int:
        """Say how many items this page has."""
        return len(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSummary:
    """The store at a glance; what `health` and `check` are made of.

    Attributes:
        jobs: How many jobs, by status, without those that stand for waits.
        waits: How many of those (awaits, deadlines and watchdogs), by status.
        live_runs: How many runs that are not finished, by state.
        finished_runs: How many finished records are kept.
        oldest_look_at: The earliest look of an active job; None for none.
        unresolved: Handler names that due jobs or ready runs wait for and no listed
            instance has, with how many wait.
        quarantined: Ids of jobs that cannot be read, with the reason.
        findings: Invariants that do not hold, in words; empty when all is well.
        settings: Settings of the store by name, for a person to read.
        dangers: Settings that endanger what is stored, in words.
        ahead: Jobs that stand still because a clock was ahead, in words: what `check`
            found among the jobs; no adapter says it.
    """

    jobs: dict[JobStatus, int]
    waits: dict[JobStatus, int]
    live_runs: dict[RunState, int]
    finished_runs: int
    oldest_look_at: Instant | None
    unresolved: dict[str, int]
    quarantined: dict[str, str]
    findings: tuple[str, ...]
    settings: dict[str, str]
    dangers: tuple[str, ...]
    ahead: tuple[str, ...] = ()
