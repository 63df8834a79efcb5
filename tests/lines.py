"""Lines to a server that fail as networks do."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Line:
    """A line to a server that can lose a question or an answer, lie, or fall silent.

    Attributes:
        alter: What it makes of each answer; it must stay as long as it is.
        port: Where it is picked up.
        lost: How many questions and answers it lost.
        calls: How often it was picked up.
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.lost = self.calls = 0
        self.alter: Callable[[bytes], bytes] = bytes
        self._to_lose = 0
        self._questions_to_lose = 0
        self._is_silent = False
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_next_answer(self) -> None:
        """Cut the connection instead of passing the next answer on."""
        self._to_lose += 1

    def lose_next_question(self) -> None:
        """Cut the connection instead of passing the next question on."""
        self._questions_to_lose += 1

    def fall_silent(self) -> None:
        """Pass nothing on any more, and tell nobody."""
        self._is_silent = True

    def speak(self) -> None:
        """Pass everything on again, for who calls anew."""
        self._is_silent = False

    def cut(self) -> None:
        """Hang up on everybody; who calls again is heard."""
        connected, self._open = self._open, []
        for each in connected:
            hang_up(each)

    def close(self) -> None:
        """Hang up."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        for each in (self._listening, *self._open):
            hang_up(each)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._server_port))
                self._open += (near, far)
                self.calls += 1
                for pump in (self._ask, self._answer):
                    threading.Thread(target=pump, args=(near, far), daemon=True).start()

    def _ask(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while spoken := near.recv(65_536):
                if self._questions_to_lose:
                    self._questions_to_lose -= 1
                    self.lost += 1
                    break
                if not self._is_silent:
                    far.sendall(spoken)
        hang_up(near, far)

    def _answer(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while spoken := far.recv(65_536):
                if self._to_lose:
                    self._to_lose -= 1
                    self.lost += 1
                    break
                if not self._is_silent:
                    near.sendall(self.alter(spoken))
        hang_up(near, far)


def hang_up(*lines: socket.socket) -> None:
    for each in lines:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
