"""Cells executed in a real kernel."""

from __future__ import annotations

from typing import Any

import nbformat
from nbclient import NotebookClient

CELL_SECONDS_MAX = 40


def outputs_of(*cells: str) -> list[str]:
    """Execute cells in a new kernel, and say what each of them shows as text."""
    notebook = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells]  # type: ignore[no-untyped-call]
    )
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS_MAX,
        kernel_name="python3",
        store_widget_state=False,
    )
    client.execute()
    return ["".join(map(_text, cell.outputs)) for cell in notebook.cells]


def _text(output: Any) -> str:  # noqa: ANN401  a node of a notebook
    if output.output_type == "stream":
        return str(output.text)
    return str(output.data["text/plain"]) + "\n"
