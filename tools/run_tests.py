#!/usr/bin/env python3
"""Builds and runs every suite, keeps logs and JUnit files, and ends with "N passed, N failed".

Suites run in the order below, each under its own time limit. A suite that cannot start, stops early or
executes nothing counts as one failure of its own, so that a broken runner never looks green.
  --quick        layers, unit, api, security and serve only
  --only SUITE   one suite (may be given several times); --list names them
  --long         200 kill rounds of each operation, files of gigabytes and a minute for each fuzz target
  --no-build     use what is built
  --budget MIN   start no optional suite (sanitizers, fuzz) after that many minutes (default 55)
"""
import argparse
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

TOOLS = pathlib.Path(__file__).resolve().parent
ROOT = TOOLS.parent
sys.path.insert(0, str(TOOLS))
import node_env  # noqa: E402
import python_env  # noqa: E402
import test_data  # noqa: E402
import train_digits_model  # noqa: E402
import train_small_models  # noqa: E402

REPORTS = ROOT / "build" / "test-reports"
RELEASE = ROOT / "build" / "release"
JOBS = "-j" + os.environ.get("HEARTH_JOBS", "2")
# Components whose tests read hostile bytes: they run once more under address and undefined-behaviour
# sanitizers. The thread sanitizer looks at the components that own threads.
ASAN_COMPONENTS = ("base", "codec", "text", "tensor", "formats", "tokenizers", "client", "net", "storage/xet", "hub/inspector", "search")
TSAN_COMPONENTS = ("net", "tokenizers")
# Of these only the tests of what owns threads.
TSAN_FILTERS = {"runtime": "*Engine*:*Encoder*:*Cache*:*Beam*"}


# Real clients: suite, its environment, its files and whether large files go by Xet (minutes: its limit).
# hub_old stays on LFS, which is what installations without hf_xet send; hub2-lfs keeps that path under the newest
# client. The xetNNN suites are the oldest and the middle dialects of the Xet protocol.
CLIENTS = [
    ("hub2", "hub2", ["client", "cli", "git", "xet"], True, 15),
    ("hub2-lfs", "hub2", ["client/test_files.py", "client/test_real_model.py"], False, 6),
    ("hub1", "hub1", ["client", "cli", "libraries"], True, 12),
    ("hub_old", "hub_old", ["client/test_files.py", "client/test_errors.py", "client/test_real_model.py"], False, 8),
    ("xet142", "xet142", ["xet/test_round_trip.py"], True, 4),
    ("xet120", "xet120", ["xet/test_round_trip.py"], True, 4),
    ("xet119", "xet119", ["xet/test_round_trip.py"], True, 4),
]


class Suite:
    """One named group of tests: run(options) returns the JUnit files that it wrote."""

    def __init__(self, name, minutes, run, quick=False, optional=False):
        self.name, self.minutes, self.run = name, minutes, run
        self.quick, self.optional = quick, optional


class Failure(Exception):
    """The suite could not do its work; the text says why."""


class Runner:
    def __init__(self, options):
        self.options = options
        self.started = time.monotonic()
        self.deadline = None

    def minutes(self):
        return (time.monotonic() - self.started) / 60

    def say(self, text):
        print(f"[{self.minutes():5.1f} min] {text}", flush=True)

    def command(self, log_name, arguments, cwd=ROOT, env=None, check=True, quiet=False):
        """Runs a command with its output on the terminal (unless quiet) and in a log file."""
        log_path = REPORTS / f"{log_name}.log"
        environment = dict(os.environ, **(env or {}))
        with open(log_path, "a", encoding="utf-8", errors="replace") as log:
            process = subprocess.Popen([str(part) for part in arguments], cwd=cwd, env=environment,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       stdin=subprocess.DEVNULL, start_new_session=True)
            timed_out = []
            left = max(1.0, self.deadline - time.monotonic()) if self.deadline else None
            timer = threading.Timer(left, self._stop, (process, timed_out)) if left else None
            if timer:
                timer.start()
            tail = []
            for raw in process.stdout:
                line = raw.decode("utf-8", "replace")
                log.write(line)
                tail = (tail + [line])[-30:]
                if not quiet:
                    sys.stdout.write(line)
                    sys.stdout.flush()
            code = process.wait()
            if timer:
                timer.cancel()
        if timed_out:
            raise Failure(f"{log_name} ran past its time limit")
        if check and code != 0:
            if quiet:
                sys.stdout.write("".join(tail))
            raise Failure(f"{log_name} ended with status {code} (log: {log_path.relative_to(ROOT)})")
        return code

    @staticmethod
    def _stop(process, timed_out):
        timed_out.append(True)
        try:
            os.killpg(process.pid, 9)  # its own process group: start_new_session above
        except ProcessLookupError:
            pass

    # --- builds -------------------------------------------------------------------------------

    def build(self, preset, targets=(), log_name=None):
        log_name = log_name or f"build-{preset}"
        if not self.options.no_build:
            self.command(log_name, ["cmake", "--preset", preset], quiet=True)
            self.command(log_name, ["ninja", "-C", ROOT / "build" / preset, JOBS, *targets], quiet=True)

    # --- suites -------------------------------------------------------------------------------

    def layers(self):
        code = self.command("layers", [sys.executable, TOOLS / "check_layers.py"], check=False)
        path = REPORTS / "layers.xml"
        suite = ElementTree.Element("testsuite", name="layers", tests="1", failures=str(int(code != 0)))
        case = ElementTree.SubElement(suite, "testcase", classname="layers", name="check_layers")
        if code != 0:
            ElementTree.SubElement(case, "failure", message="undeclared include")
        ElementTree.ElementTree(suite).write(path)
        return [path]

    def unit(self):
        test_data.ensure()  # real chat templates
        path = REPORTS / "unit.xml"
        self.command("unit", ["ctest", "--test-dir", RELEASE, JOBS, "--output-on-failure", "--no-tests=error",
                              "--output-junit", path], check=False, quiet=False)
        return [path]

    def pytest(self, name, environment, targets, extra=(), env=None):
        python_env.ensure(environment)
        path = REPORTS / f"{name}.xml"
        arguments = [python_env.python_of(environment), "-m", "pytest", "-q", "-p", "no:cacheprovider",
                     "--durations=5", f"--junit-xml={path}", f"--junit-prefix={name}", *extra, *targets]
        self.command(name, arguments, env={"HEARTH_CLIENT": environment, **(env or {})}, check=False)
        return [path]

    def api(self):
        python_env.ensure("hub2")
        path = REPORTS / "api.xml"
        self.command("api", [sys.executable, TOOLS / "api_runner.py", "--junit", path], check=False)
        return [path]

    def security(self):
        return self.pytest("security", "hub2", ["tests/security"])

    def conformance(self, name, environment, folders, xet=True):
        test_data.ensure()
        if "xet" in folders:
            node_env.ensure()
        targets = [f"tests/conformance/{folder}" for folder in folders]
        return self.pytest(f"conformance-{name}", environment, targets,
                           env={"HEARTH_XET": str(int(xet)), "HEARTH_LONG": str(int(self.options.long))})

    def inference(self):
        train_small_models.ensure()
        train_digits_model.ensure()
        return self.pytest("inference", "inference", ["tests/inference"])

    def web(self):
        train_small_models.ensure()
        train_digits_model.ensure()
        return self.pytest("web", "web", ["tests/web"])

    def parity(self):
        python_env.ensure("parity")
        # The torch executor is built with that environment's torch, which `all` does without.
        self.build("release", ["hearth_torch"], "build-torch")
        return self.pytest("parity", "parity", ["tests/parity"], env={"HEARTH_LONG": str(int(self.options.long))})

    def formats(self):
        test_data.ensure()
        return self.pytest("formats", "formats", ["tests/formats"])

    def inspector(self):
        test_data.ensure()
        return self.pytest("inspector", "formats", ["tests/inspector"])

    def fault(self):
        rounds = "200" if self.options.long else "3"
        return self.pytest("fault", "hub2", ["tests/fault"], [f"--kill-rounds={rounds}"])

    def sanitized(self, preset, components, filters=None):
        built = [name for name in components if list((ROOT / "src").glob(f"{name}/*_test.cc"))]
        tests = {name: f"hearth_{name.replace('/', '_')}_test" for name in built}
        self.build(preset, list(tests.values()))
        paths = []
        for name in built:
            label = f"{preset}-{name.replace('/', '-')}"
            path = REPORTS / f"{label}.xml"
            binary = ROOT / "build" / preset / "src" / name / tests[name]
            chosen = [f"--gtest_filter={filters[name]}"] if filters and name in filters else []
            code = self.command(label, [binary, f"--gtest_output=xml:{path}", "--gtest_brief=1", *chosen],
                                check=False)
            if not path.exists():
                raise Failure(f"{label} ended with status {code} and no report")
            paths.append(path)
        return paths

    def asan(self):
        return self.sanitized("asan", ASAN_COMPONENTS)

    def tsan(self):
        return self.sanitized("tsan", (*TSAN_COMPONENTS, *TSAN_FILTERS), TSAN_FILTERS)

    def fuzz(self):
        names = sorted(path.stem for path in (ROOT / "src").rglob("*_fuzz.cc"))
        if not names:
            raise Failure("there is no fuzz target")
        self.build("fuzz", names)
        seconds = 60 if self.options.long else 5
        targets = sorted(path for path in (ROOT / "build" / "fuzz" / "src").rglob("*_fuzz")
                         if path.name in names and path.is_file())
        if len(targets) != len(names):
            raise Failure("the fuzz preset did not build every target")
        suite = ElementTree.Element("testsuite", name="fuzz", tests=str(len(targets)))
        for target in targets:
            corpus = REPORTS / "corpus" / target.name
            corpus.mkdir(parents=True, exist_ok=True)
            code = self.command(target.name, [target, f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=20",
                                              "-verbosity=0", f"-artifact_prefix={REPORTS}/{target.name}-", corpus],
                                check=False, quiet=True)
            self.say(f"fuzz {target.name}: {'holds' if code == 0 else 'FAILED'}")
            if code != 0:
                self.show_crash(target.name)
            case = ElementTree.SubElement(suite, "testcase", classname="fuzz", name=target.name)
            if code != 0:
                ElementTree.SubElement(case, "failure", message=f"status {code}, see {target.name}.log")
        path = REPORTS / "fuzz.xml"
        ElementTree.ElementTree(suite).write(path)
        return [path]

    @staticmethod
    def show_crash(name):
        """What a fuzz target died of, and its input, so that a report alone is enough to repeat it."""
        marks = ("ERROR:", "SUMMARY:", "runtime error", "ALARM:", "    #", "Base64:")
        log = (REPORTS / f"{name}.log").read_text(errors="replace")
        for line in [line for line in log.splitlines() if any(mark in line for mark in marks)][-40:]:
            print("  " + line[:2000])


def suites(runner):
    return [
        Suite("layers", 1, runner.layers, quick=True),
        Suite("unit", 10, runner.unit, quick=True),
        Suite("api", 5, runner.api, quick=True),
        Suite("security", 8, runner.security, quick=True),
        Suite("serve", 4, lambda: runner.pytest("serve", "hub2", ["tests/serve"]), quick=True),
        *(Suite(f"conformance-{name}", 90 if runner.options.long else minutes,
                functools.partial(runner.conformance, name, environment, folders, xet))
          for name, environment, folders, xet, minutes in CLIENTS),
        Suite("inference", 20, runner.inference),  # with the training of its models
        Suite("web", 16, runner.web),
        Suite("parity", 60 if runner.options.long else 20, runner.parity),
        Suite("formats", 10, runner.formats),
        Suite("inspector", 4, runner.inspector),
        Suite("fault", 90 if runner.options.long else 8, runner.fault),
        Suite("asan", 25, runner.asan, optional=True),
        Suite("fuzz", 45 if runner.options.long else 30, runner.fuzz, optional=True),
        Suite("tsan", 20, runner.tsan, optional=True),
    ]


def count(path):
    """(passed, failed, names of the failed) of one JUnit file; skipped cases are failures here."""
    passed, failed = 0, []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        bad = any(child.tag in ("failure", "error", "skipped") for child in case)
        if bad or case.get("status") in ("fail", "notrun", "disabled"):
            failed.append(f"{case.get('classname', '')}::{case.get('name', '')}")
        else:
            passed += 1
    return passed, failed


def run_suite(runner, suite):
    runner.say(f"--- {suite.name}")
    runner.deadline = time.monotonic() + suite.minutes * 60
    passed, failed = 0, []
    try:
        for path in suite.run():
            if not path.exists():
                raise Failure(f"{suite.name} left no report")
            more_passed, more_failed = count(path)
            passed += more_passed
            failed += more_failed
        if passed + len(failed) == 0:
            raise Failure(f"{suite.name} executed no test")
    except (Failure, OSError, ElementTree.ParseError, SystemExit) as fault:
        runner.say(f"{suite.name}: {fault}")
        failed.append(f"{suite.name}: {fault}")
    runner.deadline = None
    runner.say(f"{suite.name}: {passed} passed, {len(failed)} failed")
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--budget", type=float, default=55)
    options = parser.parse_args()
    runner = Runner(options)
    table = suites(runner)
    if options.list:
        print("\n".join(suite.name for suite in table))
        return 0
    unknown = set(options.only) - {suite.name for suite in table}
    if unknown:
        parser.error(f"no suite is called {', '.join(sorted(unknown))}")
    chosen = [suite for suite in table
              if (suite.name in options.only if options.only else suite.quick or not options.quick)]
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)

    results = []
    try:
        runner.say("--- build release")
        runner.build("release", ["all"])
    except Failure as fault:
        runner.say(str(fault))
        results.append(("build", 0, [str(fault)]))
        chosen = [suite for suite in chosen if suite.name == "layers"]
    left_out = []
    for suite in chosen:
        if suite.optional and not options.only and runner.minutes() > options.budget:
            left_out.append(suite.name)
            continue
        results.append((suite.name, *run_suite(runner, suite)))

    print("\nsuite                     passed  failed")
    for name, passed, failed in results:
        print(f"{name:24} {passed:7} {len(failed):7}")
    for name, _, failed in results:
        for case in failed[:40]:
            print(f"FAILED {name}: {case}")
    if left_out:
        print(f"left out, the time budget was spent: {', '.join(left_out)}")
    passed = sum(row[1] for row in results)
    failed = sum(len(row[2]) for row in results)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
