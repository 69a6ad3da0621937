"""NumPy arrays and ONNX models as their own libraries read them."""
import hashlib

import numpy as np
import onnx
import pytest
import real_files


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    folder = tmp_path_factory.mktemp("numpy")
    real_files.write_numpy(folder)
    return folder


def test_arrays_are_those_of_numpy(arrays, inspect):
    for name, array in real_files.ARRAYS.items():
        row = inspect(arrays / f"{name}.npy", "--sha256")["tensors"][0]
        expected = np.load(arrays / f"{name}.npy")
        assert row["shape"] == list(expected.shape) and row["bytes"] == expected.nbytes, name
        named = {"text": "str96", "bytes": "bytes16"}.get(name, str(expected.dtype.newbyteorder("=")))
        assert row["dtype"] == named, name
        order = "F" if expected.flags.f_contiguous and not expected.flags.c_contiguous else "C"
        assert row["sha256"] == hashlib.sha256(expected.tobytes(order)).hexdigest(), name
        assert ("column-major" in row.get("note", "")) == (order == "F"), name
        assert ("big-endian" in row.get("note", "")) == (name.endswith("_big")), name


def test_archives_of_arrays(arrays, inspect):
    for name in ("many.npz", "packed.npz"):
        with np.load(arrays / name) as loaded:
            report = inspect(arrays / name, "--sha256")
            assert report["format"] == "numpy" and report["warnings"] == []
            assert {row["name"]: row["shape"] for row in report["tensors"]} == {
                key: list(loaded[key].shape) for key in loaded.files}


def test_all_versions_of_the_header(arrays, inspect):
    for version in (2, 3):
        report = inspect(arrays / f"version{version}.npy")
        assert report["facts"][0]["value"] == version and report["tensors"][0]["shape"] == [3, 4]


def test_records_are_listed_by_field(arrays, inspect):
    row = inspect(arrays / "record.npy")["tensors"][0]
    assert row["dtype"] == "record" and row["note"] == "a: int32, b: float64" and row["bytes"] == 20


def test_arrays_of_objects_are_refused(tmp_path, inspect):
    np.save(tmp_path / "o.npy", np.array([{}], dtype=object), allow_pickle=True)
    report = inspect(tmp_path / "o.npy")
    assert report["tensors"] == [] and "pickle" in report["warnings"][0]


def facts(report):
    return {fact["key"]: fact["value"] for fact in report["facts"]}


def test_onnx_facts_are_those_of_onnx(tmp_path, inspect):
    real_files.write_onnx(tmp_path)
    model = onnx.load(tmp_path / "plain.onnx")
    report = inspect(tmp_path / "plain.onnx", "--sha256")
    found = facts(report)
    assert found["IR version"] == model.ir_version
    assert found["opsets"] == [f"{entry.domain or 'ai.onnx'} {entry.version}" for entry in model.opset_import]
    assert found["producer"] == "tests 1.2" and found["graph"] == "main graph"
    assert found["inputs"] == ["x: float32[batch, 3]", "c: bool[]"] and found["outputs"] == ["z: float32[batch, 4]"]
    # Three Adds, one of them in the function; the branches hold an Identity each.
    assert found["operators"] == {"Add": 3, "Identity": 2, "If": 1, "MatMul": 1, "local::Twice": 1}
    assert found["functions"] == 1 and report["metadata"] == {"author": "tests"}
    rows = {row["name"]: row for row in report["tensors"]}
    for tensor in model.graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        row = rows[tensor.name]
        assert row["shape"] == list(array.shape) and row["dtype"] == str(array.dtype)
        if tensor.HasField("raw_data"):
            assert row["sha256"] == hashlib.sha256(array.tobytes()).hexdigest()
    assert report["totalParameters"] == 12 + 4 + 3


def test_onnx_external_data(tmp_path, inspect):
    real_files.write_onnx(tmp_path)
    rows = {row["name"]: row for row in inspect(tmp_path / "external.onnx")["tensors"]}
    assert rows["w"]["note"] == "external: external.bin" and rows["w"]["bytes"] == 48
