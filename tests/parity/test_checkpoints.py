"""Checkpoints in every kind of file give the same outputs: safetensors, GGUF (whole, split, quantised), pytorch_model.bin."""
import json
import os
import pathlib
import subprocess
import sys

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import probes  # noqa: E402
import tiny_models  # noqa: E402
from test_architectures import expected_of, load, run, segment, sequences  # noqa: E402

HEARTH = pathlib.Path(os.environ.get("HEARTH_BINARY", probes.ROOT / "build/release/src/apps/hearth"))
# Of each GGUF architecture at least one; only the states or the language model head are kept there.
CONVERTED = ["bert-hidden", "roberta-hidden", "distilbert-hidden", "mpnet-hidden", "modernbert-hidden", "nomic-hidden", "gpt2", "opt",
             "opt-norms-after", "gpt_neox", "gpt_neox-serial", "llama", "llama-tied", "llama-biases", "llama-linear", "llama-rope3",
             "llama-yarn", "mistral", "qwen2", "qwen3", "smollm3", "phi3", "phi3-window", "phi3-longrope", "phi4", "gemma", "gemma2",
             "gemma3_text", "granite"]


@pytest.fixture(scope="module")
def probe():
    with probes.Probe("forward_probe", "reference") as running:
        yield running


def hearth(*arguments):
    done = subprocess.run([HEARTH, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def without_config(path):
    """The same file as another converter would write it: without our own keys."""
    reader = gguf.GGUFReader(path)
    out = path.with_name("plain.gguf")
    writer = gguf.GGUFWriter(out, reader.get_field("general.architecture").contents())
    for key, field in reader.fields.items():
        if key.startswith(("hearth.", "GGUF.")) or key == "general.architecture":
            continue
        kind = field.types[0]
        writer.add_key_value(key, field.contents(), kind, field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


def outputs(probe, path, model, name):
    load(probe, path)
    ids = sequences(model, name)
    columns = expected_of(model, ids[1]).shape[1]
    return run(probe, [segment(each, sequence=i) for i, each in enumerate(ids)], columns)


def relative(ours, theirs):
    assert ours.shape == theirs.shape
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


@pytest.mark.parametrize("name", CONVERTED)
def test_gguf_computes_what_the_checkpoint_computes(name, probe, tmp_path):
    """From our own converter, with its copy of config.json and from the metadata alone."""
    model = tiny_models.make_forward(name, tmp_path / "model")
    whole = outputs(probe, tmp_path / "model", model, name)
    hearth("convert", tmp_path / "model", tmp_path / "m.gguf", "--type", "F32")
    assert relative(outputs(probe, tmp_path / "m.gguf", model, name), whole) < 1e-5
    plain = without_config(tmp_path / "m.gguf")
    assert relative(outputs(probe, plain, model, name), whole) < 1e-5
