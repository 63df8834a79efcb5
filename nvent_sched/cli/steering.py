"""Commands that change one thing: `pause`, `resume`, `run-now`, `remove`, `cancel`."""

from __future__ import annotations

import signal
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.text import Text

from nvent_sched._model.runs import Outcome
from nvent_sched._views.words import run_note, span_words
from nvent_sched.cli.client import opened
from nvent_sched.cli.exits import Exit
from nvent_sched.cli.sheets import outcome_text
from nvent_sched.errors import UnknownJobError, UsageError

if TYPE_CHECKING:
    import argparse

    from nvent_sched._model.snapshots import RunSnapshot
    from nvent_sched.cli.output import Output
    from nvent_sched.scheduler import Scheduler


async def pause_job(asked: argparse.Namespace, out: Output) -> Exit:
    """Pause a job."""
    async with opened(asked.store) as scheduler:
        has_changed = await scheduler.pause(asked.id, reason=asked.reason)
        status = (await scheduler.get_job(asked.id)).status
    return _answer(
        out,
        has_changed=has_changed,
        text=f"job {asked.id} is paused",
        unchanged=f"job {asked.id} is {status} already",
    )


async def resume_job(asked: argparse.Namespace, out: Output) -> Exit:
    """Let a paused job fire again."""
    async with opened(asked.store) as scheduler:
        has_changed = await scheduler.resume(asked.id, catch_up=asked.catch_up)
        status = (await scheduler.get_job(asked.id)).status
    return _answer(
        out,
        has_changed=has_changed,
        text=f"job {asked.id} fires again",
        unchanged=f"job {asked.id} was not paused, it is {status}",
    )


def _answer(out: Output, *, has_changed: bool, text: str, unchanged: str) -> Exit:
    if out.is_json:
        out.document({"changed": has_changed})
    else:
        out.line(text if has_changed else unchanged)
    return Exit.DONE


async def run_job_now(asked: argparse.Namespace, out: Output) -> Exit:
    """Ask for a run, and wait for its end if that is wanted."""
    async with opened(asked.store) as scheduler:
        run = await scheduler.run_now(asked.id, idempotency_key=asked.key)
        if run.outcome is None:
            await _warn_of_nobody(scheduler, run, out)
        if asked.wait is None:
            _show_run(run, out)
            return Exit.DONE
        timeout = None if asked.wait == timedelta.max else asked.wait
        run = await scheduler.wait_for(run, timeout=timeout)
    _show_run(run, out)
    return Exit.DONE if run.outcome is Outcome.SUCCEEDED else Exit.NO


async def _warn_of_nobody(scheduler: Scheduler, run: RunSnapshot, out: Output) -> None:
    """Say so if nobody who runs now can run this."""
    instances = await scheduler.instances()
    if not any(run.handler in each.handlers for each in instances):
        out.note(
            f"no running instance has the handler {run.handler!r}; the run waits for one"
        )


def _show_run(run: RunSnapshot, out: Output) -> None:
    if out.is_json:
        out.document(run)
        return
    line = Text.assemble(outcome_text(run), f"  {run.id}")
    if run.duration is not None:
        line.append(f"  took {span_words(run.duration)}")
    if note := run_note(run):
        line.append(f"  {note}")
    out.line(line)


async def remove_job(asked: argparse.Namespace, out: Output) -> Exit:
    """Forget a job, after asking whoever is there."""
    async with opened(asked.store) as scheduler:
        job = await scheduler.get_job(asked.id)
        if not asked.yes:
            answer = await _answer_of(scheduler, job.id, out)
            if answer is None or answer.strip().lower() not in {"y", "yes"}:
                out.note("nothing was changed")
                return Exit.INTERRUPTED if answer is None else Exit.NO
        if not await scheduler.unschedule(job.id):
            raise UnknownJobError(job.id)
    return _answer(
        out, has_changed=True, text=f"job {asked.id} is forgotten", unchanged=""
    )


async def _answer_of(scheduler: Scheduler, job_id: str, out: Output) -> str | None:
    """Ask whether to forget a job; None for Ctrl-C.

    Raises:
        UsageError: Nobody is there to ask.
    """
    if not sys.stdin.isatty():
        msg = f"removing {job_id} takes its history with it; confirm with --yes"
        raise UsageError(msg)
    runs = (await scheduler.stats(job_id)).runs
    question = f"Forget job {job_id} with its statistics ({runs:,} runs)? [y/N] "
    # Nothing else needs the loop, so it may stand still; Ctrl-C must not.
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return out.aside.input(question, markup=False, emoji=False)
    except EOFError:
        return ""
    except KeyboardInterrupt:
        return None
    finally:
        signal.signal(signal.SIGINT, usual)


async def cancel_run(asked: argparse.Namespace, out: Output) -> Exit:
    """Cancel a run."""
    async with opened(asked.store) as scheduler:
        has_changed = await scheduler.cancel_run(asked.run, reason=asked.reason)
        run = await scheduler.get_run(asked.run)
    state = run.outcome or "asked to stop"
    return _answer(
        out,
        has_changed=has_changed,
        text=f"run {asked.run} is {state}",
        unchanged=f"run {asked.run} had ended: {run.outcome}",
    )
