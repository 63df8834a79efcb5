"""Keep history within its bounds: a little at a time, and only where something ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvent_sched._engine.signals import Signal
from nvent_sched._model.instants import SECOND_US

if TYPE_CHECKING:
    from nvent_sched._engine.core import Core

PRUNE_EVERY_US: Final = 5 * SECOND_US
PRUNE_IDLE_US: Final = 3_600 * SECOND_US
PRUNE_BATCH: Final = 1_000
JOBS_BATCH: Final = 200
JOBS_COUNTED_MAX: Final = 20_000


class Janitor:
    """The pruning of one instance; `one_pass` is what its loop repeats.

    Attributes:
        signal: Wakes the loop: a job has enough ended runs to be looked at.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._ended: dict[str, int] = {}
        self._not_before_us = 0
        self.signal: Signal = Signal()

    def note_end(self, job_id: str) -> None:
        """Count a run that ended.

        A job is looked at once enough of its runs ended here to matter, so that a job
        with few runs costs nothing and one with many is kept short.
        """
        ended = self._ended.get(job_id, 0) + 1
        if len(self._ended) > JOBS_COUNTED_MAX:
            # They had a run or two each; what they keep goes by its age.
            self._ended.clear()
        self._ended[job_id] = ended
        if self._is_noisy(ended):
            self.signal.set()

    def _is_noisy(self, ended: int) -> bool:
        return ended * 4 > self._core.options.retention.runs_max

    async def one_pass(self) -> int:
        """Prune once; say when to do so next."""
        core = self._core
        now_us = core.clock.monotonic_us()
        if now_us < self._not_before_us:
            return self._not_before_us
        noisy = [
            job_id for job_id, ended in self._ended.items() if self._is_noisy(ended)
        ]
        batch = noisy[:JOBS_BATCH]
        pruned = await core.adapter.prune(
            job_ids=batch,
            runs_max=core.options.retention.runs_max,
            limit=PRUNE_BATCH,
            now=core.time.now(),
        )
        if pruned >= PRUNE_BATCH:
            return now_us
        for job_id in batch:
            self._ended.pop(job_id, None)
        if len(noisy) > len(batch):
            return now_us
        self._not_before_us = now_us + PRUNE_EVERY_US
        return now_us + PRUNE_IDLE_US
