"""What is stored under which key. Pure.

A name that ends in `*` is the beginning of a family of keys, one for each id that may
follow it. All begin with the prefix as their hash tag: one slot of a cluster.
"""

from __future__ import annotations

from typing import Final

NAMES: Final[dict[str, str]] = {
    "asked*": "list: runs that a `begin` claimed, by request; expires",
    "beats": "zset: instances by their last heartbeat",
    "cancels*": "hash: claimed runs to cancel with the reason, by instance",
    "definitions": "hash: what users declared, by job",
    "details": "hash: errors, results, logs and earlier attempts of runs",
    "due*": "zset: jobs by their next look, by handler",
    "events": "stream: the last events, bounded",
    "fence": "text: the last fencing token",
    "handlers": "set: handlers that may have something due or ready",
    "held*": "zset: claimed runs by the end of their lease, by instance",
    "hints": "channel: something changed; the message is who changed it",
    "holders": "set: instances that may hold runs",
    "instances": "hash: what instances say of themselves, by id",
    "job_ids": "zset: all jobs, in the order of their ids",
    "job_runs": "zset: all runs by their jobs, then their scheduled times",
    "jobs": "hash: where each job stands",
    "kept": "zset: finished runs by when they may be pruned",
    "last_failure": "zset: jobs by the end of their last failure",
    "last_finished": "zset: jobs by the end of their last run",
    "last_started": "zset: jobs by the start of their last run",
    "last_success": "zset: jobs by the end of their last success",
    "live": "zset: unfinished runs by their jobs, then their scheduled times",
    "lock_ends": "zset: locks that somebody has by the end of the hold",
    "lock_places": "zset: places in queues for locks by when they end",
    "lock_queue*": "zset: who waits for a lock, in order",
    "locks": "hash: who has a lock, by its name",
    "met": "text: the run id of the server that was met last, what it is since it took over",
    "payloads": "hash: the arguments of runs, unless there are none",
    "quarantine": "hash: jobs that cannot be read, with the reason",
    "quiet": "text: until when nothing is claimed; expires",
    "ready*": "zset: runs to claim by when they are ready, by handler",
    "run_ids": "zset: all runs by their scheduled time",
    "runs": "hash: where each run stands",
    "schema": "text: the schema number",
    "stats*": "hash: counters and histograms of a job",
    "statuses": "hash: how many jobs, by status; waits apart",
    "told*": "hash: the last answers to a caller, to be repeated; expires",
    "total": "hash: counters and histograms of all jobs together",
    "waiting": "set: runs that wait for another one",
    "witnessed": "text: written before replicas are waited for; expires",
}
PREFIX: Final = "nvent:scheduler"
PREFIX_LENGTH_MAX: Final = 100


class Keys:
    """The keys of one store.

    Args:
        prefix: What they begin with, in braces. Printable, without braces.
    """

    def __init__(self, prefix: str = PREFIX) -> None:
        self._root = f"{{{prefix}}}:"

    def __getitem__(self, name: str) -> str:
        """Say the key of this name, or what the keys of a family begin with."""
        assert name in NAMES
        return self._root + (f"{name[:-1]}:" if name.endswith("*") else name)

    @property
    def pattern(self) -> str:
        """Say what all keys look like, for SCAN and for access rules."""
        return f"{self._root}*"
