"""A hub of 1,000,000 synthetic models (and 150,000 data sets and Spaces) with cards, through HTTP: every kind of page that is read, the lists
of the API behind them, typeahead and full-text search.

Full text is compared with SQLite's FTS5 over the same names, tags and cards: the same queries, the best 20 by its bm25 with weights and a
snippet of each, and the number of matches, interleaved query by query.

Filling takes many minutes and needs no quiet machine: `python3 -m scenarios.list_million fill FOLDER [SECONDS]`, again until it says that it is
filled when a number of seconds is given, then `... measure FOLDER`, or in parts `... measure FOLDER lists`, `... pages`, `... search`. Without
arguments all of it, in a folder that is gone afterwards.
"""
import http.client
import json
import os
import pathlib
import random
import sqlite3
import statistics
import sys
import time
import urllib.parse

from harness import TOKEN, Hub, save, spread, temp_folder
from million_hub import (LANGUAGES, LIBRARIES, LICENSES, MODALITIES, ORGANIZATION, SDKS, TASKS, Seeder, make_real, rank, word)

COUNT = int(os.environ.get("HEARTH_BENCH_REPOS", "1000000"))
ROUNDS = int(os.environ.get("HEARTH_BENCH_ROUNDS", "1000"))
PEER_TURNS = 5  # a query of the peer takes a second: every fifth is asked there too
SIGNED_IN = {"Authorization": "Bearer " + TOKEN}
VISITOR = {"Accept-Encoding": "gzip"}


def wait_until_idle(hub, patience=180):
    """Until the hub's threads rest: what it does at start has an end."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        before = hub.cpu_seconds()
        time.sleep(1)
        if hub.cpu_seconds() - before < 0.05:
            return
    raise RuntimeError("the hub does not come to rest")


def wait_for_index(hub, count=COUNT):
    begin = time.perf_counter()
    while True:
        _, body = hub.call("GET", "/api/hearth/search?q=region%20&limit=1")
        if json.loads(body)["total"] >= count:
            return time.perf_counter() - begin
        time.sleep(2)


def queries(pick):
    """One to four words as frequent as in the texts; every third time the last one is unfinished."""
    while True:
        words = [word(rank(pick)) for _ in range(pick.randint(1, 4))]
        unfinished = pick.random() < 0.33
        if unfinished:
            words[-1] = words[-1][:max(2, (len(words[-1]) + 1) // 2)]
        yield words, unfinished


def ask_fts(peer, words, unfinished):
    match = " ".join(f'"{each}"' for each in words) + ("*" if unfinished else "")
    start = time.perf_counter()
    peer.execute("SELECT name, snippet(cards, 2, '[', ']', '...', 30) FROM cards WHERE cards MATCH ? ORDER BY bm25(cards, 6.0, 3.0, 1.0) LIMIT 20", (match,)).fetchall()
    peer.execute("SELECT count(*) FROM cards WHERE cards MATCH ?", (match,)).fetchone()
    return (time.perf_counter() - start) * 1000


class Clock:
    def __init__(self, hub):
        self.hub, self.connection = hub, http.client.HTTPConnection("127.0.0.1", hub.port, timeout=120)

    def get(self, path, headers=SIGNED_IN):
        start = time.perf_counter()
        self.connection.request("GET", path, headers=headers)
        answer = self.connection.getresponse()
        body = answer.read()
        taken = (time.perf_counter() - start) * 1000
        assert answer.status == 200, (path, answer.status, body[:300])
        return taken

    def many(self, make, rounds=ROUNDS, headers=SIGNED_IN):
        for _ in range(20):
            self.get(make(), headers)
        return [self.get(make(), headers) for _ in range(rounds)]

    def p99_row(self, what, goal, make, headers, rounds):
        times = self.many(make, rounds, headers)
        return {"what": f"{what}, p99", "goal": f"< {goal} ms", "unit": "ms", "value": p99(times), "spread": spread(times)}


def p99(times):
    return statistics.quantiles(times, n=100)[98]


def options():
    # Nothing that the database alone knows of is collected or converted.
    return ["--inference", "off", "--xet-convert-after", "off", "--gc-every", "off"]


def fill_hub(folder, seconds=None):
    """Whether all is there now."""
    begin, data = time.perf_counter(), folder / "data"
    hub = Hub(data, options=options())
    if not data.exists():
        data.mkdir(parents=True)
        with hub:
            make_real(hub)
            wait_until_idle(hub)
    seeder = Seeder(data / "hearth.db", folder / "peer.db", COUNT)

    def late():
        return seconds is not None and time.perf_counter() - begin > seconds

    try:
        while not late() and seeder.step():
            print(f"{seeder.done():,} of {seeder.total:,} after {time.perf_counter() - begin:.0f} s", flush=True)
        if late():
            return False
        seeder.settle()
        print(f"settled; fts5 optimized in {seeder.optimize_peer():.0f} s", flush=True)
        total, card_bytes = seeder.total, seeder.card_bytes()
    finally:
        seeder.close()
    hub.start()
    index_seconds = wait_for_index(hub, total)
    hub.stop()  # the index is on disk, and memory holds what a restart leaves
    (folder / "filled.json").write_text(json.dumps({"count": COUNT, "total": total, "card_bytes": card_bytes, "index_seconds": index_seconds}))
    print(f"filled; indexed in {index_seconds:.0f} s", flush=True)
    return True


# --- what is asked. Each row: what, the goal of its p99 in ms, a function that makes an address or a list of addresses, who asks.

def lists(pick, in_browser):
    def facet(*choices):
        return lambda: "?" + "&".join(pick.sample([choice() for choice in choices], min(2, len(choices))))

    def model_api():
        filters = [pick.choice(LICENSES), pick.choice(LANGUAGES + LIBRARIES)]
        if pick.random() < 0.2:
            filters = pick.sample(LANGUAGES, 2)  # disjoint: nothing matches both
        sort = pick.choice(["downloads", "likes", "lastModified", "createdAt", "trendingScore"])
        return f"/api/models?filter={filters[0]}&filter={filters[1]}&sort={sort}&direction=-1&limit=30"

    def model_facets():
        chosen = [f"license={pick.choice(LICENSES)[8:]}", f"language={pick.choice(LANGUAGES)}", f"task={pick.choice(TASKS)}",
                  f"fits={pick.choice(['8GiB', '24GiB'])}", "kind=quantized", f"search={word(pick.randrange(60))}"]
        return "/api/hearth/models/facets?" + "&".join(pick.sample(chosen, pick.randint(0, 3)))

    def named():
        text = word(rank(pick))
        return text[:pick.randint(2, 8)]

    language, license_, task = (lambda: f"language={pick.choice(LANGUAGES)}"), (lambda: f"license={pick.choice(LICENSES)[8:]}"), (lambda: f"task={pick.choice(TASKS)}")
    kind, fits = (lambda: f"kind={pick.choice(['adapter', 'quantized', 'base', 'finetune'])}"), (lambda: f"fits={pick.choice(['8GiB', '24GiB', 'RTX%204090', 'cpu:64GiB'])}")
    inspected = facet(kind, fits, language)
    rest = facet(lambda: f"apps={pick.choice(['llama.cpp', 'vllm', 'ollama'])}", lambda: "benchmark=model-index", lambda: f"parameters={pick.choice(['1B-3B', '3B-6B', '6B-12B'])}",
                 lambda: f"updated={pick.choice(['7d', '30d'])}", lambda: f"author={pick.choice(['bench', ORGANIZATION])}", lambda: f"format={pick.choice(['gguf', 'onnx'])}",
                 lambda: f"library={pick.choice(LIBRARIES)}", task)
    sort = lambda *keys: f"sort={pick.choice(keys)}"  # noqa: E731
    data_facets = facet(lambda: f"modality={pick.choice(MODALITIES)}", task, language, license_)
    plain = lambda: "/models?filter=" + pick.choice(LICENSES + LANGUAGES)  # noqa: E731
    return [
        ("two filters and a sort over all models", 20, model_api, SIGNED_IN),
        ("models by parameters or size, API", 20, lambda: f"/api/models?{sort('num_parameters', 'mainSize')}&direction=-1&limit=30&filter={pick.choice(LANGUAGES)}", SIGNED_IN),
        ("models by a part of their name, API", 20, lambda: f"/api/models?search={named()}&limit=30", SIGNED_IN),
        ("data sets by filter, API", 20, lambda: f"/api/datasets?filter=modality:{pick.choice(MODALITIES)}&{sort('downloads', 'likes', 'lastModified')}&limit=30", SIGNED_IN),
        ("Spaces by SDK, API", 20, lambda: f"/api/spaces?filter={pick.choice(SDKS)}&{sort('likes', 'createdAt')}&limit=30", SIGNED_IN),
        ("facets of a narrowed list of models", 20, model_facets, SIGNED_IN),
        ("facets of a narrowed list of data sets", 20, lambda: "/api/hearth/datasets/facets" + data_facets(), SIGNED_IN),
        ("home page of somebody who owns nine tenths", 20, lambda: "/", in_browser),
        ("home page of a visitor", 20, lambda: "/", VISITOR),
        ("list of models with a filter", 20, plain, in_browser),
        ("the same for a visitor", 20, plain, VISITOR),
        ("list of models by kind or the memory that it fits", 20, lambda: "/models" + inspected(), in_browser),
        ("the same for a visitor", 20, lambda: "/models" + inspected(), VISITOR),
        ("list of models by app, benchmark, parameters, age, owner, format", 20, lambda: "/models" + rest(), VISITOR),
        ("list of models by parameters or size", 20, lambda: f"/models?{sort('num_parameters', 'mainSize')}&{language()}", VISITOR),
        ("list of models by a part of their name", 20, lambda: f"/models?search={named()}", VISITOR),
        ("list of data sets with facets", 20, lambda: "/datasets" + data_facets() + "&" + sort("downloads", "mainSize"), VISITOR),
        ("list of Spaces with facets", 20, lambda: f"/spaces?sdk={pick.choice(SDKS)}&{sort('likes', 'trendingScore')}", VISITOR),
        ("page of a user who owns nine tenths", 20, lambda: f"/bench?{sort('likes', 'downloads', 'createdAt')}", VISITOR),
        ("page of an organisation with a tenth", 20, lambda: f"/{ORGANIZATION}?{sort('likes', 'downloads', 'createdAt')}", in_browser),
        ("page of a user without repositories", 20, lambda: f"/user{pick.randrange(20000)}", VISITOR),
        ("an organisation and a user, API", 20, lambda: pick.choice([f"/api/organizations/{ORGANIZATION}/overview", "/api/users/bench/overview"]), SIGNED_IN),
        ("who asks, API", 20, lambda: "/api/whoami-v2", SIGNED_IN),
        ("typeahead", 20, lambda: f"/api/quicksearch?q={named()}", SIGNED_IN),
        ("tasks and tags, API", 20, lambda: pick.choice(["/api/tasks", "/api/models-tags-by-type", "/api/datasets-tags-by-type", "/api/trending"]), SIGNED_IN),
    ]


def pages(pick, in_browser):
    one = lambda path: lambda: path  # noqa: E731
    blobs = ["code.py", "README.md", "config.json", "data.json", "table.csv", "notes.ipynb", "model.safetensors", "LICENSE"]
    both = "repos=models/bench/worked,models/bench/other"
    readings = ["classify", "card-score", "reading-order", "licence", "fit", "runtimes", "provenance", "safety", "checklist"]
    own_settings = ["/settings", "/settings/tokens", "/settings/sessions", "/settings/hardware", "/new", "/new?type=space", "/organizations/new",
                    f"/organizations/{ORGANIZATION}/settings"]
    work = ["settings", "upload/main", "edit/main/README.md", "new/main", "delete/main/LICENSE", "duplicate"]
    administration = ["/administration", "/administration/users", "/administration/organizations", "/administration/scans", "/administration/jobs"]
    return [
        ("page of a repository with its card", 5, one("/bench/carded"), in_browser),
        ("the same for a visitor", 5, one("/bench/carded"), VISITOR),
        ("card of 100 kB with code, tables and formulas", 5, one("/bench/worked"), in_browser),
        ("the same for a visitor", 5, one("/bench/worked"), VISITOR),
        ("card of a data set or Space", 5, lambda: pick.choice(["/datasets/bench/rows", "/spaces/bench/app"]), VISITOR),
        ("folder", 20, lambda: "/bench/worked/tree/main" + pick.choice(["", "/more"]), VISITOR),
        *[(f"file {name}", 20, one(f"/bench/worked/blob/main/{name}"), VISITOR) for name in blobs],
        ("who wrote each line", 20, one("/bench/worked/blame/main/code.py"), VISITOR),
        ("history", 20, lambda: "/bench/worked/commits/main" + pick.choice(["", "/code.py"]), VISITOR),
        ("what a commit changed", 20, one("/bench/worked/commit/main"), VISITOR),
        ("branches and tags", 20, one("/bench/worked/branches"), VISITOR),
        ("inspection", 20, one("/bench/worked/inspect"), VISITOR),
        ("inspection with what changed against another", 20, one("/bench/worked/inspect?against=bench/other"), VISITOR),
        ("checklist", 20, one("/bench/worked/checklist"), in_browser),
        ("comparison", 20, one("/compare?" + both), VISITOR),
        ("decision note", 20, one(f"/compare/note?{both}&chosen=0"), in_browser),
        ("inspection, API", 20, lambda: f"/api/hearth/models/bench/worked/{pick.choice(readings)}", VISITOR),
        ("comparison, API", 20, one("/api/hearth/compare?" + both), VISITOR),
        ("repository, files and commits, API", 20, lambda: "/api/models/bench/worked" + pick.choice(["", "/tree/main", "/refs", "/commits/main", "?blobs=true"]), VISITOR),
        ("a file's bytes", 20, lambda: f"/bench/worked/resolve/main/{pick.choice(blobs)}", VISITOR),
        ("settings of a user, tokens, sessions, hardware, new", 20, lambda: pick.choice(own_settings), in_browser),
        ("settings, upload and editors of a repository", 20, lambda: f"/bench/worked/{pick.choice(work)}", in_browser),
        ("administration", 20, lambda: pick.choice(administration), in_browser),
        ("administration of the store", 20, one("/administration/storage"), in_browser),
        ("documentation of the API, sign in", 20, lambda: pick.choice(["/docs/api", "/login"]), VISITOR),
    ]


def sign_in(hub):
    """Headers of the administrator's browser."""
    answer, _ = hub.call("POST", "/api/login", {"username": "bench", "password": "bench-password"}, {"Origin": hub.base})
    return {"Accept-Encoding": "gzip", "Cookie": answer.headers["Set-Cookie"].split(";")[0]}


def first_look(clock):
    """Before anything was counted."""
    taken = clock.get("/administration/storage")
    return {"what": "administration of the store, first look after a start", "goal": "< 20 ms", "unit": "ms", "value": taken}


def measure_search(clock, pick, peer_file, total):
    peer = sqlite3.connect(peer_file)
    peer.execute("PRAGMA cache_size=-1000000")
    peer.execute("PRAGMA mmap_size=8000000000")
    stream = queries(pick)

    def search_of(words, unfinished, address="/api/hearth/search"):
        return address + "?q=" + urllib.parse.quote(" ".join(words) + ("" if unfinished else " "))

    ours, theirs, page = [], [], []
    clock.many(lambda: search_of(*next(stream)), 50)
    for turn in range(ROUNDS // 2):
        words, unfinished = next(stream)
        ours.append(clock.get(search_of(words, unfinished)))
        if turn % PEER_TURNS == 0:
            theirs.append(ask_fts(peer, words, unfinished))
    for _ in range(ROUNDS // 4):
        page.append(clock.get(search_of(*next(stream), "/search"), VISITOR))
    return [
        {"what": f"full-text search with snippets over {total:,} cards, p99", "goal": "< 100 ms", "unit": "ms", "value": p99(ours), "spread": spread(ours)},
        {"what": "page of such a search, p99", "goal": "< 100 ms", "unit": "ms", "value": p99(page), "spread": spread(page)},
        {"what": "the same by SQLite FTS5 in one process, p99", "goal": "(peer)", "unit": "ms", "value": p99(theirs), "spread": spread(theirs)},
    ]


PARTS = ("lists", "pages", "search")


def measure(folder, part):
    """Rows of one part, from a hub of its own."""
    filled = json.loads((folder / "filled.json").read_text())
    total, data = filled["total"], folder / "data"
    hub, pick = Hub(data, options=options()), random.Random(11)
    begin = time.perf_counter()
    hub.start()
    start_seconds = time.perf_counter() - begin
    try:
        clock = Clock(hub)
        wait_for_index(hub, total)
        wait_until_idle(hub)
        if part == "search":
            rows = measure_search(clock, pick, folder / "peer.db", total)
        else:
            rows = [first_look(clock)] if part == "pages" else []
            wait_until_idle(hub)  # that look has the store counted
            rows += [clock.p99_row(*row, ROUNDS // 4) for row in globals()[part](pick, sign_in(hub))]
        resident = hub.memory_bytes("RssAnon") / 1e6
        disk = sum(file.stat().st_size for file in (data / "search").iterdir())
    finally:
        hub.stop()
    if part == "search":
        rows += [
            {"what": "search index on disk, a card", "goal": "reported", "unit": "bytes", "value": disk / total},
            {"what": "the same by SQLite FTS5, texts included", "goal": "(peer)", "unit": "bytes", "value": (folder / "peer.db").stat().st_size / total},
            {"what": "text of a card", "goal": "reported", "unit": "bytes", "value": filled["card_bytes"]},
            {"what": f"making the search index of {total:,} stored cards", "goal": "reported", "unit": "s", "value": filled["index_seconds"]},
            {"what": f"start with {total:,} repositories", "goal": "reported", "unit": "s", "value": start_seconds},
            {"what": f"memory of {total:,} repositories, without mapped files", "goal": "reported", "unit": "MB", "value": resident},
        ]
    (folder / f"{part}.json").write_text(json.dumps(rows))
    for row in rows:
        print(f"{row['value']:8.2f} {row['unit']}  goal {row['goal']}: {row['what']}", flush=True)


def report(folder):
    """The results of all parts, once each was measured."""
    files = [folder / f"{part}.json" for part in PARTS]
    if all(file.exists() for file in files):
        save("list_million", [row for file in files for row in json.loads(file.read_text())])


def main():
    step = sys.argv[1] if len(sys.argv) > 2 else ""
    if step == "fill":
        if not fill_hub(pathlib.Path(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else None):
            print("not filled yet")
    elif step == "measure":
        folder = pathlib.Path(sys.argv[2])
        for part in sys.argv[3:] or PARTS:
            measure(folder, part)
        report(folder)
    else:
        with temp_folder() as folder:
            fill_hub(folder)
            for part in PARTS:
                measure(folder, part)
            report(folder)


if __name__ == "__main__":
    main()
