"""The plain view: stock ipywidgets controls around one table.

It works in every front end that has ipywidgets, and steps in where anywidget is missing.
The browser writes what is typed, Python everything else: no trait has two writers.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from nvent_sched._model.instants import SECOND_US
from nvent_sched._model.roles import Role
from nvent_sched._views.status.drawn import rows_html, summary_line
from nvent_sched._views.status.rows import rank_of
from nvent_sched.widgets._commands import Verb, obey

if TYPE_CHECKING:
    from nvent_sched._views.status import Row
    from nvent_sched.widgets._hub import Hub

PAGE: Final = 25
PACE_US: Final = SECOND_US
"""The least time between two pictures: one message a second, of one page."""
OFFERED_MAX: Final = 500
"""How many ids are offered while a job's is typed."""
LABELS: Final = {
    Verb.RUN_NOW: "Run now",
    Verb.PAUSE: "Pause",
    Verb.RESUME: "Resume",
    Verb.REMOVE: "Remove",
}


class PlainView:
    """A page of jobs, drawn anew at most once a second.

    Args:
        height: Of the table, in pixels; as high as it is without one.
    """

    def __init__(self, *, height: int | None) -> None:
        self._page = 0
        self._next_us = 0
        self._is_asked = ""
        self._told = ""
        self._drawn = ""
        self._offered: tuple[str, ...] = ()
        self._filter = ipywidgets.Text(placeholder="Filter jobs", layout=_width(180))
        self._job = ipywidgets.Combobox(placeholder="A job's id", layout=_width(260))
        self._buttons = {
            verb: ipywidgets.Button(description=label, layout=_width(90))
            for verb, label in LABELS.items()
        }
        self._back = ipywidgets.Button(description="‹", layout=_width(36))  # noqa: RUF001
        self._on = ipywidgets.Button(description="›", layout=_width(36))  # noqa: RUF001
        self._table = ipywidgets.HTML()
        if height is not None:
            self._table.layout = ipywidgets.Layout(
                max_height=f"{height}px", overflow="auto"
            )
        self._line = ipywidgets.HTML()
        controls = [self._filter, self._job, *self._buttons.values()]
        controls += [self._back, self._on]
        self.widget: Any = ipywidgets.VBox(
            [
                ipywidgets.HBox(controls, layout=ipywidgets.Layout(flex_flow="wrap")),
                self._table,
                self._line,
            ]
        )

    @property
    def model_id(self) -> str:
        """What the front end knows it by."""
        return str(self.widget.model_id)

    def listen(self, hub: Hub) -> None:
        """Queue with the hub what comes from the browser."""
        for verb, button in self._buttons.items():
            button.on_click(_asker(self, hub, {"t": "act", "verb": verb.value}))
        self._back.on_click(_asker(self, hub, {"t": "page", "by": -1}))
        self._on.on_click(_asker(self, hub, {"t": "page", "by": 1}))
        self._filter.observe(_asker(self, hub, {"t": "page", "by": 0}), names="value")

    def wants_to_watch(self) -> bool:
        """Whether anybody may see it."""
        return True

    def due_at_us(self, hub: Hub) -> int | None:
        """Say when the next picture is due on the monotonic clock."""
        del hub
        return self._next_us

    async def push(self, hub: Hub) -> None:
        """Draw, if it is due."""
        if hub.now_us() >= self._next_us:
            self._next_us = hub.now_us() + PACE_US
            self._draw(hub)

    def _draw(self, hub: Hub) -> None:
        now, model = hub.core.time.now(), hub.model
        text = str(self._filter.value).casefold()
        rows = sorted(
            (row for row in model.rows() if _is_shown(row, text)),
            key=lambda row: rank_of(row, now=now),
        )
        self._page = min(self._page, max(0, (len(rows) - 1) // PAGE))
        first = self._page * PAGE
        shown = rows[first : first + PAGE]
        self._set(self._table, rows_html(shown, now=now))
        place = f"{first + bool(shown)}-{first + len(shown)} of {len(rows):,}"
        line = f"{place}. {summary_line(model, now=now)}"
        told = f"<b>{escape(self._told)}</b><br>" if self._told else ""
        self._set(self._line, f"{told}<small>{escape(line)}</small>")
        offered = tuple(row.id for row in rows[:OFFERED_MAX])
        if set(offered) != set(self._offered):
            self._offered = offered
            self._job.options = offered

    def _set(self, html: Any, text: str) -> None:  # noqa: ANN401  it has no types
        if html.value != text:
            html.value = text

    async def answer(self, hub: Hub, content: dict[str, Any]) -> None:
        """Take a click."""
        self._next_us = 0
        if content["t"] == "page":
            self._page = max(0, self._page + int(content["by"]))
            return
        job_id, verb = str(self._job.value), str(content["verb"])
        if job_id not in hub.model:
            self._told = (
                f"which job? there is no {job_id!r}" if job_id else "which job?"
            )
            return
        if verb == Verb.REMOVE and self._is_asked != job_id:
            self._ask(job_id)
            return
        self._ask("")
        _, self._told = await obey(hub.scheduler, hub.model, verb=verb, job_id=job_id)

    def _ask(self, job_id: str) -> None:
        """Ask in place whether a job is to be removed, or no more."""
        self._is_asked = job_id
        button = self._buttons[Verb.REMOVE]
        button.description = "Really?" if job_id else LABELS[Verb.REMOVE]
        self._told = f"Remove {job_id} with its history? Click again." if job_id else ""

    def end(self) -> None:
        """Let go of the widgets."""
        for each in (self.widget.children[0].children, self.widget.children):
            for child in each:
                child.close()
        self.widget.close()


def _is_shown(row: Row, text: str) -> bool:
    if row.role is not Role.JOB:
        return False
    words = (row.id, row.name, *row.tags)
    return not text or any(text in word.casefold() for word in words)


def _asker(view: PlainView, hub: Hub, content: dict[str, Any]) -> Any:  # noqa: ANN401
    def ask(change: object) -> None:
        del change
        hub.ask(view, content)

    return ask


def _width(pixels: int) -> Any:  # noqa: ANN401  it has no types
    return ipywidgets.Layout(width=f"{pixels}px")
