"""The decisions: pure functions of values and `now`.

Nothing here waits, stores, reads a clock, draws a random number or logs, so every rule
can be asked about any instant, is the same for every adapter and every instance, and is
tested without either. An adapter that needs a decision is a sign that the port is wrong.

`recurrence` finds occurrences, `misfires` chooses among those that are late, `overlap`
finds a place for the chosen beside the runs going on, `planning` composes the three into
a `Plan`; `lifecycle` holds the moves of a run, `settling` decides what follows an
attempt, `retries` whether and when there is another; `trust` says how long a claim may
be believed; `registration` and `editing` are what a user's verbs do to a job.
"""
