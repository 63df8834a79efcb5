"""The loops that move runs along: anyio, no policy.

One task group holds them all. `planner` takes due jobs, asks the rules for plans and
commits them, and asks again where the answer was lost (`doubts`); `launcher` holds
claimed runs until their time; `runner` calls one handler under its trust window; `outbox`
writes what became of runs, many at a time; `liveness` heartbeats, renews and takes over
from the dead; `janitor` prunes; `bus` tells subscribers. Each loop re-arms itself after
trouble with the store (`passes`), and none of them decides anything: that is `_rules`.

A run here is a `Claim`: a CLAIMED run with the moment on the monotonic clock at which it
stops being ours to act on. That moment moves with each confirmed renewal, counted from
when the renewal was *asked for*, and is the deadline of the run's cancel scope.
"""
