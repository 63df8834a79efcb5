"""What only an onlooker sees: handlers that began, and writes that were accepted. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched.testing.checker.findings import Violation, Wrong
from nvent_sched.testing.checker.going import running_max
from nvent_sched.testing.checker.owed import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvent_sched.testing.checker.journal import Begun, Journal


def judge_begun(journal: Journal) -> Iterator[Violation]:
    """Look for handlers that began twice under one claim, or acted after it was taken.

    An owner that cannot renew stops itself before another one starts; where a job runs
    one at a time, before any other run of the job does. Only what a paused process was
    about to do it does as it comes back, before anything can stop it.
    """
    serial = {
        known.job.id
        for known in journal.jobs
        if running_max(known.job.definition.policies) == 1
    }
    seen: set[tuple[str, int]] = set()
    together: dict[str, list[Begun]] = {}
    for begun in journal.begun:
        claim = (begun.run_id, begun.fence)
        if claim in seen:
            yield Violation(
                wrong=Wrong.EXTRA,
                job_id=begun.job_id,
                at=begun.began_at,
                run_id=begun.run_id,
                text=f"its handler began twice under token {begun.fence}",
            )
        seen.add(claim)
        is_serial = begun.job_id in serial
        together.setdefault(
            f"job {begun.job_id}" if is_serial else f"run {begun.run_id}", []
        ).append(begun)
    for group in together.values():
        yield from acts_of_old(group)


def acts_of_old(group: list[Begun]) -> Iterator[Violation]:
    """Look for what was done under a token when one with a newer had begun."""
    newer: Begun | None = None  # the earliest to begin among those with a newer token
    for begun in sorted(group, key=lambda each: -each.fence):
        if newer is not None:
            late = [
                at
                for at in begun.acts
                if at > newer.began_at and at not in begun.thawed
            ]
            if late:
                yield Violation(
                    wrong=Wrong.OVERLAPPING,
                    job_id=begun.job_id,
                    at=late[0],
                    run_id=begun.run_id,
                    text=f"{begun.instance} acted at {shown(late[0])} under token "
                    f"{begun.fence}, and {newer.run_id} had begun at "
                    f"{shown(newer.began_at)} under {newer.fence}",
                )
        if newer is None or begun.began_at < newer.began_at:
            newer = begun


def judge_writes(journal: Journal) -> Iterator[Violation]:
    """Look for writes under a token that was not the newest of its run."""
    newest: dict[str, int] = {}
    given = 0
    for write in journal.writes:
        held = newest.get(write.run_id, 0)
        if write.is_claim and write.fence <= given:
            text = f"token {write.fence} was given out after {given}"
        elif not write.is_claim and write.fence < held:
            text = f"accepted under token {write.fence}, and {held} was given out"
        elif not write.is_claim and write.fence > held:
            text = f"accepted under token {write.fence}, which is not known any more"
        else:
            text = ""
        if text:
            yield Violation(
                wrong=Wrong.STALE_WRITE,
                job_id=write.job_id,
                run_id=write.run_id,
                text=text,
            )
        if write.is_claim:
            newest[write.run_id] = write.fence
            given = max(given, write.fence)
