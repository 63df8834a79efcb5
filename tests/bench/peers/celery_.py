"""Celery on Redis, two processes; what is due every second is sent by redbeat."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from asked import ENDED, Ask, Marks, asked, say_ready, serve
from celery import Celery
from celery.signals import worker_ready

ASKED = asked()
APP: Any = Celery("bench", broker=ASKED.store)
APP.conf.update(
    redbeat_redis_url=ASKED.store,
    beat_max_loop_interval=1,
    task_ignore_result=True,
    task_acks_late=True,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 3_600},
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
)


@APP.task(name="mark")  # type: ignore[untyped-decorator]
def mark(number: int) -> None:
    """Be the handler."""
    marks = Marks(ASKED.marks)
    marks.note(number)
    if ASKED.work_s:
        time.sleep(ASKED.work_s)
        marks.note(number, ENDED)
    marks.close()


def _add(ask: Ask) -> float:
    began = time.perf_counter()
    for number in ask.numbers:
        if ask.pause_s:
            time.sleep(ask.pause_s)
        if ask.is_every:
            from celery.schedules import schedule
            from redbeat import RedBeatSchedulerEntry

            every = schedule(1, app=APP)
            RedBeatSchedulerEntry(
                f"j{number}", "mark", every, args=[number], app=APP
            ).save()
            continue
        at = datetime.fromtimestamp(ask.due(number), UTC)
        mark.apply_async((number,), eta=at)
    return time.perf_counter() - began


@worker_ready.connect  # type: ignore[untyped-decorator]
def _started(**_: object) -> None:
    say_ready()


def _work(_: Ask) -> None:
    options = ("-c", "2", "--without-gossip", "--without-mingle", "-l", "ERROR")
    beat = ("-B", "--scheduler", "redbeat.RedBeatScheduler")
    APP.worker_main(["worker", *options, *beat])


if __name__ == "__main__":
    serve(add=_add, work=_work)
