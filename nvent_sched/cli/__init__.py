"""`nvent-sched`: arguments in, tables out; no decision.

`arguments` reads the command line, `entry` runs the command it names and turns errors
into exit codes, `output` prints. The commands are in groups: `looking` and `steering` ask
a store as a client that fires nothing, `forecasting` needs no store, `serving` runs a
scheduler of the user's, `watching` and `demo` draw what `board` lays out.
"""

from nvent_sched.cli.entry import main

__all__ = ["main"]
