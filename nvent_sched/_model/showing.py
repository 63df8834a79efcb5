"""Values that a notebook draws. Pure: who draws them registers from above."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Any, Final, Protocol

from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

MODES: Final = ("table", "timeline")
THEMES: Final = ("auto", "light", "dark")
HEIGHT_PX_MIN: Final = 120
HEIGHT_PX_MAX: Final = 4_000


@singledispatch
def html_of(value: object) -> str | None:
    """Draw a value as HTML; None if nobody knows how."""
    del value
    return None


class Shown:
    """A value with a view of its own in a notebook."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        """Draw it; the protocol of IPython."""
        return html_of(self)


class Dashboard(Protocol):
    """A live view of a scheduler, shown as a cell's last expression.

    Where nothing live can be shown (a saved notebook, a terminal, no ipywidgets) it is a
    plain table, or text.
    """

    def refresh(self) -> None:
        """Draw it anew as a plain table, where live updates do not arrive."""
        ...

    def freeze(self) -> None:
        """Replace it by a plain table of this moment; shown again, it lives again."""
        ...

    def close(self) -> None:
        """Do the same as `freeze`."""
        ...

    def to_html(self) -> str:
        """Draw how things stand as plain HTML, without style sheet or script."""
        ...

    def _ipython_display_(self) -> None:
        """Show it where it can be replaced later; the protocol of IPython."""
        ...

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, Any]:
        """Give every form of it: live, HTML and text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardOptions:
    """How a dashboard looks.

    Raises:
        UsageError: A value is not allowed.
    """

    mode: str = "table"
    height: int | None = None
    theme: str = "auto"
    compact: bool = False
    plain: bool | None = None

    def __post_init__(self) -> None:
        allowed = {
            "mode": MODES,
            "theme": THEMES,
            "compact": (True, False),
            "plain": (True, False, None),
        }
        for name, known in allowed.items():
            if (value := getattr(self, name)) not in known:
                msg = f"{name} must be one of {list(known)}, not {value!r}"
                raise UsageError(msg)
        if self.height is not None and not (
            isinstance(self.height, int)
            and HEIGHT_PX_MIN <= self.height <= HEIGHT_PX_MAX
        ):
            msg = (
                f"height must be {HEIGHT_PX_MIN} to {HEIGHT_PX_MAX} pixels, "
                f"not {self.height!r}"
            )
            raise UsageError(msg)


@singledispatch
def dashboard_of(
    scheduler: object, *, engine: Callable[[], Any], options: DashboardOptions
) -> Dashboard:
    """Give a scheduler's dashboard, the same one for the same options.

    Args:
        scheduler: The async one.
        engine: Says its engine, None while it does not run.
        options: How it looks.
    """
    del engine, options
    msg = f"nobody draws a dashboard of {scheduler!r}"
    raise UsageError(msg)
