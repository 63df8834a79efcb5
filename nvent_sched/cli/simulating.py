"""`simulate`: instances, a virtual clock and a faulty store, from a seed; needs no store."""

from __future__ import annotations

import os
import threading
from functools import partial
from itertools import count, islice
from typing import TYPE_CHECKING, Final

from anyio import to_thread
from rich.text import Text

from nvent_sched._model.instants import MICROSECOND
from nvent_sched._views.words import count_words, printable
from nvent_sched.cli.exits import Exit
from nvent_sched.cli.output import table_of
from nvent_sched.cli.waiting import CLOCK
from nvent_sched.testing.simulator import simulate
from nvent_sched.testing.simulator.scenarios import SCENARIOS, see_scenario
from nvent_sched.testing.simulator.seeds import Seen, see_faults, see_seeds

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from nvent_sched.cli.output import Output

SEEDS: Final = 100
"""How many seeds are simulated if nobody says how many, or for how long."""
SHOWN_MAX: Final = 20


async def run_simulations(asked: argparse.Namespace, out: Output) -> Exit:
    """Simulate, and say whether every promise was kept."""
    stopped = threading.Event()
    try:
        return await to_thread.run_sync(
            partial(_simulated, asked, out, stopped), abandon_on_cancel=True
        )
    finally:
        stopped.set()


def _simulated(
    asked: argparse.Namespace, out: Output, stopped: threading.Event
) -> Exit:
    if asked.scenario is not None:
        if asked.scenario == "list":
            return _list_scenarios(out)
        names = list(SCENARIOS) if asked.scenario == "all" else [asked.scenario]
        return _told(map(see_scenario, names), out, what="scenario", is_each_told=True)
    if asked.faults is not None:
        processes = asked.processes or _processors()
        seen = see_faults(asked.faults, processes=processes, is_over=stopped.is_set)
        return _told(seen, out, what="fault")
    if asked.seed is not None and asked.log:
        for line in simulate(asked.seed).log:
            out.line(printable(line))
    return _told(_seeds(asked, stopped), out, what="seed")


def _list_scenarios(out: Output) -> Exit:
    if out.is_json:
        out.document({name: each.about for name, each in SCENARIOS.items()})
        return Exit.DONE
    table = table_of("scenario", "what fails elsewhere")
    for name, each in SCENARIOS.items():
        table.add_row(name, each.about)
    out.show(table)
    return Exit.DONE


def _seeds(asked: argparse.Namespace, stopped: threading.Event) -> Iterator[Seen]:
    began_us = CLOCK.monotonic_us()
    until_us = None
    seeds: Iterable[int] = count(asked.first)
    if asked.seed is not None:
        seeds = [asked.seed]
    elif asked.seeds is not None or asked.seconds is None:
        seeds = islice(seeds, asked.seeds or SEEDS)
    if asked.seconds is not None:
        until_us = began_us + asked.seconds // MICROSECOND
    processes = 1 if asked.seed is not None else asked.processes or _processors()

    def is_over() -> bool:
        is_late = until_us is not None and CLOCK.monotonic_us() >= until_us
        return is_late or stopped.is_set()

    return see_seeds(seeds, processes=processes, is_over=is_over)


def _processors() -> int:
    return os.cpu_count() or 1


def _told(
    all_seen: Iterable[Seen], out: Output, *, what: str, is_each_told: bool = False
) -> Exit:
    number = occurrences = 0
    failed: list[Seen] = []
    for seen in all_seen:
        number += 1
        occurrences += seen.occurrences
        if seen.problems:
            failed.append(seen)
            if not out.is_json and len(failed) <= SHOWN_MAX:
                _show_failure(seen, out, what=what)
        elif is_each_told and not out.is_json:
            out.line(Text(f"✓ {seen.name}", style="green"))
    if out.is_json:
        document = {
            what + "s": number,
            "occurrences": occurrences,
            "ok": not failed,
            "failed": failed,
        }
        out.document(document)
    else:
        simulated = (
            f"{count_words(number, what)} simulated, "
            f"{count_words(occurrences, 'occurrence')} judged"
        )
        if failed:
            text = f"✗ {count_words(len(failed), what)} failed; {simulated}"
            out.line(Text(text, style="red"))
        else:
            text = f"✓ every promise was kept: {simulated}"
            out.line(Text(text, style="green"))
    return Exit.NO if failed else Exit.DONE


def _show_failure(seen: Seen, out: Output, *, what: str) -> None:
    out.line(Text(f"✗ {what} {seen.name}", style="red"))
    for problem in seen.problems[:SHOWN_MAX]:
        out.line(printable(f"    {problem}"))
    out.line(printable(f"    again: {seen.again}"))
