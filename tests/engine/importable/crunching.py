"""Handlers that a worker process can import: `test_processes` puts them on the path."""

from __future__ import annotations

import os
import signal
from typing import NoReturn


class PickyError(Exception):
    """Cannot be made again from its text."""

    def __init__(self, *, code: int) -> None:
        super().__init__(f"code {code}")


def add(a: int, b: int = 0) -> int:
    return a + b


def whoami() -> int:
    return os.getpid()


def break_down(text: str) -> NoReturn:
    raise LookupError(text)


def be_picky() -> NoReturn:
    raise PickyError(code=7)


def leave() -> NoReturn:
    raise SystemExit(3)


def vanish() -> NoReturn:
    os._exit(3)


def be_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def interrupt() -> str:
    os.kill(os.getpid(), signal.SIGINT)
    return "went on"


def block(pipe: str) -> None:
    """Say who we are, then wait for somebody who never comes."""
    with open(pipe, "w", encoding="ascii") as said:  # noqa: PTH123  a pipe
        said.write(f"{os.getpid()}\n")
    signal.pause()


def odd() -> object:
    return add
