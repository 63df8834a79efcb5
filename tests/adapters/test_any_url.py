"""Whatever is given as a URL names a store or is refused, and its secret is never shown."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nvent_sched.adapters import open_adapter
from nvent_sched.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET: Final = "hunter2hunter2"  # noqa: S105  nobody's

any_text = st.text(max_size=20)
schemes = st.sampled_from(
    [
        *("sqlite", "file", "memory", "redis", "rediss", "unix", "postgres", "REDIS"),
        *("redis+sentinel", "redis+cluster", "rediss+sentinel", "rediss+cluster", ""),
    ]
)
marks = st.sampled_from(["://", ":", ":///", ":////", "//", ""])
users = st.sampled_from(
    [
        "",
        f"user:{SECRET}@",
        f":{SECRET}@",
        f"user:{SECRET}%40@",
        f"user:{SECRET}/@",
        f"user:{SECRET}#@",
        f"user:{SECRET}?@",
        f"user:{SECRET}[@",
    ]
)
hosts = any_text | st.sampled_from(
    [
        "localhost",
        "a,b",
        "a:1,b:2",
        "[::1]",
        "[::1",
        "a:b",
        "a:99999",
        "%",
        "é",
        "\ud800",
    ]
)
ports = st.sampled_from(["", ":6379", ":0", ":-1", ":x", ":65536", ":"])
paths = any_text.map(lambda text: f"/{text}") | st.sampled_from(
    ["", "/", "/0", "/-1", "/x", "/0/1", "/main/0", "//", "/\0", "/:memory:", "/~"]
)
options = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("prefix", "timeout", "wait_replicas", "mode", "synchronous", "ssl"),
                *("busy_timeout", "password", "username", "db", "", "ssl_certfile"),
            ]
        )
        | any_text,
        any_text
        | st.sampled_from(["1", "-1", "nan", "inf", "1e999", "ro", "FULL", SECRET]),
    ).map("=".join),
    max_size=3,
).map(lambda found: f"?{'&'.join(found)}" if found else "")
urls = st.tuples(schemes, marks, users, hosts, ports, paths, options).map("".join)


def judge(url: str) -> None:
    """See that it names a store or is refused."""
    try:
        adapter = open_adapter(url)
    except UsageError as error:
        shown = ["".join(traceback.format_exception_only(error)), *causes_of(error)]
    else:
        assert adapter.traits.name in {"memory", "sqlite", "redis"}
        shown = [adapter.url, repr(adapter)]
    if adapter_may_show(url):
        return
    assert [text for text in shown if SECRET in text] == []


def causes_of(error: BaseException) -> Iterator[str]:
    """Say what a traceback would show besides."""
    cause = error.__cause__
    if cause is None and not error.__suppress_context__:
        cause = error.__context__
    if cause is not None:
        yield repr(cause)
        yield from causes_of(cause)


def adapter_may_show(url: str) -> bool:
    """Whether what looks like a secret is a file's name."""
    return url.lower().startswith(("sqlite", "file"))


@given(st.text())
@example("redis://")
@example("redis://[")
@example("sqlite:///\0")
def test_any_text_names_a_store_or_is_refused(text: str) -> None:
    judge(text)


@settings(max_examples=4 * settings().max_examples)
@given(urls)
def test_whatever_a_url_is_made_of_its_secret_is_not_shown(url: str) -> None:
    judge(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("jobs.db", "'jobs.db' is no URL: write sqlite:///jobs.db"),
        ("data/my jobs.db", "'data/my jobs.db' is no URL: write sqlite:///data/my"),
        ("/srv/jobs.db", "'/srv/jobs.db' is no URL: write sqlite:////srv/jobs.db"),
        ("", "'' is no URL: write sqlite:///jobs.db"),
        ("postgres://h/db", "no store has the scheme 'postgres'"),
    ],
)
def test_what_is_no_url_is_said_and_how_it_is_written(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        open_adapter(url)
