"""What the Xet scenarios share: data, the stock client in a process of its own, repositories filled through it."""
import itertools
import json
import os
import shutil
import subprocess
import sys

from harness import ROOT, TOKEN, compiled, on_cores

# The environment hub2: huggingface_hub 2.4.0 with hf_xet 1.8.0 (tests/requirements/hub2.txt).
PYTHON = ROOT / ".venvs/hub2/bin/python"
SIZE = int(os.environ.get("HEARTH_BENCH_BYTES", 10**9))
ROUNDS = int(os.environ.get("HEARTH_BENCH_ROUNDS", 3))
KINDS = os.environ.get("HEARTH_BENCH_KINDS", "random,f32,bf16").split(",")
numbers = itertools.count()


def make_data(kind, folder, seed=1, size=SIZE):
    file = folder / f"{kind}-{seed}.bin"
    subprocess.run([compiled(ROOT / "bench/tools/xet_data.cc"), kind, str(seed), str(size), file], check=True)
    return file


class Client:
    """Every act is a new process; a new `machine` has empty caches, as a user's first upload has."""

    def __init__(self, folder, cores=None):
        self.folder = folder
        self.cores = cores
        self.machine = None
        self.new_machine()

    def new_machine(self):
        if self.machine:
            shutil.rmtree(self.machine, ignore_errors=True)
        self.machine = self.folder / f"machine{next(numbers)}"
        self.machine.mkdir(parents=True)

    def act(self, name, hub=None, **arguments):
        env = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
        env.update(HF_HOME=str(self.machine), HF_XET_CACHE=str(self.machine / "xet"), HF_HUB_DISABLE_TELEMETRY="1",
                   HF_HUB_DISABLE_PROGRESS_BARS="1", HF_HUB_DISABLE_UPDATE_CHECK="1", NO_PROXY="127.0.0.1")
        if hub:
            env["HF_ENDPOINT"] = hub.base
        arguments = {key: value if isinstance(value, (int, type(None))) else str(value) for key, value in arguments.items()}
        command = on_cores(self.cores, [PYTHON, ROOT / "bench/tools/xet_client.py", name, json.dumps(arguments)])
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=1800)
        if done.returncode != 0:
            sys.exit(f"{name} failed:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)


def token_route(hub, repo, right):
    return f"{hub.base}/api/models/bench/{repo}/xet-{right}-token/main"


def commit_object(hub, repo, path, uploaded):
    hub.commit(repo, [{"key": "header", "value": {"summary": path}},
                      {"key": "lfsFile", "value": {"path": path, "algo": "sha256", "oid": uploaded["sha256"],
                                                   "size": uploaded["size"]}}])


def upload(hub, client, repo, path, file):
    """By Xet, and the commit that names it; what the client reports."""
    uploaded = client.act("upload", file=file, route=token_route(hub, repo, "write"), token=TOKEN)
    commit_object(hub, repo, path, uploaded)
    return uploaded


def per_gb(value, size=SIZE):
    return value / (size / 1e9)


def row(what, goal, unit, numbers_of):
    return {"what": what, "goal": goal, "unit": unit, "value": numbers_of["median"], "spread": numbers_of}
