"""The JavaScript client, which has a Xet implementation of its own: other chunks, other shards, ranges in one request."""
import os
import subprocess

import pytest

from harness.hub import ROOT
from harness.node import node_packages
from test_round_trip import PLAN_ROUTE, XORB_ROUTE


@pytest.fixture(scope="session")
def node_home():
    return node_packages()


@pytest.fixture
def javascript(node_home, hub, tmp_path):
    def run(step, repo, folder, names, token=""):
        done = subprocess.run(["node", str(ROOT / "tests" / "conformance" / "js" / "client.mjs"), step, repo, str(folder), *names],
                              capture_output=True, text=True, timeout=150,
                              env=dict(os.environ, HF_ENDPOINT=hub.url, HEARTH_TOKEN=token, HEARTH_NODE_HOME=node_home))
        assert done.returncode == 0, done.stdout + done.stderr
    return run


def test_files_go_up_and_come_back(javascript, machine, tokens, repo, rng, traffic, tmp_path):
    part = rng.randbytes(1_000_000)
    files = {"noise.bin": b"\0" + rng.randbytes(12_000_000), "twice.bin": part + part, "small.bin": b"\0small"}
    (tmp_path / "out").mkdir()
    (tmp_path / "in").mkdir()
    for name, content in files.items():
        (tmp_path / "out" / name).write_bytes(content)
    javascript("upload", repo, tmp_path / "out", files, tokens["bob"])
    assert traffic.count("POST", XORB_ROUTE, 200) >= 1, "the client did not store by Xet"
    assert not [row for row in traffic.requests() if row[0] == "PUT"], "something went by LFS"
    traffic.mark()
    javascript("download", repo, tmp_path / "in", files)
    assert {name: (tmp_path / "in" / name).read_bytes() for name in files} == files
    assert traffic.count("GET", PLAN_ROUTE, 200) >= len(files), "the client did not read by Xet"
    for path, content in zip(machine(None).download(repo, list(files)), files.values()):
        assert path.read_bytes() == content


def test_what_python_stored_javascript_reads(javascript, machine, repo, rng, traffic, tmp_path):
    files = {"w.bin": b"\0" + rng.randbytes(5_000_000) + bytes(500_000) + rng.randbytes(1000)}
    machine().upload(repo, files)
    traffic.mark()
    javascript("download", repo, tmp_path, files)
    assert (tmp_path / "w.bin").read_bytes() == files["w.bin"]
    assert traffic.count("GET", PLAN_ROUTE, 200) >= 1
