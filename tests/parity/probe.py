<<<<<<< HEAD
"""Runs hearth_model_probe, which answers one JSON line per JSON line (src/tokenizers/probe/model_probe.cc)."""
=======
"""Talks to hearth_text_probe: one JSON array per line there, one JSON value back."""
>>>>>>> text
import json
import os
import pathlib
import subprocess

<<<<<<< HEAD
ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HEARTH_BUILD", ROOT / "build" / "release"))
BINARY = BUILD / "src" / "tokenizers" / "hearth_model_probe"


class ProbeError(Exception):
    """The probe answered {"error": ...}."""
=======
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = pathlib.Path(os.environ.get("HEARTH_TEXT_PROBE", ROOT / "build/release/tests/parity/tools/hearth_text_probe"))
>>>>>>> text


class Probe:
    def __init__(self):
        self.process = subprocess.Popen([str(BINARY)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

<<<<<<< HEAD
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
=======
    def ask(self, *question):
        return self.ask_all([question])[0]

    def ask_all(self, questions):
        """Answers in order; a few at a time, so that neither pipe fills up."""
        answers = []
        for start in range(0, len(questions), 20):
            part = questions[start:start + 20]
            self.process.stdin.write(b"".join(json.dumps(list(question)).encode() + b"\n" for question in part))
            self.process.stdin.flush()
            answers += [json.loads(self.process.stdout.readline()) for _ in part]
        return answers

    def close(self):
        self.process.stdin.close()
        self.process.wait()
>>>>>>> text
