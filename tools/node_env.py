#!/usr/bin/env python3
"""Installs the JavaScript client that the conformance suite drives, with the versions and digests of its lock file.

tests/conformance/js/{package.json,package-lock.json} name them; they land in .venvs/js/node_modules. Made again when
the lock file, or Node.js, changed.
"""
import hashlib
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "tests" / "conformance" / "js"
HOME = ROOT / ".venvs" / "js"


def ensure():
    """Returns the folder that holds node_modules; exits with a clear line on failure."""
    try:
        version = subprocess.run(["node", "--version"], capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        sys.exit("node-env: Node.js is missing; run script/bootstrap --test")
    wanted = hashlib.sha256((SOURCE / "package-lock.json").read_bytes() + version).hexdigest()
    stamp = HOME / "lock.sha256"
    if stamp.exists() and stamp.read_text() == wanted:
        return HOME
    print(f"node-env: installing the JavaScript client ({version.decode().strip()})", file=sys.stderr, flush=True)
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, HOME / name)
    command = ["npm", "ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"]
    for attempt in range(2):  # a registry now and then drops one connection
        done = subprocess.run(command, cwd=HOME, capture_output=True, text=True)
        if done.returncode == 0:
            stamp.write_text(wanted)
            return HOME
    sys.exit(f"node-env: the locked packages could not be had:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    print(ensure())
