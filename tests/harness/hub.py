"""Starts, stops, kills and administers one hub process on a data folder of its own."""
import os
import pathlib
import queue
import re
import signal
import subprocess
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = pathlib.Path(os.environ.get("HEARTH_BINARY", ROOT / "build" / "release" / "src" / "apps" / "hearth"))
ADMIN = "alice"
ADMIN_TOKEN = "hf_" + "AliceAdministratorTokenForTests00"[:34].ljust(34, "0")
PASSWORD = "correct horse battery staple"
# Loaded CI machines have been seen to take seconds for a fork and an argon2 hash; a hub that does
# not answer within this many seconds is broken, not slow.
START_SECONDS = 30


class HubError(Exception):
    pass


class Hub:
    """One hub. Not thread-safe; the process belongs to this object and is gone after stop() or kill()."""

    def __init__(self, data, config=None, environment=None, command_prefix=()):
        self.data = pathlib.Path(data)
        self.config = config
        self.environment = environment or {}
        self.command_prefix = list(command_prefix)
        self.process = None
        self.url = None
        self.port = 0
        self.log = self.data.parent / (self.data.name + ".log")

    def start(self):
        if not BINARY.exists():
            raise HubError(f"{BINARY} is not built")
        self.data.mkdir(parents=True, exist_ok=True)
        command = [*self.command_prefix, str(BINARY), "serve", "--data", str(self.data),
                   "--listen", f"127.0.0.1:{self.port}"]
        if self.config:
            command += ["--config", str(self.config)]
        environment = dict(os.environ, HEARTH_ADMIN_USER=ADMIN, HEARTH_ADMIN_PASSWORD=PASSWORD,
                           HEARTH_ADMIN_TOKEN=ADMIN_TOKEN, **self.environment)
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE,
                                        stderr=open(self.log, "ab"), stdin=subprocess.DEVNULL)
        lines = queue.Queue()
        threading.Thread(target=self._drain, args=(self.process.stdout, lines), daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                line = lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                self.kill()
                raise HubError(f"the hub printed no address within {START_SECONDS} s; log: {self.log_tail()}")
            if line is None:
                raise HubError(f"the hub ended with status {self.process.wait()}; log: {self.log_tail()}")
            found = re.search(r"listening on (http://127\.0\.0\.1:(\d+))", line)
            if found:
                self.url, self.port = found.group(1), int(found.group(2))
                break
        self._await_ready(deadline)
        return self

    def _drain(self, stream, lines):
        with open(self.log, "ab") as log:
            for raw in stream:
                log.write(raw)
                log.flush()
                lines.put(raw.decode("utf-8", "replace"))
        lines.put(None)

    def _await_ready(self, deadline):
        pause = threading.Event()
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(self.url + "/readyz", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                pass
            pause.wait(0.02)
        self.kill()
        raise HubError(f"/readyz did not answer 200; log: {self.log_tail()}")

    def stop(self, seconds=30):
        """SIGTERM, then waits for the drain. A hub that does not end is killed and reported."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise HubError(f"the hub did not stop within {seconds} s of SIGTERM")
        if code != 0:
            raise HubError(f"the hub ended with status {code}; log: {self.log_tail()}")

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def resident_bytes(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", fields).group(1)) * 1024

    def log_tail(self, lines=30):
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def command(self, *arguments, check=True):
        """Runs another hearth command on the same data folder; returns the finished process."""
        name, *rest = arguments
        done = subprocess.run([str(BINARY), name, "--data", str(self.data), *map(str, rest)],
                              capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise HubError(f"hearth {' '.join(map(str, arguments))}: status {done.returncode}\n"
                           f"{done.stdout}{done.stderr}")
        return done

    def admin(self, *arguments, check=True):
        return self.command("admin", *arguments, check=check).stdout.strip()

    def fsck(self, repair=False, deep=False):
        """Checks the stopped hub's data; deep reads every large object again."""
        options = [*(["--repair"] if repair else []), *(["--deep"] if deep else [])]
        return self.command("fsck", *options, check=False)

    def make_user(self, name):
        self.admin("user", "create", name, "--password", PASSWORD, "--email", f"{name}@example.com")

    def make_token(self, user, role="write", name=None):
        token = self.admin("token", "create", user, "--role", role, "--name", name or f"{role}-of-{user}",
                           "--quiet")
        if not re.fullmatch(r"hf_\w{20,}", token):
            raise HubError(f"not a token: {token!r}")
        return token
