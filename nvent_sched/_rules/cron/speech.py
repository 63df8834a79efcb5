"""A cron expression in English words. Pure."""

from __future__ import annotations

from typing import Final

from cron_descriptor import (
    FormatError,
    MissingFieldError,
    Options,
    WrongArgumentError,
    get_description,
)

SPOKEN: Final = Options()
SPOKEN.use_24hour_time_format = True


def words_of(text: str) -> str | None:
    """Say when five to seven fields fire; None if there are no words for it."""
    try:
        return str(get_description(text, SPOKEN))
    except (
        FormatError,
        MissingFieldError,
        WrongArgumentError,
        ValueError,
        LookupError,
    ):
        return None
