"""A real browser, and a real JupyterLab for it: one of each a session.

Nothing here skips: where there is no Chromium, or no JupyterLab, the tests fail.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import nbformat
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

PATIENCE_SECONDS: Final = 60
PATIENCE_MS: Final = 60_000
CHROMIUM_OPTIONS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
KERNEL: Final = {"name": "python3", "display_name": "Python 3", "language": "python"}
SHOTS: Final = os.environ.get("NVENT_SCHED_SHOTS")
"""Where to keep pictures; nowhere without it."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium without a screen."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  a group of its own

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.fail("there is no chromium; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=list(CHROMIUM_OPTIONS)
        )
        yield browser
        browser.close()


class Jupyter:
    """A Jupyter server of our own, in a folder of its own.

    Args:
        folder: Where its notebooks are, and all that it keeps.
        application: The module to run: "jupyterlab" or "notebook".
    """

    def __init__(self, folder: Path, application: str) -> None:
        self.folder = folder
        self._application = application
        self._process: subprocess.Popen[bytes] | None = None
        self._names = count(1)

    def start(self) -> None:
        """Start it, and wait until it says where it is."""
        places = {
            name: str(self.folder / name.lower())
            for name in (
                "JUPYTER_CONFIG_DIR",
                "JUPYTER_DATA_DIR",
                "JUPYTER_RUNTIME_DIR",
                "JUPYTERLAB_SETTINGS_DIR",
                "JUPYTERLAB_WORKSPACES_DIR",
                "IPYTHONDIR",
            )
        }
        self._write_settings(Path(places["JUPYTERLAB_SETTINGS_DIR"]))
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own words
                [
                    sys.executable,
                    "-m",
                    self._application,
                    "--no-browser",
                    "--allow-root",
                    "--ServerApp.port=0",
                    "--IdentityProvider.token=",
                    "--LabApp.expose_app_in_browser=True",
                    "--JupyterNotebookApp.expose_app_in_browser=True",
                    f"--ServerApp.root_dir={self.folder}",
                ],
                cwd=self.folder,
                env=os.environ | places,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.url = self._answered(Path(places["JUPYTER_RUNTIME_DIR"]))

    def _write_settings(self, folder: Path) -> None:
        extension = folder / "@jupyterlab" / "apputils-extension"
        extension.mkdir(parents=True)
        quiet = {"checkForUpdates": False, "fetchNews": "false"}
        (extension / "notification.jupyterlab-settings").write_text(json.dumps(quiet))

    def _answered(self, folder: Path) -> str:
        assert self._process is not None
        patience = threading.Event()
        for _ in range(PATIENCE_SECONDS * 20):
            for found in folder.glob("jpserver-*.json"):
                known = json.loads(found.read_text() or "{}")
                if "url" in known:
                    return str(known["url"])
            if self._process.poll() is not None:
                break
            patience.wait(0.05)
        text = (self.folder / "log").read_text()[-3000:]
        return pytest.fail(f"no {self._application}: {text}")

    def stop(self) -> None:
        """End it with its kernels."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)

    def write(self, *cells: str) -> str:
        """Write a notebook, and say its name."""
        name = f"n{next(self._names)}.ipynb"
        listed = [nbformat.v4.new_code_cell(cell) for cell in cells]  # type: ignore[no-untyped-call]
        notebook = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
            cells=listed, metadata={"kernelspec": KERNEL}
        )
        nbformat.write(notebook, self.folder / name)  # type: ignore[no-untyped-call]
        return name


class Notebook:
    """A notebook that is open in a browser."""

    def __init__(self, page: Page, jupyter: Jupyter, name: str) -> None:
        self.page, self.jupyter, self.name = page, jupyter, name

    def open(self, path: str = "doc/tree") -> None:
        """Open it, and wait for its kernel."""
        self.page.goto(f"{self.jupyter.url}{path}/{self.name}")
        self.page.wait_for_function(
            """() => {
              const app = window.jupyterapp, w = app && app.shell.currentWidget;
              const session = w && w.sessionContext && w.sessionContext.session;
              return Boolean(session && session.kernel
                && session.kernel.connectionStatus === 'connected');
            }"""
        )

    def start(self, cell: int) -> None:
        """Run a cell; do not wait for it."""
        self.page.evaluate(
            """(cell) => {
              const app = window.jupyterapp;
              const notebook = app.shell.currentWidget.content;
              notebook.activeCellIndex = cell;
              notebook.deselectAll();
              window.ran = app.commands.execute('notebook:run-cell');
            }""",
            cell,
        )

    def run(self, cell: int) -> None:
        """Run a cell to its end, which must be a good one."""
        self.start(cell)
        self.page.evaluate("() => window.ran")
        errors = self.page.evaluate(
            """(cell) => {
              const notebook = window.jupyterapp.shell.currentWidget.content;
              const outputs = notebook.widgets[cell].outputArea.model.toJSON();
              return outputs.filter((each) => each.output_type === 'error')
                .map((each) => each.traceback.join('\\n'));
            }""",
            cell,
        )
        assert errors == []

    def text(self, cell: int) -> str:
        """Say what a cell printed."""
        return str(
            self.page.evaluate(
                """(cell) => {
                  const notebook = window.jupyterapp.shell.currentWidget.content;
                  return notebook.widgets[cell].outputArea.node.innerText;
                }""",
                cell,
            )
        )

    def kernel_says(self, expression: str) -> str:
        """Evaluate an expression in the kernel, beside the cells."""
        return str(
            self.page.evaluate(
                """async (code) => {
                  const widget = window.jupyterapp.shell.currentWidget;
                  const kernel = widget.sessionContext.session.kernel;
                  const asked = kernel.requestExecute({
                    code: '', silent: true, store_history: false,
                    user_expressions: {it: code}}, true);
                  const reply = await asked.done;
                  const it = reply.content.user_expressions.it;
                  return it.status === 'ok' ? it.data['text/plain']
                    : it.ename + ': ' + it.evalue;
                }""",
                expression,
            )
        )

    def shut_down(self) -> None:
        """End its kernel."""
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()"
        )


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A JupyterLab."""
    server = Jupyter(tmp_path_factory.mktemp("lab"), "jupyterlab")
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def new_page(
    browser: Browser, *, width: int = 1_640, height: int = 980, **options: Any
) -> Iterator[Page]:
    """Open a page in a context of its own."""
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height}, **options
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield context.new_page()
    finally:
        context.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page nobody has used."""
    with new_page(browser) as page:
        yield page


@pytest.fixture
def open_notebook(page: Page, lab: Jupyter) -> Iterator[Any]:
    """Open notebooks made of cells; their kernels end with the test."""
    opened: list[Notebook] = []

    def open_cells(*cells: str) -> Notebook:
        notebook = Notebook(page, lab, lab.write(*cells))
        opened.append(notebook)
        notebook.open()
        return notebook

    yield open_cells
    for notebook in opened:
        notebook.shut_down()


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Any:
    """Take a picture of a part of the page, if anybody wants to look."""

    def take(part: Any, name: str = "") -> bytes:
        picture: bytes = part.screenshot()
        if SHOTS:
            folder = Path(SHOTS)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name or request.node.name}.png").write_bytes(picture)
        return picture

    return take
