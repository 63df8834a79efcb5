"""A second opinion on cron: cronsim, which follows Debian's cron as we do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nvent_sched import Cron
from nvent_sched.errors import CronError

# When clocks change; looked at from an hour before at the latest, since of an hour that comes
# twice cronsim knows the first only. Not Lord Howe, whose clocks change by half an hour: after that cronsim is half an hour late
# for a day (`* 0 * * *` begins at half past midnight).
ZONES: Final = {
    "America/New_York": datetime(2026, 3, 8, 7, tzinfo=UTC),
    "Europe/Berlin": datetime(2026, 10, 25, 1, tzinfo=UTC),
    "America/St_Johns": datetime(2026, 11, 1, 4, 30, tzinfo=UTC),
    "Asia/Tokyo": datetime(2026, 1, 1, tzinfo=UTC),
}
SEEN: Final = 8


def field(low: int, high: int) -> st.SearchStrategy[str]:
    """Draw a field of a cron expression: stars, numbers, ranges, steps, lists."""
    number = st.integers(low, high)
    # Not one value as a range: cronsim reads `1-1/2` as `1/2`, which goes on to the end.
    pairs = st.tuples(number, number).filter(lambda pair: pair[0] != pair[1])
    span = pairs.map(lambda pair: f"{min(pair)}-{max(pair)}")
    step = st.tuples(st.just("*") | span, st.integers(1, high)).map(
        lambda pair: f"{pair[0]}/{pair[1]}"
    )
    item = number.map(str) | span | step
    lists = st.lists(item, min_size=1, max_size=3).map(",".join)
    return st.just("*") | lists


expressions = st.tuples(
    field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)
).map(" ".join)
letters = st.text(st.sampled_from("0123456789*/,-? LW#monjanH"), max_size=6)
texts = st.lists(letters, min_size=5, max_size=5).map(" ".join)


def ours(text: str, zone: str) -> Cron | None:
    try:
        return Cron(text, zone)
    except CronError:
        return None


def theirs(text: str, start: datetime) -> list[datetime] | None:
    try:
        return [moment.astimezone(UTC) for moment in islice(CronSim(text, start), SEEN)]
    except CronSimError:
        return None


@settings(max_examples=4 * settings().max_examples)
@given(
    text=expressions,
    zone=st.sampled_from(sorted(ZONES)),
    before=st.integers(60, 40 * 60),
)
def test_cronsim_finds_the_same_times_also_where_clocks_change(
    text: str, zone: str, before: int
) -> None:
    start = ZONES[zone] - timedelta(minutes=before)
    cron, expected = ours(text, zone), theirs(text, start.astimezone(ZoneInfo(zone)))
    assume(cron is not None and expected is not None)
    assert cron is not None

    found = [moment.astimezone(UTC) for moment in islice(cron.occurrences(start), SEEN)]

    assert found == expected


@settings(max_examples=4 * settings().max_examples)
@given(texts)
def test_what_cronsim_refuses_is_refused_unless_it_means_something_here(
    text: str,
) -> None:
    start = ZONES["Asia/Tokyo"]
    cron, expected = ours(text, "UTC"), theirs(text, start)
    if cron is not None and expected is None:
        assert set(text) & set("?LW#H")
    if cron is not None and expected is not None:
        moments = islice(cron.occurrences(start), SEEN)
        assert [moment.astimezone(UTC) for moment in moments] == expected
