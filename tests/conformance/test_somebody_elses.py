"""Somebody else's adapter inherits the suite by what its documentation says."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CONFTEST: Final = """
import pytest

pytest.register_assert_rewrite("nvent_sched.testing.conformance")
"""
SUITE: Final = '''
from dataclasses import replace

import pytest

from nvent_sched.adapters.memory import MemoryAdapter
from nvent_sched.testing.conformance import *
from nvent_sched.testing.conformance.builders import NOON


class Toy(MemoryAdapter):
    """Theirs."""

    @property
    def traits(self):
        return replace(super().traits, name="toy")

    async def put_jobs(self, writes, *, now):
        {put_jobs}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def new_adapter():
    return Toy


@pytest.fixture
async def adapter(new_adapter):
    opened = new_adapter()
    await opened.open(now=NOON)
    yield opened
    await opened.close()


@pytest.fixture
def same_store():
    return lambda adapter: None


@pytest.fixture
def corrupt_definition(adapter):
    async def corrupt(job_id):
        jobs = adapter._tables.jobs
        jobs[job_id] = replace(jobs[job_id], text="{{")

    return corrupt
'''
SOME: Final = "PutJobs or LockQueue or Quarantine or Fences or Life or Sharing"
"""Classes that need each of the four fixtures."""

HONEST: Final = "return await super().put_jobs(writes, now=now)"
FORGETFUL: Final = """for write in writes:
            old = self._tables.jobs.get(write.job.id)
            seen = 0 if old is None else old.version
            job = replace(write.job, version=seen + 1)
            await super().put_jobs(
                [replace(write, job=job, seen_version=seen)], now=now
            )
        return (STORED,) * len(writes)"""


@pytest.mark.parametrize(
    ("put_jobs", "code"), [(HONEST, 0), (FORGETFUL, 1)], ids=["honest", "forgetful"]
)
def test_an_adapter_of_somebody_else_is_judged_by_the_suite(
    tmp_path: Path, put_jobs: str, code: int
) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    suite = SUITE.format(put_jobs=put_jobs).replace(
        "import NOON", "import NOON\nfrom nvent_sched._model.claims import STORED"
    )
    (tmp_path / "test_toy.py").write_text(suite)

    judged = subprocess.run(  # noqa: S603  our own words
        [
            *(
                sys.executable,
                "-m",
                "pytest",
                "-qx",
                "-k",
                SOME,
                "-o",
                "anyio_mode=auto",
            ),
            *("-p", "no:valkey", "-p", "no:randomly", "-p", "no:cacheprovider"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert judged.returncode == code, judged.stdout
    assert ("stale" in judged.stdout) is bool(code)
