"""How long a claim may be believed. Pure.

A claim is trusted from when we *asked* for it, on the monotonic clock and less a margin,
so a slow answer can never stretch it. The store decides who owns; this module only says
when to stop. An instance's claims fall with its heartbeat: others take its runs once
they have not heard of it for `dead_after`, however long the lease would still last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvent_sched._model.instants import SECOND_US
from nvent_sched._model.policies import OnLost
from nvent_sched._model.spans import us_words
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from nvent_sched._model.policies import Policies

LEASE_US: Final = 300 * SECOND_US
HEARTBEAT_US: Final = 5 * SECOND_US
DEAD_AFTER_US: Final = 20 * SECOND_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The lengths of time that liveness rests on, in microseconds.

    Raises:
        UsageError: They do not leave a renewal the time to fail and be repeated: the
            heartbeat must fit three times into `dead_after_us`, which must not be
            longer than the lease.
    """

    lease_us: int = LEASE_US
    heartbeat_us: int = HEARTBEAT_US
    dead_after_us: int = DEAD_AFTER_US

    def __post_init__(self) -> None:
        if not 0 < self.heartbeat_us * 3 <= self.dead_after_us <= self.lease_us:
            msg = (
                f"heartbeat {us_words(self.heartbeat_us)}, dead_after "
                f"{us_words(self.dead_after_us)}, lease {us_words(self.lease_us)}: the heartbeat must fit three times into "
                "dead_after, which must not be longer than the lease"
            )
            raise UsageError(msg)

    @property
    def margin_us(self) -> int:
        """What is kept back of every window: a tenth of `dead_after_us`."""
        return self.dead_after_us // 10

    @property
    def renew_after_us(self) -> int:
        """The age at which a lease is renewed: half of it, or earlier.

        A lease that is not renewed must outlive the last heartbeat by `dead_after_us`:
        whoever falls silent acts on its claims for nearly as long.
        """
        return min(self.lease_us // 2, self.lease_us - self.dead_after_us)


def needs_confirmation(policies: Policies) -> bool:
    """Whether a claim must outlive the loss of a server before its handler starts.

    A run that may not be repeated would be, if the server that takes over had never
    heard that it was claimed.
    """
    return policies.on_lost is OnLost.FAIL


def trusted_until_us(*, asked_at_us: int, granted_us: int, margin_us: int) -> int:
    """Say when we must stop acting on a claim or on being heard of.

    Args:
        asked_at_us: When the request was sent, not when it was answered; monotonic.
        granted_us: For how long the store holds us to be the owner. At least 0.
        margin_us: Kept back for clocks that run at different rates. At least 0.

    Returns:
        Never later than *asked_at_us* + *granted_us*.
    """
    return asked_at_us + max(0, granted_us - margin_us)
