"""Runs model_probe, which answers one JSON line per JSON line (tests/parity/tools/model_probe.cc)."""
import json

import probes

ROOT = probes.ROOT


class ProbeError(Exception):
    """The probe answered {"error": ...}."""


class Probe(probes.Probe):
    def __init__(self):
        super().__init__("model_probe")
        self.__enter__()

    def raw(self, line):
        """The answer as text to a request given as text, for what must be compared to the byte."""
        self.process.stdin.write(line + "\n")
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
        self.__exit__()
