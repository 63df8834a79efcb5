"""The reference adapter: the shortest code that keeps the contract. Nothing outlives it.

Records are kept encoded where the codec has an encoding, so that it has the costs and the
refusals of a real store. `adapter` is the verbs, `records` what is kept and in which
order, `sums` how statistics add up.
"""

from nvent_sched.adapters.memory.adapter import MemoryAdapter

__all__ = ["MemoryAdapter"]
