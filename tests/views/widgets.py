"""A front end that only records: what widgets send, and a way to answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import comm
from comm.base_comm import BaseComm

if TYPE_CHECKING:
    import pytest


class RecordingComm(BaseComm):
    """Keeps what would go to the browser, as the JSON that it must be."""

    sent: list[tuple[str, dict[str, Any], list[bytes]]]

    def publish_msg(
        self,
        msg_type: str,
        data: Any = None,
        metadata: Any = None,
        buffers: Any = None,
        **keys: Any,
    ) -> None:
        del metadata, keys
        plain = json.loads(json.dumps(data or {}))
        self.sent.append((msg_type, plain, [bytes(each) for each in buffers or ()]))


class FrontEnd:
    """All that was sent to it, and what it says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[tuple[str, dict[str, Any], list[bytes]]] = []
        sent = self.sent

        def create(*args: Any, **kwargs: Any) -> RecordingComm:
            made = RecordingComm.__new__(RecordingComm)
            made.sent = sent
            made.__init__(*args, **kwargs)  # type: ignore[misc]
            return made

        monkeypatch.setattr(comm, "create_comm", create)

    def messages(self, kind: str | None = None) -> list[dict[str, Any]]:
        """List the custom messages of a kind, or all."""
        found = [
            data["content"]
            for _, data, _ in self.sent
            if data.get("method") == "custom"
        ]
        return [each for each in found if kind is None or each["t"] == kind]

    def rows(self) -> list[list[Any]]:
        """Read the rows of the last full message."""
        for _, data, buffers in reversed(self.sent):
            if data.get("method") == "custom" and data["content"]["t"] == "full":
                return list(json.loads(buffers[0]))
        msg = "no full message was sent"
        raise AssertionError(msg)

    def say(self, widget: Any, **content: Any) -> None:
        """Send what the browser would."""
        data = {"method": "custom", "content": {"vid": "v1", **content}}
        widget.comm.handle_msg({"content": {"data": data}, "buffers": []})
