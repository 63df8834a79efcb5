"""`next`: when a cron expression fires. Needs no store."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from nvent_sched._model.instants import moment_from
from nvent_sched._rules.cron import Cron
from nvent_sched._rules.cron.text import fields_from
from nvent_sched._views.words import distance_words, moment_words
from nvent_sched.cli.arguments import moment_in
from nvent_sched.cli.exits import Exit
from nvent_sched.cli.output import table_of
from nvent_sched.cli.waiting import CLOCK
from nvent_sched.errors import CronError

if TYPE_CHECKING:
    import argparse

    from nvent_sched.cli.output import Output


async def show_next(asked: argparse.Namespace, out: Output) -> Exit:
    """Print the next occurrences of an expression, with what clock changes do to them."""
    try:
        cron = Cron(asked.expr, timezone=asked.tz)
    except CronError as error:
        fields_from(asked.expr)  # raises again unless all that is wrong is the date
        if out.is_json:
            out.document(
                {"expr": asked.expr, "timezone": asked.tz, "text": None, "next": []}
            )
        out.trouble(error)
        return Exit.NO
    now = moment_from(CLOCK.now())
    after = now if asked.after is None else moment_in(asked.after, asked.tz)
    coming = cron.preview(after, asked.n)
    if out.is_json:
        out.document(
            {
                "expr": cron.expr,
                "timezone": cron.timezone,
                "text": cron.describe(),
                "next": [
                    {
                        "at": each.moment,
                        "local": each.moment.isoformat(),
                        "note": each.note,
                    }
                    for each in coming
                ],
            }
        )
        return Exit.DONE if coming else Exit.NO
    out.line(cron.describe())
    if not coming:
        moment = moment_words(after, zone=after.tzinfo)
        out.note(f"it never fires after {moment} {after.tzname()}")
        return Exit.NO
    zone, is_utc = ZoneInfo(cron.timezone), cron.timezone == "UTC"
    table = table_of(cron.timezone, *([] if is_utc else ["UTC"]), "when", "note")
    for each in coming:
        in_utc = [] if is_utc else [moment_words(each.moment, zone=UTC)]
        table.add_row(
            f"{each.moment.astimezone(zone):%a %Y-%m-%d %H:%M:%S %z}",
            *in_utc,
            distance_words(each.moment, now=now),
            each.note or "",
        )
    out.show(table)
    return Exit.DONE
