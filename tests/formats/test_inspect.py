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
        if self.path in server.links:
            self.send_header("Link", server.links[self.path])
        self.end_headers()
        try:
            self.wfile.write(content[begin:end])
        except ConnectionError:
            pass


@pytest.fixture
def serve():
    """serve(files, redirects) -> (address, requests)."""
    started = []

    def start(files, redirects=None, ranges=True, links=None):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.files, server.redirects, server.requests, server.ranges = files, redirects or {}, [], ranges
        server.links = links or {}
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


# --- repositories on a hub ---------------------------------------------------------------------

def listing(*files):
    rows = [{"type": "directory", "path": "sub", "oid": "0", "size": 0}]
    return json.dumps(rows + [{"type": "file", "path": path, "oid": "0", "size": size} for path, size in files]).encode()


@pytest.fixture
def hub(serve, checkpoint):
    """A hub with one repository of three files and an empty one: (address, requests)."""
    files = {"model.pt": checkpoint.read_bytes(), "config.json": b'{"model_type": "tiny"}', "sub/a b.txt": b"hello", "empty": b""}
    answers = {"/api/models/org/model/tree/main?recursive=true": listing(*((name, len(data)) for name, data in files.items())),
               "/api/datasets/org/model/tree/v1%2F2/sub?recursive=true": listing(("sub/x.json", 2)),
               "/datasets/org/model/resolve/v1%2F2/sub/x.json": b"{}"}
    for name, data in files.items():
        answers["/org/model/resolve/main/" + name.replace(" ", "%20")] = data
    return serve(answers)


def test_a_repository_on_a_hub(hub):
    address, requests = hub
    for target in (address + "/org/model", address + "/org/model/", address + "/models/org/model", address + "/org/model/tree/main"):
        code, out, err = run("inspect", "--json", target, env=environment())
        assert code == 0, err
        report = json.loads(out)
        rows = {row["name"]: row for row in report["files"]}
        assert set(rows) == {"model.pt", "config.json", "sub/a b.txt", "empty"}
        assert rows["model.pt"]["totalParameters"] == 60_300 and rows["config.json"]["format"] == "model configuration"
        assert rows["empty"]["bytes"] == 0 and report["scan"]["verdict"] in ("clean", "note")
    code, out, _ = run("inspect", address + "/org/model", env=environment())
    assert code == 0 and "4 files" in out and "model_type" in out and "tiny" in out
    # A folder of a revision whose name has a slash, of a dataset.
    code, out, err = run("inspect", "--json", address + "/datasets/org/model/tree/v1%2F2/sub", env=environment())
    assert code == 0, err
    assert [row["name"] for row in json.loads(out)["files"]] == ["sub/x.json"]


def test_the_page_of_a_file_is_the_file(hub):
    code, out, err = run("inspect", "--json", hub[0] + "/org/model/blob/main/config.json", env=environment())
    assert code == 0, err
    assert [row["name"] for row in json.loads(out)["files"]] == ["config.json"]


def test_a_repository_that_is_not_there(hub):
    code, _, err = run("inspect", hub[0] + "/org/none/tree/main", env=environment())
    assert code == 1 and "404" in err
    code, _, err = run("inspect", hub[0] + "/org/none", env=environment())
    assert code == 1 and "404" in err


def test_dangers_in_a_repository_on_a_hub(serve):
    evil = corpus.torch_zip()
    address, _ = serve({"/api/models/o/m/tree/main?recursive=true": listing(("a/pytorch_model.bin", len(evil)), ("gone.bin", 5)),
                        "/o/m/resolve/main/a/pytorch_model.bin": evil})
    code, out, _ = run("inspect", "--json", address + "/o/m", env=environment())
    report = json.loads(out)
    assert code == 3 and report["scan"]["verdict"] == "dangerous"
    assert report["scan"]["findings"][0]["path"].startswith("a/pytorch_model.bin!")
    # A file that the hub lists and does not give is shown with the reason.
    assert [row["warnings"] for row in report["files"] if row["name"] == "gone.bin"][0][0].endswith("404")


@pytest.mark.parametrize("answer", [b"{}", b"[", b'[{"type": "file", "path": "../../etc/passwd", "size": 1}]',
                                    b'[{"type": "file", "path": "/etc/passwd", "size": 1}]', b'[{"type": "file", "path": "a//b"}]'])
def test_a_hub_that_lies(serve, answer):
    address, requests = serve({"/api/models/o/m/tree/main?recursive=true": answer})
    code, out, err = run("inspect", address + "/o/m/tree/main", env=environment())
    assert code == 1 and err
    assert len(requests) == 1


def test_a_list_of_several_pages(serve):
    first, second = "/api/models/o/m/tree/main?recursive=true", "/api/models/o/m/tree/main?recursive=true&cursor=x"
    pages = {first: listing(("a.json", 2)), second: listing(("b.json", 2)),
             "/o/m/resolve/main/a.json": b"{}", "/o/m/resolve/main/b.json": b"{}"}
    address, _ = serve(pages, links={first: f'<{second}>; rel="next"'})
    code, out, err = run("inspect", "--json", address + "/o/m", env=environment())
    assert code == 0, err
    assert [row["name"] for row in json.loads(out)["files"]] == ["a.json", "b.json"]
    # A next page elsewhere, and one that never ends, are refused.
    address, _ = serve(pages, links={first: '<http://127.0.0.1:1/x>; rel="next"'})
    code, _, err = run("inspect", address + "/o/m", env=environment())
    assert code == 1 and "another host" in err
    address, requests = serve(pages, links={first: f'<{first}>; rel="next"'})
    code, _, err = run("inspect", address + "/o/m", env=environment())
    assert code == 1 and "circles" in err and len(requests) == 1


def test_the_token_for_a_repository(serve):
    evil, evil_requests = serve({})
    address, requests = serve({}, {"/api/models/o/m/tree/main?recursive=true": evil + "/list"})
    code, _, err = run("inspect", address + "/o/m/tree/main", env=environment(HF_TOKEN="hf_x", HF_ENDPOINT=address))
    assert code == 1 and "another host" in err
    assert requests[0][2] == "Bearer hf_x" and not evil_requests
