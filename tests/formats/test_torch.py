"""What `hearth inspect` reads of PyTorch files is what torch.load(weights_only=True) reads."""
import hashlib

import pytest
import real_files
import torch


def walk(value, path=()):
    """(name, tensor) in the order of the tree."""
    if isinstance(value, torch.Tensor):
        yield ".".join(path), value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, path + (str(key),))
    elif isinstance(value, (list, tuple, set)):
        for index, item in enumerate(value):
            yield from walk(item, path + (str(index),))


def digest(tensor):
    flat = tensor.detach().contiguous().reshape(-1)
    return hashlib.sha256(flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b"").hexdigest()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return real_files.write_torch(tmp_path_factory.mktemp("torch"))


def test_both_forms_were_written(written):
    assert sum(".zip." in path.name for path in written) == len(real_files.state_dicts())
    assert sum(".legacy." in path.name for path in written) >= 8


def test_tensors_are_those_of_torch_load(written, inspect):
    compared = 0
    for path in written:
        expected = dict(walk(torch.load(path, weights_only=True, map_location="cpu" if "meta" not in path.name else None)))
        report = inspect(path, "--sha256")
        assert report["warnings"] == [], path.name
        found = {row["name"]: row for row in report["tensors"]}
        assert list(found) == list(expected), path.name
        for name, tensor in expected.items():
            row = found[name]
            assert row["dtype"] == str(tensor.dtype).removeprefix("torch."), (path.name, name)
            assert row["shape"] == list(tensor.shape), (path.name, name)
            assert row["elements"] == tensor.numel() and row["bytes"] == tensor.numel() * tensor.element_size()
            if not tensor.is_meta:
                assert row["sha256"] == digest(tensor), (path.name, name)
                compared += 1
    assert compared > 600


def test_the_offset_is_where_the_bytes_are(written, inspect):
    path = next(path for path in written if path.name == "module.zip.pt")
    content = path.read_bytes()
    for row in inspect(path, "--sha256")["tensors"]:
        piece = content[row["offset"]:row["offset"] + row["bytes"]]
        assert hashlib.sha256(piece).hexdigest() == row["sha256"], row["name"]


def test_tied_weights_are_counted_once(written, inspect):
    path = next(path for path in written if path.name == "module.zip.pt")
    report = inspect(path)
    by_name = {row["name"]: row for row in report["tensors"]}
    assert by_name["head.weight"]["note"] == "same as embed.weight"
    net = real_files.Net()
    expected = sum(p.numel() for p in net.parameters()) + sum(b.numel() for b in net.buffers())
    assert report["totalParameters"] == expected


def test_values_beside_the_tensors_are_shown(written, inspect):
    path = next(path for path in written if path.name == "training.zip.pt")
    metadata = inspect(path)["metadata"]
    assert metadata["epoch"] == 3 and metadata["best"] == 0.5 and metadata["name"] == "run \u00e9"


def test_a_compressed_checkpoint_is_read(tmp_path, inspect):
    """torch.save stores; archives that were packed again are deflated, which torch reads as well."""
    import zipfile
    tensor = torch.arange(4096, dtype=torch.float32)
    torch.save({"t": tensor}, tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.pt") as old, zipfile.ZipFile(tmp_path / "b.pt", "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert torch.equal(torch.load(tmp_path / "b.pt", weights_only=True)["t"], tensor)
    assert inspect(tmp_path / "b.pt", "--sha256")["tensors"][0]["sha256"] == digest(tensor)


def test_what_torch_refuses_is_refused(tmp_path, inspect):
    class Other:
        pass
    Other.__module__, Other.__qualname__ = "__main__", "Other"
    import corpus
    (tmp_path / "evil.pt").write_bytes(corpus.torch_zip())
    report = inspect(tmp_path / "evil.pt")
    assert report["tensors"] == [] and "os.system" in report["warnings"][0]


def test_tensors_without_plain_values_say_why(tmp_path, inspect):
    torch.save({"s": torch.ones(2, 2).to_sparse(), "t": torch.ones(1)}, tmp_path / "s.pt")
    report = inspect(tmp_path / "s.pt")
    assert [row["name"] for row in report["tensors"]] == ["t"]
    assert report["warnings"] == ["s: sparse"]
