"""The store as an object: where it is, whether it is open, and how to ask it."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, Self

from nvent_sched._logs import logger_of
from nvent_sched._model.instants import SECOND_US
from nvent_sched._port import Traits
from nvent_sched.adapters._codec import SCHEMA
from nvent_sched.adapters._owner import Owner
from nvent_sched.adapters.redis.asking import Asked, Replies
from nvent_sched.adapters.redis.care import (
    dangers_of,
    settings_of,
    skew_dangers,
    too_old,
)
from nvent_sched.adapters.redis.hints import HintThread
from nvent_sched.adapters.redis.keys import Keys
from nvent_sched.adapters.redis.link import Link
from nvent_sched.adapters.redis.location import Location, location_from
from nvent_sched.adapters.redis.overview import counted
from nvent_sched.adapters.redis.run_rows import fence_in
from nvent_sched.adapters.redis.scripts import script
from nvent_sched.errors import (
    SchemaError,
    StoreCorruptError,
    StoreError,
    StoreUnavailableError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from nvent_sched._model.instants import Instant
    from nvent_sched._model.runs import Run

log: Final = logger_of(__name__)
POLL_US: Final = SECOND_US // 2
HEARTBEAT_US_MAX: Final = 5 * SECOND_US
"""Each instance asks what became of its claims within the quiet that `_quiet.lua` keeps."""
PART_MAX: Final = 500
"""How much one script is given at most: so long does everybody else wait."""

WITNESS_MS_MAX: Final = 500
"""How long replicas may take to have a claim; everybody else waits as long."""

Row = list[Any]


class RedisServer:
    """A Redis or Valkey server: what there is of a store before its verbs.

    Args:
        location: Where it is, or a URL.
        has_own_clock: Whether the server's clock decides what is due. Without it the
            `now` of each call does: for tests under a clock driven by hand, and
            unsafe with several instances.

    Raises:
        UsageError: The URL is malformed.
    """

    def __init__(self, location: Location | str, *, has_own_clock: bool = True) -> None:
        if isinstance(location, str):
            location = location_from(location)
        self._location = location
        self._link: Link | None = None
        self._owner: Owner[Replies] | None = None
        self._hints: HintThread | None = None
        self._settings: dict[str, str] = {}
        self._dangers: list[str] = []
        self._has_own_clock = has_own_clock
        self._traits = Traits(
            name="redis",
            is_shared=True,
            is_durable=True,
            has_own_clock=has_own_clock,
            hint_delay_us_max=POLL_US,
            heartbeat_us_max=HEARTBEAT_US_MAX,
        )

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Make the adapter that a URL names.

        Args:
            url: `redis://host:6379/0`, `rediss://…`, `unix:///run/redis.sock`,
                `redis+sentinel://host,host/primary/0` or `redis+cluster://host,host`;
                with `user:password@` and `?prefix=app&timeout=5` (seconds) if wanted;
                `sentinel_password=…` where the sentinels have one of their own;
                `wait_replicas=1` has a claim of a job with `on_lost="fail"` kept by so
                many replicas before its handler starts.

        Raises:
            UsageError: It is malformed or has an option that is not known.
        """
        return cls(location_from(url))

    def __repr__(self) -> str:
        """Say where it is, without any secret."""
        return f"{type(self).__name__}({self.url!r})"

    @property
    def traits(self) -> Traits:
        """What it can do."""
        return self._traits

    @property
    def url(self) -> str:
        """Where it is, without any secret."""
        return self._location.url

    def on_hint(self, hint: Callable[[], None]) -> None:
        """Call *hint*, from a thread of our own, when another changed something.

        Only while the adapter is open; nothing is called for what it changed itself.
        """
        if self._link is None:
            return
        if self._hints is None:
            self._hints = HintThread(
                self._location,
                channel=Keys(self._location.prefix)["hints"],
                name=self._link.name,
            )
        self._hints.add(hint)

    async def open(self, *, now: Instant) -> None:
        """Connect, and see that the schema is one we know."""
        if self._owner is not None:
            msg = f"{self.url} is open already; one adapter serves one scheduler"
            raise UsageError(msg)
        self._link = link = Link(self._location)
        self._owner = Owner(
            name="nvent-redis",
            execute=link.execute,
            finish=link.finish,
            hang_up=link.hang_up,
        )
        try:
            self._check_schema(await self._ask("open", SCHEMA))
            await self._look_at_settings(now=now)
            if self._has_own_clock:
                await self._ask("meet", "")
                link.keeps_quiet = True
        except Exception:
            await self.close()
            raise
        except BaseException:
            # Nothing is stored yet that would be worth waiting for.
            self._owner.leave_behind()
            self._owner = self._link = None
            raise
        for danger in self._dangers:
            log.warning("danger: %s", danger, extra={"store": self.url})

    def _check_schema(self, found: str) -> None:
        if not counted(found):
            msg = f"{self.url}: its schema number is {found[:20]!r}: choose another prefix"
            raise StoreCorruptError(msg)
        if int(found) > SCHEMA:
            msg = (
                f"{self.url} was written by a newer release: schema {found}, we know "
                f"{SCHEMA}; nothing was changed"
            )
            raise SchemaError(msg)

    async def _look_at_settings(self, *, now: Instant) -> None:
        """See how the server is set up, and what of it is dangerous.

        Args:
            now: By the clock of this machine.
        """
        skew = await self._skew(here=now)
        info: Mapping[str, Any] = await self._command("INFO")
        if (reason := too_old(info)) is not None:
            msg = f"{self.url}: {reason}"
            raise StoreError(msg)
        self._settings = settings_of(info, await self._config())
        self._dangers = [*dangers_of(info, self._settings), *skew]

    async def _skew(self, *, here: Instant) -> list[str]:
        if not self._has_own_clock:
            return []
        seconds, more_us = await self._command("TIME")
        there = int(seconds) * SECOND_US + int(more_us)
        return list(skew_dangers(here=here, there=there))

    async def _config(self) -> Mapping[str, str]:
        try:
            found = await self._command("CONFIG GET", "appendfsync", "save")
        except StoreError:
            return {}  # who hosts it may forbid to ask
        return dict(found)

    async def close(self) -> None:
        """Let go of the connections; who is cancelled waits for no answer any more."""
        owner, self._owner = self._owner, None
        hints, self._hints = self._hints, None
        link, self._link = self._link, None
        if hints is not None:
            hints.end()
        if link is not None:
            link.interrupt()
        if owner is not None:
            await owner.close()
        if hints is not None:
            await hints.join()

    def _time(self, now: Instant) -> str:
        """Say what time a script shall take it to be; nothing for the server's own."""
        return "" if self._has_own_clock else str(now)

    @property
    def _caller(self) -> str:
        return "" if self._link is None else self._link.name

    async def _ask(self, verb: str, *args: object) -> Any:  # noqa: ANN401  Lua's reply
        """Have a script executed that may be executed twice."""
        (reply,) = await self._send(verb, [args], is_told=False)
        return reply

    async def _command(self, name: str, *args: object) -> Any:  # noqa: ANN401  as above
        """Have a command executed that only reads."""
        asked = Asked(scripts=[(name, args)], numbers=[None])
        (reply,) = await self._call(asked)
        return reply

    async def _wait_for_replicas(self, claims: Sequence[Run]) -> frozenset[str]:
        """Look whether these are still ours, and wait until replicas have them.

        A server that took over meanwhile may not have them, and its replicas neither.
        """
        wanted, ids = self._location.wait_replicas, [run.id for run in claims]
        look = (script("witness"), (WITNESS_MS_MAX, len(ids), *ids))
        wait = ("WAIT", (wanted, WITNESS_MS_MAX))
        texts, witnesses = await self._call(
            Asked(scripts=[look, wait], numbers=[None, None])
        )
        if witnesses < wanted:
            return frozenset()
        return frozenset(
            run.id
            for run, text in zip(claims, texts, strict=True)
            if fence_in(text) == str(run.fence)
        )

    async def _send(
        self, verb: str, parts: Sequence[Sequence[Any]], *, is_told: bool
    ) -> Replies:
        """Have a script executed, once for each part.

        Args:
            verb: Its name.
            parts: The arguments.
            is_told: Whether its answer must be remembered, for when it is lost.
        """
        if self._link is None:
            raise self._not_open()
        return await self._call(self._link.asked(verb, parts, is_told=is_told))

    async def _call(self, asked: Asked) -> Replies:
        if self._owner is None:
            raise self._not_open()
        replies: Replies = await self._owner.call(asked, is_write=True)
        return replies

    def _not_open(self) -> StoreUnavailableError:
        return StoreUnavailableError(f"{self.url} is not open")


def parts_of(
    rows: Iterable[Sequence[Any]], *, head: Sequence[Any] = (), most: int = PART_MAX
) -> Iterator[Row]:
    """Make arguments of many rows: a head, how many rows follow, the rows.

    Yields:
        At least one part, none with more rows than *most*.
    """
    left = iter(rows)
    part = list(islice(left, most))
    while True:
        following = list(islice(left, most))
        yield [*head, len(part), *chain.from_iterable(part)]
        if not following:
            return
        part = following
