"""Many seeds, on several processors, in a bounded time."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final, TypeVar

from nvent_sched.testing.checker.owed import shown
from nvent_sched.testing.simulator.running import Ending, simulate
from nvent_sched.testing.simulator.small import OneFault, all_faults, simulate_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
CHUNK: Final = 5
"""How many simulations a process is given at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What became of one simulation.

    Attributes:
        name: The seed, or the fault, that it stands for.
        occurrences: How many occurrences were judged.
        problems: What is wrong, a line each; empty when nothing is.
        again: How to see it again, in one line.
    """

    name: str
    occurrences: int
    problems: tuple[str, ...]
    again: str


def see(seed: int) -> Seen:
    """Simulate a seed."""
    return _seen(
        str(seed), lambda: simulate(seed), again=f"nvent-sched simulate --seed {seed}"
    )


def see_fault(one: OneFault) -> Seen:
    """Simulate the small world with one fault."""
    again = (
        f"python -c 'from nvent_sched.testing.simulator.small import *; "
        f'print(simulate_fault(OneFault(verb="{one.verb}", fault=Fault("{one.fault}"), '
        f"call={one.call})).report)'"
    )
    return _seen(str(one), lambda: simulate_fault(one), again=again)


def _seen(name: str, simulated: Callable[[], Ending], *, again: str) -> Seen:
    try:
        ending = simulated()
    except Exception as error:  # noqa: BLE001  whatever it is, the seed is what counts
        problems = tuple(map(repr, _causes(error)))
        return Seen(name=name, occurrences=0, problems=problems, again=again)
    problems = problems_of(ending)
    occurrences = ending.report.occurrences
    return Seen(name=name, occurrences=occurrences, problems=problems, again=again)


def problems_of(ending: Ending) -> tuple[str, ...]:
    """Write what is wrong, a line each."""
    return tuple(
        " ".join(
            filter(
                None,
                (
                    str(each.wrong),
                    each.run_id or each.job_id,
                    None if each.at is None else shown(each.at),
                    each.text,
                ),
            )
        )
        for each in ending.report.violations
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _causes(inner)
    else:
        yield error


def see_seeds(
    seeds: Iterable[int], *, processes: int, is_over: Callable[[], bool]
) -> Iterator[Seen]:
    """Simulate seeds, until there are no more or it is over.

    Args:
        seeds: May be endless.
        processes: How many at once.
        is_over: Asked before each few simulations; what has begun is ended.
    """
    yield from _spread(_see_chunk, seeds, processes=processes, is_over=is_over)


def see_faults(
    calls: int, *, processes: int, is_over: Callable[[], bool]
) -> Iterator[Seen]:
    """Simulate every fault of the small world, at each of the first calls."""
    faults = all_faults(calls)
    yield from _spread(_see_faults, faults, processes=processes, is_over=is_over)


def _see_chunk(seeds: list[int]) -> list[Seen]:
    return [see(seed) for seed in seeds]


def _see_faults(faults: list[OneFault]) -> list[Seen]:
    return [see_fault(one) for one in faults]


def _spread(
    work: Callable[[list[T]], list[Seen]],
    items: Iterable[T],
    *,
    processes: int,
    is_over: Callable[[], bool],
) -> Iterator[Seen]:
    source = iter(items)
    # Processes of their own even for one: a simulation sets what Trio draws from.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        going: set[Future[list[Seen]]] = set()
        while True:
            while len(going) < 2 * processes and not is_over():
                chunk = list(islice(source, CHUNK))
                if not chunk:
                    break
                going.add(pool.submit(work, chunk))
            if not going:
                return
            done, going = wait(going, return_when=FIRST_COMPLETED)
            for each in done:
                yield from each.result()
