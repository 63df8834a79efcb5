"""Cron schedules, on croniter where it is right.

The text (`text`), the days (`days`), the wall times (`search`), the zone (`zones`), and
the value that joins them (`schedule`). croniter never sees a zone, an alias, a name, a range or a step: each of these it reads in
a way of its own. It is asked for plain days in naive time, where it is right.
"""

from nvent_sched._rules.cron.schedule import Cron, Preview

__all__ = ["Cron", "Preview"]
