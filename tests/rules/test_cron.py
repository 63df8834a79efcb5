"""Promises of Cron: the vectors, the refusals, the clock changes."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nvent_sched._model.instants import (
    EPOCH,
    INSTANT_MAX,
    INSTANT_MIN,
    Instant,
    instant_from,
)
from nvent_sched._model.schedules import Schedule
from nvent_sched._rules.cron import Cron, Preview
from nvent_sched._rules.cron.days import _ask, in_years
from nvent_sched._rules.cron.zones import changes_in
from nvent_sched.errors import CronError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent / "cron_vectors"
NEW_YORK = "America/New_York"


def lines(name: str) -> list[dict[str, Any]]:
    text = (HERE / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


VECTORS = [*enumerate(lines("vectors.jsonl"))]
INVALID = [*enumerate(lines("invalid.jsonl"))]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def attempt(expr: str, zone: str = "UTC") -> tuple[Cron | None, str]:
    try:
        return Cron(expr, zone), ""
    except CronError as error:
        return None, str(error)


def coming(cron: Cron, after: str, count: int) -> list[str]:
    return [m.isoformat() for m in islice(cron.occurrences(at(after)), count)]


@pytest.mark.parametrize(
    "vector", [pytest.param(v, id=f"{n}-{v['class']}") for n, v in VECTORS]
)
def test_vector(vector: dict[str, Any]) -> None:
    cron = Cron(vector["expr"], vector["tz"])

    assert coming(cron, vector["start"], len(vector["expect"])) == vector["expect"]


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=f"{n}-{c['kind']}") for n, c in INVALID]
)
def test_refusal_is_short_and_quick(case: dict[str, Any]) -> None:
    expr = case["expr"] if "expr" in case else "".join(t * n for t, n in case["parts"])
    cron, said = attempt(expr)

    assert len(said) < 300
    if cron is not None:
        assert case["kind"] == "never"
        assert cron.next_after(at("2025-01-01T00:00+00:00")) is None


@pytest.mark.parametrize(
    ("expr", "parts"),
    [
        ("0 22-2 * * *", ["hour", "'22-2'", "22-23,0-2"]),
        ("0 0 * * fri-mon", ["day of week", "'FRI-MON'", "backwards"]),
        ("60 0 0 * * *", ["second", "'60'", "leap"]),
        ("H * * * *", ["minute", "'H'"]),
        ("0 R * * *", ["hour", "'R'"]),
        ("0 0 ? * * *", ["hour"]),
        ("0 0 1,? * *", ["day of month", "'?'"]),
        ("0 0 L-31 * *", ["day of month", "'L-31'"]),
        ("0 0 * * L", ["day of week", "'L'", "5L"]),
        ("0 0 * * 8", ["day of week", "'8'"]),
        ("0 0 * * 1#0", ["day of week", "'1#0'"]),
        ("0 0 0 1 1 * 1969", ["year", "'1969'"]),
        ("*-5 * * * *", ["minute", "'*-5'"]),
        ("@daily 5", ["alias"]),
        ("0 0 31W 2 *", ["never"]),
        ("0 0 30 2 *", ["never"]),
    ],
)
def test_refusal_names_the_field_and_the_token(expr: str, parts: list[str]) -> None:
    with pytest.raises(CronError) as refused:
        Cron(expr)

    assert all(part in str(refused.value) for part in parts)


def test_a_date_that_no_year_has_is_looked_for_once_not_once_a_year() -> None:
    asked: list[date] = []

    def never(start: date) -> date | None:
        asked.append(start)
        return None

    found = in_years(never, tuple(range(1970, 2100)))(date(1970, 1, 1))

    assert found is None
    assert asked == [date(1970, 1, 1)]


@pytest.mark.parametrize("expr", [None, 5, b"* * * * *", [], 1.5, object()])
def test_what_is_not_text_is_refused(expr: object) -> None:
    with pytest.raises(CronError):
        Cron(expr)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "zone", ["", "Mars/Base", "../etc/passwd", "x" * 10**6, 5, None]
)
def test_an_unknown_zone_is_refused(zone: object) -> None:
    with pytest.raises(UsageError) as refused:
        Cron("0 2 * * *", zone)  # type: ignore[arg-type]

    assert len(str(refused.value)) < 300


def test_a_time_that_only_ever_falls_into_a_gap_never_runs() -> None:
    with pytest.raises(CronError, match="never"):
        Cron("* 30 2 9 3 ? 2025", NEW_YORK)


@given(st.text(alphabet="0123456789*/-,?LW#@ HRSUNMONJAé\x00\n", max_size=40))
def test_any_text_is_a_schedule_or_a_cron_error(text: str) -> None:
    cron, said = attempt(text)

    assert len(said) < 300
    if cron is not None:
        assert Cron(cron.expr) == cron
        cron.next_after(at("2025-01-01T00:00+00:00"))


@pytest.mark.parametrize(
    ("expr", "same"),
    [
        ("0 9-9 * * *", "0 9 * * *"),
        ("0 0 * * SUN-SUN", "0 0 * * 0"),
        ("0 0 * * 7/2", "0 0 * * 0"),
        ("0 0 * * fri-sun", "0 0 * * 5,6,0"),
        ("0 0 * * 5-7", "0 0 * * 5,6,0"),
        ("50/5 * * * *", "50,55 * * * *"),
        ("0 0 * * 1/2", "0 0 * * 1,3,5,7"),
        (" @Daily\n", "0 0 * * *"),
        ("0 0 0 * * *", "0 0 * * *"),
        ("0 0 * * FRIL", "0 0 * * 5L"),
        ("0 0 * * MON#2", "0 0 * * 1#2"),
    ],
)
def test_two_spellings_of_one_schedule(expr: str, same: str) -> None:
    start = "2024-12-30T00:00+00:00"

    assert coming(Cron(expr), start, 50) == coming(Cron(same), start, 50)


@pytest.mark.parametrize(
    ("expr", "days"),
    [
        ("0 0 L-3 * *", ["2025-01-28", "2025-02-25", "2025-03-28"]),
        ("0 0 L,15W * *", ["2025-01-15", "2025-01-31", "2025-02-14", "2025-02-28"]),
        ("0 0 LW * *", ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30"]),
        ("0 0 1W 2,3,6 *", ["2025-02-03", "2025-03-03", "2025-06-02"]),
        ("0 0 31W * *", ["2025-01-31", "2025-03-31", "2025-05-30"]),
        ("0 0 * * MON#1,5L", ["2025-01-06", "2025-01-31", "2025-02-03", "2025-02-28"]),
        ("0 0 13 * 5#2", ["2025-01-10", "2025-01-13", "2025-02-13", "2025-02-14"]),
        ("0 0 */2 * MON", ["2025-01-13", "2025-01-27", "2025-02-03"]),
        ("0 0 ? * MON#5", ["2025-03-31", "2025-06-30", "2025-09-29"]),
        ("0 0 0 29 2 ? 2028-2040/4", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        ("0 0 * 2 1#5", ["2044-02-29", "2072-02-29", "2112-02-29"]),
    ],
)
def test_days_of_the_calendar(expr: str, days: list[str]) -> None:
    found = coming(Cron(expr), "2025-01-01T00:00+00:00", len(days))

    assert [moment[:10] for moment in found] == days


def test_the_years_end_and_so_does_the_schedule() -> None:
    cron = Cron("0 0 0 1 1 ? 2026")

    assert len(list(cron.occurrences(at("2020-01-01T00:00+00:00")))) == 1


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", NEW_YORK])
@pytest.mark.parametrize("expr", ["* * * * *", "0 0 * * *", "0 0 29 2 1", "0 0 1 1 *"])
def test_the_ends_of_time_hold(expr: str, zone: str) -> None:
    cron = Cron(expr, zone)

    assert cron.next_instant(INSTANT_MIN) is not None
    assert cron.next_instant(INSTANT_MAX) is None
    assert cron.next_instant(Instant(10**30)) is None
    assert cron.next_instant(Instant(-(10**30))) is not None
    assert cron.next_after(datetime.min.replace(tzinfo=UTC)) is not None
    late = datetime(9999, 12, 20, tzinfo=UTC)
    assert all(m.year == 9999 for m in islice(cron.occurrences(late), 20_000))


@pytest.mark.parametrize("zone", ["UTC", NEW_YORK, "Australia/Lord_Howe"])
def test_what_is_years_away_is_found_without_looking_at_the_years_between(
    zone: str,
) -> None:
    changes_in.cache_clear()
    cron = Cron("* * * 1 1 ? 2099", zone)

    found = cron.next_after(at("2026-11-26T00:00+00:00"))

    assert found is not None
    assert found.replace(tzinfo=None) == datetime(2099, 1, 1)  # noqa: DTZ001  the wall
    assert changes_in.cache_info().currsize < 5


def test_croniter_is_asked_about_a_day_once_however_often_a_job_is_due_on_it() -> None:
    asked = _ask.cache_info().misses

    for expr in ("*/5 8-18 * * 1-5", "* 9-11 * * 1-5"):
        assert len(coming(Cron(expr), "2026-11-26T00:00+00:00", 1_000)) == 1_000

    assert _ask.cache_info().misses - asked <= 20


def test_next_is_strictly_after_by_a_microsecond() -> None:
    cron = Cron("0 0 * * *")
    midnight = at("2025-01-02T00:00+00:00")

    assert cron.next_after(midnight - timedelta(microseconds=1)) == midnight
    assert cron.next_after(midnight) == midnight + timedelta(days=1)


def test_a_naive_moment_is_refused() -> None:
    cron = Cron("0 0 * * *")
    naive = datetime(2025, 1, 1)  # noqa: DTZ001

    with pytest.raises(UsageError):
        cron.next_after(naive)
    with pytest.raises(UsageError):
        cron.occurrences(naive)


def test_cron_is_a_value() -> None:
    cron = Cron("0  2 * * *", NEW_YORK)

    assert repr(cron) == "Cron('0 2 * * *', timezone='America/New_York')"
    assert eval(repr(cron)) == cron  # noqa: S307
    assert pickle.loads(pickle.dumps(cron)) == cron  # noqa: S301
    assert {cron, Cron("0 2 * * *", NEW_YORK)} == {cron}
    assert isinstance(cron, Schedule)
    assert cron.anchored(Instant(5)) is cron
    assert not hasattr(cron, "__dict__")
    with pytest.raises(AttributeError):
        cron.expr = "* * * * *"  # type: ignore[misc]
    assert (
        cron.spec()
        == '{"expr":"0 2 * * *","kind":"cron","timezone":"America/New_York"}'
    )


@pytest.mark.parametrize(
    ("expr", "zone", "words"),
    [
        ("0 2 * * *", NEW_YORK, "At 02:00, America/New_York"),
        ("@daily", "UTC", "At 00:00"),
        ("*/5 * * * * *", "UTC", "Every 5 seconds"),
        ("0 0 L,15 * *", "UTC", "0 0 L,15 * *"),
        ("0 0 */2 * MON", "UTC", "0 0 */2 * MON"),
        ("*/15 * * * *", "UTC", "Every 15 minutes"),
        (
            "*/7 * * * *",
            "UTC",
            "Every 7 minutes, minutes 0 through 59 past the hour",
        ),
        (
            "40/15 * * * *",
            "UTC",
            "Every 15 minutes, minutes 40 through 59 past the hour",
        ),
        ("*/100 * * * *", "UTC", "Every hour"),
        ("0 */5 * * *", "UTC", "Every 5 hours, between 00:00 and 23:59"),
        (
            "0 0 */2 * *",
            "UTC",
            "At 00:00, every 2 days, between day 1 and 31 of the month",
        ),
        (
            "0 0 * * */2",
            "UTC",
            "At 00:00, every 2 days of the week, Sunday through Saturday",
        ),
        (
            "0 0 * * 1/2",
            "UTC",
            "At 00:00, every 2 days of the week, Monday through Sunday",
        ),
        (
            "0 0 0 1 1 * 2030/2",
            "UTC",
            (
                "At 00:00, on day 1 of the month, only in January, every 2 years, "
                "2030 through 2099"
            ),
        ),
    ],
)
def test_describe_never_says_something_else(expr: str, zone: str, words: str) -> None:
    assert Cron(expr, zone).describe() == words


def test_preview_notes_what_the_clock_does() -> None:
    gap = Cron("30 2 * * *", NEW_YORK).preview(at("2025-03-08T00:00-05:00"), 3)
    fixed = Cron("30 1 * * *", NEW_YORK).preview(at("2025-11-02T00:00-04:00"), 2)
    wild = Cron("*/30 1 * * *", NEW_YORK).preview(at("2025-11-02T00:00-04:00"), 5)

    assert [p.note for p in gap] == [
        None,
        "moved from 02:30, which the clock skips",
        None,
    ]
    assert gap[1].moment.isoformat() == "2025-03-09T03:00:00-04:00"
    assert [p.note for p in fixed] == ["first of two 01:30", None]
    assert [p.note for p in wild] == [
        "first of two 01:00",
        "first of two 01:30",
        "second of two 01:00",
        "second of two 01:30",
        None,
    ]
    assert Cron("* * * * *").preview(EPOCH, 0) == ()
    assert gap[0] == Preview(moment=at("2025-03-08T02:30-05:00"), note=None)


# The oracle: every minute of the real clock, looked at one by one.

ZONES = [
    ("America/New_York", "2025-03-09T07:00"),
    ("America/New_York", "2025-11-02T06:00"),
    ("Europe/Berlin", "2024-10-27T01:00"),
    ("Australia/Lord_Howe", "2024-10-05T15:30"),
    ("Australia/Lord_Howe", "2024-04-06T15:00"),
    ("America/St_Johns", "2008-03-09T03:31"),
    ("America/St_Johns", "2008-11-02T02:31"),
    ("America/Havana", "2024-11-03T05:00"),
    ("America/Havana", "2024-03-10T05:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),
    ("Atlantic/Azores", "2024-10-27T01:00"),
    ("Africa/Cairo", "2024-04-25T22:00"),
    ("Antarctica/Troll", "2024-03-31T01:00"),
    ("Antarctica/Troll", "2024-10-27T01:00"),
    ("Pacific/Chatham", "2024-04-06T14:00"),
    ("America/Caracas", "2007-12-09T07:00"),
    ("Asia/Pyongyang", "2018-05-04T15:00"),
    ("Africa/Casablanca", "2024-03-10T02:00"),
    ("Asia/Gaza", "2024-10-25T23:00"),
    ("Europe/Lisbon", "1992-09-27T01:00"),
    ("UTC", "2024-02-29T00:00"),
]
MINUTE = timedelta(minutes=1)


def numbers(text: str, low: int, high: int) -> set[int]:
    found = set[int]()
    for item in text.split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        if first == "*":
            first, last = str(low), str(high)
        elif not last:
            last = str(high) if step else first
        found |= {*range(int(first), int(last) + 1, int(step or 1))}
    return found


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    step = st.integers(1, high)
    spans = st.tuples(number, number).map(sorted)
    item = st.one_of(
        number.map(str),
        step.map(lambda n: f"*/{n}"),
        spans.map(lambda ab: f"{ab[0]}-{ab[1]}"),
        st.tuples(spans, step).map(lambda t: f"{t[0][0]}-{t[0][1]}/{t[1]}"),
        st.tuples(number, step).map(lambda t: f"{t[0]}/{t[1]}"),
    )
    return st.one_of(st.just("*"), st.lists(item, min_size=1, max_size=3).map(",".join))


minutes, hours = field(0, 59), st.one_of(field(0, 23), field(0, 4))
days = st.one_of(st.just("*"), field(1, 31))
weekdays = st.one_of(
    st.just("*"), field(0, 6).filter(lambda t: "/" not in t or "*" in t)
)


def matcher(expr: str) -> Callable[[datetime], bool]:
    minute, hour, day, _, weekday = expr.split()
    on_minutes, on_hours = numbers(minute, 0, 59), numbers(hour, 0, 23)
    on_days, on_weekdays = numbers(day, 1, 31), numbers(weekday, 0, 6)
    both = "*" in {day[0], weekday[0]}

    def matches(wall: datetime) -> bool:
        if wall.minute not in on_minutes or wall.hour not in on_hours:
            return False
        by_day = wall.day in on_days
        by_weekday = wall.isoweekday() % 7 in on_weekdays
        return by_day and by_weekday if both else by_day or by_weekday

    return matches


def brute(expr: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Walk the instants a minute at a time and keep what the policy keeps."""
    wild = "*" in {part[0] for part in expr.split()[:2]}
    matches = matcher(expr)
    found: list[datetime] = []
    moment = start
    before = (start - MINUTE).astimezone(zone).replace(tzinfo=None)
    while moment < end:
        local = moment.astimezone(zone)
        wall = local.replace(tzinfo=None)
        skipped = (wall - before) // MINUTE - 1
        due = matches(wall) and (wild or local.fold == 0)
        if not wild and 0 < skipped < 180:
            missed = [before + MINUTE * n for n in range(1, skipped + 1)]
            due = due or any(matches(one) for one in missed)
        if due:
            found.append(moment)
        before, moment = wall, moment + MINUTE
    return found


@settings(max_examples=150, deadline=None)
@given(
    place=st.sampled_from(ZONES),
    parts=st.tuples(minutes, hours, days, weekdays),
    lead=st.integers(0, 26 * 60),
)
def test_a_walk_over_every_minute_finds_the_same(
    place: tuple[str, str], parts: tuple[str, str, str, str], lead: int
) -> None:
    name, change = place
    minute, hour, day, weekday = parts
    expr = f"{minute} {hour} {day} * {weekday}"
    start = at(change).replace(tzinfo=UTC) - MINUTE * lead
    end = start + timedelta(hours=52)
    cron, _ = attempt(expr, name)
    assume(cron is not None)
    assert cron is not None

    found = []
    for moment in cron.occurrences(start - MINUTE / 2):
        if moment >= end:
            break
        found.append(moment.astimezone(UTC))

    assert found == brute(expr, ZoneInfo(name), start, end)


@settings(max_examples=100, deadline=None)
@given(
    place=st.sampled_from(ZONES),
    parts=st.tuples(minutes, hours),
    back=st.integers(0, 2 * 86_400 * 10**6),
    ahead=st.integers(0, 2 * 86_400 * 10**6),
)
def test_asking_later_never_answers_earlier(
    place: tuple[str, str], parts: tuple[str, str], back: int, ahead: int
) -> None:
    cron = Cron(f"{parts[0]} {parts[1]} * * *", place[0])
    change = instant_from(at(place[1]).replace(tzinfo=UTC))
    first, second = Instant(change - back), Instant(change + ahead)

    early, late = cron.next_instant(first), cron.next_instant(second)

    assert early is not None
    assert late is not None
    assert first < early <= late
    assert early > second or late > second
    if early > second:
        assert early == late


@settings(max_examples=200, deadline=None)
@given(
    parts=st.tuples(minutes, hours, days, field(1, 12), weekdays),
    start=st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
)
def test_croniter_agrees_where_it_is_right(
    parts: tuple[str, str, str, str, str], start: datetime
) -> None:
    """Naive time, no D1 tokens (`a-a`), AND after a star: no known wrong answers.

    Nor a star that is not the field's first: for cron(8) that one restricts.
    """
    for part in parts:
        assume("*" not in part.partition(",")[2])
        for item in part.split(","):
            span = item.split("/")[0].split("-")
            assume(len(span) == 1 or span[0] != span[1])
    expr = " ".join(parts)
    cron, _ = attempt(expr)
    assume(cron is not None)
    assert cron is not None
    start = start.replace(microsecond=0)
    theirs = croniter(expr, start, implement_cron_bug=True)

    for moment in islice(cron.occurrences(start.replace(tzinfo=UTC)), 10):
        if moment.year > start.year + 40:
            break
        assert moment.replace(tzinfo=None) == theirs.get_next(datetime)
