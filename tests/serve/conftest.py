"""The program as an operator meets it: options, environment, files, sockets, logs, `hearth admin`."""
import http.client
import os
import pathlib
import queue
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading

import pytest

from harness.hub import ADMIN_TOKEN, BINARY, PASSWORD, START_SECONDS


def clean_environment(**more):
    """This process's environment without what would configure a hub."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEARTH_")}
    environment.update({name: str(value) for name, value in more.items()})
    return environment


class Served:
    """One `hearth serve`. Its printed lines up to the last address are in `lines`, standard error is in `log`."""

    def __init__(self, folder, arguments, environment):
        self.folder = folder
        self.log = folder / "stderr.log"
        self.process = subprocess.Popen([str(BINARY), "serve", *map(str, arguments)], cwd=folder, env=environment,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=open(self.log, "ab"), text=True)
        self._queue = queue.Queue()
        self.lines = []
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self):
        for line in self.process.stdout:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def wait_for(self, wanted):
        """Reads on until a printed line holds the text; returns that line."""
        while True:
            line = self._queue.get(timeout=START_SECONDS)
            assert line is not None, (self.lines, self.log.read_text())
            self.lines.append(line)
            if wanted in line:
                return line

    def address(self):
        """host:port of the next address that is printed."""
        return self.wait_for("listening on ").split("://")[-1].strip()

    def stop(self):
        """Clean shutdown; returns everything that was printed."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) == 0, self.log.read_text()
        while (line := self._queue.get(timeout=5)) is not None:
            self.lines.append(line)
        return "\n".join(self.lines)


@pytest.fixture
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="hearth-serve-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def serve(folder):
    """serve(*arguments, **environment) -> Served, on ./data of a fresh folder with a known administrator."""
    started = []

    def run(*arguments, admin=True, **environment):
        if admin:
            environment = {"HEARTH_ADMIN_USER": "alice", "HEARTH_ADMIN_PASSWORD": PASSWORD,
                           "HEARTH_ADMIN_TOKEN": ADMIN_TOKEN, **environment}
        started.append(Served(folder, arguments, clean_environment(**environment)))
        return started[-1]

    yield run
    for served in started:
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait()


@pytest.fixture
def refuse(folder):
    """refuse(*arguments, **environment) -> the message with which `hearth serve` declines to start."""
    def run(*arguments, **environment):
        done = subprocess.run([str(BINARY), "serve", *map(str, arguments)], cwd=folder, capture_output=True, text=True,
                              env=clean_environment(**environment), stdin=subprocess.DEVNULL, timeout=START_SECONDS)
        assert done.returncode in (1, 2), (done.returncode, done.stdout, done.stderr)
        return done.stderr
    return run


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


@pytest.fixture
def ask():
    """ask(where, target, ...) -> (status, headers, text). `where` is host:port or the path of a socket."""
    def run(where, target, method="GET", headers=(), body=None, certificate=None):
        where = str(where)
        if where.startswith("/"):
            connection = UnixConnection(where)
        elif certificate:
            context = ssl.create_default_context(cafile=str(certificate))
            connection = http.client.HTTPSConnection(where, timeout=30, context=context)
        else:
            connection = http.client.HTTPConnection(where, timeout=30)
        try:
            connection.request(method, target, body=body, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()
    return run


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A self-signed certificate for localhost and its key."""
    place = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", place / "key.pem", "-out", place / "cert.pem", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    return place / "cert.pem", place / "key.pem"
