"""Real browsers at a real hub: Debian's Chromium driven by Playwright.

Every page that a test opens is watched: an error on the console, a refused script or style, a request to another host or a
failed file of the site fails the test, unless it says what it expects (`page.expected`).
"""
import contextlib
import os
import pathlib
import re
import shutil
import sys

import pytest
from playwright.sync_api import sync_playwright

from harness.hub import ADMIN, PASSWORD, ROOT, Hub
from harness.people import settle

sys.path.insert(0, str(ROOT / "tools"))
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
AXE = ROOT / ".deps" / "site" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


def pytest_addoption(parser):
    parser.addoption("--headed", action="store_true", help="show the browser")


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    hub = Hub(tmp_path_factory.mktemp("web") / "data").start()
    yield hub
    hub.stop()


@pytest.fixture(scope="session")
def tokens(hub):
    return settle(hub)


@pytest.fixture(scope="session")
def api(hub, tokens):
    """huggingface_hub acting as bob."""
    from huggingface_hub import HfApi
    return HfApi(endpoint=hub.url, token=tokens["bob"])


@pytest.fixture(scope="session")
def api_of(hub, tokens):
    from huggingface_hub import HfApi
    return lambda name: HfApi(endpoint=hub.url, token=tokens[name])


@pytest.fixture(scope="session")
def chromium(request):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=not request.config.getoption("--headed"),
                                             args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


class Watch:
    """What went wrong on the pages of one context."""

    def __init__(self, url, context):
        self.url, self.faults, self.expected, self.dialogs = url, [], [], []
        context.on("page", self._watch)

    def _watch(self, page):
        page.on("console", lambda message: message.type == "error" and self.faults.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("request", self._request)

    def _request(self, request):
        if not request.url.startswith((self.url + "/", "data:", "blob:", "about:")):
            self.faults.append(f"asked another host: {request.url}")

    def check(self):
        faults = [fault for fault in self.faults if not any(re.search(pattern, fault) for pattern in self.expected)]
        assert not faults, "\n".join(faults)


@pytest.fixture
def open_page(hub, chromium, tokens):
    """open_page(user=None, **context options) is a fresh browser's page: signed in as that user, watched until the test ends."""
    stack = contextlib.ExitStack()
    watches = []

    def make(user=None, **options):
        context = chromium.new_context(base_url=hub.url, **options)
        stack.callback(context.close)
        context.set_default_timeout(15_000)
        watch = Watch(hub.url, context)
        watches.append(watch)
        if user is not None:
            origin = {"Origin": hub.url}
            answer = context.request.post("/api/login", data={"username": user, "password": PASSWORD}, headers=origin)
            assert answer.ok, answer.text()
        page = context.new_page()
        page.expected = watch.expected
        return page

    with stack:
        yield make
    for watch in watches:
        watch.check()


@pytest.fixture
def page(open_page):
    """A visitor's page."""
    return open_page()


@pytest.fixture
def bob(open_page):
    return open_page("bob")


@pytest.fixture
def administrator(open_page):
    return open_page(ADMIN)


@pytest.fixture
def phone(open_page):
    return open_page(**PHONE)


@pytest.fixture
def no_script(open_page):
    return open_page(java_script_enabled=False)


@pytest.fixture
def check_axe():
    """check_axe(page) fails on any breach of WCAG 2.1 A and AA that axe finds. Evaluated apart from the page's own policy."""
    def check(page, but=()):
        page.evaluate(AXE.read_text() + "; undefined")
        result = page.evaluate("""async (but) => {
            const rules = Object.fromEntries(but.map((name) => [name, {enabled: false}]));
            const found = await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], rules});
            return found.violations.map((v) => v.id + ": " + v.help + "\\n  " + v.nodes.slice(0, 5).map((n) => n.html + " | " + n.failureSummary).join("\\n  "));
        }""", list(but))
        assert not result, page.url + "\n" + "\n".join(result)
    return check


# Visible pieces of text whose boxes cross those of another element's text by more than a hair.
CROSSED_WORDS = """() => {
  const pieces = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!node.data.trim() || parent.closest("script, style, noscript, option, textarea, svg, math, .katex") || !parent.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (let {left, right, top, bottom} of range.getClientRects()) {
      for (let box = parent; box && box !== document.body; box = box.parentElement) {
        if (getComputedStyle(box).overflow === "visible") continue;
        const clip = box.getBoundingClientRect();
        [left, right, top, bottom] = [Math.max(left, clip.left), Math.min(right, clip.right), Math.max(top, clip.top), Math.min(bottom, clip.bottom)];
      }
      const air = (bottom - top) / 4;  // ascenders and descenders of neighbouring lines may meet
      if (right - left > 3 && bottom - top > 6) pieces.push({left, right, top: top + air, bottom: bottom - air, node, parent});
    }
  }
  pieces.sort((a, b) => a.top - b.top);
  const found = new Set();
  pieces.forEach((a, i) => {
    for (let j = i + 1; j < pieces.length && pieces[j].top < a.bottom - 1; ++j) {
      const b = pieces[j];
      if (a.parent !== b.parent && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - b.top > 1)
        found.add(`${a.node.data.trim().slice(0, 40)} / ${b.node.data.trim().slice(0, 40)}`);
    }
  });
  return [...found];
}"""


@pytest.fixture
def crossed_words():
    """crossed_words(page) lists words that are drawn over others."""
    return lambda page: page.evaluate(CROSSED_WORDS)


@pytest.fixture(scope="session")
def screenshots():
    """Where pictures of pages go while tests run; tools/screenshots.py makes those of the documentation."""
    folder = pathlib.Path(ROOT / "build" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
