"""Judge a history: was what is promised of every occurrence kept? Pure, but for reading.

A checker in the manner of Jepsen's for Chronos: from what a job is and what its schedule
says follow the instants at which a run was owed, and each must have one record: a run, or
a counted record that says why there is none. The same judgement serves a simulation, a
chaos run and a user's own store (`nvent-sched verify`).

What a history cannot show is said (`Report.unjudged`) and never taken for good or bad:
records that were pruned, and what happened before a job was last edited, for a pause
leaves no other trace. A simulation records every edit, so nothing is left out there.
"""

from nvent_sched.testing.checker.findings import Report, Unjudged, Violation, Wrong
from nvent_sched.testing.checker.journal import Begun, JobJournal, Journal, Stretch
from nvent_sched.testing.checker.judging import judge
from nvent_sched.testing.checker.reading import journal_of

__all__ = [
    "Begun",
    "JobJournal",
    "Journal",
    "Report",
    "Stretch",
    "Unjudged",
    "Violation",
    "Wrong",
    "journal_of",
    "judge",
]
