"""A cron expression in English words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cron_descriptor import (
    FormatError,
    MissingFieldError,
    Options,
    WrongArgumentError,
    get_description,
)

from nvent_sched._rules.cron.text import (
    DAY,
    DAYS_PER_WEEK,
    FIVE,
    HOUR,
    MINUTE,
    MONTH,
    SECOND,
    WEEKDAY,
    YEAR,
    item_values,
)

if TYPE_CHECKING:
    from nvent_sched._rules.cron.text import Kind

SPOKEN: Final = Options()
SPOKEN.use_24hour_time_format = True
KINDS: Final = (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, YEAR)


def words_of(text: str) -> str | None:
    """Say when five to seven fields fire; None if there are no words for it."""
    parts = text.split(" ")
    kinds = KINDS[1:] if len(parts) == FIVE else KINDS
    plain = [
        ",".join(_closed(item, kind) for item in part.split(","))
        for part, kind in zip(parts, kinds, strict=False)
    ]
    try:
        return str(get_description(" ".join(plain), SPOKEN))
    except (
        FormatError,
        MissingFieldError,
        WrongArgumentError,
        ValueError,
        LookupError,
    ):
        return None


def _closed(item: str, kind: Kind) -> str:
    """Give a step that does not go round evenly the range it stands for.

    `*/7` is said as "every 7 minutes", but from :56 to :00 it is four.
    """
    body, slash, step_text = item.partition("/")
    if not slash or "-" in body:
        return item
    step, values = int(step_text), item_values(item, kind)
    if len(values) == 1:
        return str(min(values))
    is_weekday = kind is WEEKDAY
    length = DAYS_PER_WEEK if is_weekday else kind.high - kind.low + 1
    if kind is not YEAR and len(values) * step == length:
        return item
    high = kind.high - 1 if is_weekday and body == "*" else kind.high
    return f"{min(values)}-{high}/{step}"
