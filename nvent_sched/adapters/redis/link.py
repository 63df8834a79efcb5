"""The connection, on the owner's thread: what waits together is sent as one pipeline.

A connection that broke is made anew, and what it was asked is asked again: each call
carries what the store needs to know a repetition by. After a few attempts the callers are
told instead; the engine's loops ask again by themselves, for ever.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from redis.backoff import EqualJitterBackoff
from redis.exceptions import (
    AskError,
    ConnectionError,  # noqa: A004
    NoScriptError,
    ReadOnlyError,
    RedisError,
    TimeoutError,  # noqa: A004
)

from nvent_sched._logs import logger_of
from nvent_sched.adapters.redis.asking import Asked, asked_of, together
from nvent_sched.adapters.redis.connecting import connect
from nvent_sched.adapters.redis.faults import UNREACHABLE, fault_of, is_refused, named
from nvent_sched.adapters.redis.keys import Keys
from nvent_sched.adapters.redis.scripts import script, verbs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvent_sched.adapters._owner import Call
    from nvent_sched.adapters.redis.asking import Replies
    from nvent_sched.adapters.redis.location import Location
    from nvent_sched.adapters.redis.scripts import Script

log: Final = logger_of(__name__)
ATTEMPTS_MAX: Final = 6
"""How often a call is sent before its caller is told."""
WAIT_S: Final = 0.05
WAIT_S_MAX: Final = 1.0
# A MOVED of a cluster is a kind of AskError.
REPEATED: Final = (*UNREACHABLE, ReadOnlyError, AskError)


class Link:
    """One connection and its scripts.

    Args:
        location: Of the server; it is connected to with the first call.

    Attributes:
        keeps_quiet: Whether, when connected anew, nothing is claimed for a while if it
            is not the server that was met last.
    """

    def __init__(self, location: Location) -> None:
        self.location = location
        self.keeps_quiet = False
        self.name: str = uuid4().hex
        self._keys = Keys(location.prefix)
        self._client: Any = None
        self._numbers = count(1)
        self._is_ending = threading.Event()
        self._has_hung_up = False
        self._backoff = EqualJitterBackoff(cap=WAIT_S_MAX, base=WAIT_S)

    def asked(
        self, verb: str, parts: Sequence[Sequence[Any]], *, is_told: bool
    ) -> Asked:
        """Prepare a call.

        Args:
            verb: The script.
            parts: The arguments, of each time it is sent.
            is_told: Whether the store keeps the answer for a repetition.
        """
        sent = script(verb)
        return Asked(
            scripts=[(sent, part) for part in parts],
            numbers=[next(self._numbers) if is_told else None for _ in parts],
        )

    def interrupt(self) -> None:
        """Let nothing be sent again to a server that does not answer."""
        self._is_ending.set()

    def hang_up(self) -> None:
        """Send nothing any more; what is under way is nobody's now. From any thread."""
        self._has_hung_up = True
        self._is_ending.set()

    def execute(
        self, group: Sequence[Call[Replies]]
    ) -> Iterator[Sequence[Call[Replies]]]:
        """Execute what waits, and fill in what came of it.

        Who waits for a large call goes on with its answer while the server works at the
        next. In trouble all are sent together: none waits for that of the others first.
        """
        left, failures = group, 0
        while left:
            part = left if failures else left[: together(left)]
            error = self._tried(part, is_repeat=failures > 0)
            if error is None:
                yield part
                left = left[len(part) :]
                continue
            # An answer that does not come in time has cost the caller enough.
            failures += ATTEMPTS_MAX // 2 if _is_timeout(error) else 1
            if failures >= ATTEMPTS_MAX or self._is_over(error, failures):
                for call in left:
                    call.error = fault_of(error, url=self.location.url)
                yield left
                return

    def _is_over(self, error: Exception, failures: int) -> bool:
        """Wait a little, unless it would be in vain to ask once more."""
        if not isinstance(error, REPEATED) or is_refused(error):
            return True
        return self._is_ending.wait(self._backoff.compute(failures))

    def _tried(
        self, calls: Sequence[Call[Replies]], *, is_repeat: bool
    ) -> Exception | None:
        """Execute calls; say what stood in the way."""
        try:
            self._execute(calls, is_repeat=is_repeat)
        except Exception as error:  # noqa: BLE001  it belongs to every caller
            if not is_refused(error):
                self._disconnect()
            return error
        return None

    def _execute(self, calls: Sequence[Call[Replies]], *, is_repeat: bool) -> None:
        sent: list[tuple[Script | str, list[Any]]] = []
        steps = [asked_of(call) for call in calls]
        for step in steps:
            for (each, args), number in zip(step.scripts, step.numbers, strict=True):
                told = () if number is None else (self.name, number, int(is_repeat))
                sent.append((each, [*told, *args]))
        replies = iter(self._send(sent))
        for call, step in zip(calls, steps, strict=True):
            own = [next(replies) for _ in step.scripts]
            wrong = next((each for each in own if isinstance(each, Exception)), None)
            if wrong is None:
                call.result = step(own)
            else:
                call.error = fault_of(wrong, url=self.location.url)

    def _send(self, sent: Sequence[tuple[Script | str, list[Any]]]) -> Replies:
        client = self._connected()
        if self._has_hung_up:
            self._refuse()
        try:
            replies = self._pipelined(client, sent)
        except UnicodeEncodeError:
            # It is found before anything is sent, and too rare to be looked for.
            sent = [(each, [*map(_sendable, args)]) for each, args in sent]
            replies = self._pipelined(client, sent)
        for place, reply in enumerate(replies):
            each, args = sent[place]
            if isinstance(reply, NoScriptError) and not isinstance(each, str):
                replies[place] = self._eval(client, each, args)
            if isinstance(replies[place], REPEATED):
                raise replies[place]
        return replies

    def _pipelined(
        self,
        client: Any,  # noqa: ANN401  the driver's types are not whole
        sent: Sequence[tuple[Script | str, list[Any]]],
    ) -> Replies:
        with client.pipeline(transaction=False) as pipeline:
            for each, args in sent:
                if isinstance(each, str):
                    pipeline.execute_command(each, *args)
                    continue
                keys = [self._keys[name] for name in each.keys]
                pipeline.execute_command(
                    "EVALSHA", each.digest, len(keys), *keys, *args
                )
            replies: Replies = pipeline.execute(raise_on_error=False)
        return [named(reply) for reply in replies]

    def _eval(self, client: Any, sent: Script, args: list[Any]) -> Any:  # noqa: ANN401
        """Send a script that the server has forgotten; it will know it then."""
        keys = [self._keys[name] for name in sent.keys]
        try:
            return client.execute_command("EVAL", sent.text, len(keys), *keys, *args)
        except Exception as error:  # noqa: BLE001  an answer like the others
            return named(error)

    def _connected(self) -> Any:  # noqa: ANN401  the driver's types are not whole
        if self._client is None and not self._has_hung_up:
            client: Any = connect(self.location, slot_key=self._keys["jobs"])
            with client.pipeline(transaction=False) as pipeline:
                for verb in verbs():
                    pipeline.execute_command("SCRIPT LOAD", script(verb).text)
                pipeline.execute()
            if self.keeps_quiet:
                self._meet(client)
            pool = client.connection_pool
            connection = pool.get_connection()
            connection.register_connect_callback(self._refuse)
            pool.release(connection)
            self._client = client
        return self._client

    def _refuse(self, connection: object = None) -> None:
        """Let the driver not connect anew by itself: we must see who answers then."""
        del connection
        msg = "the connection was lost"
        raise ConnectionError(msg)

    def _meet(self, client: Any) -> None:  # noqa: ANN401  the driver's types are not whole
        """See whether another server took over; it may lack the last writes."""
        meet = script("meet")
        keys = [self._keys[name] for name in meet.keys]
        until = client.evalsha(meet.digest, len(keys), *keys, "")
        if until:
            log.warning(
                "another server, or a new life of it: nothing is claimed for a while",
                extra={"store": self.location.url, "until_us": int(until)},
            )

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def finish(self) -> None:
        """Let go of the connection; who listens for us wakes up by our last word."""
        if self._client is not None and not self._has_hung_up:
            with suppress(*UNREACHABLE, RedisError):
                self._client.publish(self._keys["hints"], self.name)
        self._disconnect()


def _sendable(arg: object) -> object:
    """Make what can be sent: half of a surrogate pair has no UTF-8."""
    if isinstance(arg, str) and not arg.isascii():
        return arg.encode("utf-8", "backslashreplace")
    return arg


def _is_timeout(error: Exception) -> bool:
    return isinstance(error, TimeoutError)
