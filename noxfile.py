"""Every check of this repository behind one word.

`nox` runs the gates: style, layers, types, tests, coverage. `nox -s NAME` runs one of
them, `nox -l` lists them all. The tests never import this tree: they run against the
wheel that is built from it; `nox -s matrix` does so on every other interpreter found.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.10.14"
nox.options.sessions = ["style", "layers", "types", "tests", "coverage"]
nox.options.reuse_venv = "yes"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"

IN_CI = os.environ.get("CI") == "true"

# Elsewhere a missing interpreter is skipped with a word; in CI, 3.11 to 3.13 are a must.
nox.options.error_on_missing_interpreters = IN_CI
PYTHONS = ["3.11", "3.12", "3.13"]
if not IN_CI or shutil.which("python3.14"):
    PYTHONS.append("3.14")

PROJECT = nox.project.load_toml("pyproject.toml")
WORK = Path(__file__).parent / ".nox"
DIST = WORK / "dist"
COVERAGE = WORK / "measured"

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTEST = ["pytest", "--numprocesses=2", "--durations=10"]
OFF_THE_TREE = {"PYTHONSAFEPATH": "1"}  # the tests see what is installed, not the tree


SIMULATED = [
    ["--scenario", "all"],
    ["--faults", "3"],
    ["--seconds", "150", "--seeds", "2000"],
]
"""Each known failure; one fault at a time; then seeds, the same each time: `soak` has new ones."""


def dependencies(*groups: str) -> tuple[str, ...]:
    """Name what the dependency groups of pyproject.toml ask for."""
    return tuple(nox.project.dependency_groups(PROJECT, *groups))


def install_wheel(session: nox.Session, *groups: str) -> None:
    """Install the wheel that `wheel` built, and dependency groups."""
    (built,) = DIST.glob("*.whl")
    session.install(str(built), *dependencies(*groups))
    # The version is the same as last time, the content is not.
    session.install("--force-reinstall", "--no-deps", str(built))


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the sdist, and from it the wheel that the other sessions install."""
    shutil.rmtree(DIST, ignore_errors=True)
    session.install("build", *PROJECT["build-system"]["requires"])
    session.run("python", "-m", "build", "--no-isolation", "--outdir", str(DIST), ".")


@nox.session
def style(session: nox.Session) -> None:
    """Check the form: ruff, codespell, the package's metadata."""
    session.install(*dependencies("style"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("codespell")
    session.run("validate-pyproject", "pyproject.toml")


@nox.session
def layers(session: nox.Session) -> None:
    """Check that the arrows point down."""
    session.install(*dependencies("layers"))
    session.run("lint-imports", "--no-cache")


@nox.session(requires=["wheel"])
def types(session: nox.Session) -> None:
    """Check the types: of the tree, of a user's code, of the installed package."""
    install_wheel(session, "types", "test")
    session.run("mypy")
    session.run("basedpyright", "tests/typing")
    # Outside the tree, or the tree would be read in place of the installed package.
    with session.chdir(session.create_tmp()):
        session.run("basedpyright", "--verifytypes", "nvent_sched", "--ignoreexternal")


@nox.session(requires=["wheel"])
def tests(session: nox.Session) -> None:
    """Run the tests against the built wheel, and measure what they reach."""
    install_wheel(session, "test")
    shutil.rmtree(COVERAGE, ignore_errors=True)
    COVERAGE.mkdir()
    env = {**OFF_THE_TREE, "COVERAGE_FILE": str(COVERAGE / ".coverage")}
    session.run("coverage", "run", "-m", *PYTEST, *session.posargs, env=env)


@nox.session(python=PYTHONS, requires=["wheel"])
def matrix(session: nox.Session) -> None:
    """Run the tests on the other interpreters; arguments go to pytest."""
    if session.python == OURS:
        session.skip(f"`nox -s tests` runs them on {OURS}")
    install_wheel(session, "test")
    chosen = ("-m", "not chaos and not once")
    session.run(*PYTEST, *chosen, *session.posargs, env=OFF_THE_TREE)


@nox.session(requires=["wheel"])
def notebooks(session: nox.Session) -> None:
    """Run each notebook from top to bottom, in a kernel of its own."""
    install_wheel(session, "test")
    session.run(*PYTEST, "tests/notebooks", *session.posargs, env=OFF_THE_TREE)


@nox.session(requires=["wheel"])
def browser(session: nox.Session) -> None:
    """Look at the dashboard in Chromium, alone and in JupyterLab; needs `chromium`."""
    install_wheel(session, "browser")
    arguments = ["--durations=10", *session.posargs]
    session.run("pytest", "tests/browser", *arguments, env=OFF_THE_TREE)


@nox.session
def coverage(session: nox.Session) -> None:
    """Report which lines and branches no test reached."""
    session.install("coverage")
    measured = {"COVERAGE_FILE": str(COVERAGE / ".coverage")}
    session.run("coverage", "combine", "--keep", env=measured)
    session.run("coverage", "report", env=measured)


@nox.session(requires=["wheel"])
def chaos(session: nox.Session) -> None:
    """Put real processes under fire, on SQLite, Valkey and Redis; two minutes and more.

    `NVENT_SCHED_OTHER_PYTHON` names an interpreter for half of them, with another release
    of the package in it.
    """
    if IN_CI and not shutil.which("redis-server"):
        session.error("there is no redis-server")
    install_wheel(session, "test")
    session.run(
        *PYTEST, "-m", "chaos", "tests/chaos", *session.posargs, env=OFF_THE_TREE
    )


@nox.session
def mutants(session: nox.Session) -> None:
    """Take each guard out in turn: a test must fail; `nox -s mutants -- redis fence`."""
    session.install("-e", ".", *dependencies("test"))
    session.run("python", "-m", "tests.mutants.take_out", *session.posargs)


@nox.session(python="3.11", requires=["wheel"])
def bench(session: nox.Session) -> None:
    """Measure ours beside its peers; `nox -s bench -- fires wake --rounds 1`."""
    install_wheel(session, "bench")
    session.run("python", "tests/bench/run.py", *session.posargs)


@nox.session(requires=["wheel"])
def simulate(session: nox.Session) -> None:
    """Simulate thousands of seeds; `nox -s simulate -- --seconds 3600 --first 100000`."""
    install_wheel(session)
    for asked in SIMULATED if not session.posargs else [session.posargs]:
        session.run("nvent-sched", "simulate", *asked)


@nox.session(requires=["wheel"])
def soak(session: nox.Session) -> None:
    """Let hypothesis look for hours, or simulate: `nox -s soak -- simulate 3600`."""
    match session.posargs:
        case ["simulate", seconds]:
            install_wheel(session)
            # Seeds that nobody has seen yet.
            first = str(int.from_bytes(os.urandom(5)))
            words = ["--first", first, "--seeds", "1000000000", "--seconds", seconds]
            session.run("nvent-sched", "simulate", *words)
        case given:
            install_wheel(session, "test")
            env = {**OFF_THE_TREE, "NVENT_SCHED_PROFILE": "soak"}
            session.run("pytest", "--numprocesses=2", *given, env=env)
