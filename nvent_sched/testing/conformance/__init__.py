"""The contract of `nvent_sched._port` as tests, for whoever writes an adapter.

Import everything into a test module and give it four fixtures:

* ``new_adapter``: a callable; each call makes an adapter on a new, empty store, not
  opened.
* ``adapter``: one of them, opened with `now` = `builders.NOON`; closed after the test.
* ``same_store``: a callable that makes another adapter on the store of the adapter it is
  given, or answers None if that store cannot be shared.
* ``corrupt_definition``: an async callable; overwrites the stored definition of the job
  with the id it is given by what cannot be read.

The tests run on every backend of the `anyio_backend` fixture, in anyio's mode "auto". An
adapter whose store has a clock of its own must be made to follow the `now` it is given:
the tests live in 2026. For readable failures, call
``pytest.register_assert_rewrite("nvent_sched.testing.conformance")`` in `conftest.py`.

Needs pytest and hypothesis, which `nvent_sched` itself never imports.
"""

from nvent_sched.testing.conformance.acquire_locks import (
    TestAcquireLocks,
    TestLockQueue,
)
from nvent_sched.testing.conformance.at_once import TestAtOnce, TestBrokenOff
from nvent_sched.testing.conformance.begin import TestBegin, TestBeginAgain
from nvent_sched.testing.conformance.cancel import (
    TestCancelledMeanwhile,
    TestCancelRuns,
)
from nvent_sched.testing.conformance.commit_plans import (
    TestCancelByPlan,
    TestCommitPlans,
    TestDropByPlan,
    TestPromote,
)
from nvent_sched.testing.conformance.commit_whole import TestCommitWhole
from nvent_sched.testing.conformance.confirm import TestConfirm
from nvent_sched.testing.conformance.drop_jobs import TestDropJobs
from nvent_sched.testing.conformance.events import TestEvents, TestHints
from nvent_sched.testing.conformance.facts import TestReadFacts
from nvent_sched.testing.conformance.fences import TestFences
from nvent_sched.testing.conformance.hold_locks import (
    TestReadLocks,
    TestReleaseLocks,
    TestRenewLocks,
)
from nvent_sched.testing.conformance.instances import TestInstances
from nvent_sched.testing.conformance.life import TestLife, TestSharing
from nvent_sched.testing.conformance.never_stuck import (
    TestLooksOnFinish,
    TestNothingIsForgotten,
)
from nvent_sched.testing.conformance.prune import TestPruneByAge, TestPruneByCount
from nvent_sched.testing.conformance.put_jobs import TestPutJobs
from nvent_sched.testing.conformance.quarantine import TestQuarantine
from nvent_sched.testing.conformance.reading import TestReadJobs, TestReadRuns
from nvent_sched.testing.conformance.renew import TestCancelled, TestRenew
from nvent_sched.testing.conformance.settle import (
    TestReaper,
    TestSettle,
    TestSettleAgain,
)
from nvent_sched.testing.conformance.side_by_side import TestSideBySide
from nvent_sched.testing.conformance.statistics import TestReadStats
from nvent_sched.testing.conformance.summary import TestSummary
from nvent_sched.testing.conformance.take_due import TestTakeDue
from nvent_sched.testing.conformance.take_lost import TestTakeLost, TestTheDead

__all__ = [
    "TestAcquireLocks",
    "TestAtOnce",
    "TestBegin",
    "TestBeginAgain",
    "TestBrokenOff",
    "TestCancelByPlan",
    "TestCancelRuns",
    "TestCancelled",
    "TestCancelledMeanwhile",
    "TestCommitPlans",
    "TestCommitWhole",
    "TestConfirm",
    "TestDropByPlan",
    "TestDropJobs",
    "TestEvents",
    "TestFences",
    "TestHints",
    "TestInstances",
    "TestLife",
    "TestLockQueue",
    "TestLooksOnFinish",
    "TestNothingIsForgotten",
    "TestPromote",
    "TestPruneByAge",
    "TestPruneByCount",
    "TestPutJobs",
    "TestQuarantine",
    "TestReadFacts",
    "TestReadJobs",
    "TestReadLocks",
    "TestReadRuns",
    "TestReadStats",
    "TestReaper",
    "TestReleaseLocks",
    "TestRenew",
    "TestRenewLocks",
    "TestSettle",
    "TestSettleAgain",
    "TestSharing",
    "TestSideBySide",
    "TestSummary",
    "TestTakeDue",
    "TestTakeLost",
    "TestTheDead",
]
