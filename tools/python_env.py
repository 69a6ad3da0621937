#!/usr/bin/env python3
"""Makes the Python environments that the conformance suites run in: one per pinned client version.

tests/requirements/NAME.txt pins every distribution; the environment is .venvs/NAME. An environment is
made again when its pins, or the interpreter, changed. Usage: python_env.py [NAME ...] (default: all).
"""
import hashlib
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "tests" / "requirements"
VENVS = ROOT / ".venvs"


def names():
    return sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))


def python_of(name):
    return VENVS / name / "bin" / "python"


def stamp_of(name):
    pins = (REQUIREMENTS / f"{name}.txt").read_bytes()
    return hashlib.sha256(pins + sys.version.encode()).hexdigest()


def ensure(name):
    """Makes the environment unless it is already there with these pins; exits with a clear line on failure."""
    home = VENVS / name
    stamp = home / "pins.sha256"
    if python_of(name).exists() and stamp.exists() and stamp.read_text() == stamp_of(name):
        return
    print(f"python-env: making {name} ({sys.version.split()[0]})", file=sys.stderr, flush=True)
    shutil.rmtree(home, ignore_errors=True)
    VENVS.mkdir(exist_ok=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(home)], capture_output=True, text=True)
    if made.returncode != 0:
        sys.exit(f"python-env: cannot make {name} (is python3-venv installed?)\n{made.stdout}{made.stderr}")
    command = [str(home / "bin" / "pip"), "install", "-q", "--no-deps", "-r",
               str(REQUIREMENTS / f"{name}.txt")]
    for attempt in range(2):  # a registry now and then drops one connection
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0:
            stamp.write_text(stamp_of(name))
            return
    sys.exit(f"python-env: the pinned packages of {name} could not be had:\n{done.stdout}{done.stderr}")


def main():
    wanted = sys.argv[1:] or names()
    unknown = set(wanted) - set(names())
    if unknown:
        sys.exit(f"python-env: no tests/requirements file for {', '.join(sorted(unknown))}")
    for name in wanted:
        ensure(name)


if __name__ == "__main__":
    main()
