"""One module reads the time or waits for it; every other one asks the clock."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.architecture.conftest import Source

CLOCK: Final = "nvent_sched/_engine/clock.py"
CLOCKS: Final = {
    CLOCK,
    "nvent_sched/testing/clock.py",  # gives real threads real time to come to rest
}

READS_OR_WAITS: Final = {
    *(
        f"time.{name}"
        for name in (
            "clock_gettime",
            "clock_gettime_ns",
            "gmtime",
            "localtime",
            "monotonic",
            "monotonic_ns",
            "perf_counter",
            "perf_counter_ns",
            "sleep",
            "time",
            "time_ns",
        )
    ),
    *(f"datetime.datetime.{name}" for name in ("now", "today", "utcnow")),
    "datetime.date.today",
    *(
        f"{library}.{name}"
        for library in ("anyio", "trio", "asyncio")
        for name in (
            "current_time",
            "fail_after",
            "fail_at",
            "move_on_after",
            "move_on_at",
            "sleep",
            "sleep_until",
            "timeout",
            "timeout_at",
            "wait_for",
        )
    ),
    "threading.Timer",
}

# These measure time, and are not run as tests.
MEASURES: Final = ("tests/bench/", "tests/mutants/take_out.py")


def names_of(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for."""
    names = dict[str, str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                names[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    """The full name that *node* spells, if it spells an imported one."""
    match node:
        case ast.Name(id=name):
            return names.get(name)
        case ast.Attribute(value=value, attr=attribute):
            owner = dotted(value, names)
            return owner and f"{owner}.{attribute}"
        case _:
            return None


def clock_reads(sources: list[Source]) -> Iterator[tuple[str, str]]:
    """Name each file that reads the time or waits, and where and how it does."""
    for source in sources:
        names = names_of(source.tree)
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Name | ast.Attribute):
                name = dotted(node, names)
                if name in READS_OR_WAITS:
                    yield source.name, f"line {node.lineno}: {name}"


def test_only_the_clock_reads_the_time_or_waits(sources: list[Source]) -> None:
    reads = list(clock_reads(sources))

    assert [read for read in reads if read[0] not in CLOCKS] == []
    assert CLOCK in dict(reads), "or this test is blind"


def test_no_test_sleeps(test_sources: list[Source]) -> None:
    waits = clock_reads(test_sources)

    assert [w for w in waits if not w[0].startswith(MEASURES)] == []
