"""What a dashboard asks of the notebook it is shown in: IPython, where there is one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

Bundle = dict[str, Any]
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"


def kernel_shell() -> InteractiveShell | None:
    """Find the shell of a notebook's kernel; None in a terminal or a plain program."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython  # noqa: PLC0415  an optional face

    shell: InteractiveShell | None = get_ipython()
    return shell if hasattr(shell, "kernel") else None


def show(bundle: Bundle, *, display_id: str, is_update: bool = False) -> None:
    """Show a bundle in the running cell, or in place of what has this display's id.

    Any thread may update.
    """
    shell = kernel_shell()
    if shell is None:
        return
    publish: Any = shell.display_pub.publish
    publish(
        data=bundle,
        metadata={},
        transient={"display_id": display_id},
        update=is_update,
    )


class KernelWatch:
    """Whether the kernel executes a cell, and so may not hear the browser."""

    def __init__(self) -> None:
        self._shell = kernel_shell()
        # Whoever makes this is in a cell, which will end.
        self.is_busy: bool = self._shell is not None
        if self._shell is not None:
            events: Any = self._shell.events
            events.register("pre_run_cell", self._begin)
            events.register("post_run_cell", self._end)

    def _begin(self, info: object) -> None:
        del info
        self.is_busy = True

    def _end(self, result: object) -> None:
        del result
        self.is_busy = False

    def close(self) -> None:
        """Watch no more. Idempotent."""
        shell, self._shell = self._shell, None
        if shell is not None:
            events: Any = shell.events
            events.unregister("pre_run_cell", self._begin)
            events.unregister("post_run_cell", self._end)


def answer_from_any_shell(widget: Any) -> None:  # noqa: ANN401  it has no types
    """Let clicks be heard in a blocking cell, where the front end has subshells.

    ipykernel 7.4 sends a front end's message to the shell that the kernel last used for
    this widget: the main one, which waits for the cell. Without the method that says so,
    the front end's own choice stands. Private, so it is asked for; nothing happens where
    it is not there.
    """
    comm = widget.comm
    if comm is not None and hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = None  # noqa: SLF001  see above
