"""Our adapters keep the contract: the shipped suite over each of them."""

from __future__ import annotations

from nvent_sched.testing.conformance import *  # noqa: F403  so does an adapter's author
