"""Every script says in its header what it uses, and uses what it says."""

from __future__ import annotations

import re

import pytest

from nvent_sched._model.instants import SECOND_US
from nvent_sched.adapters.redis.keys import NAMES, Keys
from nvent_sched.adapters.redis.scripts import names, script, source, verbs
from nvent_sched.adapters.redis.server import HEARTBEAT_US_MAX
from nvent_sched.testing.simulator.losing import QUIET_US

HEADER = re.compile(
    r"\A-- (?P<name>\w+): \S.*[.:]\n(?:-- \S.*\n)*--\n"
    r"-- uses(?P<uses>.*)\n(?:--         .*\n)*"
    r"-- keys(?P<keys>.*)\n(?:--         .*\n)*"
    r"-- args(?P<args>.*)\n(?:--         .*\n)*--\n"
    r"-- returns (?P<returns>.*)\n(?:--         .*\n)*\n"
)
LINES_MAX = 145
COMMENT = re.compile(r"--.*")
LOCALS = re.compile(r"^local(?! function)\s+([\w,\s]*?)\s*(?:=|\n)", re.MULTILINE)


def body_of(name: str) -> str:
    return COMMENT.sub("", source(name).text)


@pytest.mark.parametrize("name", names())
def test_a_script_begins_with_a_header_in_the_one_form(name: str) -> None:
    header = HEADER.match(source(name).text)

    assert header is not None
    assert header["name"] == name


def said_by(name: str, part: str) -> str:
    """Read a part of a header as one line."""
    header = HEADER.match(source(name).text)
    assert header is not None
    after = source(name).text[header.start(part) : header.end()]
    said = re.split(r"\n--?\n|\n\n", after)[0]
    return " ".join(said.replace("\n--", " ").split())


@pytest.mark.parametrize("name", verbs())
def test_a_header_names_the_arguments_that_the_script_reads(name: str) -> None:
    said, body = said_by(name, "args"), body_of(name)

    assert bool(re.search(r"\bnow\b", said)) == ("time_now()" in body)
    assert ("caller, number, is_repeat" in said) == ("told_before()" in body)
    assert (said == "") == (not re.search(r"\barg\(\)|time_now\(\)", body))


@pytest.mark.parametrize("name", verbs())
def test_a_header_names_what_the_script_returns(name: str) -> None:
    said, body = said_by(name, "returns"), body_of(name)
    returned = set(re.findall(r"(?:return|verdicts\[place\] =) '(\w)'", body))

    assert said.startswith("nothing") == (
        not re.search(r"^return\b", body, re.MULTILINE)
    )
    assert said.startswith("text") == bool(
        re.search(r"^return (tell|table)", body, re.MULTILINE)
    )
    assert said.startswith("{now") == ("{text_of(now)" in body)
    assert returned <= set(re.findall(r"'(\w)'", said))


@pytest.mark.parametrize("name", verbs())
def test_a_header_says_what_is_returned_in_the_quiet_after_a_failover(
    name: str,
) -> None:
    keeps_quiet = "quiet_until(" in body_of(name)

    assert keeps_quiet <= bool(re.search(r"\buntil\b", said_by(name, "returns")))


@pytest.mark.parametrize("name", names())
def test_a_script_uses_every_key_that_its_header_names(name: str) -> None:
    body = body_of(name)

    unused = {
        key
        for key in source(name).keys
        if not re.search(rf"\b{key.rstrip('*')}\b", body)
    }

    assert unused == set()


@pytest.mark.parametrize("name", names())
def test_a_script_touches_no_key_by_its_number_or_by_a_name_of_its_own(
    name: str,
) -> None:
    assert "KEYS" not in body_of(name)
    assert "{nvent" not in body_of(name)


@pytest.mark.parametrize("name", verbs())
def test_a_script_gives_no_value_of_its_own_the_name_of_a_key(name: str) -> None:
    _, body = COMMENT.sub("", script(name).text).split("\n", 1)
    given = [word for names in LOCALS.findall(body) for word in names.split(",")]

    keys = {key.rstrip("*") for key in script(name).keys}
    assert keys & {word.strip() for word in given} == set()


def test_every_key_is_named_once_for_all_and_used_by_a_script() -> None:
    used = {key for name in names() for key in source(name).keys}

    assert used == NAMES.keys()


@pytest.mark.parametrize("name", names())
def test_a_microsecond_never_goes_through_json_or_tostring(name: str) -> None:
    body = body_of(name)

    assert "cjson" not in body
    assert "tostring" not in body
    assert "cmsgpack" not in body


@pytest.mark.parametrize("name", names())
def test_a_script_can_be_read_at_one_sitting(name: str) -> None:
    assert len(source(name).text.splitlines()) <= LINES_MAX


@pytest.mark.parametrize("name", verbs())
def test_a_script_is_given_each_of_its_keys_once(name: str) -> None:
    keys = script(name).keys

    assert len(set(keys)) == len(keys)


def test_all_keys_of_a_store_share_one_hash_tag() -> None:
    keys = Keys("some app")

    assert {keys[name].partition("}")[0] for name in NAMES} == {"{some app"}
    assert keys["due*"] == "{some app}:due:"
    assert keys.pattern == "{some app}:*"


def test_nothing_is_claimed_for_as_long_as_in_the_simulation() -> None:
    assert f"local QUIET = {QUIET_US} " in source("_quiet").text


def test_every_instance_is_heard_of_while_nothing_is_claimed() -> None:
    assert HEARTBEAT_US_MAX + SECOND_US <= QUIET_US
