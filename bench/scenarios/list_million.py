"""A hub of 1,000,000 synthetic repositories with cards, through HTTP: lists, facets, pages, typeahead and full-text search.

Full text is compared with SQLite's FTS5 over the same names, tags and cards: the same queries, the best 20 by its bm25 with weights and a
snippet of each, and the number of matches, interleaved query by query.
"""
import http.client
import json
import os
import random
import sqlite3
import statistics
import time
import urllib.parse

from harness import Hub, save, spread, temp_folder

COUNT = int(os.environ.get("HEARTH_BENCH_REPOS", "1000000"))
ROUNDS = int(os.environ.get("HEARTH_BENCH_ROUNDS", "1000"))
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
    begin = time.perf_counter()
    fts.execute("INSERT INTO cards (cards) VALUES ('optimize')")
    fts.commit()
    fts.close()
    database.close()
    print(f"filled; fts5 optimized in {time.perf_counter() - begin:.0f} s", flush=True)
    return card_bytes / COUNT


def wait_for_index(hub):
    begin = time.perf_counter()
    while True:
        _, body = hub.call("GET", "/api/hearth/search?q=region%20&limit=1")
        if json.loads(body)["total"] >= COUNT:
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

    def get(self, path, headers=None):
        start = time.perf_counter()
        self.hub.call("GET", path, connection=self.connection, headers=headers)
        return (time.perf_counter() - start) * 1000

    def many(self, make, rounds=ROUNDS):
        for _ in range(20):
            self.get(make())
        return [self.get(make()) for _ in range(rounds)]


def p99(times):
    return statistics.quantiles(times, n=100)[98]


def main():
    with temp_folder() as folder:
        hub = Hub(folder / "data", options=["--inference", "off"])
        (folder / "data").mkdir()
        hub.start()
        hub.create_repo("carded")
        hub.commit("carded", [{"key": "header", "value": {"summary": "card"}},
                              {"key": "file", "value": {"path": "README.md", "content": "# A card\n" + "Some text. " * 300, "encoding": "utf-8"}}])
        hub.stop()
        card_bytes = fill(folder / "data/hearth.db", folder / "peer.db")
        begin = time.perf_counter()
        hub.start()
        start_seconds = time.perf_counter() - begin
        index_seconds = wait_for_index(hub)
        hub.stop()  # the index is on disk, and memory holds what a restart leaves
        hub.start()
        wait_for_index(hub)
        peer = sqlite3.connect(folder / "peer.db")
        peer.execute("PRAGMA cache_size=-2000000")
        peer.execute("PRAGMA mmap_size=8000000000")
        clock, pick = Clock(hub), random.Random(11)

        def list_path():
            filters = [pick.choice(LICENSES), pick.choice(LANGUAGES + LIBRARIES)]
            if pick.random() < 0.2:
                filters = pick.sample(LANGUAGES, 2)  # disjoint: nothing matches both
            sort = pick.choice(["downloads", "likes", "lastModified", "createdAt", "trendingScore"])
            return f"/api/models?filter={filters[0]}&filter={filters[1]}&sort={sort}&direction=-1&limit=30"

        def facet_path():
            chosen = [f"license={pick.choice(LICENSES)[8:]}", f"language={pick.choice(LANGUAGES)}", f"task={pick.choice(TASKS)}", f"search={word(pick.randrange(60))}"]
            return "/api/hearth/models/facets?" + "&".join(pick.sample(chosen, pick.randint(0, 3)))

        def typeahead_path():
            text = word(rank(pick))
            return f"/api/quicksearch?q={text[:pick.randint(2, 8)]}"

        stream = queries(pick)

        def search_path():
            words, unfinished = next(stream)
            return "/api/hearth/search?q=" + urllib.parse.quote(" ".join(words) + ("" if unfinished else " "))

        measured = {
            "two filters and a sort over 1,000,000 repositories, p99": (clock.many(list_path), 20),
            "facets of a narrowed list, p99": (clock.many(facet_path), 20),
            "home page, p99": (clock.many(lambda: "/", ROUNDS // 4), 20),
            "list page with a filter, p99": (clock.many(lambda: "/models?filter=" + pick.choice(LICENSES + LANGUAGES), ROUNDS // 4), 20),
            "page of a repository with its card, p99": (clock.many(lambda: "/bench/carded", ROUNDS // 4), 20),
            "typeahead, p99": (clock.many(typeahead_path, ROUNDS // 2), 20),
        }
        ours, theirs = [], []
        clock.many(search_path, 50)
        for _ in range(ROUNDS // 2):
            words, unfinished = next(stream)
            ours.append(clock.get("/api/hearth/search?q=" + urllib.parse.quote(" ".join(words) + ("" if unfinished else " "))))
            theirs.append(ask_fts(peer, words, unfinished))
        disk = sum(file.stat().st_size for file in (folder / "data/search").iterdir())
        peer_disk = (folder / "peer.db").stat().st_size
        resident = hub.rss_bytes() / 1e6
        hub.stop()
    rows = [{"what": what, "goal": f"< {goal} ms", "unit": "ms", "value": p99(times), "spread": spread(times)} for what, (times, goal) in measured.items()]
    rows += [
        {"what": "full-text search with snippets over 1,000,000 cards, p99", "goal": "< 100 ms", "unit": "ms", "value": p99(ours), "spread": spread(ours)},
        {"what": "the same by SQLite FTS5 in one process, p99", "goal": "(peer)", "unit": "ms", "value": p99(theirs), "spread": spread(theirs)},
        {"what": "search index on disk, a card", "goal": "reported", "unit": "bytes", "value": disk / COUNT},
        {"what": "the same by SQLite FTS5, texts included", "goal": "(peer)", "unit": "bytes", "value": peer_disk / COUNT},
        {"what": "text of a card", "goal": "reported", "unit": "bytes", "value": card_bytes},
        {"what": "making the search index of 1,000,000 stored cards", "goal": "reported", "unit": "s", "value": index_seconds},
        {"what": "start with 1,000,000 repositories", "goal": "reported", "unit": "s", "value": start_seconds},
        {"what": "resident memory with 1,000,000 repositories", "goal": "reported", "unit": "MB", "value": resident},
    ]
    save("list_million", rows)


if __name__ == "__main__":
    main()
