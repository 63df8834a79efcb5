"""Tables of what was measured: ratios first, then medians with their range."""

from __future__ import annotations

from statistics import median
from typing import Any

from rich.table import Table
from scenarios import SCENARIOS

Lines = list[dict[str, Any]]


def spread(values: list[float]) -> str:
    """Write a median with its range."""
    known = [value for value in values if value == value]  # noqa: PLR0124  not NaN
    if not known:
        return "-"
    middle, low, high = median(known), min(known), max(known)
    digits = 0 if middle >= 100 else 2 if middle >= 0.01 or middle == 0 else 4
    if low == high:
        return f"{middle:,.{digits}f}".removesuffix(".00")
    parts = [f"{value:,.{digits}f}" for value in (middle, low, high)]
    return f"{parts[0]} [{parts[1]} to {parts[2]}]"


def middle_of(lines: Lines, scenario: str, subject: str, figure: str) -> float | None:
    """Say the median of one figure; None if it was not measured."""
    found = [
        line[figure]
        for line in lines
        if line.get("scenario") == scenario
        and line["subject"] == subject
        and line.get(figure) is not None
        and line[figure] == line[figure]
    ]
    return median(found) if found else None


def rows_of(name: str, lines: Lines) -> list[list[str]]:
    """Make the rows of a scenario: subject, jobs, ratio to ours, figures."""
    scenario = SCENARIOS[name]
    figure, is_more_better = scenario.better
    ours = middle_of(lines, name, scenario.subjects[0], figure)
    rows: list[list[str]] = []
    for subject in scenario.subjects:
        rounds = [
            line
            for line in lines
            if line.get("scenario") == name and line["subject"] == subject
        ]
        measured = [line for line in rounds if figure in line]
        if not measured:
            why = {line.get("missing") or line.get("failed") for line in rounds}
            if rounds:
                rows.append([subject, f"left out: {'; '.join(map(str, why))}"[-300:]])
            continue
        theirs = middle_of(lines, name, subject, figure)
        ratio = "-"
        if ours and theirs:
            ratio = f"{theirs / ours if is_more_better else ours / theirs:.2f}"
        cells = [
            spread([line.get(each, float("nan")) for line in measured])
            for each in scenario.figures
        ]
        rows.append([subject, f"{measured[0]['count']:,}", ratio, *cells])
    return rows


def headings_of(name: str) -> list[str]:
    """Name the columns."""
    return ["subject", "jobs", "ratio", *SCENARIOS[name].figures]


def table_of(name: str, lines: Lines) -> Table:
    """Make a table for a terminal."""
    table = Table(title=SCENARIOS[name].title)
    for heading in headings_of(name):
        justify: Any = "left" if heading == "subject" else "right"
        table.add_column(heading, justify=justify)
    for row in rows_of(name, lines):
        table.add_row(*row)
    return table


def markdown_of(name: str, lines: Lines) -> str:
    """Make a table for a page."""
    headings = headings_of(name)
    text = [f"| {' | '.join(headings)} |", f"|---|{'---:|' * (len(headings) - 1)}"]
    text += [f"| {' | '.join(row)} |" for row in rows_of(name, lines)]
    return "\n".join(text) + "\n"
