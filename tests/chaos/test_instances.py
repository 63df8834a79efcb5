"""Instances that die, stop, stall and are set wrong: nothing is lost, nothing ends twice."""

from __future__ import annotations

import signal
from collections import Counter
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING
from zlib import crc32

import pytest

from nvent_sched import Interval, JobSpec, OneTime, Outcome, Scheduler
from nvent_sched.testing.simulator.losing import QUIET_US

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.chaos.conftest import Journal, Process
    from tests.conftest import Server
    from tests.lines import Line

    Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]

pytestmark = pytest.mark.timeout(60)
chaos = pytest.mark.chaos
MS_US = 1_000
RECOVERY_US = 2_100 * MS_US
"""Until who is silent is dead, and two heartbeats: its last, and who takes over's next."""
BURST_US = 4_000 * MS_US
"""How long three instances may take for what is due in the same second."""
LEASE_S = 1.5
PATIENT = {"dead_after": 60, "lease": 60}
"""Who holds the silent for alive for so long takes a run over only when its lease ended."""
DECLARED = 40
HOURS = (1, 2, 3, 4)


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Choose one by the test's name: of its processes half are on the other anyway."""
    name: str = request.node.name
    return ("asyncio", "trio")[crc32(name.encode()) % 2]


async def schedule(
    client: Scheduler, count: int, *, length_us: int, handler: str = "work"
) -> list[str]:
    """Store one-time jobs that are due one after the other, within two seconds."""
    ids = [f"j{number}" for number in range(count)]
    specs = (
        JobSpec(
            handler,
            OneTime(in_=timedelta(seconds=2 * number / count)),
            id=job_id,
            args=[length_us],
        )
        for number, job_id in enumerate(ids)
    )
    await client.schedule_many(specs)
    return ids


async def check(client: Scheduler, journal: Journal, ids: list[str]) -> None:
    """See that each job ended once, on time, and as the last who claimed it said."""
    ends = journal.count("end")
    runs = {run.job_id: run for run in await client.runs(limit=10_000)}
    assert [job for job in ids if ends[job] == 0] == [], "missing"
    assert [job for job in ids if job not in runs] == [], "not recorded"
    claims = sorted(journal.lines("start"), key=attrgetter("fence"))
    last = {claim.job_id: (claim.fence, claim.instance) for claim in claims}
    stale = [
        run.id
        for run in runs.values()
        if (run.fencing_token, run.result) != last[run.job_id]
    ]
    assert stale == [], "stale writes accepted"
    assert {run.outcome for run in runs.values()} == {Outcome.SUCCEEDED}
    assert (await client.stats()).counts == {Outcome.SUCCEEDED: len(ids)}
    assert journal.late() == []


def all_ended(client: Scheduler, ids: list[str]) -> Callable[[], Awaitable[bool]]:
    async def is_so() -> bool:
        return (await client.stats()).runs >= len(ids)

    return is_so


async def test_four_instances_share_the_jobs_and_one_is_killed(
    client: Scheduler, start: Callable[..., Process], journal: Journal, until: Until
) -> None:
    processes = [start() for _ in range(4)]
    killed, *_ = [process.until_ready() for process in processes]
    ids = await schedule(client, 400, length_us=50 * MS_US)

    async def is_going() -> bool:
        return journal.count("start").total() > 100

    await until(is_going)
    with journal.troubles.during(recovery_us=RECOVERY_US):
        processes[0].kill()
    await until(all_ended(client, ids))

    await check(client, journal, ids)
    # What the killed one ended without being able to say so is made once more.
    others = [line.job_id for line in journal.lines("end") if line.instance != killed]
    assert max(Counter(others).values()) == 1, "extra"
    assert len({line.instance for line in journal.lines("start")}) > 1


@chaos
@pytest.mark.parametrize(
    ("lease", "other"), [(10, {}), (LEASE_S, PATIENT)], ids=["death", "lease"]
)
async def test_an_instance_that_was_stopped_for_too_long_cannot_write(
    client: Scheduler,
    start: Callable[..., Process],
    journal: Journal,
    until: Until,
    lease: float,
    other: dict[str, float],
) -> None:
    sleeper = start(lease=lease)
    sleeper.until_ready()
    ids = await schedule(client, 20, length_us=2_500 * MS_US)

    async def all_began() -> bool:
        return len(journal.count("start")) == len(ids)

    await until(all_began)
    with journal.troubles.during(recovery_us=RECOVERY_US):
        sleeper.send(signal.SIGSTOP)
        start(**other).until_ready()

    async def is_taken_over() -> bool:
        return journal.count("start").total() == 2 * len(ids)

    await until(is_taken_over)
    sleeper.send(signal.SIGCONT)
    await until(all_ended(client, ids))

    await check(client, journal, ids)


@chaos
async def test_an_instance_whose_loop_was_blocked_for_too_long_cannot_write(
    client: Scheduler, start: Callable[..., Process], journal: Journal, until: Until
) -> None:
    blocked, other = start(blocks=True, lease=LEASE_S), start(**PATIENT)
    blocked.until_ready()
    other.until_ready()
    other.send(signal.SIGSTOP)
    ids = await schedule(client, 1, length_us=4_000 * MS_US, handler="block")

    async def has_begun() -> bool:
        return journal.count("start").total() == 1

    await until(has_begun)
    with journal.troubles.during(recovery_us=RECOVERY_US):
        other.send(signal.SIGCONT)
    await until(all_ended(client, ids))

    await check(client, journal, ids)
    assert journal.count("end").total() == 2, "nobody wrote too late"
    assert next(iter(await client.runs())).crashes == 1


@chaos
async def test_an_instance_behind_a_line_that_falls_silent_stops_and_cannot_write(
    client: Scheduler,
    start: Callable[..., Process],
    journal: Journal,
    until: Until,
    line: Line,
    far_url: str,
) -> None:
    far = start(url=far_url)
    cut_off = far.until_ready()
    ids = await schedule(client, 20, length_us=6_000 * MS_US)

    async def all_began() -> bool:
        return len(journal.count("start")) == len(ids)

    await until(all_began)
    with journal.troubles.during(recovery_us=RECOVERY_US):
        line.fall_silent()
        start().until_ready()
    await until(all_ended(client, ids))
    line.speak()
    line.cut()

    await check(client, journal, ids)
    assert cut_off not in {each.instance for each in journal.lines("end")}
    assert set(journal.count("end").values()) == {1}, "extra"


@chaos
async def test_connections_that_are_cut_in_mid_run_cost_nothing(
    client: Scheduler,
    start: Callable[..., Process],
    journal: Journal,
    until: Until,
    line: Line,
    far_url: str,
) -> None:
    for url in (far_url, far_url, client.url):
        start(url=url).until_ready()
    ids = await schedule(client, 200, length_us=20 * MS_US)
    for share in range(1, 5):

        async def are_going(least: int = share * 30) -> bool:
            return journal.count("end").total() > least

        await until(are_going)
        with journal.troubles.during(recovery_us=RECOVERY_US):
            line.cut()
    await until(all_ended(client, ids))

    await check(client, journal, ids)
    assert set(journal.count("end").values()) == {1}, "extra"


@chaos
async def test_instances_whose_clocks_are_wrong_by_minutes_start_nothing_twice(
    client: Scheduler, start: Callable[..., Process], journal: Journal, until: Until
) -> None:
    for wrong_by in (-300, 0, 300):
        start(wrong_by=wrong_by).until_ready()
    ids = await schedule(client, 200, length_us=1 * MS_US)

    await until(all_ended(client, ids))

    await check(client, journal, ids)
    assert set(journal.count("start").values()) == {1}
    lateness = (await client.stats()).lateness.p99
    assert lateness is not None
    assert lateness < timedelta(seconds=1)


@chaos
async def test_of_thousands_that_are_due_in_the_same_second_none_is_started_twice(
    client: Scheduler, start: Callable[..., Process], journal: Journal, until: Until
) -> None:
    for _ in range(3):
        start().until_ready()
    moment = OneTime(in_=timedelta(seconds=1.5))
    ids = [f"j{number}" for number in range(2_000)]
    await client.schedule_many(
        JobSpec("work", moment, id=job_id, args=[0]) for job_id in ids
    )

    await until(all_ended(client, ids))

    # The first must be on time; the others keep one another waiting.
    first_at = min(line.at for line in journal.lines("start"))
    journal.troubles.add(began_at=first_at, over_at=first_at + BURST_US)
    await check(client, journal, ids)
    assert set(journal.count("start").values()) == {1}
    assert len({line.instance for line in journal.lines("start")}) > 1


@chaos
async def test_a_job_that_kills_its_instance_each_time_becomes_a_dead_letter(
    client: Scheduler, start: Callable[..., Process], journal: Journal, until: Until
) -> None:
    first = start()
    first.until_ready()
    await client.schedule("die", OneTime(in_=timedelta()), id="poison", max_crashes=2)

    async def is_dead() -> bool:
        return (await client.stats()).counts.get(Outcome.DEAD_LETTERED) == 1

    assert first.wait() == -signal.SIGKILL
    with journal.troubles.during(recovery_us=RECOVERY_US):
        second = start()
        second.until_ready()
    assert second.wait() == -signal.SIGKILL
    start().until_ready()
    await until(is_dead)

    assert journal.count("start")["poison"] == 2
    assert journal.late() == []


@chaos
async def test_a_server_that_is_killed_and_comes_back_costs_nothing(
    new_server: Callable[..., Server],
    start: Callable[..., Process],
    journal: Journal,
    until: Until,
) -> None:
    server = new_server("valkey", "--appendonly", "yes", "--appendfsync", "always")
    url = server.url
    for _ in range(2):
        start(url=url).until_ready()
    async with Scheduler(url, runs_handlers=False) as client:
        ids = await schedule(client, 200, length_us=20 * MS_US)

        async def is_going() -> bool:
            return journal.count("end").total() > 50

        await until(is_going)
        with journal.troubles.during(recovery_us=QUIET_US + RECOVERY_US):
            server.kill()
            server.start()
        await until(all_ended(client, ids))

        await check(client, journal, ids)
    assert set(journal.count("end").values()) == {1}, "extra"
    server.kill()


async def test_a_job_is_left_alone_until_somebody_has_its_handler(
    client: Scheduler, start: Callable[..., Process], until: Until
) -> None:
    start().until_ready()
    await client.schedule("later", OneTime(in_=timedelta()), id="job")

    async def is_seen() -> bool:
        return any("later" in each for each in (await client.health()).problems)

    await until(is_seen)
    job = await client.get_job("job")
    newer = Scheduler(client.url)
    newer.handler("later")(lambda: "done")
    async with newer:

        async def has_run() -> bool:
            return (await client.stats()).runs == 1

        await until(has_run)
    assert job.status == "active"


async def test_processes_that_declare_the_same_jobs_at_once_lose_no_declaration(
    client: Scheduler, start: Callable[..., Process]
) -> None:
    processes = [start(declares=DECLARED, hours=hours) for hours in HOURS]
    for process in processes:
        process.until_set()

    for process in processes:
        process.go()

    for process in processes:
        process.until_ready()
    jobs = (await client.jobs()).items
    assert {job.id for job in jobs} == {f"j{number}" for number in range(DECLARED)}
    # Each was stored over the one before it, and none as if it were the first.
    assert min(job.version for job in jobs) >= len(HOURS)
    for job in jobs:
        assert isinstance(job.schedule, Interval)
        assert job.schedule.every == timedelta(hours=int(job.name))
