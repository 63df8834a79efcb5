"""What is measured: ours, the peers, and the limits; and where each of them lives.

A peer is installed into a virtual environment of its own, below a folder that is kept from
one run to the next: what they depend on does not agree.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stage import described
from stores import MissingError

if TYPE_CHECKING:
    from peers.asked import Ask

HERE: Final = Path(__file__).parent
HOME: Final = Path(tempfile.gettempdir()) / "nvent-sched-peers"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One line of a table.

    Attributes:
        name: What it is called there.
        script: The program below `peers`.
        variant: Which of those that the program can be.
        store: The kind of its store.
        needs: What is installed for it; nothing for what is here anyway.
        is_own_adder: It fills its store in the process that works it off.
        can_bulk: It has a way to add many at once.
        share: The part of the usual number of jobs that it is given: it is slow.
        pace: So many adds a second are surely possible.
        options: Added to the store's URL.
        remark: What one should know beside its figures.
    """

    name: str
    script: str
    variant: str = ""
    store: str = "none"
    needs: tuple[str, ...] = ()
    is_own_adder: bool = False
    can_bulk: bool = False
    share: float = 1
    pace: float = 1_000
    options: str = ""
    remark: str = ""

    @property
    def home(self) -> Path:
        """Where it is installed."""
        return HOME / Path(self.script).stem

    def command(self, ask: Ask) -> list[str]:
        """Say how it is started."""
        script = str(HERE / "peers" / self.script)
        if self.script.endswith(".mjs"):
            return [str(shutil.which("node")), script, described(ask), str(self.home)]
        python = self.home / "bin" / "python" if self.needs else Path(sys.executable)
        return [str(python), script, described(ask)]

    def prepare(self) -> None:
        """Install it.

        Raises:
            MissingError: It cannot be.
        """
        if self.script.endswith(".mjs"):
            self._prepare_node()
        elif self.needs and not (self.home / "complete").exists():
            _install(sys.executable, "-m", "venv", str(self.home))
            python = str(self.home / "bin" / "python")
            quiet = ("-q", "--disable-pip-version-check")
            _install(python, "-m", "pip", "install", *quiet, *self.needs)
            (self.home / "complete").touch()

    def _prepare_node(self) -> None:
        npm = shutil.which("npm")
        if npm is None or shutil.which("node") is None:
            msg = "there is no node, or no npm"
            raise MissingError(msg)
        if not (self.home / "node_modules").exists():
            quiet = ("--silent", "--no-audit", "--no-fund", "--ignore-scripts")
            _install(npm, "install", *quiet, "--prefix", str(self.home), *self.needs)

    def versions(self) -> str:
        """Say which version it is."""
        if self.script.endswith(".mjs"):
            package = self.home / "node_modules" / self.needs[0] / "package.json"
            found = json.loads(package.read_text(encoding="utf-8"))["version"]
            return f"{self.needs[0]} {found}"
        if not self.needs:
            return ""
        name = self.needs[0].partition("[")[0].rstrip("<>=.,0123456789ab")
        code = f"import importlib.metadata as m; print(m.version({name!r}))"
        done = subprocess.run(  # noqa: S603  our own words
            [str(self.home / "bin" / "python"), "-c", code],
            capture_output=True,
            text=True,
            check=False,
        )
        return f"{name} {done.stdout.strip()}"


def _install(*words: str) -> None:
    try:
        subprocess.run(  # noqa: S603  our own words
            words, check=True, capture_output=True, text=True, timeout=600
        )
    except (OSError, subprocess.SubprocessError) as error:
        msg = f"could not be installed: {error}"
        raise MissingError(msg) from error


REDIS: Final = "redis[hiredis]>=6"
_APS3: Final = ("apscheduler>=3.11,<4", "sqlalchemy>=2", REDIS)
_APS4: Final = (
    "apscheduler==4.0.0a6",
    "sqlalchemy[asyncio]>=2",
    "aiosqlite",
    "sniffio",
)
NO_RECORD: Final = "keeps no record of a run"

SUBJECTS: Final = {
    subject.name: subject
    for subject in (
        Subject(
            name="nvent, SQLite",
            script="nvent.py",
            variant="asyncio",
            store="file",
            can_bulk=True,
            pace=4_000,
        ),
        Subject(
            name="nvent, SQLite, Trio",
            script="nvent.py",
            variant="trio",
            store="file",
            can_bulk=True,
            pace=4_000,
        ),
        Subject(
            name="nvent, Redis",
            script="nvent.py",
            variant="asyncio",
            store="redis",
            can_bulk=True,
            pace=4_000,
        ),
        Subject(
            name="nvent, Redis, Trio",
            script="nvent.py",
            variant="trio",
            store="redis",
            can_bulk=True,
            pace=4_000,
        ),
        Subject(
            name="bare loop, asyncio",
            script="limits.py",
            variant="asyncio",
            is_own_adder=True,
            pace=100_000,
        ),
        Subject(
            name="bare loop, Trio",
            script="limits.py",
            variant="trio",
            is_own_adder=True,
            pace=100_000,
        ),
        Subject(
            name="bare SQLite",
            script="limits.py",
            variant="sqlite",
            store="file",
            can_bulk=True,
            pace=10_000,
        ),
        Subject(
            name="bare Lua",
            script="limits.py",
            variant="lua",
            store="redis",
            can_bulk=True,
            pace=10_000,
        ),
        Subject(
            name="APScheduler 3, memory",
            script="apscheduler3.py",
            variant="memory",
            needs=_APS3,
            is_own_adder=True,
            remark=NO_RECORD,
        ),
        Subject(
            name="APScheduler 3, SQLite",
            script="apscheduler3.py",
            variant="sqlite",
            store="file",
            needs=_APS3,
            pace=600,
            remark=NO_RECORD,
        ),
        Subject(
            name="APScheduler 3, Redis",
            script="apscheduler3.py",
            variant="redis",
            store="redis",
            needs=_APS3,
            share=0.5,
            pace=600,
            remark=NO_RECORD,
        ),
        Subject(
            name="APScheduler 4, memory",
            script="apscheduler4.py",
            variant="memory",
            needs=_APS4,
            is_own_adder=True,
            share=0.1,
            remark="alpha",
        ),
        Subject(
            name="APScheduler 4, SQLite",
            script="apscheduler4.py",
            variant="sqlite",
            store="file",
            needs=_APS4,
            share=0.025,
            pace=60,
            remark="alpha",
        ),
        Subject(
            name="Huey, SQLite",
            script="huey_.py",
            variant="sqlite",
            store="file",
            needs=("huey", REDIS),
            share=0.5,
            remark="polls every second; keeps nothing of a task that returns None",
        ),
        Subject(
            name="Huey, Redis",
            script="huey_.py",
            variant="redis",
            store="redis",
            needs=("huey", REDIS),
            share=0.25,
            remark="polls every second; keeps nothing of a task that returns None",
        ),
        Subject(
            name="arq, Redis",
            script="arq_.py",
            store="redis",
            needs=("arq",),
            share=0.1,
            pace=400,
        ),
        Subject(
            name="SAQ, Redis",
            script="saq_.py",
            store="redis",
            needs=("saq[redis]", "typing_extensions"),
            share=0.1,
            pace=400,
        ),
        Subject(
            name="streaQ, Redis",
            script="streaq_.py",
            store="redis",
            needs=("streaq",),
            can_bulk=True,
            share=0.1,
            pace=400,
        ),
        Subject(
            name="Celery, redbeat, Redis",
            script="celery_.py",
            store="redis",
            needs=("celery[redis]", "celery-redbeat", "packaging"),
            share=0.1,
            pace=600,
            remark="two processes; results are not kept",
        ),
        Subject(
            name="procrastinate, Postgres",
            script="procrastinate_.py",
            store="postgres",
            needs=("procrastinate", "psycopg[binary,pool]"),
            can_bulk=True,
            share=0.05,
            pace=150,
        ),
        Subject(
            name="BullMQ, Redis",
            script="bullmq.mjs",
            store="redis",
            needs=("bullmq", "ioredis"),
            can_bulk=True,
            pace=2_000,
        ),
    )
}
