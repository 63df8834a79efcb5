"""Huey: on SQLite with fsync, and on Redis. Twenty threads."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from asked import Ask, Marks, asked, say_ready, serve
from huey import RedisHuey, SqliteHuey

ASKED = asked()
MARKS = Marks(ASKED.marks)


def _queue(ask: Ask) -> Any:  # noqa: ANN401  it has no types
    if ask.variant == "sqlite":
        return SqliteHuey("bench", filename=ask.store, fsync=True)
    return RedisHuey("bench", url=ask.store)


QUEUE = _queue(ASKED)


@QUEUE.task()  # type: ignore[untyped-decorator]
def mark(number: int) -> None:
    """Be the handler."""
    MARKS.note(number)


def _add(ask: Ask) -> float:
    began = time.perf_counter()
    for number in ask.numbers:
        if ask.pause_s:
            time.sleep(ask.pause_s)
        at = datetime.fromtimestamp(ask.due(number), UTC)
        mark.schedule(args=(number,), eta=at)
    return time.perf_counter() - began


def _work(_: Ask) -> None:
    consumer = QUEUE.create_consumer(workers=20)
    say_ready()
    consumer.run()


if __name__ == "__main__":
    serve(add=_add, work=_work)
