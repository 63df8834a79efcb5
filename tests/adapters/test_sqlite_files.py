"""Files in every condition: each gives its own clear error and loses nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from anyio import create_task_group

from nvent_sched._model.queries import JobQuery
from nvent_sched.adapters.sqlite import SqliteAdapter
from nvent_sched.adapters.sqlite.schema import SCHEMA
from nvent_sched.errors import (
    SchemaError,
    StoreBusyError,
    StoreCorruptError,
    StoreFullError,
    StoreUnavailableError,
    UsageError,
)
from nvent_sched.testing.conformance.builders import (
    NOON,
    a_job,
    a_write,
    an_instance,
)
from nvent_sched.testing.conformance.steps import put, read_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.adapters.conftest import Other

MANY = 500


async def store(path: Path, *job_ids: str) -> None:
    """Make a store with jobs in it, in one single file."""
    adapter = SqliteAdapter(path, synchronous="OFF")
    await adapter.open(now=NOON)
    await put(adapter, *map(a_job, job_ids))
    await adapter.close()


def change(path: Path, *statements: str) -> None:
    """Change a file with the driver alone, leaving nothing beside it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def spoil(path: Path, *, keep: int, filler: bytes) -> int:
    """Overwrite a file from a place on, with as much as was there or nothing at all."""
    whole = path.read_bytes()
    path.write_bytes(whole[:keep] + filler * (len(whole) - keep))
    return len(whole)


def size_of(path: Path) -> int:
    return path.stat().st_size


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


async def open_and_read(adapter: SqliteAdapter) -> None:
    await adapter.open(now=NOON)
    await adapter.read_jobs(JobQuery(limit=MANY))


def asked(path: Path, question: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchone()[0]


async def read_ids(path: Path) -> list[str]:
    adapter = SqliteAdapter(path, synchronous="OFF")
    await adapter.open(now=NOON)
    try:
        return [job.id for job in await adapter.read_jobs(JobQuery())]
    finally:
        await adapter.close()


@contextmanager
def untouched(path: Path) -> Iterator[None]:
    """Check that a file is the same afterwards, and has no new neighbours."""
    before, beside = path.read_bytes(), sorted(path.parent.iterdir())
    yield
    assert path.read_bytes() == before
    assert sorted(path.parent.iterdir()) == beside


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file's write lock, as another process would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


async def refusal(path: Path, kind: type[Exception]) -> str:
    """Say why a file cannot be opened."""
    adapter = SqliteAdapter(path, busy_timeout=timedelta())
    with pytest.raises(kind) as refused:
        await adapter.open(now=NOON)
    assert str(path) in str(refused.value), "it says which file"
    return str(refused.value)


async def test_a_new_file_says_whose_it_is_and_which_schema_it_has(path: Path) -> None:
    await store(path)

    assert asked(path, "PRAGMA application_id") == int.from_bytes(b"nvsk", "big")
    assert asked(path, "PRAGMA user_version") == SCHEMA
    assert asked(path, "PRAGMA journal_mode") == "wal"


async def test_what_was_stored_is_there_when_it_is_opened_again(path: Path) -> None:
    await store(path, "a", "b")

    assert await read_ids(path) == ["a", "b"]


async def test_an_empty_file_becomes_a_store(path: Path) -> None:
    write(path, "")

    await store(path, "a")

    assert await read_ids(path) == ["a"]


async def test_a_file_of_an_older_release_is_brought_to_our_schema_with_its_jobs(
    path: Path,
) -> None:
    await store(path, "a", "await:b")
    change(path, "DROP INDEX jobs_waits", "PRAGMA user_version = 1")
    adapter = SqliteAdapter(path)

    await adapter.open(now=NOON)

    summary = await adapter.summary(now=NOON, is_deep=False)
    await adapter.close()
    assert asked(path, "PRAGMA user_version") == SCHEMA
    assert (sum(summary.jobs.values()), sum(summary.waits.values())) == (1, 1)


async def test_a_file_of_a_newer_release_is_not_touched(path: Path) -> None:
    await store(path, "a")
    newer = f"PRAGMA user_version = {SCHEMA + 1}"
    change(path, "PRAGMA journal_mode = DELETE", newer)

    with untouched(path):
        said = await refusal(path, SchemaError)

    assert "newer release" in said
    assert "upgrade" in said


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE theirs (it)"],
        ["PRAGMA application_id = 77"],
        ["CREATE TABLE jobs (id)", "PRAGMA user_version = 1"],
    ],
    ids=["tables", "mark", "tables like ours"],
)
async def test_a_database_of_somebody_else_is_left_alone(
    path: Path, statements: list[str]
) -> None:
    change(path, *statements)

    with untouched(path):
        said = await refusal(path, StoreCorruptError)

    assert "another file" in said


async def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    write(path, "Dear diary,\n" * 400)

    with untouched(path):
        await refusal(path, StoreCorruptError)


async def test_damage_is_told_and_the_rest_can_still_be_copied(path: Path) -> None:
    await store(path, *(f"{number:04}" for number in range(MANY)))
    change(path, "PRAGMA journal_mode = DELETE")
    size = spoil(path, keep=3 * 4_096, filler=b"\xff")

    adapter = SqliteAdapter(path)
    with pytest.raises(StoreCorruptError) as refused:
        await open_and_read(adapter)
    await adapter.close()

    assert isinstance(refused.value.__cause__, sqlite3.DatabaseError)
    assert size_of(path) == size


async def test_a_file_that_lost_its_end_is_told(path: Path) -> None:
    await store(path, *(f"{number:04}" for number in range(MANY)))
    change(path, "PRAGMA journal_mode = DELETE")
    spoil(path, keep=size_of(path) // 2, filler=b"")

    adapter = SqliteAdapter(path)
    with pytest.raises(StoreCorruptError):
        await open_and_read(adapter)
    await adapter.close()


async def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    said = await refusal(tmp_path / "not" / "there.db", StoreUnavailableError)

    assert str(tmp_path / "not") in said


async def test_a_folder_is_no_store(tmp_path: Path) -> None:
    await refusal(tmp_path, StoreUnavailableError)


def test_a_file_that_may_only_be_read_says_so(
    path: Path, another: Callable[..., AbstractContextManager[Other]]
) -> None:
    path.touch()
    path.parent.chmod(0o555)
    path.chmod(0o444)

    with another("refused", path) as other:
        name, said = other.rest()

    path.parent.chmod(0o755)
    assert name == "StoreReadOnlyError", said
    assert "permissions" in said


def test_a_folder_that_may_only_be_read_says_so(
    path: Path, another: Callable[..., AbstractContextManager[Other]]
) -> None:
    path.parent.chmod(0o555)

    with another("refused", path) as other:
        name, said = other.rest()

    path.parent.chmod(0o755)
    assert name == "StoreReadOnlyError", said
    assert f"its folder {path.parent} is read-only" in said


async def test_when_there_is_no_room_nothing_is_lost_and_it_goes_on_afterwards(
    path: Path,
) -> None:
    adapter = SqliteAdapter(path, synchronous="OFF")
    await adapter.open(now=NOON)
    await put(adapter, a_job("before"))
    await adapter._write(
        lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchone()
    )
    many = [a_write(a_job(f"{number:04}")) for number in range(MANY)]

    with pytest.raises(StoreFullError) as refused:
        await adapter.put_jobs(many, now=NOON)

    assert refused.value.may_retry
    assert [job.id for job in await adapter.read_jobs(JobQuery())] == ["before"]
    await adapter._write(
        lambda connection: connection.execute("PRAGMA max_page_count = 9999").fetchone()
    )
    await adapter.put_jobs(many, now=NOON)
    assert len(await adapter.read_jobs(JobQuery(limit=9_999))) == MANY + 1
    await adapter.close()


async def test_a_locked_file_is_busy_and_works_afterwards(path: Path) -> None:
    await store(path, "a")
    adapter = SqliteAdapter(path, busy_timeout=timedelta())
    await adapter.open(now=NOON)

    with locked(path):
        with pytest.raises(StoreBusyError) as refused:
            await put(adapter, a_job("b"))
        assert await read_job(adapter, "a") == a_job("a"), "readers do not wait"

    assert refused.value.may_retry
    await put(adapter, a_job("b"))
    await adapter.close()


async def test_a_new_file_that_is_locked_can_be_opened_later(path: Path) -> None:
    write(path, "")
    adapter = SqliteAdapter(path, busy_timeout=timedelta())

    with locked(path), pytest.raises(StoreBusyError):
        await adapter.open(now=NOON)

    await adapter.open(now=NOON)
    await put(adapter, a_job())
    await adapter.close()


async def test_who_waits_for_a_locked_file_waits_once_however_many_they_are(
    path: Path,
) -> None:
    adapter = SqliteAdapter(path, busy_timeout=timedelta(milliseconds=20))
    await adapter.open(now=NOON)
    statements: list[str] = []
    await adapter._read(lambda it: it.set_trace_callback(statements.append))
    refused: list[StoreBusyError] = []

    async def try_to_put(name: str) -> None:
        try:
            await put(adapter, a_job(name))
        except StoreBusyError as error:
            refused.append(error)

    with locked(path):
        async with create_task_group() as callers:
            for name in "abcdefgh":
                callers.start_soon(try_to_put, name)

    await adapter.close()
    assert len(refused) == len(set(map(id, refused))) == 8
    waits = statements.count("PRAGMA busy_timeout = 0")
    assert waits <= 2, "the first may have gone alone, the others go together"


async def test_a_store_in_memory_is_its_own_and_has_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    adapter = SqliteAdapter(":memory:")
    await adapter.open(now=NOON)

    await put(adapter, a_job())
    await adapter.renew(an_instance(), [], lease_us=1, now=NOON)

    assert await read_job(adapter) == a_job()
    assert not adapter.traits.is_shared
    assert not adapter.traits.is_durable
    await adapter.close()
    assert names_in(tmp_path) == []


async def test_a_file_is_shared_and_durable(path: Path) -> None:
    traits = SqliteAdapter(path).traits

    assert (traits.name, traits.is_shared, traits.is_durable) == ("sqlite", True, True)


async def test_before_it_is_open_and_after_it_is_closed_it_does_nothing(
    path: Path,
) -> None:
    adapter = SqliteAdapter(path)
    with pytest.raises(StoreUnavailableError, match="not open"):
        await adapter.read_jobs(JobQuery())

    await adapter.open(now=NOON)
    await adapter.close()

    with pytest.raises(StoreUnavailableError, match="not open"):
        await adapter.read_jobs(JobQuery())


async def test_it_is_opened_once(path: Path) -> None:
    adapter = SqliteAdapter(path)
    await adapter.open(now=NOON)

    with pytest.raises(UsageError, match="open already"):
        await adapter.open(now=NOON)

    await adapter.close()
