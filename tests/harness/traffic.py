"""What a hub was asked for and how many bytes that took: its access log (HEARTH_LOG_FORMAT=json) and its metrics."""
import json
import pathlib
import re
import urllib.request
import uuid

from .people import eventually


class Traffic:
    """Everything since the mark; with Traffic(hub) as traffic: ... marks at the start.

    The log line of a request is written after its answer was sent; requests() therefore sends one of its own and
    waits until that is logged.
    """

    def __init__(self, hub):
        self.hub = hub
        self.mark()

    def __enter__(self):
        self.mark()
        return self

    def __exit__(self, *_):
        pass

    def mark(self):
        self._settle()
        self.offset = self.hub.log.stat().st_size
        self.received = self.metric("hearth_http_received_bytes_total")

    def _settle(self):
        name = uuid.uuid4().hex
        request = urllib.request.Request(self.hub.url + "/healthz", headers={"X-Request-Id": name, "X-Amzn-Trace-Id": name})
        with urllib.request.urlopen(request, timeout=30):
            pass
        if not eventually(lambda: name.encode() in self.hub.log.read_bytes()[-65536:]):
            raise AssertionError("the access log does not show a request that was answered")

    def requests(self):
        """(method, path, status) of every request since the mark, without this object's own."""
        self._settle()
        with open(self.hub.log, "rb") as log:
            log.seek(self.offset)
            lines = log.read().decode("utf-8", "replace").splitlines()
        rows = [json.loads(line) for line in lines if line.startswith("{") and '"request"' in line]
        return [(row["method"], row["path"], row["status"]) for row in rows
                if row.get("message") == "request" and row["path"] not in ("/healthz", "/metrics")]

    def count(self, method, pattern, status=None):
        """How many requests had the method, a path that the pattern is found in, and the status."""
        return sum(1 for was, path, answer in self.requests()
                   if was == method and re.search(pattern, path) and status in (None, answer))

    def metric(self, name):
        with urllib.request.urlopen(self.hub.url + "/metrics", timeout=30) as answer:
            return float(re.search(rf"^{name} (\S+)$", answer.read().decode(), re.M).group(1))

    def bytes_in(self):
        """What clients have sent since the mark: bodies, headers and all."""
        return self.metric("hearth_http_received_bytes_total") - self.received


def folder_bytes(folder):
    """Bytes of all files below; one that vanishes meanwhile counts nothing."""
    total = 0
    for path in pathlib.Path(folder).rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() and not path.is_symlink() else 0
        except FileNotFoundError:
            pass
    return total
