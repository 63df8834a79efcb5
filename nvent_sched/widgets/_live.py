"""The dashboard: one anywidget, and who writes to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import anywidget
import traitlets
from anyio.lowlevel import checkpoint

from nvent_sched._model.instants import MILLISECOND_US, SECOND_US, Instant
from nvent_sched._views.status.wire import (
    COLUMNS,
    detail_dict,
    head_dict,
    lane_dict,
    ms_of,
    row_list,
)
from nvent_sched.widgets._commands import obey
from nvent_sched.widgets._kernel import KernelWatch, answer_from_any_shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nvent_sched._model.showing import DashboardOptions
    from nvent_sched._views.status import Row, StatusModel
    from nvent_sched.widgets._hub import Hub

HERE: Final = Path(__file__).parent
OPENING_MAX: Final = 200
"""How many rows the opening snapshot has, which a saved notebook may keep."""
SLICE: Final = 500
DELTA_MAX: Final = 500
PACE_US: Final = 250 * MILLISECOND_US
"""The least time between two messages of live data: at most four a second."""
HEAD_US: Final = 2 * SECOND_US
BEAT_US: Final = 5 * SECOND_US
HELLO_US: Final = 4 * SECOND_US
"""How long the kernel is idle, and no view says hello, until the plain view steps in."""
SILENCE_US: Final = 90 * SECOND_US
"""The same for a view that was there: its browser is gone."""
TICK_US: Final = SECOND_US // 2
IDS_MAX: Final = 60
LANE_COMING_MAX: Final = 60


class _Mounted(anywidget.AnyWidget):
    """What the front end mounts; its traits are written once."""

    _esm: ClassVar = HERE / "dashboard.js"
    _css: ClassVar = HERE / "dashboard.css"
    options = traitlets.Dict().tag(sync=True)
    snap = traitlets.Dict().tag(sync=True)


def opening(
    model: StatusModel, *, now: Instant, head: dict[str, Any]
) -> dict[str, Any]:
    """Make the snapshot that a view shows until it hears of the hub."""
    rows = model.snapshot(now=now, limit=OPENING_MAX)
    return {
        "now": ms_of(now),
        "head": head,
        "columns": list(COLUMNS),
        "rows": [row_list(row) for row in rows],
        "count": len(model),
    }


class LiveView:
    """Writes to one widget, however many front ends show it.

    Args:
        snap: What to show before the first message.
        options: How it looks.
        fall_back: Called when no front end can show it.
        watch: Whether the kernel could hear one.
    """

    def __init__(
        self,
        snap: dict[str, Any],
        *,
        options: DashboardOptions,
        fall_back: Callable[[], None],
        watch: KernelWatch | None = None,
    ) -> None:
        self._fall_back = fall_back
        self._watch = KernelWatch() if watch is None else watch
        self.widget: anywidget.AnyWidget = _Mounted(
            options=_options_dict(options), snap=snap
        )
        answer_from_any_shell(self.widget)
        self._visible: set[str] = set()
        self._is_greeted = False
        self._wants_full = False
        self._seq = 0
        self._version = 0
        self._head_version = -1
        self._next_us = self._head_us = self._beat_us = 0
        self._heard_us = 0
        self._silent_us = 0
        self._looked_us: int | None = None

    @property
    def model_id(self) -> str:
        """What the front end knows it by."""
        return str(self.widget.model_id)

    def listen(self, hub: Hub) -> None:
        """Queue with the hub what comes from the browser."""

        def heard(widget: object, content: object, buffers: object) -> None:
            del widget, buffers
            if isinstance(content, dict):
                hub.ask(self, content)

        self.widget.on_msg(heard)

    def wants_to_watch(self) -> bool:
        """Whether anybody may see it."""
        return bool(self._visible) or not self._is_greeted

    def due_at_us(self, hub: Hub) -> int | None:
        """Say when the next message is due on the monotonic clock; None for never."""
        if not self._is_greeted:
            return hub.now_us() + TICK_US
        if not self._visible:
            return None
        if self._wants_full:
            return hub.now_us() + TICK_US
        due = [self._beat_us]
        if hub.model.version != self._version:
            due.append(self._next_us)
        if hub.model.head_version != self._head_version:
            due.append(max(self._head_us, self._next_us))
        return min(due)

    async def push(self, hub: Hub) -> None:
        """Send what is due, if anything."""
        self._note_silence(hub.now_us())
        if not self._visible:
            return
        if self._wants_full:
            # Half of the jobs would look like all of them.
            if hub.follower.is_loaded or hub.model.trouble is not None:
                await self._send_full(hub)
        elif hub.now_us() >= self._next_us:
            self._send_delta(hub)

    def _note_silence(self, now_us: int) -> None:
        """Add up for how long the kernel could have heard a front end and did not."""
        passed_us = 0 if self._looked_us is None else now_us - self._looked_us
        self._looked_us = now_us
        if not self._watch.is_busy:
            self._silent_us += min(passed_us, BEAT_US)
        if not self._is_greeted and self._silent_us >= HELLO_US:
            self._is_greeted = True  # once is enough
            self._fall_back()
        elif self._silent_us >= SILENCE_US:
            self._visible.clear()

    async def _send_full(self, hub: Hub) -> None:
        """Send every row, built a slice at a time so that the loop goes on."""
        self._wants_full = False
        version, parts = hub.model.version, list[bytes]()
        for rows in _sliced(hub.model.rows()):
            parts.append(json.dumps(rows, separators=(",", ":")).encode()[1:-1])
            await checkpoint()
        head = self._head(hub)
        self._send(
            hub,
            {"t": "full", "head": head, "columns": COLUMNS},
            [b"[" + b",".join(parts) + b"]"],
        )
        self._version = version

    def _send_delta(self, hub: Hub) -> None:
        model, now_us = hub.model, hub.now_us()
        delta = model.delta_since(self._version, limit=DELTA_MAX)
        if delta is None:
            self._wants_full = True
            return
        content: dict[str, Any] = {"t": "d"}
        if delta.rows or delta.gone:
            content["rows"] = [row_list(row) for row in delta.rows]
            content["gone"] = delta.gone
        is_head_due = now_us >= self._head_us
        if model.head_version != self._head_version and is_head_due:
            content["head"] = self._head(hub)
        if len(content) == 1:
            if now_us < self._beat_us:
                return
            content = {"t": "h", "head": self._head(hub)}
        self._version = delta.version
        self._send(hub, content)

    def _head(self, hub: Hub) -> dict[str, Any]:
        self._head_version = hub.model.head_version
        self._head_us = hub.now_us() + HEAD_US
        return head_of(hub, hub.model)

    def _send(
        self, hub: Hub, content: dict[str, Any], buffers: list[bytes] | None = None
    ) -> None:
        """Send live data with the next number."""
        self._seq += 1
        now_us = hub.now_us()
        self._next_us, self._beat_us = now_us + PACE_US, now_us + BEAT_US
        now = ms_of(hub.core.time.now())
        self.widget.send(content | {"seq": self._seq, "now": now}, buffers)

    async def answer(self, hub: Hub, content: dict[str, Any]) -> None:
        """Take what the browser sent."""
        self._silent_us = 0
        view_id = str(content.get("vid"))[:40]
        match content.get("t"):
            case "hello":
                self._is_greeted = self._wants_full = True
                self._visible.add(view_id)
            case "vis" if content.get("on"):
                self._visible.add(view_id)
            case "vis" | "bye":
                self._visible.discard(view_id)
            case "act":
                await self._act(hub, content)
            case "detail":
                await self._tell_detail(hub, str(content.get("id")))
            case "want":
                await self._tell_lanes(hub, content)
            case _:
                return

    async def _act(self, hub: Hub, content: dict[str, Any]) -> None:
        verb, job_id = str(content.get("verb")), str(content.get("id"))
        is_ok, text = await obey(hub.scheduler, hub.model, verb=verb, job_id=job_id)
        self._reply({"t": "res", "rid": content.get("rid"), "ok": is_ok, "text": text})

    async def _tell_detail(self, hub: Hub, job_id: str) -> None:
        detail = await hub.follower.detail(job_id)
        told = None if detail is None else detail_dict(detail)
        self._reply({"t": "detail", "id": job_id, "detail": told})

    async def _tell_lanes(self, hub: Hub, content: dict[str, Any]) -> None:
        """Read the recent runs of the rows on the screen, and their timelines."""
        ids = [str(each) for each in content.get("ids", ())][:IDS_MAX]
        await hub.follower.fill_past(ids)
        if not content.get("lanes"):
            return
        since = Instant(int(content.get("since", 0)) * MILLISECOND_US)
        until = Instant(int(content.get("until", 0)) * MILLISECOND_US)
        lanes = {}
        for job_id in ids:
            runs, coming = await hub.follower.lane(
                job_id, since=since, until=until, coming_max=LANE_COMING_MAX
            )
            lanes[job_id] = lane_dict(runs, coming=coming)
        self._reply({"t": "lanes", "lanes": lanes})

    def _reply(self, content: dict[str, Any]) -> None:
        self.widget.send(content)

    def end(self) -> None:
        """Let go of the widget."""
        self._watch.close()
        self.widget.close()


def head_of(hub: Hub, model: StatusModel) -> dict[str, Any]:
    """Write what is above the rows."""
    core = hub.core
    return head_dict(
        model,
        now=core.time.now(),
        own_id=core.instance_id,
        dead_after_us=core.options.timing.dead_after_us,
    )


def _options_dict(options: DashboardOptions) -> dict[str, Any]:
    return {
        "mode": options.mode,
        "height": options.height,
        "theme": options.theme,
        "compact": options.compact,
    }


def _sliced(rows: Iterable[Row]) -> Iterator[list[list[Any]]]:
    part: list[list[Any]] = []
    for row in rows:
        part.append(row_list(row))
        if len(part) == SLICE:
            yield part
            part = []
    if part:
        yield part
