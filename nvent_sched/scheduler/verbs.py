"""What every group of verbs stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from nvent_sched._engine.registry import handler_of
from nvent_sched._model.jobs import JobStatus, checked_name
from nvent_sched._model.runs import Origin, Outcome, RunState
from nvent_sched._model.snapshots import RunSnapshot
from nvent_sched._model.watchdogs import WatchState
from nvent_sched._rules.registration import IfExists
from nvent_sched._views import objects as _drawn  # noqa: F401  draws what verbs return
from nvent_sched.errors import NotRunningError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._engine.core import Core
    from nvent_sched._engine.registry import Handler, Registry
    from nvent_sched._engine.supervision import Engine
    from nvent_sched._model.jobs import JobDefinition
    from nvent_sched._model.showing import Dashboard, DashboardOptions
    from nvent_sched._model.snapshots import JobSnapshot
    from nvent_sched._port import Adapter
    from nvent_sched.patterns import Patterns

M = TypeVar("M", JobStatus, RunState, Outcome, Origin, IfExists, WatchState)


class Verbs:
    """What the verbs use of the scheduler they belong to."""

    _adapter: Adapter
    _registry: Registry
    _declared: dict[str, JobDefinition]
    _disabled: set[str]
    _engine: Engine | None
    _patterns: Patterns | None
    _dashboards: dict[DashboardOptions, Dashboard]

    def _running(self, verb: str) -> Engine:
        if self._engine is None:
            raise NotRunningError(verb)
        return self._engine

    def _core(self, verb: str) -> Core:
        return self._running(verb).core

    def _patterned(self, verb: str) -> Patterns:
        if self._patterns is None:
            raise NotRunningError(verb)
        return self._patterns

    def _resolve(self, handler: Callable[..., Any] | str) -> tuple[str, Handler | None]:
        """Find a handler's name, registering a function that is new."""
        if isinstance(handler, str):
            checked_name(handler, what="a handler's name")
            return handler, self._registry.get(handler)
        known = self._registry.of(handler)
        if known is None:
            known = handler_of(handler, name=None, executor=None)
            self._registry.add(known)
        return known.name, known


def job_id_of(job: str | JobSnapshot) -> str:
    """Say which job is meant.

    Raises:
        UsageError: Nothing that names one.
    """
    if isinstance(job, str):
        return job
    if hasattr(job, "id"):
        return str(job.id)
    msg = f"which job? expected its id or a job, not {job!r}"
    raise UsageError(msg)


def run_id_of(run: str | RunSnapshot) -> str:
    """Say which run is meant.

    Raises:
        UsageError: Nothing that names one.
    """
    if isinstance(run, str):
        return run
    if isinstance(run, RunSnapshot):
        return run.id
    msg = f"which run? expected its id or a run, not {run!r}"
    raise UsageError(msg)


def member_of(kind: type[M], value: str, *, name: str) -> M:
    """Find the member of a closed set.

    Raises:
        UsageError: *value* is none of them.
    """
    try:
        return kind(value)
    except ValueError:
        known = [member.value for member in kind]
        msg = f"{name} must be one of {known}, not {value!r}"
        raise UsageError(msg) from None
