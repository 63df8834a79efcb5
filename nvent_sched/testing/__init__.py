"""What tests of programs and of adapters need; shipped, and never imported by the rest."""

from nvent_sched.testing.clock import ManualClock

__all__ = ["ManualClock"]
