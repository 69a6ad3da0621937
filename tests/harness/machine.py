"""A client on a machine of its own: own process, own caches, so that nothing is known from earlier tests."""
import json
import os
import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).with_name("machine_script.py")


class Machine:
    """One person's machine. A second step on the same machine meets the caches that the first one left."""

    def __init__(self, folder, url, token, **environment):
        self.folder, self.token = pathlib.Path(folder), token
        self.folder.mkdir(parents=True)
        self.downloads = 0
        self.environment = dict(os.environ, HF_ENDPOINT=url, HF_HOME=str(self.folder / "home"),
                                HF_XET_CACHE=str(self.folder / "xet"), **environment)

    def start(self, do, repo, kind="model", **more):
        """The running step: communicate() ends it."""
        step = {"do": do, "repo": repo, "kind": kind, "token": self.token, **more}
        process = subprocess.Popen([sys.executable, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=self.environment, cwd=self.folder)
        process.stdin.write(json.dumps(step))
        process.stdin.close()
        process.stdin = None
        return process

    def run(self, do, repo, kind="model", **more):
        process = self.start(do, repo, kind, **more)
        out, err = process.communicate(timeout=1500)
        assert process.returncode == 0, err[-4000:]
        return json.loads(out)

    def upload(self, repo, files, kind="model"):
        """files: name in the repository -> bytes or a path; one commit; returns its id."""
        paths = {}
        for number, (name, content) in enumerate(files.items()):
            if isinstance(content, bytes):
                path = self.folder / f"out-{number}"
                path.write_bytes(content)
                content = path
            paths[name] = str(content)
        return self.run("upload", repo, kind, files=paths)

    def download(self, repo, names, kind="model"):
        """Paths of the downloaded files, from an empty cache each time."""
        return [pathlib.Path(path) for path in self.run("download", repo, kind, files=names, cache=self.cache())]

    def snapshot(self, repo, kind="model"):
        return pathlib.Path(self.run("snapshot", repo, kind, cache=self.cache()))

    def cache(self):
        self.downloads += 1
        return str(self.folder / f"cache-{self.downloads}")
