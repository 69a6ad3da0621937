"""Readers and scanner of model files against the libraries that write them, through the command line."""
import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = ROOT / "build" / "release" / "src" / "apps" / "hearth"
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))


def run(*arguments, env=None):
    """(exit code, standard output, standard error) of the program."""
    done = subprocess.run([str(BINARY), *map(str, arguments)], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL, env=env)
    assert done.returncode in (0, 1, 2, 3), (arguments, done.returncode, done.stderr)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="session")
def scan():
    """scan(path, ...) -> the report of `hearth scan --json`."""
    def call(*arguments):
        code, out, err = run("scan", "--json", *arguments)
        assert code in (0, 3), err
        report = json.loads(out)
        assert code == (3 if report["verdict"] == "dangerous" else 0)
        return report
    return call


@pytest.fixture(scope="session")
def inspect():
    """inspect(path, ...) -> the first file of `hearth inspect --json`."""
    def call(path, *arguments):
        code, out, err = run("inspect", "--json", path, *arguments)
        assert code in (0, 3), err
        return json.loads(out)["files"][0]
    return call


@pytest.fixture(scope="session")
def testdata():
    """The real repositories that tools/test_data.py fetches."""
    return ROOT / ".cache" / "testdata"
