"""What the tests of the console's pages share: Chromium, a console, and windows on it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.review.web.serving import PROXY, Console

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

#: A busy machine is slow, which is no fault of what is tested.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. A module's own: while it runs, its event loop is the main thread's, and other tests want one of theirs."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.fail("needs chromium in PATH: run make browser-setup, or as root apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A console in local mode, whose user may do everything; decisions can be undone for longer than any test takes."""
    with Console(tmp_path, **{"review.undo_seconds": 600}) as served:
        yield served


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Console]:
    """A console behind a proxy that names people, for several at once."""
    with Console(tmp_path, **PROXY, **{"review.undo_seconds": 600}) as served:
        yield served


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Open a window of one's own on an address; `user` and `groups` are what the proxy would say.

    At the end no window may have seen a violation of the content security policy, an error of a script, or a dialog.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def _open(url: str, *, user: str = "", groups: str = "reviewer", **options: Any) -> Page:
        headers = {"X-User": user, "X-Groups": groups} if user else {}
        context = browser.new_context(extra_http_headers=headers, **({"viewport": {"width": 1200, "height": 900}} | options))
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: _complain(message.type, message.text))
        page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.goto(url)
        return page

    def _complain(kind: str, text: str) -> None:
        # That an answer was a refusal is what some tests are about.
        if kind in {"error", "warning"} and not text.startswith("Failed to load resource"):
            complaints.append(f"{kind}: {text}")

    yield _open
    for context in contexts:
        context.close()
    assert not complaints
