#!/usr/bin/env python3
"""Runs the request-and-answer scripts of tests/api (format: tests/api/README.md) on a fresh hub."""
import argparse
import base64
import gzip
import hashlib
import json
import pathlib
import re
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from harness.hub import Hub, HubError  # noqa: E402
from harness.people import settle  # noqa: E402
from harness.wire import Wire  # noqa: E402


class ScriptError(Exception):
    """The script itself is wrong."""


class Mismatch(Exception):
    """The hub answered something else."""


class Case:
    def __init__(self, source, line, title):
        self.source, self.line, self.title = source, line, title
        self.method = self.target = self.person = None
        self.headers, self.body = [], []
        self.statuses, self.expected_headers, self.checks = [], [], []
        self.within = 0.0


def parse(path):
    cases, case, state = [], None, "outside"
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("=== "):
            case = Case(path.name, number, line[4:].strip())
            cases.append(case)
            state = "request"
        elif state == "outside" or (line.startswith("# ") and state in ("request", "checks") and not case.method):
            if line.strip() and not line.startswith("#"):
                raise ScriptError(f"{path.name}:{number}: text outside a case")
        elif line.startswith("--- ") and state in ("request", "headers", "body"):
            case.statuses = [int(code) for code in line[4:].split("|")]
            state = "expect"
        elif state == "request":
            if line.strip():
                case.method, case.target = line.split(" ", 1)
                state = "headers"
        elif state == "headers":
            if not line.strip():
                state = "body"
                continue
            name, value = line.split(":", 1)
            if name == "as":
                case.person = value.strip()
            else:
                case.headers.append((name, value.strip()))
        elif state == "body":
            case.body.append(line)
        elif state == "expect":
            if not line.strip():
                state = "checks"
                continue
            name, value = line.split(":", 1)
            case.expected_headers.append((name, value.strip()))
        elif state == "checks":
            if line.startswith("#") or not line.strip():
                continue
            if line[0] in " \t}]":
                case.checks[-1] += "\n" + line
            elif line.startswith("within "):
                case.within = float(line[7:])
            else:
                case.checks.append(line)
    for case in cases:
        if not case.method or not case.statuses:
            raise ScriptError(f"{case.source}:{case.line}: a case needs a request and a status")
    return cases


class Script:
    """Variables and substitution of one run."""

    def __init__(self, hub, tokens):
        self.wire = Wire(hub.url)
        self.tokens = tokens
        self.variables = dict(tokens, base=hub.url, host=hub.url.split("://")[1])

    def fill(self, text):
        def value(match):
            name = match.group(1)
            if name not in self.variables:
                raise ScriptError(f"no variable {name}")
            return str(self.variables[name])
        return re.sub(r"\{\{([\w.-]+)\}\}", value, text)

    def body(self, lines):
        if not lines:
            return None
        while lines and not lines[-1].strip():
            lines = lines[:-1]
        zipped = bool(lines) and lines[0] == "@gzip"
        parts, pending = [], []
        for line in lines[1 if zipped else 0:]:
            word, _, rest = line.partition(" ")
            if word == "@ndjson":
                key, _, value = self.fill(rest).partition(" ")
                pending.append(json.dumps({"key": key, "value": json.loads(value)}))
                continue
            if not word.startswith("@"):
                pending.append(self.fill(line))
                continue
            parts.append("\n".join(pending).encode())
            pending = []
            if word == "@hex":
                parts.append(bytes.fromhex(rest))
            elif word == "@base64":
                parts.append(base64.b64decode(rest))
            elif word == "@repeat":
                times, _, text = rest.partition(" ")
                parts.append(text.encode() * int(times))
            else:
                raise ScriptError(f"unknown directive {word}")
        parts.append("\n".join(pending).encode())
        data = b"".join(parts)
        return gzip.compress(data) if zipped else data

    def run(self, case):
        headers = [(name, self.fill(value)) for name, value in case.headers]
        if case.person:
            if case.person not in self.tokens:
                raise ScriptError(f"nobody is called {case.person}")
            headers.append(("Authorization", f"Bearer {self.tokens[case.person]}"))
        deadline = time.monotonic() + case.within
        while True:
            target = self.fill(case.target).removeprefix(self.variables["base"])
            answer = self.wire.request(case.method, target, self.body(case.body), headers)
            try:
                self.check(case, answer)
                return
            except Mismatch as fault:
                if time.monotonic() >= deadline:
                    raise Mismatch(f"{fault}\n    answer: {answer.status} {answer.headers.pairs}\n"
                                   f"    {answer.body[:1200]!r}") from None
            threading.Event().wait(0.05)

    def check(self, case, answer):
        if answer.status not in case.statuses:
            raise Mismatch(f"status {answer.status}, expected {case.statuses}")
        for name, expected in case.expected_headers:
            self.check_header(name, self.fill(expected), answer.headers.get(name))
        for line in case.checks:
            word, _, rest = line.partition(" ")
            if word == "capture":
                name, _, source = rest.partition(" = ")
                self.variables[name] = self.find(source, answer)
            else:
                self.check_body(word, self.fill(rest), answer)

    @staticmethod
    def check_header(name, expected, value):
        if expected == "absent":
            if value is not None:
                raise Mismatch(f"header {name} is {value!r}, expected none")
        elif value is None:
            raise Mismatch(f"header {name} is missing")
        elif expected.startswith("~ "):
            if not re.search(expected[2:], value):
                raise Mismatch(f"header {name} is {value!r}, expected /{expected[2:]}/")
        elif expected != "present" and value != expected:
            raise Mismatch(f"header {name} is {value!r}, expected {expected!r}")

    @staticmethod
    def find(source, answer):
        kind, _, path = source.partition(" ")
        if kind == "header":
            return answer.headers.get(path)
        value = answer.json()
        for step in path.split("."):
            try:
                value = value[int(step)] if isinstance(value, list) else value[step]
            except (KeyError, IndexError, TypeError, ValueError):
                raise Mismatch(f"the body has no {path}") from None
        return value

    @staticmethod
    def check_body(word, rest, answer):
        if word == "json":
            try:
                value = answer.json()
            except ValueError:
                raise Mismatch("the body is not JSON") from None
            match(json.loads(rest), value, "body")
        elif word == "text":
            if rest.startswith("~ "):
                if not re.search(rest[2:], answer.text, re.S):
                    raise Mismatch(f"the body does not match /{rest[2:]}/")
            elif answer.text != rest:
                raise Mismatch(f"the body is not {rest!r}")
        elif word == "empty":
            if answer.body:
                raise Mismatch("the body is not empty")
        elif word == "bytes":
            if len(answer.body) != int(rest):
                raise Mismatch(f"the body has {len(answer.body)} bytes, expected {rest}")
        elif word == "sha256":
            if hashlib.sha256(answer.body).hexdigest() != rest:
                raise Mismatch("the body has another sha256")
        else:
            raise ScriptError(f"unknown check {word}")


def match(pattern, value, where):
    if pattern == "*":
        return
    if isinstance(pattern, str) and pattern.startswith("~ "):
        if not isinstance(value, str) or not re.search(pattern[2:], value):
            raise Mismatch(f"{where} is {value!r}, expected /{pattern[2:]}/")
    elif isinstance(pattern, dict) and "$has" in pattern:
        for wanted in pattern["$has"]:
            if not isinstance(value, list) or not any(matches(wanted, element) for element in value):
                raise Mismatch(f"{where} has no element {wanted!r}")
    elif isinstance(pattern, dict) and "$len" in pattern:
        if not isinstance(value, (list, dict, str)) or len(value) != pattern["$len"]:
            raise Mismatch(f"{where} has not {pattern['$len']} elements")
    elif isinstance(pattern, dict):
        if not isinstance(value, dict):
            raise Mismatch(f"{where} is not an object")
        for key, wanted in pattern.items():
            if wanted == "$absent":
                if key in value:
                    raise Mismatch(f"{where}.{key} is there")
            elif key not in value:
                raise Mismatch(f"{where}.{key} is missing")
            else:
                match(wanted, value[key], f"{where}.{key}")
    elif isinstance(pattern, list):
        if not isinstance(value, list) or len(value) != len(pattern):
            raise Mismatch(f"{where} is {value!r}, expected {len(pattern)} elements")
        for index, wanted in enumerate(pattern):
            match(wanted, value[index], f"{where}[{index}]")
    elif pattern != value or isinstance(pattern, bool) != isinstance(value, bool):
        raise Mismatch(f"{where} is {value!r}, expected {pattern!r}")


def matches(pattern, value):
    try:
        match(pattern, value, "")
        return True
    except Mismatch:
        return False


def report(path, results):
    suite = ElementTree.Element("testsuite", name="api", tests=str(len(results)))
    for case, fault in results:
        element = ElementTree.SubElement(suite, "testcase", classname=case.source, name=case.title)
        if fault:
            ElementTree.SubElement(element, "failure", message=fault[:2000])
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--junit", type=pathlib.Path)
    parser.add_argument("--parse-only", action="store_true", help="read the scripts and count their cases")
    options = parser.parse_args()
    files = options.files or sorted((ROOT / "tests" / "api").glob("*.txt"))
    try:
        scripts = [parse(path) for path in files]
    except (ScriptError, ValueError) as fault:
        sys.exit(f"api: {fault}")
    if options.parse_only:
        print(f"{sum(len(cases) for cases in scripts)} cases in {len(scripts)} scripts")
        return 0
    results = []
    with tempfile.TemporaryDirectory(prefix="hearth-api-") as folder:
        hub = Hub(pathlib.Path(folder) / "data").start()
        try:
            script = Script(hub, settle(hub))
            for cases in scripts:
                for case in cases:
                    fault = None
                    try:
                        script.run(case)
                    except (Mismatch, ScriptError, OSError, ValueError) as error:
                        fault = f"{type(error).__name__}: {error}"
                        print(f"FAILED {case.source}:{case.line} {case.title}\n    {fault}", flush=True)
                    results.append((case, fault))
            hub.stop()
        except HubError as error:
            print(f"api: {error}", flush=True)
            hub.kill()
            return 2
        finally:
            hub.kill()
    if options.junit:
        report(options.junit, results)
    failed = sum(1 for _, fault in results if fault)
    print(f"api: {len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
