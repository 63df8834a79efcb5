"""The one line of an error's text that is shown where there is room for one."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nvent_sched._tracebacks import error_line, without_middle

DRAWN = " |+-.0123456789\n"
LINK = "The above exception was the direct cause of the following exception:"
MESSAGES = st.text("ab:|+-.\n", max_size=12).map(lambda text: f"m{text}")
NOTES = st.lists(st.text("n:|+-\n ", max_size=8), max_size=2)
TEXTS = st.text("ab:|+-. \n", max_size=40) | st.text(max_size=40)


@st.composite
def leaves(draw: st.DrawFn) -> Exception:
    error = draw(st.sampled_from([ValueError, OSError, SyntaxError]))(draw(MESSAGES))
    return _lived(draw, error)


@st.composite
def groups(draw: st.DrawFn, members: st.SearchStrategy[Exception]) -> Exception:
    inner = draw(st.lists(members, min_size=1, max_size=3))
    return _lived(draw, ExceptionGroup(draw(MESSAGES), inner))


def _lived(draw: st.DrawFn, error: Exception) -> Exception:
    """Let an exception be raised, or not; with notes, or not; from another, or not."""
    for note in draw(NOTES):
        error.add_note(note)
    match draw(st.sampled_from(["made", "raised", "caused", "caused by a group"])):
        case "raised":
            return raised(error)
        case "caused":
            return raised(error, cause=raised(KeyError("why")))
        case "caused by a group":
            return raised(error, cause=ExceptionGroup("g", [raised(KeyError("why"))]))
        case _:
            return error


def raised(error: Exception, *, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except type(error) as caught:
        return caught


def text_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def named(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).split(chr(10), 1)[0]}".rstrip()


def leaf_of(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@given(error=leaves() | st.recursive(leaves(), groups, max_leaves=5))
def test_the_line_of_an_error_names_what_came_out_and_the_first_error_in_a_group(
    error: Exception,
) -> None:
    line = error_line(text_of(error))

    if isinstance(error, ExceptionGroup):
        assert line == f"{named(error)}: {named(leaf_of(error))}"
    else:
        assert line == named(error)


@given(text=TEXTS)
@example(text="  |")
@example(text="...\n")
@example(text=f"a\n{LINK}")
def test_the_line_of_any_text_is_one_line_that_says_something(text: str) -> None:
    line = error_line(text)

    assert line is not None or not text.strip().strip(DRAWN)
    assert line is None or (line.strip() and "\n" not in line)


@given(text=st.text("ab:|+-. ", max_size=12).filter(str.strip))
def test_a_text_of_one_line_is_its_line(text: str) -> None:
    told = f"w{text}"

    assert error_line(told) == told.rstrip()


@pytest.mark.parametrize("text", [None, "", " \n ", "  +-+---------------- 1 ---"])
def test_a_text_that_says_nothing_has_no_line(text: str | None) -> None:
    assert error_line(text) is None


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError(), "ValueError"),
        (ValueError("\n  no bread\n"), "ValueError: no bread"),
        (SyntaxError("bad", ("cell", 1, 2, "1 +")), "SyntaxError: bad"),
        (
            RuntimeError("(locked) no\n[SQL: SELECT 1]\n(Background on: https://x)"),
            "RuntimeError: (locked) no",
        ),
        (
            RuntimeError("worker failed\nTraceback (most recent call last):\n  File"),
            "RuntimeError: worker failed",
        ),
        (
            ExceptionGroup("unhandled errors in a TaskGroup", [ValueError("the real")]),
            (
                "ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception): "
                "ValueError: the real"
            ),
        ),
    ],
    ids=["bare", "begins empty", "syntax", "many lines", "text of another", "group"],
)
def test_a_message_stands_for_its_error_by_its_first_line(
    error: Exception, line: str
) -> None:
    assert error_line(text_of(raised(error))) == line


@given(error=leaves() | groups(leaves()), rest=st.integers(0, 3_000))
def test_a_text_that_loses_its_middle_keeps_its_line(
    error: Exception, rest: int
) -> None:
    text = text_of(raised(RuntimeError("first\n" + "x y\n" * rest), cause=error))

    short = without_middle(text, length_max=1_000)

    assert len(short) <= 1_000
    assert error_line(short) == "RuntimeError: first"


def test_of_a_text_cut_long_ago_the_line_after_the_cut_counts() -> None:
    text = text_of(raised(KeyError("x")))
    head, tail = text[:60], text[-40:]

    assert error_line(f"{head}\n...\n{tail}") == "KeyError: 'x'"
