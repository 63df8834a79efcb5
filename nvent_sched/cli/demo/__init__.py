"""`demo`: a newcomer's first command. Real jobs, a real file, a real kill -9.

`jobs` are the five jobs, `resumption` tells what was found in the file, `screen` shows
it all; `command` puts them together.
"""

from nvent_sched.cli.demo.command import demo

__all__ = ["demo"]
