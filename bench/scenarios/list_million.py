"""A hub of 1,000,000 synthetic repositories with cards, through HTTP: lists, facets, pages, typeahead and full-text search.

Full text is compared with SQLite's FTS5 over the same names, tags and cards: the same queries, the best 20 by its bm25 with weights and a
snippet of each, and the number of matches, interleaved query by query.

Filling takes many minutes and needs no quiet machine: `python3 -m scenarios.list_million fill FOLDER`, then `... measure FOLDER`. Without
arguments both, in a folder that is gone afterwards.
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

COUNT = int(os.environ.get("HEARTH_BENCH_REPOS", "1000000"))
ROUNDS = int(os.environ.get("HEARTH_BENCH_ROUNDS", "1000"))
PEER_TURNS = 5  # a query of the peer takes a second: every fifth is asked there too
SIGNED_IN = {"Authorization": "Bearer " + TOKEN}
TASKS = ["text-generation", "text-classification", "fill-mask", "feature-extraction", "image-classification", "automatic-speech-recognition"]
LIBRARIES = ["transformers", "diffusers", "sentence-transformers", "timm", "peft", "gguf"]
LICENSES = ["license:mit", "license:apache-2.0", "license:llama3", "license:cc-by-4.0", "license:other"]
LANGUAGES = ["en", "fr", "de", "zh", "ja", "es", "ru", "hi", "ar", "pt"]
COMMON = ("the of model and to a in for is on with training data from language text trained use by results dataset fine tuned base evaluation input "
          "tokens learning rate batch size transformer license generation accuracy loss sentence embedding image speech audio vision english medical "
          "legal code pipeline tokenizer weights quantized adapter diffusion detection translation summary chat instruct reward safety bias").split()
VOCABULARY = 300_000


def word(rank):
    """The word of a rank: the first are those that cards are full of, the others made of syllables."""
    if rank < len(COMMON):
        return COMMON[rank]
    left, text = rank + 200, ""
    while left:
        text += ("b", "br", "ch", "d", "f", "g", "gr", "h", "k", "l", "m", "n", "p", "pl", "r", "s", "st", "t", "tr", "v", "w", "z")[left % 22]
        left //= 22
        text += ("a", "e", "i", "o", "u", "ai", "ea", "or", "an", "el", "in")[left % 11]
        left //= 11
    return text


def rank(pick):
    """About once for every r occurrences of the first word, as in real texts."""
    return int(VOCABULARY ** pick.random()) - 1


def paragraphs(pick, count=60_000):
    """Cards are put together from these: drawing each word of a million cards would take an hour."""
    return [" ".join(word(rank(pick)) for _ in range(pick.choice([20, 40, 60]))) for _ in range(count)]


def fill(file, peer):
    pick = random.Random(7)
    pool = paragraphs(pick)
    database = sqlite3.connect(file)
    database.execute("PRAGMA synchronous=OFF")
    fts = sqlite3.connect(peer)
    fts.execute("PRAGMA synchronous=OFF")
    fts.execute("CREATE VIRTUAL TABLE cards USING fts5(name, tags, card, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3')")
    owner = database.execute("SELECT id FROM accounts WHERE name = 'bench'").fetchone()[0]
    now = int(time.time() * 1000)
    zero = "0" * 40
    card_bytes = 0
    for start in range(0, COUNT, 50_000):
        repos, facts, texts, rows = [], [], [], []
        for i in range(start, min(start + 50_000, COUNT)):
            number = i + 1000
            created = now - pick.randrange(3 * 365 * 86400) * 1000
            downloads = int(pick.paretovariate(0.6))
            name = f"{word(rank(pick))}-{word(rank(pick))}-{i}"
            repos.append((number, f"{number:024x}", "model", owner, name, name, owner, zero, created,
                          created + pick.randrange(10**9), min(downloads, 10**9), min(int(pick.paretovariate(0.9)) - 1, 10**6)))
            task = pick.choice(TASKS)
            tags = [pick.choice(LIBRARIES), "safetensors", task, pick.choice(LANGUAGES), pick.choice(LICENSES), "region:us"]
            facts.append((number, zero, task, tags[0], pick.randrange(10**6, 10**10), 10**6, json.dumps(tags)))
            card = "\n\n".join(pick.choices(pool, k=pick.choice([1, 2, 2, 3, 3, 5, 8])))
            card_bytes += len(card)
            texts.append((number, zero, json.dumps({"version": 1, "commit": zero, "text": card, "tags": tags, "task": task, "library": tags[0], "files": []})))
            rows.append((number, f"bench/{name}", " ".join(tags), card))
        database.executemany("INSERT INTO repos (id, oid, type, owner_id, name, name_lower, creator_id, head, created_at, modified_at, downloads, likes, index_stale) "
                             "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,0)", repos)
        database.executemany("INSERT INTO repo_facts (repo_id, commit_oid, pipeline_tag, library_name, parameters, main_bytes, tags) VALUES (?,?,?,?,?,?,?)", facts)
        database.executemany("INSERT INTO repo_fact_texts (repo_id, commit_oid, facts) VALUES (?,?,?)", texts)
        database.commit()
        fts.executemany("INSERT INTO cards (rowid, name, tags, card) VALUES (?,?,?,?)", rows)
        fts.commit()
    settle(database)
    begin = time.perf_counter()
    fts.execute("INSERT INTO cards (cards) VALUES ('optimize')")
    fts.commit()
    fts.close()
    database.close()
    print(f"filled; fts5 optimized in {time.perf_counter() - begin:.0f} s", flush=True)
    return card_bytes / COUNT


def settle(database):
    """The background jobs have looked at all of these repositories, which have no git folder, long ago."""
    database.execute("INSERT OR REPLACE INTO repo_tensor_state (repo_id, commit_oid, rule) SELECT id, head, 1 FROM repos WHERE id >= 1000")
    database.execute("INSERT OR REPLACE INTO safety_refs (repo_id, ref, commit_oid) SELECT id, 'refs/heads/main', head FROM repos WHERE id >= 1000")
    database.execute("INSERT OR REPLACE INTO safety_refs (repo_id, ref, commit_oid) SELECT id, '', CAST(modified_at AS TEXT) FROM repos WHERE id >= 1000")
    database.execute("INSERT OR REPLACE INTO inspections (repo_id, rule, commit_oid, version, summary, gpu_bytes, cpu_bytes, result) SELECT r.id, 'repository', "
                     "r.head || ' ' || a.name || '/' || r.name, 2, CASE r.id % 4 WHEN 0 THEN 'adapter:proved' WHEN 1 THEN 'quantized:proved,converted:declared' WHEN 2 "
                     "THEN 'base:inferred' ELSE 'embedding:proved,finetune:declared' END, (r.id * 40503 % 97) << 30, (r.id * 40503 % 97) << 30, '{}' FROM repos r JOIN accounts a ON a.id = r.owner_id WHERE r.id >= 1000")
    database.commit()


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


def p99(times):
    return statistics.quantiles(times, n=100)[98]


def fill_hub(folder):
    data = folder / "data"
    data.mkdir(parents=True)
    hub = Hub(data, options=["--inference", "off"])
    hub.start()
    hub.create_repo("carded")
    hub.commit("carded", [{"key": "header", "value": {"summary": "card"}},
                          {"key": "file", "value": {"path": "README.md", "content": "# A card\n" + "Some text. " * 300, "encoding": "utf-8"}}])
    hub.stop()
    card_bytes = fill(data / "hearth.db", folder / "peer.db")
    hub.start()
    index_seconds = wait_for_index(hub)
    hub.stop()  # the index is on disk, and memory holds what a restart leaves
    (folder / "filled.json").write_text(json.dumps({"count": COUNT, "card_bytes": card_bytes, "index_seconds": index_seconds}))
    print(f"indexed in {index_seconds:.0f} s", flush=True)


def measure(folder):
    filled = json.loads((folder / "filled.json").read_text())
    count, data = filled["count"], folder / "data"
    hub = Hub(data, options=["--inference", "off"])
    begin = time.perf_counter()
    hub.start()
    start_seconds = time.perf_counter() - begin
    try:
        wait_for_index(hub, count)
        wait_until_idle(hub)
        rows = measure_requests(hub, folder / "peer.db", count)
        resident = hub.memory_bytes("RssAnon") / 1e6
        disk = sum(file.stat().st_size for file in (data / "search").iterdir())
    finally:
        hub.stop()
    return rows + [
        {"what": "search index on disk, a card", "goal": "reported", "unit": "bytes", "value": disk / count},
        {"what": "the same by SQLite FTS5, texts included", "goal": "(peer)", "unit": "bytes", "value": (folder / "peer.db").stat().st_size / count},
        {"what": "text of a card", "goal": "reported", "unit": "bytes", "value": filled["card_bytes"]},
        {"what": f"making the search index of {count:,} stored cards", "goal": "reported", "unit": "s", "value": filled["index_seconds"]},
        {"what": f"start with {count:,} repositories", "goal": "reported", "unit": "s", "value": start_seconds},
        {"what": f"memory of {count:,} repositories, without mapped files", "goal": "reported", "unit": "MB", "value": resident},
    ]


def measure_requests(hub, peer_file, count):
    peer = sqlite3.connect(peer_file)
    peer.execute("PRAGMA cache_size=-1000000")
    peer.execute("PRAGMA mmap_size=8000000000")
    clock, pick = Clock(hub), random.Random(11)

    def list_path():
        filters = [pick.choice(LICENSES), pick.choice(LANGUAGES + LIBRARIES)]
        if pick.random() < 0.2:
            filters = pick.sample(LANGUAGES, 2)  # disjoint: nothing matches both
        sort = pick.choice(["downloads", "likes", "lastModified", "createdAt", "trendingScore"])
        return f"/api/models?filter={filters[0]}&filter={filters[1]}&sort={sort}&direction=-1&limit=30"

    def facet_path():
        chosen = [f"license={pick.choice(LICENSES)[8:]}", f"language={pick.choice(LANGUAGES)}", f"task={pick.choice(TASKS)}", f"fits={pick.choice(['8GiB', '24GiB'])}", "kind=quantized", f"search={word(pick.randrange(60))}"]
        return "/api/hearth/models/facets?" + "&".join(pick.sample(chosen, pick.randint(0, 3)))

    def inspected_path():
        kind, fits = pick.choice(["adapter", "quantized", "base", "finetune"]), pick.choice(["8GiB", "24GiB", "RTX%204090", "cpu:64GiB"])
        return "/models?" + "&".join(pick.sample([f"kind={kind}", f"fits={fits}", f"language={pick.choice(LANGUAGES)}"], 2))

    def typeahead_path():
        text = word(rank(pick))
        return f"/api/quicksearch?q={text[:pick.randint(2, 8)]}"

    stream = queries(pick)

    def search_of(words, unfinished):
        return "/api/hearth/search?q=" + urllib.parse.quote(" ".join(words) + ("" if unfinished else " "))

    visitor = {"Accept-Encoding": "gzip"}
    measured = [
        (f"two filters and a sort over {count:,} repositories, p99", clock.many(list_path), 20),
        ("facets of a narrowed list, p99", clock.many(facet_path), 20),
        ("home page of somebody who owns all of them, p99", clock.many(lambda: "/", ROUNDS // 4), 20),
        ("home page of a visitor, p99", clock.many(lambda: "/", ROUNDS // 4, visitor), 20),
        ("list page with a filter, p99", clock.many(lambda: "/models?filter=" + pick.choice(LICENSES + LANGUAGES), ROUNDS // 4), 20),
        ("the same for a visitor, p99", clock.many(lambda: "/models?filter=" + pick.choice(LICENSES + LANGUAGES), ROUNDS // 4, visitor), 20),
        ("list page with a kind or a memory that it fits, p99", clock.many(inspected_path, ROUNDS // 4), 20),
        ("list page with a kind or a memory, for a visitor, p99", clock.many(inspected_path, ROUNDS // 4, visitor), 20),
        ("page of a repository with its card, p99", clock.many(lambda: "/bench/carded", ROUNDS // 4), 5),
        ("the same for a visitor, p99", clock.many(lambda: "/bench/carded", ROUNDS // 4, visitor), 5),
        ("typeahead, p99", clock.many(typeahead_path, ROUNDS // 2), 20),
    ]
    ours, theirs = [], []
    clock.many(lambda: search_of(*next(stream)), 50)
    for turn in range(ROUNDS // 2):
        words, unfinished = next(stream)
        ours.append(clock.get(search_of(words, unfinished)))
        if turn % PEER_TURNS == 0:
            theirs.append(ask_fts(peer, words, unfinished))
    rows = [{"what": what, "goal": f"< {goal} ms", "unit": "ms", "value": p99(times), "spread": spread(times)} for what, times, goal in measured]
    return rows + [
        {"what": f"full-text search with snippets over {count:,} cards, p99", "goal": "< 100 ms", "unit": "ms", "value": p99(ours), "spread": spread(ours)},
        {"what": "the same by SQLite FTS5 in one process, p99", "goal": "(peer)", "unit": "ms", "value": p99(theirs), "spread": spread(theirs)},
    ]


def main():
    step = sys.argv[1] if len(sys.argv) > 2 else ""
    if step == "fill":
        fill_hub(pathlib.Path(sys.argv[2]))
    elif step == "measure":
        save("list_million", measure(pathlib.Path(sys.argv[2])))
    else:
        with temp_folder() as folder:
            fill_hub(folder)
            save("list_million", measure(folder))


if __name__ == "__main__":
    main()
