"""The page of a model in a fresh Chromium: bytes, requests, largest paint, layout shift; and the server's time for pages that people read.

Making the hub that is shown needs no quiet machine: `python3 -m scenarios.site_first_load fill FOLDER`, then `... measure FOLDER`, which takes
about a minute. Without arguments both, in a folder that is gone afterwards.
"""
import http.client
import importlib
import os
import pathlib
import statistics
import subprocess
import sys
import time
import types

from harness import BINARY, ROOT, save, spread, temp_folder

sys.path.append(str(ROOT / "tools"))
ROUNDS = int(os.environ.get("HEARTH_BENCH_ROUNDS", "3"))  # what a load weighs and moves hardly varies
REQUESTS = 300  # of each page
PAGES = {"card": "/meridian/all-MiniLM-L6-v2", "card with formulas": "/meridian/tiny-chat", "home": "/", "list of models": "/models",
         "Spaces": "/spaces", "inspector": "/meridian/all-MiniLM-L6-v2/inspect", "files": "/meridian/all-MiniLM-L6-v2/tree/main",
         "a file": "/meridian/tiny-chat/blob/main/config.json", "commits": "/meridian/tiny-chat/commits/main", "search": "/search?q=sentence",
         "comparison": "/compare?repos=models/meridian/all-MiniLM-L6-v2,models/meridian/tiny-chat", "organisation": "/meridian", "API": "/docs/api",
         "data sets": "/datasets", "card of a data set": "/datasets/meridian/iris"}
# What a page has painted and moved, once nothing has loaded for half a second.
PAINTS = """() => new Promise((done) => {
  let largest = 0, shift = 0;
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) largest = entry.startTime; }).observe({type: "largest-contentful-paint", buffered: true});
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value; }).observe({type: "layout-shift", buffered: true});
  setTimeout(() => done({largest, shift}), 200);
})"""


def demo_parts():
    """The modules of tests/harness, whose name this folder's own harness has taken."""
    package = types.ModuleType("site_harness")
    package.__path__ = [str(ROOT / "tests" / "harness")]
    sys.modules["site_harness"] = package
    return importlib.import_module("site_harness.demo"), importlib.import_module("site_harness.hub")


def open_fresh(browser, url, path):
    context = browser.new_context(viewport={"width": 1360, "height": 850})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    received = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(url + path)
    page.wait_for_load_state("networkidle")
    paints = page.evaluate(PAINTS)
    context.close()
    return {"bytes": sum(received), "requests": len(received), **paints}


def server_times(port, path, count):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    times = []
    for number in range(count + 20):
        start = time.perf_counter()
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, path
        if number >= 20:
            times.append((time.perf_counter() - start) * 1000)
    connection.close()
    return times


def measure(hub):
    from playwright.sync_api import sync_playwright
    loads = {name: [] for name in PAGES}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-dev-shm-usage"])
        for _ in range(ROUNDS):
            for name, path in PAGES.items():
                loads[name].append(open_fresh(browser, hub.url, path))
        browser.close()
    times = {name: server_times(hub.port, path, REQUESTS) for name, path in PAGES.items()}
    rows = []
    for name in PAGES:
        def of(key):
            return spread([load[key] for load in loads[name]])
        card = name == "card"
        rows += [
            {"what": f"{name}: first load, compressed", "goal": "< 120 kB", "unit": "kB", "value": of("bytes")["median"] / 1000},
            {"what": f"{name}: requests", "goal": "reported", "unit": "", "value": of("requests")["median"]},
            {"what": f"{name}: largest contentful paint", "goal": "< 1000 ms", "unit": "ms", "value": of("largest")["median"], "spread": of("largest")},
            {"what": f"{name}: layout shift", "goal": "0", "unit": "", "value": of("shift")["max"]},
            {"what": f"{name}: whole answer of the server, p99", "goal": "< 5 ms" if card else "< 20 ms", "unit": "ms", "value": statistics.quantiles(times[name], n=100)[98], "spread": spread(times[name])},
        ]
    save("site_first_load", rows, {"loads": loads})


def fill(folder):
    import test_data
    import train_small_models
    test_data.ensure()
    train_small_models.ensure()
    demo, harness = demo_parts()
    hub = harness.Hub(folder / "data").start()
    try:
        demo.Demo(hub).fill()
    finally:
        hub.stop()


def measure_in(folder):
    hub = demo_parts()[1].Hub(folder / "data").start()
    try:
        measure(hub)
    finally:
        hub.stop()


def main():
    import python_env
    python_env.ensure("web")
    home = python_env.python_of("web").parent.parent
    if os.path.realpath(sys.prefix) != os.path.realpath(home):
        environment = dict(os.environ, HEARTH_BINARY=str(BINARY))
        sys.exit(subprocess.run([home / "bin" / "python", "-m", "scenarios.site_first_load", *sys.argv[1:]], env=environment).returncode)
    step = sys.argv[1] if len(sys.argv) > 2 else ""
    if step == "fill":
        fill(pathlib.Path(sys.argv[2]))
    elif step == "measure":
        measure_in(pathlib.Path(sys.argv[2]))
    else:
        with temp_folder() as folder:
            fill(folder)
            measure_in(folder)


if __name__ == "__main__":
    main()
