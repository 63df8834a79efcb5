"""What only an onlooker sees: handlers that began, and writes that were accepted. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvent_sched.testing.checker.findings import Violation, Wrong
from nvent_sched.testing.checker.owed import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvent_sched.testing.checker.journal import Begun, Journal


def judge_begun(journal: Journal) -> Iterator[Violation]:
    """Look for handlers that began twice under one claim, or acted after it was taken.

    An owner that cannot renew stops itself before another one starts. Only what a paused
    process was about to do it does as it comes back, before anything can stop it.
    """
    runs: dict[str, list[Begun]] = {}
    for begun in journal.begun:
        runs.setdefault(begun.run_id, []).append(begun)
    for run_id, tries in runs.items():
        seen: set[int] = set()
        for begun in tries:
            if begun.fence in seen:
                yield Violation(
                    wrong=Wrong.EXTRA,
                    job_id=begun.job_id,
                    at=begun.began_at,
                    run_id=run_id,
                    text=f"its handler began twice under token {begun.fence}",
                )
            seen.add(begun.fence)
            yield from _acts_of_old(begun, tries)


def _acts_of_old(begun: Begun, tries: list[Begun]) -> Iterator[Violation]:
    newer = [each.began_at for each in tries if each.fence > begun.fence]
    if not newer:
        return
    late = [at for at in begun.acts if at > min(newer) and at not in begun.thawed]
    if late:
        yield Violation(
            wrong=Wrong.OVERLAPPING,
            job_id=begun.job_id,
            at=late[0],
            run_id=begun.run_id,
            text=f"{begun.instance} acted at {shown(late[0])} under token {begun.fence}, "
            f"and a newer claim had begun at {shown(min(newer))}",
        )


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
