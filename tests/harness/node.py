"""Where the pinned packages of the JavaScript clients are; installs them when they are missing."""
import subprocess
import sys

from .hub import ROOT


def node_packages():
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "node_env.py")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]
