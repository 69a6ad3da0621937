"""What people really push, by the newest client: models, large files, many small ones, and next to nothing."""
import hashlib

import pytest

from big_files import edit_in_the_middle, write_bf16_normals, write_f32_normals, write_random
from conftest import LONG
from harness.repos import create
from harness.traffic import folder_bytes
from harness.xet import tree_entry
from test_round_trip import XORB_ROUTE, digest


def test_a_real_model(machine, wire, repo, data, traffic):
    """Its chunks may have come before, with another repository of this hub."""
    weights = data / "minilm" / "model.safetensors"
    machine().upload(repo, {"model.safetensors": weights, "config.json": data / "minilm" / "config.json"})
    assert traffic.count("POST", r"^/xet/[^/]+/v2/shards$", 200) == 1
    assert not [row for row in traffic.requests() if row[0] == "PUT"], "something went by LFS"
    assert "xetHash" in tree_entry(wire, repo, "model.safetensors")
    folder = machine(None).snapshot(repo)
    assert digest(folder / "model.safetensors") == digest(weights)
    assert digest(folder / "config.json") == digest(data / "minilm" / "config.json")


@pytest.mark.parametrize("write, size", [(write_random, 1 << 30 if LONG else 64 << 20),
                                         (write_bf16_normals, 2 << 30 if LONG else 32 << 20)])
@pytest.mark.timeout(1800)
def test_a_large_file(machine, repo, tmp_path, write, size):
    path = write(tmp_path / "large.bin", size, 7)
    machine().upload(repo, {"large.bin": path})
    back, = machine(None).download(repo, ["large.bin"])
    assert back.stat().st_size == size and digest(back) == digest(path)


def test_weights_take_less_room_than_their_bytes(machine, repo, tmp_path, store_folder):
    path = write_bf16_normals(tmp_path / "w.bin", 16 << 20, 8)
    before = folder_bytes(store_folder)
    machine().upload(repo, {"w.bin": path})
    assert folder_bytes(store_folder) - before < 0.9 * (16 << 20)


def test_forty_small_files_in_one_commit(machine, repo, rng, traffic):
    files = {f"part-{number:02}.bin": b"\0" + rng.randbytes(1000 + 97 * number) for number in range(40)}
    machine().upload(repo, files)
    assert traffic.count("POST", XORB_ROUTE, 200) == 1, "forty small files fit into one xorb"
    folder = machine(None).snapshot(repo)
    assert {name: (folder / name).read_bytes() for name in files} == files


def test_an_empty_file_beside_one_of_a_single_byte(machine, wire, repo):
    files = {"empty.safetensors": b"", "one.safetensors": b"\0"}
    machine().upload(repo, files)
    for path, (name, content) in zip(machine(None).download(repo, list(files)), files.items()):
        assert path.read_bytes() == content, name
        assert wire.get(f"/{repo}/resolve/main/{name}").body == content


def test_a_file_of_one_chunk_has_its_xorb_s_size(machine, wire, repo, rng):
    content = b"\0" + rng.randbytes(5000)
    machine().upload(repo, {"one.bin": content})
    entry = tree_entry(wire, repo, "one.bin")
    assert entry["size"] == 5001 and len(entry["xetHash"]) == 64
    assert entry["lfs"]["oid"] == hashlib.sha256(content).hexdigest()
    path, = machine(None).download(repo, ["one.bin"])
    assert path.read_bytes() == content


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("write, same_machine", [(write_random, True), (write_random, False), (write_bf16_normals, False),
                                                 (write_f32_normals, False)])
def test_an_edit_of_a_megabyte_costs_about_a_megabyte(machine, repo, tmp_path, traffic, store_folder, write, same_machine,
                                                      large_bytes):
    first = write(tmp_path / "first.bin", large_bytes, f"edit-{same_machine}")
    second = edit_in_the_middle(first, tmp_path / "second.bin", 1 << 20, 1)
    one = machine()
    one.upload(repo, {"w.bin": first})
    before = folder_bytes(store_folder)
    traffic.mark()
    (one if same_machine else machine()).upload(repo, {"w.bin": second})
    sent, grown = traffic.bytes_in(), folder_bytes(store_folder) - before
    print(f"edit of 1 MiB in {large_bytes >> 20} MiB ({write.__name__}): {sent:.0f} bytes sent, {grown} bytes more on disk")
    assert 1 << 20 <= grown < 3_000_000
    assert 1 << 20 <= sent < 3_000_000
    back, = machine(None).download(repo, ["w.bin"])
    assert digest(back) == digest(second)


def test_a_copy_in_another_repository_costs_no_bytes(machine, bob, repo, new_id, rng, traffic, store_folder):
    data = b"\0" + rng.randbytes(8_000_000)
    machine().upload(repo, {"a.bin": data})
    other = new_id()
    create(bob, other)
    before = folder_bytes(store_folder)
    traffic.mark()
    machine().upload(other, {"b.bin": data})
    assert traffic.bytes_in() < 200_000
    assert traffic.count("POST", XORB_ROUTE) == 0
    assert folder_bytes(store_folder) - before < 100_000
    path, = machine(None).download(other, ["b.bin"])
    assert path.read_bytes() == data


def test_a_server_side_copy_costs_no_bytes(machine, api, repo, new_id, rng, traffic, store_folder):
    from huggingface_hub import CommitOperationCopy
    data = b"\0" + rng.randbytes(4_000_000)
    machine().upload(repo, {"a.bin": data})
    other = new_id()
    api.create_repo(other)
    before = folder_bytes(store_folder)
    traffic.mark()
    api.create_commit(other, commit_message="copy", operations=[
        CommitOperationCopy("a.bin", "copied.bin", src_repo_id=repo, src_repo_type="model")])
    assert traffic.bytes_in() < 50_000
    assert traffic.count("POST", r"/lfs-files/duplicate$", 200) == 1
    assert folder_bytes(store_folder) - before < 50_000
    path, = machine(None).download(other, ["copied.bin"])
    assert path.read_bytes() == data
