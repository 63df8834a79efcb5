"""Whatever bytes a file has: it is a store, or an error of ours says why it is none."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import anyio
from hypothesis import example, given
from hypothesis import strategies as st

from nvent_sched._model.queries import JobQuery, RunQuery
from nvent_sched.adapters.sqlite import SqliteAdapter
from nvent_sched.errors import StoreError
from nvent_sched.testing.conformance.builders import HANDLER, NOON, a_job, a_run
from nvent_sched.testing.conformance.steps import beat, claim, finish, insert, put


async def fill(path: Path) -> None:
    adapter = SqliteAdapter(path, synchronous="OFF")
    await adapter.open(now=NOON)
    await put(adapter, *(a_job(f"j{number}", look_at=NOON) for number in range(50)))
    await insert(adapter, *(a_run(f"r{n}", job_id="j1") for n in range(50)))
    for run in (await claim(adapter))[:20]:
        await finish(adapter, run)
    await beat(adapter)
    await adapter.close()


@cache
def a_store() -> bytes:
    """Make the bytes of a store with something in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jobs.db"
        anyio.run(fill, path)
        return path.read_bytes()


async def use(adapter: SqliteAdapter) -> None:
    await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)
    await adapter.read_jobs(JobQuery())
    await adapter.read_runs(RunQuery())
    await adapter.read_stats(None)
    await beat(adapter)
    await claim(adapter, request_id="again")


async def said_of(path: Path) -> str:
    """Say why a file is no store, or what is wrong with it; nothing if all is well."""
    adapter = SqliteAdapter(path, synchronous="OFF")
    try:
        await adapter.open(now=NOON)
    except StoreError as error:
        return f"not opened: {error}"
    try:
        await use(adapter)
    except StoreError as error:
        return str(error)
    finally:
        await adapter.close()
    return ""


def judge(content: bytes) -> None:
    """Open a file that holds this, and use it if it can be."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jobs.db"
        path.write_bytes(content)
        said = anyio.run(said_of, path)
        assert not said or str(path) in said
        if said.startswith("not opened"):
            assert path.read_bytes() == content


@given(st.binary(max_size=2_000))
@example(b"SQLite format 3\0")
def test_any_bytes_are_a_store_or_told_to_be_none(content: bytes) -> None:
    judge(content)


@given(st.floats(0, 1))
def test_a_store_that_was_cut_off_anywhere_is_told(share: float) -> None:
    content = a_store()

    judge(content[: int(share * len(content))])


@given(st.lists(st.tuples(st.floats(0, 0.9999), st.integers(1, 255)), min_size=1))
def test_a_store_with_wrong_bytes_anywhere_is_told(
    flips: list[tuple[float, int]],
) -> None:
    content = bytearray(a_store())
    for share, flip in flips:
        content[int(share * len(content))] ^= flip

    judge(bytes(content))
