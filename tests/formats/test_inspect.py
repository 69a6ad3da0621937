"""`hearth inspect` as people and programs meet it: files, folders, addresses, exit codes."""
import http.server
import json
import os
import threading

import corpus
import pytest
import real_files
import torch
from conftest import run


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "model.pt"
    torch.save({"layer.weight": torch.ones(300, 200), "layer.bias": torch.zeros(300, dtype=torch.float16)}, path)
    return path


def test_a_file_for_people(checkpoint):
    code, out, _ = run("inspect", checkpoint)
    assert code == 0
    assert "model.pt" in out and "no dangers found" in out and "60,300" in out
    assert "layer.weight" in out and "[300, 200]" in out and "float16" in out
    assert "\x1b" not in out, "no colours where nobody looks"


def test_dangers_come_first_and_set_the_exit_code(tmp_path):
    path = tmp_path / "evil.pt"
    path.write_bytes(corpus.torch_zip())
    code, out, _ = run("inspect", path)
    assert code == 3
    assert out.splitlines()[1].startswith("DANGEROUS") and "os.system" in out


def test_a_real_repository(testdata):
    code, out, _ = run("inspect", "--json", testdata / "minilm")
    report = json.loads(out)
    assert code == 0 and report["schema"] == 1
    formats = {row["name"]: row["format"] for row in report["files"]}
    assert formats["config.json"] == "model configuration"
    assert report["scan"]["verdict"] in ("clean", "note")
    weights = [row for row in report["files"] if row["totalParameters"] > 1_000_000]
    assert weights, formats
    _, out, _ = run("inspect", testdata / "minilm")
    assert "parameters" in out and "bert" in out.lower()


def test_a_real_gguf_file(testdata, inspect):
    report = inspect(testdata / "gguf" / "llama-bpe.gguf")
    facts = {fact["key"]: fact["value"] for fact in report["facts"]}
    assert report["format"] == "gguf" and facts["architecture"] == "llama"


def test_what_is_missing_is_an_error(tmp_path):
    code, _, err = run("inspect", tmp_path / "nothing")
    assert code == 1 and "does not exist" in err


def test_damaged_files_are_shown_with_the_reason(tmp_path, inspect):
    (tmp_path / "a.safetensors").write_bytes(b"\xff" * 100)
    (tmp_path / "b.pt").write_bytes(corpus.zip_of([("x/data.pkl", b"\x80\x02.")]))
    for name in ("a.safetensors", "b.pt"):
        report = inspect(tmp_path / name)
        assert report["tensors"] == [] and report["warnings"], name


# --- addresses ---------------------------------------------------------------------------------

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        server = self.server
        server.requests.append((self.path, self.headers.get("Range"), self.headers.get("Authorization")))
        if self.path in server.redirects:
            self.send_response(302)
            self.send_header("Location", server.redirects[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        begin, end = 0, len(content)
        if self.headers.get("Range") and server.ranges:
            first, last = self.headers["Range"].removeprefix("bytes=").split("-")
            begin, end = int(first), min(len(content), int(last) + 1)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(end - begin))
        self.end_headers()
        try:
            self.wfile.write(content[begin:end])
        except ConnectionError:
            pass


@pytest.fixture
def serve():
    """serve(files, redirects) -> (address, requests)."""
    started = []

    def start(files, redirects=None, ranges=True):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.files, server.redirects, server.requests, server.ranges = files, redirects or {}, [], ranges
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)
        return f"http://127.0.0.1:{server.server_port}", server.requests

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def environment(**more):
    clean = {name: value for name, value in os.environ.items()
             if name not in ("HF_TOKEN", "HF_ENDPOINT") and not name.lower().endswith("_proxy")}
    return {**clean, **more}


def test_an_address_is_read_by_ranges(serve, tmp_path):
    path = tmp_path / "big.pt"
    torch.save({"a": torch.zeros(4_000_000), "b": torch.ones(7)}, path)
    address, requests = serve({"/org/model/resolve/main/big.pt": path.read_bytes()})
    code, out, err = run("inspect", "--json", address + "/org/model/resolve/main/big.pt", env=environment())
    assert code == 0, err
    report = json.loads(out)["files"][0]
    assert report["totalParameters"] == 4_000_007 and report["name"] == "big.pt"
    asked = 0
    for _, wanted, _ in requests:
        first, last = wanted.removeprefix("bytes=").split("-")
        asked += int(last) - int(first) + 1
    assert asked < 3_000_000, "16 MB of weights stay where they are"


def test_the_token_stays_with_its_hub(serve, checkpoint):
    store, store_requests = serve({"/blob": checkpoint.read_bytes()})
    hub, hub_requests = serve({}, {"/o/m/resolve/main/model.pt": store + "/blob"})
    address = hub + "/o/m/resolve/main/model.pt"
    code, _, err = run("inspect", address, env=environment(HF_TOKEN="hf_secret", HF_ENDPOINT=hub))
    assert code == 0, err
    assert hub_requests[0][2] == "Bearer hf_secret"
    assert store_requests and all(token is None for _, _, token in store_requests)
    # Another host than the hub that the token is for gets none.
    hub_requests.clear()
    run("inspect", address, env=environment(HF_TOKEN="hf_secret", HF_ENDPOINT="http://127.0.0.1:1"))
    assert all(token is None for _, _, token in hub_requests)


def test_redirects_end(serve):
    address, requests = serve({}, {"/a": "/b", "/b": "/a"})
    code, _, err = run("inspect", address + "/a", env=environment())
    assert code == 1 and "redirects too often" in err and len(requests) == 6
    address, _ = serve({}, {"/a": "file:///etc/passwd"})
    code, _, err = run("inspect", address + "/a", env=environment())
    assert code == 1 and "file:///etc/passwd" in err


def test_a_missing_file_of_an_address(serve):
    address, _ = serve({})
    code, _, err = run("inspect", address + "/x", env=environment())
    assert code == 1 and "404" in err


def test_a_server_without_ranges(serve, checkpoint):
    """A small file is taken whole, a large one is refused."""
    address, _ = serve({"/model.pt": checkpoint.read_bytes(), "/huge.bin": b"\x00" * (40 << 20)}, ranges=False)
    code, out, err = run("inspect", "--json", address + "/model.pt", env=environment())
    assert code == 0 and json.loads(out)["files"][0]["totalParameters"] == 60_300, err
    code, _, err = run("inspect", address + "/huge.bin", env=environment())
    assert code == 1 and "ranges" in err


def test_dangers_behind_an_address(serve):
    address, _ = serve({"/model.bin": corpus.torch_zip()})
    code, out, _ = run("inspect", address + "/model.bin", env=environment())
    assert code == 3 and "os.system" in out
