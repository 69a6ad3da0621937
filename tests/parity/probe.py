"""Runs hearth_model_probe, which answers one JSON line per JSON line (src/tokenizers/probe/model_probe.cc)."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HEARTH_BUILD", ROOT / "build" / "release"))
BINARY = BUILD / "src" / "tokenizers" / "hearth_model_probe"


class ProbeError(Exception):
    """The probe answered {"error": ...}."""


class Probe:
    def __init__(self):
        self.process = subprocess.Popen([str(BINARY)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def raw(self, line):
        """The answer as bytes to a request given as text, for what must be compared to the byte."""
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the probe ended"
        return answer

    def ask(self, **request):
        answer = json.loads(self.raw(json.dumps(request)))
        if "error" in answer:
            raise ProbeError(answer["error"])
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
