"""`python -m nvent_sched`: the same as `nvent-sched`."""

import sys

from nvent_sched.cli import main

if __name__ == "__main__":
    sys.exit(main())
