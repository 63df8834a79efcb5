"""One module reads the time or waits for it; every other one asks the clock."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.architecture.conftest import Source

CLOCK: Final = "nvent_sched/_engine/clock.py"

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

# A test may wait for another process: there is nothing else that tells.
MAY_WAIT: Final[dict[str, str]] = {}


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


def clock_reads(source: Source) -> Iterator[str]:
    tree = source.tree
    names = names_of(tree)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Name | ast.Attribute)
            and (name := dotted(node, names)) in READS_OR_WAITS
        ):
            yield f"{source.name}:{node.lineno} {name}"


def test_only_the_clock_reads_the_time_or_waits(source: Source) -> None:
    assert source.name == CLOCK or list(clock_reads(source)) == []


def test_no_test_sleeps(test_source: Source) -> None:
    may_wait = test_source.name.startswith("tests/bench/")
    may_wait = may_wait or test_source.name in MAY_WAIT

    assert may_wait or list(clock_reads(test_source)) == []


def test_the_clock_is_seen_to_read_the_time(source: Source) -> None:
    """Or the two tests above could be blind."""
    assert source.name != CLOCK or any(clock_reads(source))
