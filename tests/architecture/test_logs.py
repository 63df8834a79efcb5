"""Whoever logs lets the facts be seen: a format shows none that is a field alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.architecture.conftest import Source


def test_each_module_that_logs_does_so_by_the_logger_that_shows_facts(
    sources: list[Source],
) -> None:
    logging = [s for s in sources if re.search(r"^log\b.* = ", s.text, re.MULTILINE)]

    assert logging, "or this test is blind"
    assert [s.name for s in logging if " = logger_of(__name__)\n" not in s.text] == []
