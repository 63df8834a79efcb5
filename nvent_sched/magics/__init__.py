"""`%load_ext nvent_sched`: the cell magic `%%schedule` and the line magic `%jobs`.

IPython finds `load_ipython_extension` in the package itself, so this module is imported
with it and must stay light; what needs IPython is imported when the extension is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Give a shell `%%schedule` and `%jobs`; called by `%load_ext nvent_sched`."""
    from nvent_sched.magics.commands import Commands  # noqa: PLC0415  needs IPython

    commands = Commands(shell)
    register: Any = shell.register_magic_function  # its decorator hides its types
    register(commands.schedule, magic_kind="cell", magic_name="schedule")
    register(commands.jobs, magic_kind="line", magic_name="jobs")


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take them back; the jobs stay."""
    shell.magics_manager.magics["cell"].pop("schedule", None)
    shell.magics_manager.magics["line"].pop("jobs", None)
