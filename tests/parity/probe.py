"""Talks to hearth_text_probe: one JSON array per line there, one JSON value back."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = pathlib.Path(os.environ.get("HEARTH_TEXT_PROBE", ROOT / "build/release/tests/parity/tools/hearth_text_probe"))


class Probe:
    def __init__(self):
        self.process = subprocess.Popen([str(BINARY)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

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
