"""Lists with two filters and a sort over 1,000,000 synthetic repositories, through HTTP."""
import http.client
import json
import random
import sqlite3
import statistics
import time

from harness import TOKEN, Hub, save, spread, temp_folder

COUNT = 1_000_000
TASKS = ["text-generation", "text-classification", "fill-mask", "feature-extraction", "image-classification", "automatic-speech-recognition"]
LIBRARIES = ["transformers", "diffusers", "sentence-transformers", "timm", "peft", "gguf"]
LICENSES = ["license:mit", "license:apache-2.0", "license:llama3", "license:cc-by-4.0", "license:other"]
LANGUAGES = ["en", "fr", "de", "zh", "ja", "es", "ru", "hi", "ar", "pt"]


def fill(file):
    pick = random.Random(7)
    database = sqlite3.connect(file)
    database.execute("PRAGMA synchronous=OFF")
    owner = database.execute("SELECT id FROM accounts WHERE name = 'bench'").fetchone()[0]
    now = int(time.time() * 1000)
    for start in range(0, COUNT, 50_000):
        repos, facts = [], []
        for i in range(start, start + 50_000):
            number = i + 1000
            created = now - pick.randrange(3 * 365 * 86400) * 1000
            downloads = int(pick.paretovariate(0.6))
            repos.append((number, f"{number:024x}", "model", owner, f"repo-{i}", f"repo-{i}", owner, "0" * 40, created,
                          created + pick.randrange(10**9), min(downloads, 10**9), min(int(pick.paretovariate(0.9)) - 1, 10**6)))
            task = pick.choice(TASKS)
            tags = [pick.choice(LIBRARIES), "safetensors", task, pick.choice(LANGUAGES), pick.choice(LICENSES), "region:us"]
            facts.append((number, "0" * 40, task, tags[0], pick.randrange(10**6, 10**10), 10**6, json.dumps(tags)))
        database.executemany("INSERT INTO repos (id, oid, type, owner_id, name, name_lower, creator_id, head, created_at, modified_at, downloads, likes, index_stale) "
                             "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,0)", repos)
        database.executemany("INSERT INTO repo_facts (repo_id, commit_oid, pipeline_tag, library_name, parameters, main_bytes, tags) VALUES (?,?,?,?,?,?,?)", facts)
        database.commit()
    database.close()


def main():
    with temp_folder() as folder:
        hub = Hub(folder / "data")
        (folder / "data").mkdir()
        hub.start()
        hub.stop()
        fill(folder / "data/hearth.db")
        begin = time.perf_counter()
        hub.start()
        start_seconds = time.perf_counter() - begin
        pick = random.Random(11)
        connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=120)
        times = []
        for number in range(1100):
            filters = [pick.choice(LICENSES), pick.choice(LANGUAGES + LIBRARIES)]
            if number % 5 == 0:
                filters = pick.sample(LANGUAGES, 2)  # disjoint: nothing matches both
            sort = pick.choice(["downloads", "likes", "lastModified", "createdAt", "trendingScore"])
            path = f"/api/models?filter={filters[0]}&filter={filters[1]}&sort={sort}&direction=-1&limit=30"
            start = time.perf_counter()
            hub.call("GET", path, connection=connection)
            if number >= 100:
                times.append((time.perf_counter() - start) * 1000)
        connection.close()
        resident = hub.rss_bytes() / 1e6
        hub.stop()
    p99 = statistics.quantiles(times, n=100)[98]
    save("list_million", [
        {"what": "two filters and a sort over 1,000,000 repositories, p99", "goal": "< 20 ms", "unit": "ms", "value": p99, "spread": spread(times)},
        {"what": "start with 1,000,000 repositories", "goal": "reported", "unit": "s", "value": start_seconds},
        {"what": "resident memory with 1,000,000 repositories", "goal": "reported", "unit": "MB", "value": resident},
    ])


if __name__ == "__main__":
    main()
