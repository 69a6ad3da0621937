"""The `hf` program of this environment's client."""
import os
import pathlib
import subprocess
import sys

import pytest

HF = str(pathlib.Path(sys.executable).parent / "hf")


@pytest.fixture
def hf(tmp_path, tokens):
    """Runs one hf command as bob in an empty home of its own."""
    def run(*arguments, token=tokens["bob"], ok=True, cwd=tmp_path):
        environment = dict(os.environ, HF_HOME=str(tmp_path / "home"), HF_TOKEN=token or "", NO_COLOR="1",
                           TERM="dumb", COLUMNS="250")
        environment.pop("HF_HUB_DISABLE_IMPLICIT_TOKEN", None)
        if not token:
            environment.pop("HF_TOKEN")
        done = subprocess.run([HF, *map(str, arguments)], env=environment, cwd=cwd, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=150)
        if ok:
            assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        else:
            assert done.returncode != 0, (arguments, done.stdout)
        return done.stdout + done.stderr if not ok else done.stdout
    return run
