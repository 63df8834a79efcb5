"""SQLite: a file, no server; one machine, any number of processes.

One connection on one owner thread. Everything that waits for the thread is executed in
one transaction (group commit); a verb that fails is then repeated by itself, so that it
harms no other. WAL, so that readers of other processes never wait; `BEGIN IMMEDIATE`, so
that a writer waits for another at the start and not in the middle; `synchronous=FULL`, so
that what was answered survives a power cut. Only events do not wait for the disk: they are
for those who watch now, and on the disk with whatever is written next.

Several processes on one file exclude each other by that transaction alone: a plan
commits only if its job still has the version it was decided on, a claim and a settlement
only in the state and with the fence that were seen. A process learns of another's changes
when it is rung for (`hints`), and by looking: at least every `hint_delay_us_max`.

An instance that lives holds an operating system's lock on a file of its own beside the
database. The system lets go of it when the process dies, however it dies, so another
process sees at once who is dead, without waiting for a heartbeat to run out.

The clock is the caller's: a file has none.
"""

from nvent_sched.adapters.sqlite.adapter import SqliteAdapter

__all__ = ["SqliteAdapter"]
