"""Runs the programs of tests/parity/tools: one JSON value a line in, one a line out."""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = ROOT / "build" / "release" / "tests" / "parity" / "tools"
sys.path.insert(0, str(ROOT / "tools"))
# The torch executor, built by `ninja hearth_torch`; the suite's runner does.
TORCH_PLUGIN = ROOT / "build" / "release" / "src" / "apps" / "hearth_torch.so"
os.environ.setdefault("HEARTH_TORCH_PLUGIN", str(TORCH_PLUGIN))


def data_folder():
    """Real tokenizers, texts and templates; fetched and made when they are missing."""
    import tokenizer_data
    return tokenizer_data.ensure()


class Probe:
    """A running probe; a context manager."""

    def __init__(self, name, *arguments):
        self.command = [str(BINARIES / name), *map(str, arguments)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(30) == 0

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"{self.command[0]} ended with status {self.process.wait(10)} at {str(request)[:300]}"
        return json.loads(line)
