"""What nobody gets below: an event loop, a file and a server with nothing around them.

`loop`: a heap of moments in memory, a task for each. `sqlite`: rows that are claimed, 500 a
transaction, and completed with the next claim. `lua`: the same by one script. None of them
knows a schedule, a lease, a statistic or what happened before.
"""

from __future__ import annotations

import heapq
import sqlite3
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from asked import RECORDED, Ask, Marks, say_ready, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BATCH = 500
SCRIPT_BATCH = 100
PUT = """
for i = 2, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], ARGV[i + 1], ARGV[i])
  redis.call('HSET', KEYS[2], ARGV[i], '{"number": ' .. ARGV[i] .. '}')
end
"""
CLAIM = """
for i = 3, #ARGV do
  redis.call('ZREM', KEYS[3], ARGV[i])
  redis.call('HSET', KEYS[4], ARGV[i], 'done')
end
local due = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2])
if #due == 0 then return {{}, {}} end
redis.call('ZREM', KEYS[1], unpack(due))
local scores = {}
for i, id in ipairs(due) do
  scores[2 * i - 1] = ARGV[1]
  scores[2 * i] = id
end
redis.call('ZADD', KEYS[3], unpack(scores))
return {due, redis.call('HMGET', KEYS[2], unpack(due))}
"""
KEYS = ("{b}:due", "{b}:jobs", "{b}:claimed", "{b}:runs")


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS jobs "
        "(id INTEGER PRIMARY KEY, due INTEGER, body TEXT, state TEXT, ended INTEGER)"
    )
    connection.execute(
        "CREATE INDEX IF NOT EXISTS jobs_due ON jobs (due) WHERE due IS NOT NULL"
    )
    return connection


def _add_to_file(ask: Ask) -> float:
    connection = _connect(ask.store)
    insert = "INSERT INTO jobs (id, due, body, state) VALUES (?, ?, ?, 'waiting')"
    began = time.perf_counter()
    for part in ask.parts(BATCH if ask.is_bulk else 1):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            insert,
            [
                (number, int(part.due(number) * 1e6), f'{{"number": {number}}}')
                for number in part.numbers
            ],
        )
        connection.execute("COMMIT")
    return time.perf_counter() - began


def _work_from_file(ask: Ask) -> None:
    marks, connection = Marks(ask.marks), _connect(ask.store)

    def claim(done: Sequence[int]) -> list[int]:
        now = time.time_ns() // 1_000
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "UPDATE jobs SET state = 'done', ended = ? WHERE id = ?",
            [(now, number) for number in done],
        )
        rows = connection.execute(
            "UPDATE jobs SET state = 'claimed', due = NULL WHERE id IN (SELECT id "
            "FROM jobs WHERE due IS NOT NULL AND due <= ? ORDER BY due LIMIT ?) "
            "RETURNING id, body",
            [now, BATCH],
        ).fetchall()
        connection.execute("COMMIT")
        return [row[0] for row in rows]

    _take(ask, marks, claim)


def _client(ask: Ask) -> Any:  # noqa: ANN401  its replies have no types
    from redis import Redis

    return Redis.from_url(ask.store, decode_responses=True)


def _add_to_server(ask: Ask) -> float:
    put = _client(ask).register_script(PUT)
    began = time.perf_counter()
    for part in ask.parts(BATCH if ask.is_bulk else 1):
        rows = [
            held
            for number in part.numbers
            for held in (number, int(part.due(number) * 1e6))
        ]
        put(KEYS, (len(rows) // 2, *rows))
    return time.perf_counter() - began


def _work_from_server(ask: Ask) -> None:
    script = _client(ask).register_script(CLAIM)

    def claim(done: Sequence[int]) -> list[int]:
        now = time.time_ns() // 1_000
        ids, _ = script(KEYS, (now, SCRIPT_BATCH, *done))
        return list(map(int, ids))

    _take(ask, Marks(ask.marks), claim)


def _take(ask: Ask, marks: Marks, claim: Callable[[Sequence[int]], list[int]]) -> None:
    claim(())
    say_ready()
    time.sleep(max(0.0, ask.at - time.time()))
    taken, done = 0, [0][:0]
    while taken < ask.total or done:
        done = claim(done)
        taken += len(done)
        for number in done:
            marks.note(number)
    marks.note(-1, RECORDED)
    time.sleep(3_600)


async def _work_from_heap(ask: Ask) -> None:
    import anyio

    marks = Marks(ask.marks)

    async def handler(number: int) -> None:
        marks.note(number)

    heap = [(ask.due(number), number) for number in ask.numbers]
    heapq.heapify(heap)
    say_ready()
    async with anyio.create_task_group() as group:
        while heap:
            await anyio.sleep(max(0.0, heap[0][0] - time.time()))
            now = time.time()
            while heap and heap[0][0] <= now:
                due, number = heapq.heappop(heap)
                group.start_soon(handler, number)
                if ask.is_every:
                    heapq.heappush(heap, (due + 1, number))


def _add(ask: Ask) -> float:
    return _add_to_file(ask) if ask.variant == "sqlite" else _add_to_server(ask)


def _work(ask: Ask) -> None:
    match ask.variant:
        case "sqlite":
            _work_from_file(ask)
        case "lua":
            _work_from_server(ask)
        case loop:
            import anyio

            anyio.run(partial(_work_from_heap, ask), backend=loop)
            time.sleep(3_600)


if __name__ == "__main__":
    serve(add=_add, work=_work)
