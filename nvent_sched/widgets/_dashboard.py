"""A dashboard as its user holds it: where it is shown, and what is shown there.

One a scheduler and options, so a cell that is run again shows the same one in place. All
its outputs have one display id: what replaces it, a plain view or a plain table, replaces
it everywhere.
"""

from __future__ import annotations

import importlib.util
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from nvent_sched._model.instants import Instant
from nvent_sched._views.status import StatusModel
from nvent_sched._views.status.drawn import status_html, status_text
from nvent_sched.widgets._hub import hub_of
from nvent_sched.widgets._kernel import WIDGET_MIME, kernel_shell, show

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvent_sched._engine.supervision import Engine
    from nvent_sched._model.showing import DashboardOptions
    from nvent_sched.scheduler import Scheduler
    from nvent_sched.widgets._hub import Hub
    from nvent_sched.widgets._kernel import Bundle
    from nvent_sched.widgets._live import LiveView
    from nvent_sched.widgets._plain import PlainView

TEXT_MAX: Final = 20
"""How many jobs the text shows."""


class LiveDashboard:
    """A live view of a scheduler; see `Dashboard`.

    Args:
        scheduler: The async one.
        engine: Says its engine, None while it does not run.
        options: How it looks.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        engine: Callable[[], Engine | None],
        options: DashboardOptions,
    ) -> None:
        self._scheduler, self._engine, self._options = scheduler, engine, options
        self._display_id = f"nvent-{uuid4().hex}"
        self._view: LiveView | PlainView | None = None
        self._given_up: LiveView | PlainView | None = None
        self._hub: Hub | None = None
        self._is_shown = False

    def __repr__(self) -> str:
        """Say of which scheduler."""
        return f"<Dashboard of {self._scheduler!r}>"

    @property
    def widget(self) -> Any:  # noqa: ANN401  it has no types
        """The widget that is shown now; None if none is."""
        return None if self._view is None else self._view.widget

    def _ipython_display_(self) -> None:
        """Show it where it can be replaced later; the protocol of IPython."""
        if kernel_shell() is None:
            raise NotImplementedError  # which makes IPython ask for the bundle
        bundle = self._repr_mimebundle_()
        show(bundle, display_id=self._display_id)
        self._is_shown = True

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> Bundle:
        """Give every form of it: live, HTML and text."""
        del include, exclude
        hub = self._running_hub()
        if hub is None:
            return self._bundle(*self._drawn(remark="not running"))
        drawn = hub.draw(partial(self._forms, hub, remark="as the cell was run"))
        if drawn is None:
            return self._bundle(*self._idle_forms(remark="still reading the store"))
        html, text, snap = drawn
        if kernel_shell() is not None:
            self._open(hub, snap)
        return self._bundle(html, text)

    def _repr_html_(self) -> str:
        """Draw it as plain HTML; the protocol of IPython."""
        return self.to_html()

    def to_html(self) -> str:
        """Draw how things stand as plain HTML, without style sheet or script."""
        return self._drawn(remark="as it stood")[0]

    def refresh(self) -> None:
        """Draw it anew as a plain table, where live updates do not arrive."""
        self._replace(remark="as refreshed")

    def freeze(self) -> None:
        """Replace it by a plain table of this moment; shown again, it lives again."""
        self._replace(remark="frozen")

    def close(self) -> None:
        """Do the same as `freeze`."""
        self.freeze()

    def _running_hub(self) -> Hub | None:
        engine = self._engine()
        if engine is None or engine.stopped.is_set():
            return None
        hub = hub_of(self._scheduler, engine)
        if hub is not self._hub:
            self._hub, self._view = hub, None
        return hub

    def _open(self, hub: Hub, snap: dict[str, Any]) -> None:
        """Have a live view, if there is not one already."""
        if self._view is not None or not _has("ipywidgets"):
            return
        if self._options.plain or not _has("anywidget"):
            self._view = self._plain_view()
        else:
            from nvent_sched.widgets._live import LiveView  # noqa: PLC0415  optional

            self._view = LiveView(
                snap, options=self._options, fall_back=partial(self._fall_back, hub)
            )
        view = self._view
        view.listen(hub)
        hub.add(view, partial(self._end, hub))

    def _plain_view(self) -> PlainView:
        from nvent_sched.widgets._plain import PlainView  # noqa: PLC0415  optional

        return PlainView(height=self._options.height)

    def _fall_back(self, hub: Hub) -> None:
        """Show the plain view in its place: no front end can show the other."""
        if self._options.plain is False or self._view is None:
            return
        gone, self._view = self._view, self._plain_view()
        hub.remove(gone)
        self._view.listen(hub)
        hub.add(self._view, partial(self._end, hub))
        html, text, _ = self._forms(hub, hub.model, remark="live below")
        self._publish(self._bundle(html, text))
        # JupyterLab hides an output whose first widget is closed, whatever it shows now.
        self._given_up = gone

    def _end(self, hub: Hub) -> None:
        """Show the last state: the scheduler stopped. In the hub's loop."""
        html, text, _ = self._forms(hub, hub.model, remark="the scheduler stopped")
        self._let_go()
        self._publish(self._bundle(html, text))

    def _replace(self, *, remark: str) -> None:
        html, text = self._drawn(remark=remark)
        hub = self._hub
        if hub is not None and not hub.is_over:
            hub.call(self._let_go)
        self._publish(self._bundle(html, text))

    def _let_go(self) -> None:
        views, self._view, self._given_up = (self._view, self._given_up), None, None
        for view in views:
            if view is not None:
                if self._hub is not None:
                    self._hub.remove(view)
                view.end()

    def _drawn(self, *, remark: str) -> tuple[str, str]:
        hub = self._running_hub() or self._hub
        if hub is None:
            return self._idle_forms()
        drawn = hub.draw(partial(self._forms, hub, remark=remark))
        if drawn is None:
            return self._idle_forms(remark="the scheduler does not answer")
        return drawn[0], drawn[1]

    def _forms(
        self, hub: Hub, model: StatusModel, *, remark: str
    ) -> tuple[str, str, dict[str, Any]]:
        now = hub.core.time.now()
        html = status_html(model, now=now, remark=remark)
        text = f"{self!r}\n{status_text(model, now=now, limit=TEXT_MAX)}"
        snap: dict[str, Any] = {}
        if _has("anywidget"):
            from nvent_sched.widgets._live import head_of, opening  # noqa: PLC0415  as above

            snap = opening(model, now=now, head=head_of(hub, model))
        return html, text, snap

    def _idle_forms(self, *, remark: str = "not running") -> tuple[str, str]:
        empty = StatusModel(url=self._scheduler.url)
        html = status_html(empty, now=Instant(0), remark=remark)
        return html, f"{self!r}: {remark}"

    def _bundle(self, html: str, text: str) -> Bundle:
        bundle: Bundle = {"text/plain": text, "text/html": html}
        if self._view is not None:
            bundle[WIDGET_MIME] = {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self._view.model_id,
            }
        return bundle

    def _publish(self, bundle: Bundle) -> None:
        if self._is_shown:
            show(bundle, display_id=self._display_id, is_update=True)


def _has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
