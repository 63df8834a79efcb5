"""The verbs that only read: pages, statistics, instances, events, the store at a glance.

Many records are read in parts, so that nobody waits long for a server that does one thing
at a time; what a query does not want is left out here.
"""

from __future__ import annotations

from contextlib import aclosing, suppress
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from nvent_sched._model.queries import JobQuery, Page, RunQuery, next_after
from nvent_sched.adapters.redis.overview import (
    counted,
    job_findings,
    lock_finding,
    number_findings,
    run_findings,
    size_findings,
    summary_from,
)
from nvent_sched.adapters.redis.reading import (
    is_of_live,
    place_in_index,
    place_of,
    place_of_row,
)
from nvent_sched.adapters.redis.rows import (
    instance_from,
    job_from,
    pairs,
)
from nvent_sched.adapters.redis.run_rows import readable_runs
from nvent_sched.adapters.redis.server import RedisServer, parts_of
from nvent_sched.adapters.redis.tallies import stats_from
from nvent_sched.adapters.redis.telling import event_from
from nvent_sched.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence

    from nvent_sched._model.events import Event
    from nvent_sched._model.instances import Instance
    from nvent_sched._model.instants import Instant
    from nvent_sched._model.jobs import Job
    from nvent_sched._model.queries import Place, StoreSummary
    from nvent_sched._model.runs import Run
    from nvent_sched._model.statistics import JobStats
    from nvent_sched.adapters.redis.asking import Replies

READ_MAX: Final = 500
"""How many records are read at once."""
FINDINGS_MAX: Final = 100


class RedisReader(RedisServer):
    """What can be read of a store on a Redis or Valkey server."""

    async def read_jobs(self, query: JobQuery) -> Page[Job]:
        """Read jobs in the order of their ids."""
        found: list[Job] = []
        async with aclosing(self._jobs(query)) as jobs:
            async for job in jobs:
                if len(found) == query.limit:
                    return Page(items=tuple(found), next=found[-1].id)
                found.append(job)
        return Page(items=tuple(found))

    async def _jobs(self, query: JobQuery) -> AsyncGenerator[Job]:
        """Read the jobs that a query finds; what cannot be read is left out."""
        async with aclosing(self._job_rows(query)) as rows:
            async for _, stand, definition, reason in rows:
                if reason:
                    continue
                try:
                    job = job_from(stand, definition)
                except StoreError:
                    continue  # `take_due` and `summary` tell
                if query.finds(job):
                    yield job

    async def _job_rows(self, query: JobQuery) -> AsyncGenerator[Sequence[str]]:
        """Read jobs as they are stored, in parts that grow."""
        after = query.after or ""
        if query.ids is not None:
            wanted = sorted(job_id for job_id in set(query.ids) if job_id > after)
            for part in _parts(wanted):
                for row in await self._ask("read_jobs", "-", 0, len(part), *part):
                    yield row
            return
        rows: Replies = []
        for limit in _limits(query.limit):
            bound = f"({after}" if after else "-"
            rows = await self._ask("read_jobs", bound, limit, 0)
            for row in rows:
                yield row
            if len(rows) < limit:
                return
            after = rows[-1][0]

    async def read_runs(self, query: RunQuery) -> Page[Run]:
        """Read runs, newest occurrence first."""
        found: list[Run] = []
        async with aclosing(self._run_rows(query)) as rows:
            async for row in rows:
                for run in readable_runs([row]):
                    if query.finds(run):
                        if len(found) == query.limit:
                            last = found[-1]
                            following = next_after((last.scheduled_time, last.id))
                            return Page(items=tuple(found), next=following)
                        found.append(run)
                    elif query.since is not None and run.scheduled_time < query.since:
                        return Page(items=tuple(found))
        return Page(items=tuple(found))

    def _run_rows(self, query: RunQuery) -> AsyncGenerator[Sequence[Any]]:
        """Read runs as they are stored, newest first."""
        return self._run_list(query) if query.ids is None else self._named_runs(query)

    async def _named_runs(self, query: RunQuery) -> AsyncGenerator[Sequence[Any]]:
        """Read those with the ids of a query."""
        place = place_of(query)
        rows = await self._rows_of(list(dict.fromkeys(query.ids or ())))
        placed = [(found, row) for row in rows if (found := place_of_row(row))]
        for found, row in sorted(placed, key=itemgetter(0), reverse=True):
            if place is None or found < place:
                yield row

    async def _run_list(self, query: RunQuery) -> AsyncGenerator[Sequence[Any]]:
        """Read all, in parts that grow; if only those that live are wanted, soon those."""
        place = place_of(query)
        for limit in _limits(query.limit):
            head = (query.job_id or "", *(place or ("", "")), limit, 0)
            *rows, last = await self._ask("read_runs", *head) or [None]
            for row in rows:
                yield row
            if len(rows) < limit:
                return
            place = place_in_index(last)
            if is_of_live(query):
                break
        for part in _parts(await self._live_ids(query, place)):
            for row in await self._rows_of(part):
                yield row

    async def _rows_of(self, run_ids: Sequence[str]) -> Replies:
        """Read runs as they are stored, in the order of these ids."""
        rows: Replies = []
        for part in _parts(run_ids):
            head = ("", "", "", READ_MAX, len(part))
            rows += await self._ask("read_runs", *head, *part)
        return rows

    async def _live_ids(self, query: RunQuery, place: Place | None) -> list[str]:
        """Find runs that live and come after a place, newest first, in parts.

        Few live where many have ended: a reader that went through all would wait long.
        """
        states, after = query.states or (), ""
        found: set[Place] = set()
        while True:
            head = (query.job_id or "", after, READ_MAX, len(states))
            after, *flat = await self._ask("live_runs", *head, *states)
            found.update(zip(map(int, flat[1::2]), flat[::2], strict=True))
            if not after:
                break
        left = (each for each in found if place is None or each < place)
        return [run_id for _, run_id in sorted(left, reverse=True)]

    async def read_stats(self, job_ids: Sequence[str] | None) -> tuple[JobStats, ...]:
        """Read the statistics of these jobs, in order; None for all jobs added up."""
        if job_ids is None:
            (reply,) = await self._ask("read_stats", 0)
            return (stats_from("", reply),)
        if not job_ids:
            return ()
        parts = list(parts_of([job_id] for job_id in job_ids))
        replies = await self._send("read_stats", parts, is_told=False)
        rows = (row for reply in replies for row in reply)
        return tuple(
            stats_from(job_id, row) for job_id, row in zip(job_ids, rows, strict=True)
        )

    async def read_instances(self) -> tuple[Instance, ...]:
        """List the instances, the oldest first."""
        texts, beats = await self._ask("read_instances")
        heard = pairs(beats)
        listed: list[Instance] = []
        for instance_id, text in pairs(texts).items():
            with suppress(StoreError):  # it says it anew with its next heartbeat
                if instance_id in heard:
                    beat = heard[instance_id]
                    listed.append(instance_from(instance_id, text, heartbeat=beat))
        return tuple(sorted(listed, key=lambda each: (each.started_at, each.id)))

    async def summary(self, *, now: Instant, is_deep: bool) -> StoreSummary:
        """Look at the store as a whole; *is_deep* also checks every invariant."""
        reply = await self._ask("summary", self._time(now))
        findings: list[str] = []
        if is_deep:
            findings = await self._findings(reply)
            await self._look_at_settings(now=now)
        return summary_from(
            reply,
            instances=await self.read_instances(),
            findings=findings,
            settings=self._settings | {"schema": reply[10]},
            dangers=self._dangers,
        )

    async def read_events(self, *, after: int | None, limit: int) -> tuple[Event, ...]:
        """Read events with a number above *after*; with None the last one."""
        found: list[Event] = []
        seq: Any = "" if after is None else after
        while not found:
            flat = await self._ask("read_events", seq, limit)
            for seq, text in zip(flat[::2], flat[1::2], strict=True):
                with suppress(StoreError):  # of a newer release, or damaged
                    found.append(event_from(seq, text))
            if after is None:
                return tuple(found[-1:])
            if not flat:
                break
        return tuple(found)

    async def _findings(self, reply: Sequence[Any]) -> list[str]:
        """Check what is stored, until too much is wrong."""
        found = [*size_findings(reply), *number_findings(reply)]
        fence = counted(reply[9] or "0")
        async for name in self._damaged_locks():
            found.append(lock_finding(name))
            if len(found) >= FINDINGS_MAX:
                return found
        async with aclosing(self._job_rows(JobQuery(limit=READ_MAX))) as jobs:
            async for row in jobs:
                found += job_findings(row)
                if len(found) >= FINDINGS_MAX:
                    return found
        async with aclosing(self._run_rows(RunQuery(limit=READ_MAX))) as runs:
            async for row in runs:
                found += run_findings(row, fence=fence)
                if len(found) >= FINDINGS_MAX:
                    return found
        return found

    async def _damaged_locks(self) -> AsyncIterator[str]:
        holds = ends = "0"
        while holds or ends:
            holds, ends, *names = await self._ask("damaged_locks", holds, ends)
            for name in names:
                yield name


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), READ_MAX):
        yield ids[start : start + READ_MAX]


def _limits(wanted: int) -> Iterator[int]:
    """Say how many to read at once: as many as are wanted, more if that did not do."""
    limit = wanted + 1
    while True:
        yield min(READ_MAX, limit)
        limit *= 4
