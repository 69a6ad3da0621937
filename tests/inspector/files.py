"""Writers of small files with real headers: what the classifier reads is true, the weights are zeros."""
import io
import json
import struct

SAFETENSORS_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U32": 4, "I16": 2, "I8": 1, "U8": 1,
                     "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}
# GGUF: type -> (number, elements of a block, bytes of a block)
GGUF_TYPES = {"F32": (0, 1, 4), "F16": (1, 1, 2), "Q4_0": (2, 32, 18), "Q5_0": (6, 32, 22), "Q8_0": (8, 32, 34),
              "Q2_K": (10, 256, 84), "Q3_K": (11, 256, 110), "Q4_K": (12, 256, 144), "Q5_K": (13, 256, 176),
              "Q6_K": (14, 256, 210), "IQ2_XXS": (16, 256, 66), "IQ4_XS": (23, 256, 136), "BF16": (30, 1, 2)}


def product(shape):
    total = 1
    for side in shape:
        total *= side
    return total


def safetensors(tensors, metadata=None):
    """tensors: {name: (dtype, shape)} -> bytes of a file."""
    header, offset = {}, 0
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (dtype, shape) in tensors.items():
        size = product(shape) * SAFETENSORS_BYTES[dtype]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + bytes(offset)


def _gguf_string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(tensors, metadata):
    """tensors: {name: (type, shape)}, outermost first; metadata: {key: str, int or bool} -> bytes of a file."""
    out = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)))
    for key, value in metadata.items():
        out += _gguf_string(key)
        if isinstance(value, bool):
            out += struct.pack("<I?", 7, value)
        elif isinstance(value, int):
            out += struct.pack("<II", 4, value)
        else:
            out += struct.pack("<I", 8) + _gguf_string(value)
    offset = 0
    for name, (kind, shape) in tensors.items():
        number, block, size = GGUF_TYPES[kind]
        out += _gguf_string(name) + struct.pack("<I", len(shape))
        for side in reversed(shape):
            out += struct.pack("<Q", side)
        out += struct.pack("<IQ", number, offset)
        offset += -(-product(shape) // block) * size
        offset += -offset % 32
    out += bytes(-len(out) % 32)
    return bytes(out) + bytes(offset)


def torch_file(tensors):
    """{name: (dtype, shape)} saved by torch itself."""
    import torch
    kinds = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I32": torch.int32, "I8": torch.int8,
             "U8": torch.uint8}
    buffer = io.BytesIO()
    torch.save({name: torch.zeros(shape, dtype=kinds[dtype]) for name, (dtype, shape) in tensors.items()}, buffer)
    return buffer.getvalue()


def torch_state():
    """The state of an optimiser, saved by torch itself."""
    import torch
    layer = torch.nn.Linear(4, 4)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    buffer = io.BytesIO()
    torch.save(optimizer.state_dict(), buffer)
    return buffer.getvalue()


def onnx_file(quantized=False, producer="pytorch"):
    """A product with a matrix, in full precision or in eight bits with scale and zero point."""
    import numpy
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    if quantized:
        weights = [numpy_helper.from_array(numpy.zeros((32, 32), numpy.int8), "w_q"),
                   numpy_helper.from_array(numpy.array(0.5, numpy.float32), "w_scale"),
                   numpy_helper.from_array(numpy.array(0, numpy.int8), "w_zero")]
        nodes = [helper.make_node("DequantizeLinear", ["w_q", "w_scale", "w_zero"], ["w"]),
                 helper.make_node("MatMul", ["x", "w"], ["y"])]
    else:
        weights = [numpy_helper.from_array(numpy.zeros((32, 32), numpy.float32), "w")]
        nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    graph = helper.make_graph(nodes, "main", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 32])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 32])], weights)
    return helper.make_model(graph, producer_name=producer).SerializeToString()


def h5_file():
    import h5py
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset("model/dense/kernel:0", data=[[0.0] * 8] * 8)
    return buffer.getvalue()


def pickle_file():
    import joblib
    from sklearn.linear_model import LogisticRegression
    buffer = io.BytesIO()
    joblib.dump(LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]), buffer)
    return buffer.getvalue()


def parquet(rows=3):
    """The frame of a Parquet file: its marks at both ends and the length of the footer."""
    footer = b"\x15\x04" + bytes(rows)
    return b"PAR1" + bytes(64) + footer + struct.pack("<I", len(footer)) + b"PAR1"


PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000a49444154789c6360000000"
                    "02000154a24f5d0000000049454e44ae426082")
TFLITE = b"\x1c\x00\x00\x00TFL3" + bytes(56)
OPENVINO = b'<?xml version="1.0"?>\n<net name="main_graph" version="11">\n\t<layers>\n\t</layers>\n</net>\n'
WAV = b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16) + b"data" + bytes(4)


def tar(members):
    import tarfile
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def tokenizer_json(words=("[UNK]", "[CLS]", "[SEP]", "the", "a", "model")):
    return json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": {word: i for i, word in enumerate(words)}, "unk_token": "[UNK]"}})
