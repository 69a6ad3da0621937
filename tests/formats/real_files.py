"""Real files by the real libraries: torch.save, numpy.save, joblib.dump, scikit-learn, onnx, keras' JSON."""
import collections
import json
import pathlib
import struct

import joblib
import numpy as np
import onnx
import onnx.helper
import torch

# What the legacy form can say: the others have no storage class of their own.
OLD_DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
              torch.uint8, torch.bool, torch.complex64, torch.complex128]
DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
          torch.uint8, torch.bool, torch.uint16, torch.uint32, torch.uint64, torch.complex64, torch.complex128,
          torch.complex32, torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz,
          torch.float8_e8m0fnu]


def random_tensor(dtype, shape, generator):
    """Random bits, viewed as the type: all that a file must keep."""
    size = torch.empty(0, dtype=dtype).element_size()
    count = int(np.prod(shape)) * size
    bits = torch.randint(0, 2 if dtype is torch.bool else 256, (count,), dtype=torch.uint8, generator=generator)
    return bits.view(dtype).reshape(shape) if count else torch.empty(shape, dtype=dtype)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(50, 16)
        self.norm = torch.nn.LayerNorm(16)
        self.head = torch.nn.Linear(16, 50, bias=False)
        self.head.weight = self.embed.weight
        self.register_buffer("steps", torch.tensor(3))
        self.conv = torch.nn.Conv1d(4, 4, 3)

    def forward(self, ids):
        return self.head(self.norm(self.embed(ids)))


def state_dicts():
    """name -> object that torch.load(weights_only=True) reads."""
    generator = torch.Generator().manual_seed(7)
    torch.manual_seed(7)
    net = Net()
    optimizer = torch.optim.AdamW(net.parameters())
    net(torch.tensor([1, 2, 3])).sum().backward()
    optimizer.step()
    base = torch.arange(120, dtype=torch.float32).reshape(10, 12)
    return {
        "dtypes": {str(dtype): random_tensor(dtype, (3, 5), generator) for dtype in DTYPES},
        "old_dtypes": {str(dtype): random_tensor(dtype, (3, 5), generator) for dtype in OLD_DTYPES},
        "shapes": {"scalar": torch.tensor(2.5), "empty": torch.empty(0, 4), "one": torch.ones(1, 1, 1), "deep": torch.ones(2, 1, 2, 1, 2)},
        "views": {"base": base, "rows": base[2:5], "columns": base[:, 3:7], "transposed": base.t(), "step": base[::2, ::3],
                  "same": base, "expanded": torch.ones(1, 4).expand(3, 4), "permuted": torch.arange(24.).reshape(2, 3, 4).permute(2, 0, 1)},
        "module": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "training": {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "best": 0.5, "name": "run \u00e9",
                     "flags": [True, None, b"bytes\xff", (1, 2)], "counter": collections.Counter("abca"), "big": 1 << 80,
                     "names": {1, 2}, "size": torch.Size([2, 3]), "device": torch.device("cpu"), "dtype": torch.float16},
        "parameters": {"p": torch.nn.Parameter(torch.ones(3)), "frozen": torch.nn.Parameter(torch.ones(2), requires_grad=False)},
        "tensor": torch.arange(5),
        "list": [torch.zeros(2), {"a": torch.ones(1)}],
        "meta": {"m": torch.empty(4, 4, device="meta"), "t": torch.ones(1)},
        "large_keys": collections.OrderedDict((f"layer.{i}.weight", torch.full((8,), float(i))) for i in range(300)),
    }


def write_torch(folder):
    """Every state dict in both forms; returns {path: object}."""
    written = {}
    for name, value in state_dicts().items():
        for form, new in (("zip", True), ("legacy", False)):
            path = folder / f"{name}.{form}.pt"
            try:
                torch.save(value, path, _use_new_zipfile_serialization=new)
                torch.load(path, weights_only=True)
            except (NotImplementedError, RuntimeError, AttributeError):
                # PyTorch itself cannot read some of the newest dtypes back in the legacy form.
                path.unlink(missing_ok=True)
                continue
            written[path] = value
    return written


def write_other_torch(folder):
    """What torch writes besides state dicts; a scan finds nothing wrong with it."""
    torch.jit.save(torch.jit.trace(torch.nn.Linear(4, 2), torch.ones(1, 4)), folder / "traced.pt")
    torch.jit.save(torch.jit.script(torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU())), folder / "scripted.pt")
    torch.save(torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.LayerNorm(2)), folder / "sequential_module.pt")
    torch.save(torch.ones(2, 2).to_sparse(), folder / "sparse.pt")
    torch.save(torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8), folder / "quantized.pt")
    program = torch.export.export(torch.nn.Linear(3, 2), (torch.ones(1, 3),))
    torch.export.save(program, folder / "exported.pt2")  # holds an archive of its own: the example's inputs
    torch.save({"rng": torch.get_rng_state(), "numpy": np.float64(1.5), "array": np.arange(4)}, folder / "with_numpy.pt")


def write_other_bin(folder):
    """What is named .bin and is not PyTorch's."""
    generator = np.random.default_rng(3)
    weights = generator.normal(size=4000).astype("<f4").tobytes()
    (folder / "stories.bin").write_bytes(struct.pack("<7i", 64, 172, 5, 8, 4, 512, 256) + weights)  # llama2.c
    pieces = b"".join(struct.pack("<fi", -float(n), 3) + b"abc" for n in range(300))
    (folder / "tokenizer.bin").write_bytes(struct.pack("<i", 3) + pieces)
    (folder / "openvino_model.bin").write_bytes(weights)
    (folder / "openvino_model.xml").write_text("<?xml version=\"1.0\"?><net name=\"m\" version=\"11\"></net>\n")
    (folder / "ggml-tiny.bin").write_bytes(struct.pack("<I", 0x67676D6C) + struct.pack("<11i", 51865, *[4] * 10) + weights)
    (folder / "embeddings.bin").write_bytes(generator.normal(size=3000).astype("<f2").tobytes())
    (folder / "counts.bin").write_bytes(np.arange(5000, dtype="<i4").tobytes())
    (folder / "zeros.bin").write_bytes(bytes(10_000))
    torch.save({"a": torch.ones(3)}, folder / "pytorch_model.bin")


ARRAYS = {
    "f4": np.arange(12, dtype="<f4").reshape(3, 4), "f8_big": np.arange(6, dtype=">f8"), "f2": np.ones((2, 2), "f2"),
    "fortran": np.asfortranarray(np.arange(12, dtype="i4").reshape(3, 4)), "bool": np.array([True, False]),
    "u1": np.arange(256, dtype="u1"), "i8": np.array([-1, 2], "i8"), "c8": np.array([1 + 2j], "c8"), "c16": np.array([1j], "c16"),
    "text": np.array(["a", "bcd", "\u00e9"]), "bytes": np.array([b"x", b"yz"]), "scalar": np.array(3.5),
    "empty": np.empty((0, 3)), "date": np.array(["2026-01-02"], "datetime64[D]"), "delta": np.array([5], "timedelta64[ms]"),
    "longdouble": np.ones(2, np.longdouble), "u8_big": np.arange(3, dtype=">u8"),
}


def write_numpy(folder):
    for name, array in ARRAYS.items():
        np.save(folder / f"{name}.npy", array)
    np.savez(folder / "many.npz", **ARRAYS)
    np.savez_compressed(folder / "packed.npz", **ARRAYS)
    np.save(folder / "record.npy", np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8", (2,))]))
    for version in ((2, 0), (3, 0)):
        with open(folder / f"version{version[0]}.npy", "wb") as stream:
            np.lib.format.write_array(stream, ARRAYS["f4"], version=version)


def write_joblib(folder):
    payload = {"weights": np.arange(1000, dtype="f8"), "labels": np.array(["a", "b"]), "small": np.zeros((0, 2)), "n": 3}
    for name, how in (("plain", 0), ("zlib", ("zlib", 3)), ("gzip", ("gzip", 3)), ("bz2", ("bz2", 3)), ("xz", ("xz", 3)), ("lzma", ("lzma", 3))):
        joblib.dump(payload, folder / f"{name}.joblib", compress=how)


def write_sklearn(folder):
    from sklearn.linear_model import LogisticRegression
    from sklearn.ensemble import RandomForestClassifier
    x, y = np.random.default_rng(1).normal(size=(40, 4)), np.arange(40) % 2
    joblib.dump(LogisticRegression().fit(x, y), folder / "logistic.joblib")
    joblib.dump(RandomForestClassifier(3, random_state=1).fit(x, y), folder / "forest.joblib", compress=3)


def write_onnx(folder):
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    weight = numpy_helper.from_array(np.arange(12, dtype="f4").reshape(3, 4), "w")
    half = numpy_helper.from_array(np.ones(4, "f2"), "h")
    typed = helper.make_tensor("typed", onnx.TensorProto.INT64, [3], [1, -2, 3])
    body = helper.make_graph([helper.make_node("Identity", ["w"], ["y2"])], "then", [], [helper.make_tensor_value_info("y2", 1, [3, 4])])
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "m"], ["y"]),
         helper.make_node("Add", ["y", "y"], ["z"]), helper.make_node("If", ["c"], ["i"], then_branch=body, else_branch=body),
         helper.make_node("Twice", ["z"], ["t"], domain="local")],
        "main graph", [helper.make_tensor_value_info("x", 1, ["batch", 3]), helper.make_tensor_value_info("c", 9, [])],
        [helper.make_tensor_value_info("z", 1, ["batch", 4])], [weight, half, typed])
    twice = helper.make_function("local", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])],
                                 [helper.make_opsetid("", 21)])
    model = helper.make_model(graph, producer_name="tests", producer_version="1.2", functions=[twice],
                              opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("local", 1)])
    helper.set_model_props(model, {"author": "tests"})
    onnx.save(model, folder / "plain.onnx")
    onnx.save(model, folder / "external.onnx", save_as_external_data=True, location="external.bin", size_threshold=0)
    return model


def write_keras(folder):
    dense = {"module": "keras.layers", "class_name": "Dense", "registered_name": None, "config": {
        "units": 4, "activation": "relu", "kernel_initializer": {
            "module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": None}, "registered_name": None}}}
    config = {"module": "keras", "class_name": "Sequential", "registered_name": "Sequential", "config": {
        "name": "sequential", "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None},
        "layers": [dense]}, "compile_config": {"optimizer": {"module": "keras.optimizers", "class_name": "Adam", "config": {}, "registered_name": None}}}
    (folder / "config.json").write_text(json.dumps(config))


def write_gguf_bytes():
    def string(value):
        raw = value.encode()
        return struct.pack("<Q", len(raw)) + raw
    template = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] | trim }}{% endfor %}{{ messages | selectattr('role') | list }}"
    return (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + string("tokenizer.chat_template") + struct.pack("<I", 8) + string(template) + b"\x00" * 64)


def write_all(folder):
    """Files with which nothing is wrong."""
    folder = pathlib.Path(folder)
    for part, write in (("torch", write_torch), ("torch_other", write_other_torch), ("other_bin", write_other_bin),
                        ("numpy", write_numpy), ("joblib", write_joblib), ("onnx", write_onnx), ("keras", write_keras)):
        (folder / part).mkdir()
        write(folder / part)
    (folder / "template.gguf").write_bytes(write_gguf_bytes())
