"""The datasets of HDF5 files against h5py, and what happens with damaged ones."""
import json
import random

import hdf5_files
import pytest
from conftest import run


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """{(writer, number of the library's version): path}"""
    folder = tmp_path_factory.mktemp("hdf5")
    paths = {}
    for name, write in hdf5_files.WRITERS.items():
        for number, libver in enumerate(hdf5_files.LIBVERS):
            path = folder / f"{name}.{number}.h5"
            write(path, libver)
            paths[name, number] = path
    return paths


@pytest.mark.parametrize("number", range(len(hdf5_files.LIBVERS)))
@pytest.mark.parametrize("name", hdf5_files.WRITERS)
def test_every_dataset_is_listed(written, inspect, name, number):
    path = written[name, number]
    report = inspect(path)
    expected = hdf5_files.datasets(path)
    listed = {row["name"]: row for row in report["tensors"]}
    assert report["format"] == "hdf5"
    assert listed.keys() == expected.keys()
    for tensor, (shape, offset) in expected.items():
        row = listed[tensor]
        assert row["shape"] == shape, tensor
        # h5py counts offsets from the start of the file as well.
        if offset is not None and row["bytes"] > 0 and not row.get("note", "").startswith(("external", "same as")):
            assert row.get("offset") == offset, tensor
        assert row["name"] and row["dtype"]
    links = [text for text in report["warnings"] if "another file" in text]
    assert report["warnings"] == links
    assert len(links) == (2 if name == "layouts" else 0)


@pytest.mark.parametrize("number", range(len(hdf5_files.LIBVERS)))
def test_what_keras_says_of_its_model(written, inspect, number):
    report = inspect(written["keras", number])
    facts = {fact["key"]: fact for fact in report["facts"]}
    assert facts["keras_version"]["value"] == "2.15.0"
    assert facts["model class"] == {"key": "model class", "value": "Sequential", "evidence": "attribute model_config"}
    assert facts["model name"]["value"] == "small" and facts["layers"]["value"] == 3
    assert report["metadata"]["layer_names"] == ["dense", "dense_1"]
    assert report["parameters"] == {"float32": 60 * 16}
    assert facts["datasets"]["value"] == 120 and facts["groups"]["value"] == 122


@pytest.mark.parametrize("number", range(len(hdf5_files.LIBVERS)))
def test_types_by_their_names(written, inspect, number):
    rows = {row["name"]: row for row in inspect(written["types", number])["tensors"]}
    dtypes = {name: row["dtype"] for name, row in rows.items()}
    assert dtypes == {
        "numbers/i1": "int8", "numbers/u1": "uint8", "numbers/<i2": "int16", "numbers/>i2": "int16_be", "numbers/<u4": "uint32",
        "numbers/>i8": "int64_be", "numbers/<u8": "uint64", "numbers/f2": "float16", "numbers/<f4": "float32",
        "numbers/>f8": "float64_be", "numbers/c8": "complex64", "numbers/c16": "complex128", "bool": "bool", "fixed": "string[3]",
        "text": "string", "scalar": "float32", "empty": "float32", "null": "float32", "record": "compound[2]",
        "lists": "list of int32", "enum": "enum int16", "array": "compound[1]", "of named": "float64", "opaque": "opaque[5]"}
    assert rows["empty"]["elements"] == 0 and rows["null"]["elements"] == 0 and rows["scalar"]["elements"] == 1


@pytest.mark.parametrize("number", range(len(hdf5_files.LIBVERS)))
def test_layouts_and_filters(written, inspect, number):
    rows = {row["name"]: row.get("note", "") for row in inspect(written["layouts", number])["tensors"]}
    assert rows["contiguous"] == "" or rows["again"] == ""
    assert {rows["contiguous"], rows["again"]} in ({"", "same as contiguous"}, {"", "same as again"})
    assert rows["packed"] == "chunked, shuffle, deflate, fletcher32" and rows["lzf"] == "chunked, lzf"
    assert rows["chunked"] == "chunked" and rows["growing"] == "chunked"
    assert rows["compact"] == "compact" and rows["outside"] == "external" and rows["never written"] == "not written"


def test_attributes_of_the_root(written, inspect):
    for number in range(len(hdf5_files.LIBVERS)):
        metadata = inspect(written["many", number])["metadata"]
        assert metadata == {f"attribute {i}": i if i % 2 else f"text {i}" for i in range(40)}


def test_digests_are_those_of_the_data(written, inspect):
    import hashlib
    import numpy as np
    rows = inspect(written["layouts", 0], "--sha256")["tensors"]
    digest = hashlib.sha256(np.arange(4096, dtype="f4").tobytes()).hexdigest()
    assert digest in [row.get("sha256") for row in rows]


@pytest.mark.parametrize("number", [0, 3])
@pytest.mark.parametrize("name", ["keras", "types", "layouts", "ordered"])
def test_truncated_and_corrupt_files(written, tmp_path, name, number):
    """No cut and no flipped bit ends in anything but a report."""
    whole = written[name, number].read_bytes()
    choice = random.Random(f"{name}{number}")
    folder = tmp_path / "broken"
    folder.mkdir()
    for i in range(40):
        (folder / f"cut{i}.h5").write_bytes(whole[:choice.randrange(9, len(whole))])
        damaged = bytearray(whole)
        for _ in range(choice.choice([1, 8, 60])):
            damaged[choice.randrange(len(damaged))] = choice.choice([0, 1, 0x7F, 0xFF, choice.randrange(256)])
        (folder / f"flip{i}.h5").write_bytes(damaged)
    code, out, err = run("inspect", "--json", "--no-scan", folder)
    assert code == 0, err
    reports = json.loads(out)["files"]
    assert len(reports) == 80
    assert any(report["warnings"] for report in reports)
