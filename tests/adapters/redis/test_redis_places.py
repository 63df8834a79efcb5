"""Servers behind a socket, behind TLS, behind sentinels, in a cluster; and a failover."""

from __future__ import annotations

import re
import shutil
import threading
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import redis
import trustme

from nvent_sched import OneTime, Scheduler
from nvent_sched._model.claims import STORED
from nvent_sched._model.locks import LockBusy
from nvent_sched.adapters.redis import RedisAdapter
from nvent_sched.adapters.redis.keys import Keys
from nvent_sched.errors import StoreError, StoreUnavailableError
from nvent_sched.testing.conformance.builders import (
    HANDLER,
    NOON,
    a_job,
    a_run,
    an_ask,
    an_end,
)
from nvent_sched.testing.conformance.steps import (
    acquire,
    claim,
    insert,
    put,
    read_job,
    settle,
)
from tests.adapters.redis.access import allow
from tests.conftest import SERVERS, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Server

SOON = timedelta(milliseconds=300)
SECRET = "hunter2"  # noqa: S105  nobody's

# The Valkey that comes with the tests was built without TLS.
needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="no server here speaks TLS"
)


@pytest.fixture
def start(new_server: Callable[..., Server]) -> Iterator[Callable[..., Server]]:
    """Start servers that end with the test."""
    with ExitStack() as stack:

        def start_one(name: str, *options: str) -> Server:
            server = new_server(name, *options)
            stack.callback(server.kill)
            return server

        yield start_one


def wait_until(is_so: Callable[[], bool]) -> None:
    patience = threading.Event()
    while not is_so():
        patience.wait(0.02)


async def live(adapter: RedisAdapter) -> None:
    """Store, claim and end something."""
    await put(adapter, a_job())
    await insert(adapter, a_run())
    (run,) = await claim(adapter)
    assert await settle(adapter, an_end(run)) == STORED


async def live_at(url: str) -> None:
    """Store, claim and end something there."""
    adapter = RedisAdapter(url, has_own_clock=False)
    await adapter.open(now=NOON)
    await live(adapter)
    await adapter.close()


async def test_a_server_is_reached_through_a_socket(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    path = tmp_path / "s"
    start("valkey", "--unixsocket", str(path))
    adapter = RedisAdapter(f"unix://{path}?db=2", has_own_clock=False)
    await adapter.open(now=NOON)

    await live(adapter)

    await adapter.close()
    assert adapter.url == f"unix://{path}?db=2"


@needs_redis
class TestTls:
    """`rediss://`, with an authority of our own."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> dict[str, Path]:
        """Have the authority vouch for a server and for a client."""
        authority = trustme.CA()
        files = {name: tmp_path / name for name in ("ca", "server", "cert", "key")}
        authority.cert_pem.write_to_path(files["ca"])
        server = authority.issue_cert("localhost", "127.0.0.1")
        server.private_key_and_cert_chain_pem.write_to_path(files["server"])
        client = authority.issue_cert("client@example.org")
        client.cert_chain_pems[0].write_to_path(files["cert"])
        client.private_key_pem.write_to_path(files["key"])
        return files

    @pytest.fixture
    def start_tls(
        self, start: Callable[..., Server], files: dict[str, Path]
    ) -> Callable[..., tuple[Server, int]]:
        """Start servers with TLS; give each with the port for it."""

        def start_one(*options: str, clients: str = "yes") -> tuple[Server, int]:
            port = free_port()
            server = start(
                "redis",
                *options,
                *("--tls-ca-cert-file", str(files["ca"])),
                *("--tls-auth-clients", clients, "--tls-port", str(port)),
                *("--tls-cert-file", str(files["server"])),
                *("--tls-key-file", str(files["server"])),
            )
            return server, port

        return start_one

    @pytest.fixture
    def ours(self, files: dict[str, Path]) -> str:
        """The options of a client with a certificate of its own."""
        names = {"ca_certs": "ca", "certfile": "cert", "keyfile": "key"}
        options = (f"{option}={files[name]}" for option, name in names.items())
        return "&".join(["timeout=2", *options])

    async def test_a_server_is_reached_by_its_certificate(
        self, start_tls: Callable[..., tuple[Server, int]], files: dict[str, Path]
    ) -> None:
        _, port = start_tls(clients="no")

        await live_at(f"rediss://localhost:{port}/0?ca_certs={files['ca']}")

    async def test_a_server_nobody_vouches_for_is_refused(
        self, start_tls: Callable[..., tuple[Server, int]]
    ) -> None:
        _, port = start_tls(clients="no")

        with pytest.raises(StoreUnavailableError, match="CERTIFICATE"):
            await RedisAdapter(f"rediss://localhost:{port}/0").open(now=NOON)

    async def test_a_server_that_wants_a_certificate_is_shown_ours(
        self,
        start_tls: Callable[..., tuple[Server, int]],
        files: dict[str, Path],
        ours: str,
    ) -> None:
        _, port = start_tls()
        nameless = f"rediss://localhost:{port}/0?ca_certs={files['ca']}"

        await live_at(f"rediss://localhost:{port}/0?{ours}")

        with pytest.raises(StoreUnavailableError):
            await RedisAdapter(nameless).open(now=NOON)

    async def test_sentinels_and_who_they_name_are_reached_by_certificates(
        self, start_tls: Callable[..., tuple[Server, int]], ours: str
    ) -> None:
        _, port = start_tls()
        sentinel, sentinel_port = start_tls("--sentinel", "--tls-replication", "yes")
        with sentinel.client() as client:
            driver: Any = client
            driver.sentinel_monitor("main", "127.0.0.1", port, 1)

        def is_seen() -> bool:
            with sentinel.client() as client:
                driver: Any = client
                is_down: bool = driver.sentinel_master("main")["is_disconnected"]
                return not is_down

        wait_until(is_seen)

        await live_at(f"rediss+sentinel://localhost:{sentinel_port}/main/0?{ours}")

    async def test_a_node_of_a_cluster_is_reached_by_certificates(
        self, start_tls: Callable[..., tuple[Server, int]], ours: str
    ) -> None:
        node, port = start_tls("--cluster-enabled", "yes", "--tls-cluster", "yes")
        with node.client() as client:
            client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16_383)
        wait_until(lambda: is_whole(node, nodes=1))

        await live_at(f"rediss+cluster://localhost:{port}?{ours}")


class TestCluster:
    """Three nodes: all keys of a store lie on one of them."""

    @pytest.fixture
    def nodes(self, start: Callable[..., Server]) -> list[Server]:
        """Start a cluster."""
        enabled = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
        nodes = [start("valkey", *enabled) for _ in range(3)]
        bounds = (0, 5_461, 10_923, 16_384)
        for number, node in enumerate(nodes):
            with node.client() as client:
                first, after = bounds[number : number + 2]
                client.execute_command("CLUSTER ADDSLOTSRANGE", first, after - 1)
                client.execute_command("CLUSTER MEET", "127.0.0.1", nodes[0].port)
        wait_until(lambda: all(map(is_whole, nodes)))
        return nodes

    async def test_every_store_is_found_from_any_node(
        self, nodes: list[Server]
    ) -> None:
        for number in range(4):
            port = nodes[number % 3].port
            url = f"redis+cluster://127.0.0.1:{port}?prefix=store{number}"
            adapter = RedisAdapter(url, has_own_clock=False)
            await adapter.open(now=NOON)
            await live(adapter)
            await adapter.close()

        def size_of(node: Server) -> int:
            with node.client() as client:
                size: int = client.dbsize()
                return size

        assert sum(map(size_of, nodes)) > 0

    async def test_who_may_not_ask_where_keys_are_is_told_so(
        self, nodes: list[Server]
    ) -> None:
        url = f"redis+cluster://ada:secret@127.0.0.1:{nodes[0].port}?prefix=app"
        for node in nodes:
            with node.client() as client:
                allow(client)
        with pytest.raises(StoreError, match="grant") as refused:
            await RedisAdapter(url).open(now=NOON)
        for node in nodes:
            with node.client() as client:
                allow(client, "+cluster|slots", "+command")
        adapter = RedisAdapter(url, has_own_clock=False)
        await adapter.open(now=NOON)

        await live(adapter)

        await adapter.close()
        assert not isinstance(refused.value, StoreUnavailableError)

    async def test_a_server_that_is_no_node_says_so(
        self, start: Callable[..., Server]
    ) -> None:
        url = f"redis+cluster://127.0.0.1:{start('valkey').port}"

        with pytest.raises(StoreError, match="cluster support disabled"):
            await RedisAdapter(url).open(now=NOON)


def is_whole(node: Server, *, nodes: int = 3) -> bool:
    with node.client() as client:
        driver: Any = client
        state: dict[str, str] = driver.cluster("info")
    return state["cluster_state"] == "ok" and state["cluster_known_nodes"] == f"{nodes}"


class TestFailover:
    """A replica takes over, named by a sentinel."""

    @pytest.fixture
    def primary(self, start: Callable[..., Server]) -> Server:
        return start("valkey", "--repl-diskless-sync-delay", "0")

    @pytest.fixture
    def replica(self, start: Callable[..., Server], primary: Server) -> Server:
        replica = start("valkey", "--replicaof", f"127.0.0.1 {primary.port}")
        wait_until(lambda: is_linked(replica))
        return replica

    @pytest.fixture
    def sentinel(
        self, start: Callable[..., Server], primary: Server, replica: Server
    ) -> Server:
        assert replica.port
        sentinel = start("valkey", "--sentinel")
        with sentinel.client() as client:
            driver: Any = client
            driver.sentinel_monitor("main", "127.0.0.1", primary.port, 1)
            driver.sentinel_set("main", "down-after-milliseconds", 300)
            driver.sentinel_set("main", "failover-timeout", 2_000)

        def is_seen() -> bool:
            with sentinel.client() as client:
                driver: Any = client
                return len(driver.sentinel_slaves("main")) == 1

        wait_until(is_seen)
        return sentinel

    async def test_the_one_that_took_over_is_found_and_nothing_is_claimed_for_a_while(
        self, primary: Server, sentinel: Server
    ) -> None:
        url = f"redis+sentinel://127.0.0.1:{sentinel.port}/main/0"
        adapter = RedisAdapter(url)
        await adapter.open(now=NOON)
        await put(adapter, a_job(look_at=NOON))
        before = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)
        with primary.client() as client:
            client.wait(1, 5_000)

        primary.kill()

        job = await patiently(adapter)
        after = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)
        await adapter.close()
        assert [due.job for due in before.jobs] == [job]
        assert after.jobs == ()
        assert after.next_look_at is not None
        assert after.next_look_at > after.now

    async def test_sentinels_with_a_password_of_their_own_are_reached_by_it(
        self, start: Callable[..., Server], primary: Server
    ) -> None:
        with primary.client() as client:
            client.config_set("requirepass", "theirs")
        sentinel = start("valkey", "--sentinel", "--requirepass", SECRET)
        with sentinel.client(password=SECRET) as client:
            driver: Any = client
            driver.sentinel_monitor("main", "127.0.0.1", primary.port, 1)
        where = f"127.0.0.1:{sentinel.port}/main/0?timeout=2"
        adapter = RedisAdapter(
            f"redis+sentinel://:theirs@{where}&sentinel_password={SECRET}",
            has_own_clock=False,
        )
        await adapter.open(now=NOON)

        await live(adapter)

        await adapter.close()
        for wrong in ("", "&sentinel_password=hunter3", "&sentinel_username=ada"):
            other = RedisAdapter(f"redis+sentinel://:theirs@{where}{wrong}")
            with pytest.raises(StoreError, match="sentinel_password") as refused:
                await other.open(now=NOON)
            assert not isinstance(refused.value, StoreUnavailableError)
            said = f"{refused.value} {refused.value.__cause__!r} {other!r}"
            assert not re.search("theirs|hunter|ada", said)

    async def test_fencing_tokens_grow_although_the_last_of_them_were_lost(
        self, primary: Server, replica: Server
    ) -> None:
        url = primary.url
        before = RedisAdapter(url)
        await before.open(now=NOON)
        await put(before, a_job())
        await insert(before, *(a_run(name) for name in "abc"))
        with primary.client() as client:
            client.wait(1, 5_000)
        with replica.client() as client:
            client.execute_command("REPLICAOF", "NO", "ONE")

        lost = await claim(before, now=NOON)

        primary.kill()
        await before.close()
        after = RedisAdapter(url.replace(f":{primary.port}/", f":{replica.port}/"))
        await after.open(now=NOON)
        with replica.client() as client:
            client.delete(Keys(after._location.prefix)["quiet"])
        again = await claim(after, request_id="again")
        await after.close()
        # What a failover loses is claimed once more; whose claim it is can be told.
        assert [run.id for run in again] == [run.id for run in lost] == ["a", "b", "c"]
        assert min(run.fence for run in again) > max(run.fence for run in lost)

    async def test_a_claim_is_safe_once_a_replica_has_it(
        self, primary: Server, replica: Server
    ) -> None:
        adapter = RedisAdapter(f"{primary.url}&wait_replicas=1", has_own_clock=False)
        await adapter.open(now=NOON)
        await put(adapter, a_job())
        await insert(adapter, *(a_run(name) for name in "ab"))
        ours, theirs = await claim(adapter)
        theirs = replace(theirs, fence=theirs.fence - 1)

        safe = await adapter.confirm([ours, theirs])

        replica.kill()
        unsafe = await adapter.confirm([ours])
        await adapter.close()
        assert safe == {"a"}
        assert not unsafe

    async def test_a_claim_is_not_safe_because_the_connection_was_made_anew(
        self, primary: Server, replica: Server
    ) -> None:
        adapter = RedisAdapter(f"{primary.url}&wait_replicas=1", has_own_clock=False)
        await adapter.open(now=NOON)
        await put(adapter, a_job())
        await insert(adapter, a_run())
        replica.stop()
        claims = await claim(adapter)
        with primary.client() as client:
            for known in client.client_list(_type="normal"):
                if known["name"] == "nvent_sched":
                    client.client_kill(known["addr"])

        safe = await adapter.confirm(claims)

        replica.resume()
        await adapter.close()
        assert not safe

    async def test_who_may_ask_to_wait_for_replicas_needs_no_more(
        self, primary: Server, replica: Server
    ) -> None:
        assert replica.port
        with primary.client() as client:
            allow(client, "+wait", "+select")
        url = (
            f"redis://ada:secret@localhost:{primary.port}/1?prefix=app&wait_replicas=1"
        )
        adapter = RedisAdapter(url, has_own_clock=False)
        await adapter.open(now=NOON)
        await put(adapter, a_job())
        await insert(adapter, a_run())

        safe = await adapter.confirm(await claim(adapter))

        await adapter.close()
        assert safe == {"run"}

    async def test_what_must_not_start_twice_waits_for_a_replica(
        self, primary: Server, replica: Server
    ) -> None:
        started: list[str] = []
        scheduler = Scheduler(f"{primary.url}&wait_replicas=1")

        @scheduler.job(OneTime(in_=SOON), id="once", on_lost="fail")
        async def once() -> None:
            started.append("once")

        @scheduler.job(OneTime(in_=SOON), id="again")
        async def again() -> None:
            started.append("again")

        replica.kill()
        async with scheduler:
            async with scheduler.events() as events:
                async for event in events:
                    if (event.kind, event.job_id) == ("run_retrying", "once"):
                        break
            alone = [*started]
            replica.start()
            async with scheduler.events() as events:
                async for event in events:
                    if (event.kind, event.job_id) == ("run_finished", "once"):
                        break

        assert (alone, started) == (["again"], ["again", "once"])


async def patiently(adapter: RedisAdapter) -> Any:  # noqa: ANN401  a job
    """Read the job, however often it takes."""
    while True:
        try:
            return await read_job(adapter)
        except StoreUnavailableError:
            continue


async def test_a_server_in_a_new_life_is_given_time_before_anything_is_claimed(
    start: Callable[..., Server],
) -> None:
    server = start("valkey", "--appendonly", "yes", "--appendfsync", "always")
    adapter = RedisAdapter(server.url)
    await adapter.open(now=NOON)
    await put(adapter, a_job(look_at=NOON))
    await insert(adapter, a_run())
    server.kill()
    server.start()

    due = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)

    claimed = await claim(adapter)
    lock = await acquire(adapter, an_ask("a"))
    await adapter.close()
    assert (due.jobs, claimed) == ((), ())
    assert due.next_look_at is not None
    assert due.next_look_at > due.now
    assert isinstance(lock, LockBusy)
    assert lock.until == due.next_look_at


def is_linked(replica: Server) -> bool:
    with replica.client() as client:
        link: str = client.info("replication").get("master_link_status", "")
        return link == "up"


@pytest.mark.parametrize("name", SERVERS)
async def test_who_was_a_replica_and_is_primary_again_is_in_a_new_life(
    start: Callable[..., Server], name: str
) -> None:
    at_once = ("--repl-diskless-sync-delay", "0")
    server, other = start(name, *at_once), start(name, *at_once)
    adapter = RedisAdapter(server.url)
    await adapter.open(now=NOON)
    await put(adapter, a_job(look_at=NOON))
    await insert(adapter, a_run())
    with server.client() as ours, other.client() as theirs:
        life = ours.info("server")["run_id"]
        theirs.execute_command("REPLICAOF", "127.0.0.1", server.port)
        wait_until(lambda: is_linked(other))
        theirs.execute_command("REPLICAOF", "NO", "ONE")
        lost = await claim(adapter, now=NOON)

        # It hears what the other one knows, over connections that stay.
        ours.execute_command("REPLICAOF", "127.0.0.1", other.port)
        wait_until(lambda: is_linked(server))
        ours.execute_command("REPLICAOF", "NO", "ONE")

        again = await claim(adapter, request_id="again")
        due = await adapter.take_due(now=NOON, handlers=[HANDLER], limit=9)
        lock = await acquire(adapter, an_ask("a"))
        await adapter.close()
        assert ours.info("server")["run_id"] == life
    assert [run.id for run in lost] == ["run"]
    assert (again, due.jobs) == ((), ())
    assert due.next_look_at is not None
    assert due.next_look_at > due.now
    assert isinstance(lock, LockBusy)
    assert lock.until == due.next_look_at


async def test_a_first_replica_is_no_new_life(start: Callable[..., Server]) -> None:
    server = start("valkey", "--repl-diskless-sync-delay", "0")
    adapter = RedisAdapter(server.url)
    await adapter.open(now=NOON)
    await put(adapter, a_job())
    await insert(adapter, a_run())
    with server.client() as client:
        before = client.info("replication")["master_replid"]
        replica = start("valkey", "--replicaof", f"127.0.0.1 {server.port}")
        wait_until(lambda: is_linked(replica))

        claimed = await claim(adapter, now=NOON)

        await adapter.close()
        assert client.info("replication")["master_replid"] != before
    assert [run.id for run in claimed] == ["run"]


def test_the_driver_knows_where_a_cluster_moved_something() -> None:
    assert issubclass(redis.exceptions.MovedError, redis.exceptions.AskError)
