"""Files that h5py writes: every form of group, layout, filter and type that models use."""
import json

import h5py
import numpy as np

CONFIG = {"class_name": "Sequential", "config": {"name": "small", "layers": [{"class_name": "Dense", "config": {"units": 4}}] * 3}}


def write_keras(path, libver):
    """As Keras 2 lays a model out: layers as groups, weights by name, the configuration as an attribute."""
    with h5py.File(path, "w", libver=libver) as file:
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps(CONFIG)
        file.attrs["layer_names"] = [b"dense", b"dense_1"]
        weights = file.create_group("model_weights")
        for i in range(60):
            layer = weights.create_group(f"dense_{i}/dense_{i}")
            layer.create_dataset("kernel:0", data=np.arange(12, dtype="f4").reshape(3, 4) + i)
            layer.create_dataset("bias:0", data=np.zeros(4, "f4"))


def write_types(path, libver):
    with h5py.File(path, "w", libver=libver) as file:
        for code in ("i1", "u1", "<i2", ">i2", "<u4", ">i8", "<u8", "f2", "<f4", ">f8", "c8", "c16"):
            file[f"numbers/{code}"] = np.ones((2, 3), code)
        file["bool"] = np.array([True, False])
        file["fixed"] = np.array([b"abc", b"de"])
        file["text"] = ["one", "two"]
        file["scalar"] = np.float32(2.5)
        file["empty"] = np.zeros((0, 5), "f4")
        file["null"] = h5py.Empty("f4")
        file["record"] = np.zeros(3, [("a", "i4"), ("long name", "f8", (2,))])
        file["lists"] = np.array([np.arange(2), np.arange(3)], dtype=object).astype(h5py.vlen_dtype("i4"))
        file["enum"] = np.zeros(2, h5py.enum_dtype({"RED": 0, "BLUE": 1}, "i2"))
        file["array"] = np.zeros(2, [("x", "f4", (3,))])
        file["named"] = np.dtype("f8")
        file.create_dataset("of named", (4,), dtype=file["named"])
        file.create_dataset("opaque", (2,), dtype=np.dtype("V5"))


def write_layouts(path, libver):
    with h5py.File(path, "w", libver=libver) as file:
        data = np.arange(4096, dtype="f4").reshape(64, 64)
        file.create_dataset("contiguous", data=data)
        file.create_dataset("chunked", data=data, chunks=(16, 16))
        file.create_dataset("packed", data=data, chunks=(16, 16), compression="gzip", shuffle=True, fletcher32=True)
        file.create_dataset("lzf", data=data, chunks=(8, 64), compression="lzf")
        file.create_dataset("growing", data=data, maxshape=(None, 64))
        file.create_dataset("never written", (5, 5), "f8")
        small = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        small.set_layout(h5py.h5d.COMPACT)
        h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((6,)), small)
        file.create_dataset("outside", (10,), "f4", external=[("weights.raw", 0, 40)])
        file["again"] = file["contiguous"]
        file["soft"] = h5py.SoftLink("/chunked")
        file["other"] = h5py.ExternalLink("elsewhere.h5", "/x")
        file["group/loop"] = file["/"]


def write_many(path, libver):
    """Groups so large that their indexes have several levels."""
    with h5py.File(path, "w", libver=libver, track_order=False) as file:
        group = file.create_group("layers")
        for i in range(3000):
            group.create_dataset(f"a layer with a name of some length number {i:05d}", data=np.float32(i))
        for i in range(40):
            file.attrs[f"attribute {i}"] = i if i % 2 else f"text {i}"


def write_with_user_block(path, libver):
    with h5py.File(path, "w", libver=libver, userblock_size=1024) as file:
        file["x"] = np.arange(5, dtype="f8")
    with open(path, "r+b") as stream:
        stream.write(b"#!/bin/sh\n")


def write_ordered(path, libver):
    """Links in the order of creation, as Keras 3 asks for in some files."""
    with h5py.File(path, "w", libver=libver, track_order=True) as file:
        for name in ("zeta", "alpha", "mid"):
            file.create_group(name, track_order=True)["vars/0"] = np.ones((2, 2), "f4")


WRITERS = {"keras": write_keras, "types": write_types, "layouts": write_layouts, "many": write_many,
           "user_block": write_with_user_block, "ordered": write_ordered}
LIBVERS = ["earliest", ("v108", "v108"), ("v110", "v110"), "latest"]


def datasets(path):
    """{name: (shape, offset or None)} as h5py lists them; each dataset once, under the names of all hard links."""
    found = {}

    def visit(group, prefix, depth):
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                continue
            item = group[name]
            if isinstance(item, h5py.Dataset):
                shape = [] if item.shape is None else list(item.shape)
                found[prefix + name] = (shape, item.id.get_offset())
            elif isinstance(item, h5py.Group) and item != group.file["/"]:
                visit(item, prefix + name + "/", depth + 1)
    with h5py.File(path) as file:
        visit(file, "", 0)
    return found
