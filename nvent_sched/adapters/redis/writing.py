"""What the scripts that write are given: arguments made of plans, settlements, renewals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.claims import CANCELLED, STALE, STORED, Committed, Stale
from nvent_sched.adapters._codec import definition_text, quoted
from nvent_sched.adapters.redis.rows import stand_text
from nvent_sched.adapters.redis.run_rows import details_text, run_text
from nvent_sched.adapters.redis.tallies import tally_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nvent_sched._model.claims import (
        JobWrite,
        Plan,
        Pool,
        Renewal,
        Settled,
        Settlement,
        Verdict,
    )

Row = list[Any]
_VERDICTS: Final[dict[str, Verdict]] = {"0": STALE, "1": STORED}


def write_row(write: JobWrite) -> Row:
    """Write what `put_jobs` is to store."""
    job = write.job
    definition = definition_text(job.definition)
    return [job.id, write.seen_version, definition, stand_text(job)]


def plan_row(plan: Plan) -> Row:
    """Write what `commit_plans` is to apply."""
    job = plan.write.job
    stand = stand_text(job)
    row: Row = [job.id, plan.write.seen_version, int(plan.is_drop), stand]
    row.append(len(plan.runs))
    for run in plan.runs:
        details, payload = details_text(run), run.payload
        row += (run.id, run_text(run, details=details))
        row += ("" if payload == "{}" else payload, details)
    row += (len(plan.promote), *plan.promote)
    row.append(len(plan.tallies))
    for tally in plan.tallies:
        row += (tally.record_id or "", *tally_row(tally))
    row += ("" if plan.cancelled_until is None else plan.cancelled_until,)
    row.append(len(plan.cancel))
    for run_id, reason in plan.cancel.items():
        row += (run_id, quoted(reason))
    return row


def settlement_row(settlement: Settlement) -> Row:
    """Write what `settle` is to store."""
    lease = settlement.seen_lease_until
    details = details_text(settlement.run)
    row: Row = [
        settlement.run.id,
        settlement.seen_state.value,
        settlement.seen_fence,
        "" if lease is None else lease,
        run_text(settlement.run, details=details),
        details,
    ]
    tally = settlement.tally
    return [*row, 0] if tally is None else [*row, 1, *tally_row(tally)]


def renewal_row(renewal: Renewal) -> Row:
    """Write what `renew` is to extend and to store."""
    note, started_at = renewal.progress_note, renewal.started_at
    return [
        *(renewal.run_id, renewal.fence, int(renewal.extend)),
        "" if renewal.progress is None else str(renewal.progress),
        "" if note is None else quoted(note),
        "" if started_at is None else started_at,
    ]


def pools_row(pools: Iterable[Pool]) -> Row:
    """Write for what `begin` has room."""
    rows = [[pool.limit, len(pool.handlers), *pool.handlers] for pool in pools]
    return [len(rows), *(value for row in rows for value in row)]


def verdicts_from(text: str) -> Iterator[Verdict]:
    """Read verdicts, one from each letter."""
    return map(_VERDICTS.__getitem__, text)


def settled_from(text: str) -> Iterator[Settled]:
    """Read what became of settlements, one from each letter."""
    return (CANCELLED if each == "c" else _VERDICTS[each] for each in text)


def committed_from(text: str) -> Committed | Stale:
    """Read what became of a plan."""
    if text == "s":
        return STALE
    return Committed(fences=tuple(map(int, text.split(","))) if text else ())
