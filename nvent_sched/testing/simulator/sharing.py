"""What a store with a clock of its own hands to one instance and keeps from the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvent_sched._model.claims import Committed
from nvent_sched._model.instants import Instant
from nvent_sched._port import HANDED_US

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from nvent_sched._model.claims import DueBatch


class Handed:
    """The jobs that were handed out and not planned yet, as the adapter for Redis has them.

    Whoever is handed a job is the only one to hear of it for `HANDED_US`, itself included.
    What writes the job anew ends that.
    """

    def __init__(self) -> None:
        self._until: dict[str, Instant] = {}

    def kept(self, batch: DueBatch, *, is_shared: bool) -> DueBatch:
        """Leave out what is kept from whoever asks, and keep the rest from the others.

        Args:
            batch: What is due.
            is_shared: Whether there are others.
        """
        now, looks = batch.now, [batch.next_look_at]
        free = []
        for due in batch.jobs:
            until = self._until.get(due.job.id, now)
            if until > now:
                looks.append(until)
                continue
            free.append(due)
            if is_shared:
                self._until[due.job.id] = Instant(now + HANDED_US)
        next_look_at = min((at for at in looks if at is not None), default=None)
        return replace(batch, jobs=tuple(free), next_look_at=next_look_at)

    def note(
        self,
        verb: str,
        args: Sequence[Any],
        answer: Any,
        *,
        looks: Callable[[str], bool],
    ) -> None:
        """Keep no longer what a step has given a look of its own.

        Args:
            verb: Which step it was.
            args: What it was asked with.
            answer: What it answered.
            looks: Whether a job is looked at when a run of it ends.
        """
        match verb:
            case "put_jobs":
                written = [write.job.id for write in args[0]]
            case "drop_jobs":
                written = list(answer)
            case "settle":
                ended = {settlement.run.job_id for settlement in args[0]}
                written = [job_id for job_id in ended if looks(job_id)]
            case "commit_plans":
                written = [
                    plan.write.job.id
                    for plan, verdict in zip(args[0], answer, strict=True)
                    if isinstance(verdict, Committed)
                ]
            case _:
                return
        for job_id in written:
            self._until.pop(job_id, None)

    def forget(self) -> None:
        """Keep nothing: another server has taken over."""
        self._until.clear()
