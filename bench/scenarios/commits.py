"""Commits by the API: one file into 10,000, and 10,000 files at once against `git add && git commit`."""
import http.client
import os
import subprocess
import time

from harness import Hub, interleave, ratios, save, spread, temp_folder

FILES = 10_000


def tree(salt):
    return {f"d{i % 100:02d}/f{i:05d}.txt": f"file {i} of {salt}\n" for i in range(FILES)}


def lines(files, summary):
    yield {"key": "header", "value": {"summary": summary}}
    for path, content in files.items():
        yield {"key": "file", "value": {"path": path, "content": content, "encoding": "utf-8"}}


def main():
    with temp_folder() as folder, Hub(folder / "data") as hub:
        number = 0

        def hearth():
            nonlocal number
            number += 1
            hub.create_repo(f"many{number}")
            body = list(lines(tree(f"run {number}"), "many"))
            start = time.perf_counter()
            hub.commit(f"many{number}", body)
            return time.perf_counter() - start

        def git():
            work = folder / f"git{number}"
            work.mkdir()
            subprocess.run(["git", "init", "-q", "-b", "main", work], check=True)
            for path, content in tree(f"git {number}").items():
                file = work / path
                file.parent.mkdir(exist_ok=True)
                file.write_text(content)
            env = dict(os.environ, GIT_AUTHOR_NAME="b", GIT_AUTHOR_EMAIL="b@b", GIT_COMMITTER_NAME="b", GIT_COMMITTER_EMAIL="b@b")
            start = time.perf_counter()
            subprocess.run(["git", "-C", work, "add", "."], check=True)
            subprocess.run(["git", "-C", work, "commit", "-q", "-m", "many"], check=True, env=env)
            return time.perf_counter() - start

        times = interleave(5, hearth=hearth, git=git)
        connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=60)
        single = []
        for i in range(60):
            start = time.perf_counter()
            hub.commit("many1", lines({f"d{i:02d}/new.txt": f"new {i}\n"}, "one"), connection)
            single.append((time.perf_counter() - start) * 1000)
        connection.close()
    speed = ratios(times["git"], times["hearth"])
    one = spread(single[10:])
    save("commits", [
        {"what": "one-file commit into 10,000 files", "goal": "< 50 ms median", "unit": "ms", "value": one["median"], "spread": one},
        {"what": "10,000-file commit, rate against git add && git commit", "goal": ">= 1 x", "unit": "x", "value": speed["median"], "spread": speed},
    ], times)


if __name__ == "__main__":
    main()
