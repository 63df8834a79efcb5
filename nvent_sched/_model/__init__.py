"""The vocabulary: frozen values that are valid from birth and know no clock.

Words, each with one meaning: a *job* is the stored intent; an *occurrence* one instant
at which it is due; a *run* the execution owed to an occurrence or asked for by hand; an
*attempt* one try of a run; a *lease* time-bounded ownership of a run by an *instance*;
a *fencing token* an integer that only grows, given with each claim.

A run's life::

    WAITING --promote--> READY --claim--> CLAIMED --settle--> FINISHED
                           ^                 |
                           +--- again -------+   (retry, hand-back, recovery)

WAITING runs are buffered behind an earlier run of their job; READY runs may be claimed
by any instance that has the handler, once their `ready_at` has come; CLAIMED runs belong
to one instance until `lease_until`. Every record that is not FINISHED has an instant at
which something will look at it again: a WAITING run's job is looked at when any run of
that job ends, a READY run at `ready_at`, a CLAIMED run at `lease_until` or when its
instance dies.
"""
