"""Nothing moves while a page loads: Chromium sees no layout shift, on wide and narrow screens, on fast and slow lines, with an
empty and a filled cache. And where everything has come to rest, no words lie over others."""
import contextlib

import pytest
import train_digits_model

from harness.demo import Demo
from harness.hub import ADMIN, PASSWORD, Hub

WIDE = {"viewport": {"width": 1360, "height": 850}}
NARROW = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
CARD = "/meridian/all-MiniLM-L6-v2"
BOTH = "repos=models/meridian/all-MiniLM-L6-v2,models/meridian/tiny-chat"
PAGES = ["/", "/models", "/datasets", "/spaces", "/search?q=sentence", CARD, "/meridian/digits", "/meridian/tiny-chat", "/datasets/meridian/iris",
         "/spaces/meridian/chat-corner", CARD + "/tree/main", CARD + "/blob/main/config.json", CARD + "/blob/main/model.safetensors",
         "/meridian/tiny-chat/blob/main/README.md", "/datasets/meridian/iris/blob/main/data/iris.csv", CARD + "/commits/main",
         CARD + "/commit/main", CARD + "/branches", CARD + "/inspect", "/compare?" + BOTH, "/meridian", "/ada", "/docs/api", "/login"]
# Who may see them: an owner of everything here, and the administrator.
OWN_PAGES = ["/", CARD, "/ada", "/settings", "/settings/tokens", "/settings/hardware", "/settings/sessions", "/new?type=model", "/meridian/tiny-chat/settings",
             "/meridian/tiny-chat/upload/main", "/meridian/tiny-chat/edit/main/README.md", CARD + "/checklist", "/organizations/meridian/settings"]
ADMIN_PAGES = ["/administration", "/administration/users", "/administration/organizations", "/administration/storage",
               "/administration/jobs", "/administration/scans"]
# Every shift with the element that moved and how far, from the first paint on.
WATCH = """
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      const moved = entry.sources.map(({node, previousRect: a, currentRect: b}) => {
        const element = node instanceof Element ? node : node?.parentElement;
        const name = element ? element.tagName.toLowerCase() + (element.className ? "." + String(element.className).replaceAll(" ", ".") : "") : "?";
        return `${name} (${a.x},${a.y} ${a.width}x${a.height} -> ${b.x},${b.y} ${b.width}x${b.height})`;
      });
      window.shifts.push(`${entry.value.toFixed(6)} at ${Math.round(entry.startTime)} ms: ${moved.join("; ")}`);
    }
  }).observe({type: "layout-shift", buffered: true});
"""
# A line that brings a page in pieces, and its scripts well after it.
SLOW = {"offline": False, "latency": 40, "downloadThroughput": 60_000, "uploadThroughput": 60_000}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    hub = Hub(tmp_path_factory.mktemp("shift") / "data").start()
    yield Demo(hub).fill().add_digits(train_digits_model.ensure())
    hub.stop()


@pytest.fixture(scope="module")
def signed_in(demo, chromium):
    """signed_in(name) is what a browser of that person keeps."""
    kept = {None: None}

    def state(user):
        if user not in kept:
            with contextlib.closing(chromium.new_context(base_url=demo.hub.url)) as context:
                answer = context.request.post("/api/login", data={"username": user, "password": PASSWORD}, headers={"Origin": demo.hub.url})
                assert answer.ok, answer.text()
                kept[user] = context.storage_state()
        return kept[user]
    return state


@pytest.fixture
def moved_on(demo, chromium, signed_in):
    """moved_on(paths, user, line, looks, **form): the shifts of each page that has some, every page in a browser of its own that looks
    at it so many times. A page that moved is opened anew: what a busy machine did once is not the page's."""
    def look(page, path):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        # What was moved last is told after the frame that paints it.
        return page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(window.shifts)))))")

    def shifts_of(path, user, line, looks, form):
        with contextlib.closing(chromium.new_context(base_url=demo.hub.url, storage_state=signed_in(user), **form)) as context:
            page = context.new_page()
            page.add_init_script(WATCH)
            if line:
                session = context.new_cdp_session(page)
                session.send("Network.enable")
                session.send("Network.emulateNetworkConditions", line)
            return [shift for _ in range(looks) for shift in look(page, path)]

    def all_of(paths, user=None, line=None, looks=1, **form):
        moved = [path for path in paths if shifts_of(path, user, line, looks, form)]
        again = {path: shifts_of(path, user, line, looks, form) for path in moved}
        return {path: shifts for path, shifts in again.items() if shifts}
    return all_of


@pytest.mark.parametrize("form", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_moves_for_a_visitor(moved_on, form):
    assert moved_on(PAGES, **form) == {}


def test_nothing_moves_in_the_dark_with_a_filled_cache(moved_on):
    assert moved_on(PAGES, looks=2, **WIDE, color_scheme="dark") == {}


@pytest.mark.parametrize("form", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_moves_while_a_page_comes_in_pieces(moved_on, form):
    assert moved_on(PAGES, line=SLOW, **form) == {}


@pytest.mark.parametrize("form", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_moves_for_people_at_their_work(moved_on, form):
    assert moved_on(OWN_PAGES, "ada", **form) == {}
    assert moved_on(ADMIN_PAGES, ADMIN, **form) == {}


@pytest.mark.parametrize("form", [WIDE, NARROW], ids=["wide", "narrow"])
def test_no_words_lie_over_others(demo, chromium, signed_in, crossed_words, form):
    found = {}
    for paths, user in ((PAGES, None), (OWN_PAGES, "ada"), (ADMIN_PAGES, ADMIN)):
        with contextlib.closing(chromium.new_context(base_url=demo.hub.url, storage_state=signed_in(user), **form)) as context:
            page = context.new_page()
            for path in paths:
                page.goto(path)
                page.wait_for_load_state("networkidle")
                found[path] = crossed_words(page)
    assert {path: words for path, words in found.items() if words} == {}
