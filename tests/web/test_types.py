"""The site's scripts have no type errors."""
import subprocess

from harness.hub import ROOT


def test_scripts_have_no_type_errors():
    done = subprocess.run(["node", str(ROOT / ".deps/site/node_modules/typescript/bin/tsc"), "--noEmit", "-p", str(ROOT / "web")],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
