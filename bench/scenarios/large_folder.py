"""Pages of a repository that has 100,000 files in one folder: the folder, a page in the middle of it, the repository's card."""
import http.client
import os
import statistics
import time

from harness import TOKEN, Hub, save, spread, temp_folder

FILES = int(os.environ.get("HEARTH_BENCH_FILES", "100000"))
ROUNDS = int(os.environ.get("HEARTH_BENCH_ROUNDS", "100"))


def fill(hub):
    hub.create_repo("wide")
    files = [{"key": "file", "value": {"path": f"data/part-{number:06}.txt", "content": f"row {number}\n", "encoding": "utf-8"}} for number in range(FILES)]
    card = {"key": "file", "value": {"path": "README.md", "content": "# Many files\n" + "Some text. " * 300, "encoding": "utf-8"}}
    hub.commit("wide", [{"key": "header", "value": {"summary": "many"}}, card])
    for start in range(0, FILES, 25_000):
        hub.commit("wide", [{"key": "header", "value": {"summary": f"from {start}"}}, *files[start:start + 25_000]])


def times(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    taken = []
    for number in range(ROUNDS + 3):
        start = time.perf_counter()
        connection.request("GET", path, headers={"Authorization": "Bearer " + TOKEN})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status, body[:200])
        if number >= 3:
            taken.append((time.perf_counter() - start) * 1000)
    connection.close()
    return taken


def main():
    with temp_folder() as folder:
        hub = Hub(folder / "data", options=["--inference", "off"])
        with hub:
            fill(hub)
            middle = f"data/part-{FILES // 2:06}.txt".replace("/", "%2F")
            pages = {
                "first page of the folder": "/bench/wide/tree/main/data",
                "a page in the middle of it": f"/bench/wide/tree/main/data?after={middle}",
                "top folder": "/bench/wide/tree/main",
                "card": "/bench/wide",
                "first 1000 entries by the API": "/api/models/bench/wide/tree/main/data?limit=1000",
            }
            measured = {name: times(hub.port, path) for name, path in pages.items()}
    save("large_folder", [{"what": f"{FILES:,} files in a folder: {name}, p99", "goal": "< 200 ms", "unit": "ms",
                           "value": statistics.quantiles(taken, n=100)[98], "spread": spread(taken)} for name, taken in measured.items()])


if __name__ == "__main__":
    main()
