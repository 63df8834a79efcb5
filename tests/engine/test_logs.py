"""What we log says in its text what it is about, and has it in fields as well."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

from nvent_sched import Interval
from nvent_sched._logs import logger_of

if TYPE_CHECKING:
    import pytest

    from nvent_sched import Scheduler
    from nvent_sched.testing import ManualClock


async def test_a_failed_run_is_logged_with_its_facts_in_the_text_and_in_fields(
    scheduler: Scheduler, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> NoReturn:
        msg = "no such customer, 100%"
        raise ValueError(msg)

    await scheduler.schedule(broken, Interval(days=1), id="b")
    run = await scheduler.run_now("b")
    await clock.advance(timedelta(seconds=1))

    (record,) = caplog.records
    assert record.getMessage() == (
        f"run failed run_id={run.id} job_id=b attempt=1 "
        "error=ValueError: no such customer, 100%"
    )
    assert vars(record)["run_id"] == run.id
    assert vars(record)["error"] == "ValueError: no such customer, 100%"
    assert record.name == "nvent_sched._engine.verdicts"
    assert record.filename == "verdicts.py"


def test_the_template_of_a_message_is_the_same_whatever_it_is_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = logger_of("nvent_sched.test")

    for number in range(2):
        log.warning("%d of %d late", number, 2, extra={"job_id": f"{number}%s"})

    assert caplog.messages == ["0 of 2 late job_id=0%s", "1 of 2 late job_id=1%s"]
    assert {record.msg for record in caplog.records} == {"%d of %d late job_id=%s"}


def test_a_traceback_is_logged_with_the_facts_and_the_place_is_the_callers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    try:
        dict[str, int]()["b"]
    except LookupError:
        logger_of("nvent_sched.test").exception("broken", extra={"job_id": "b"})

    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError
    assert (record.getMessage(), record.levelname) == ("broken job_id=b", "ERROR")
    assert (record.filename, record.funcName) == (
        "test_logs.py",
        "test_a_traceback_is_logged_with_the_facts_and_the_place_is_the_callers",
    )


def test_a_message_is_one_line_of_text_whatever_it_is_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = "två\nrader \ud800\x1b"

    logger_of("nvent_sched.test").warning("broken", extra={"error": error, "size": 3})

    (record,) = caplog.records
    assert record.getMessage() == r"broken error=två\nrader \ud800\x1b size=3"
    assert vars(record)["error"] == error


def test_what_nobody_wants_to_hear_is_not_written_out() -> None:
    written: list[str] = []

    class Job:
        def __str__(self) -> str:
            written.append("job")
            return "job"

    log = logger_of("nvent_sched.test.quiet")
    log.logger.setLevel(logging.WARNING)

    log.info("quiet", extra={"job": Job()})

    assert not written
