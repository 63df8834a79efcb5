"""Draw what was measured: `picture.py LINES.jsonl PICTURE.png`, with the pages' tables to stdout."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scenarios import SCENARIOS
from tables import Lines, markdown_of, middle_of

if TYPE_CHECKING:
    from collections.abc import Iterable

OURS: Final = "#0b6e99"
THEIRS: Final = "#b8bec6"
LIMIT: Final = "#e4c580"
PANELS: Final = (
    ("fires", "fires_s", "fires a second\n(all due at one moment)"),
    ("bulk", "adds_s", "adds a second, in bulk"),
    ("once", "late_p99_ms", "lateness p99, ms\n(1,000 jobs over 10 s)"),
    ("wake", "late_p50_ms", "lateness (median), ms\n(added by another process)"),
)


def _colour(subject: str) -> str:
    if subject.startswith("nvent"):
        return OURS
    return LIMIT if subject.startswith("bare") else THEIRS


def _panel(axes: Any, lines: Lines, panel: tuple[str, str, str]) -> None:  # noqa: ANN401
    scenario, figure, title = panel
    found = [
        (subject, value)
        for subject in reversed(SCENARIOS[scenario].subjects)
        if (value := middle_of(lines, scenario, subject, figure)) is not None
    ]
    names, values = [name for name, _ in found], [value for _, value in found]
    bars = axes.barh(names, values, color=list(map(_colour, names)))
    axes.bar_label(
        bars,
        [f"{value:,.3g}" if value < 100 else f"{value:,.0f}" for value in values],
        padding=3,
        fontsize=7,
    )
    axes.set_xscale("log")
    axes.set_title(title, fontsize=9, loc="left")
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.25)


def draw(lines: Lines, picture: Path) -> None:
    """Draw one picture of the scenarios that say most."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.use("agg")
    measured = {line.get("scenario") for line in lines}
    panels = [panel for panel in PANELS if panel[0] in measured]
    rows = (len(panels) + 1) // 2
    figure, grid = plt.subplots(rows, 2, figsize=(10, 4 * rows), layout="constrained")
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        _panel(axes, lines, panel)
    machine = lines[0]["machine"]
    loads = [line["load"] for line in lines if "load" in line]
    figure.supxlabel(
        f"{machine['cores']} cores, {machine['cpu']}, Python {machine['python']}; medians; "
        f"load {min(loads):.1f} to {max(loads):.1f}; blue: ours, sand: limits; logarithmic",
        fontsize=7,
    )
    figure.savefig(picture, dpi=110, metadata={"Software": None})


def read(path: Path) -> Lines:
    """Read JSON lines."""
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def main(arguments: Iterable[str]) -> None:
    """Draw, and write tables."""
    source, picture = map(Path, arguments)
    lines = read(source)
    draw(lines, picture)
    measured = {line.get("scenario") for line in lines}
    for name, scenario in SCENARIOS.items():
        if name in measured:
            title = f"{scenario.count:,} {scenario.title}"
            sys.stdout.write(f"### `{name}`: {title}\n\n{markdown_of(name, lines)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
