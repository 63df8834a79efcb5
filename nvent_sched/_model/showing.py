"""Values that a notebook draws. Pure: who draws them registers from above."""

from __future__ import annotations

from functools import singledispatch


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
