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


def dequantised(path, target):
    """What a quantised file holds, as safetensors that transformers loads."""
    hearth("convert", path, target)
    return target


@pytest.mark.parametrize("kind", ["F16", "BF16", "Q8_0", "Q4_0", "Q4_K_M"])
@pytest.mark.parametrize("name", ["llama", "gpt_neox", "gemma3_text", "gpt2", "bert-hidden"])
def test_quantised_gguf_computes_what_its_values_compute(name, kind, probe, tmp_path):
    model = tiny_models.make_forward(name, tmp_path / "model")
    hearth("convert", tmp_path / "model", tmp_path / "m.gguf", "--type", kind)
    load(probe, tmp_path / "m.gguf")
    types = {weight[2] for weight in probe.ask({"op": "weights"}).values()}
    assert types - {"F32"}, "nothing stayed quantised"
    folder = dequantised(tmp_path / "m.gguf", tmp_path / "values")
    if name != "bert-hidden":  # its pooler is not in the GGUF file
        model = type(model).from_pretrained(folder, dtype=torch.float32).eval()
        ids = sequences(model, name)[0]
        theirs = expected_of(model, ids)
        load(probe, tmp_path / "m.gguf")
        assert relative(run(probe, [segment(ids)], theirs.shape[1]), theirs) < 2e-5
    assert relative(outputs(probe, tmp_path / "m.gguf", model, name), outputs(probe, folder, model, name)) < 1e-5


def test_split_gguf_loads_by_any_part_and_by_its_folder(probe, tmp_path):
    model = tiny_models.make_forward("qwen3", tmp_path / "model")
    whole = outputs(probe, tmp_path / "model", model, "qwen3")
    (tmp_path / "parts").mkdir()
    hearth("convert", tmp_path / "model", tmp_path / "parts/m.gguf", "--type", "F32", "--shard-size", "60KB")
    parts = sorted((tmp_path / "parts").glob("*.gguf"))
    assert len(parts) > 2
    for path in (parts[0], parts[-1], tmp_path / "parts"):
        assert relative(outputs(probe, path, model, "qwen3"), whole) < 1e-6


def test_a_folder_with_two_gguf_models_asks_which(probe, tmp_path):
    tiny_models.make_forward("llama", tmp_path / "model")
    (tmp_path / "two").mkdir()
    for file in ("a.gguf", "b.gguf"):
        hearth("convert", tmp_path / "model", tmp_path / "two" / file, "--type", "F16")
    answer = probe.ask({"op": "load", "path": str(tmp_path / "two")})
    assert answer["error"] == "invalid_argument" and "several" in answer["message"]


# --- pytorch_model.bin ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("legacy", [False, True])
def test_pytorch_files_compute_the_same(legacy, dtype, probe, tmp_path):
    model = tiny_models.make_forward("gpt2", tmp_path / "model").to(dtype)
    model.save_pretrained(tmp_path / "model")
    whole = outputs(probe, tmp_path / "model", model.float(), "gpt2")
    model.to(dtype)
    (tmp_path / "model/model.safetensors").unlink()
    state = {key: value for key, value in model.state_dict().items() if key != "lm_head.weight"}
    state["transformer.wpe.weight"] = state["transformer.wpe.weight"].t().contiguous().t()  # stored by columns
    torch.save(state, tmp_path / "model/pytorch_model.bin", _use_new_zipfile_serialization=not legacy)
    assert np.array_equal(outputs(probe, tmp_path / "model", model.float(), "gpt2"), whole)


def test_shards_of_pytorch_files_compute_the_same(probe, tmp_path):
    model = tiny_models.make_forward("llama", tmp_path / "model")
    whole = outputs(probe, tmp_path / "model", model, "llama")
    (tmp_path / "model/model.safetensors").unlink()
    state = model.state_dict()
    files = {key: f"pytorch_model-0000{1 + i % 2}-of-00002.bin" for i, key in enumerate(state)}
    for file in set(files.values()):
        torch.save({key: value for key, value in state.items() if files[key] == file}, tmp_path / "model" / file)
    (tmp_path / "model/pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": files}))
    assert np.array_equal(outputs(probe, tmp_path / "model", model, "llama"), whole)


# --- multimodal checkpoints -----------------------------------------------------------------------


@pytest.mark.parametrize("prefix, head", [("model.language_model.", "lm_head.weight"),
                                          ("language_model.model.", "language_model.lm_head.weight")])
def test_the_language_model_of_a_multimodal_checkpoint_runs(prefix, head, probe, tmp_path):
    model = tiny_models.make_forward("gemma3_text", tmp_path / "model")
    whole = outputs(probe, tmp_path / "model", model, "gemma3_text")
    state = {key.replace("model.", prefix, 1): value for key, value in load_file(tmp_path / "model/model.safetensors").items()}
    state[head] = model.lm_head.weight.detach().clone()
    state["vision_tower.vision_model.embeddings.patch_embedding.weight"] = torch.zeros(4, 3, 2, 2)
    save_file(state, tmp_path / "model/model.safetensors", {"format": "pt"})
    text = json.loads((tmp_path / "model/config.json").read_text())
    text.pop("architectures")
    (tmp_path / "model/config.json").write_text(json.dumps({
        "architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "text_config": text, "vision_config": {}}))
    assert np.array_equal(outputs(probe, tmp_path / "model", model, "gemma3_text"), whole)


# --- what does not fit together -------------------------------------------------------------------


def refused(probe, folder, *words):
    answer = probe.ask({"op": "load", "path": str(folder)})
    assert answer.get("error") in ("invalid_argument", "unimplemented", "not_found"), answer
    assert all(word in answer["message"] for word in words), answer
    return answer


@pytest.mark.parametrize("name, key, value", [
    ("llama", "num_attention_heads", 8), ("llama", "num_key_value_heads", 3), ("llama", "head_dim", 17),
    ("llama", "num_hidden_layers", 3), ("llama", "vocab_size", 5000), ("llama", "num_hidden_layers", 4_000_000_000),
    ("llama", "num_attention_heads", 0), ("llama", "num_attention_heads", -4), ("llama", "num_attention_heads", 65536),
    ("llama", "head_dim", 65536), ("llama", "hidden_size", 2**62), ("llama", "hidden_size", "64"), ("llama", "hidden_size", None),
    ("llama", "hidden_act", "telepathy"), ("llama", "rms_norm_eps", 1e300), ("llama", "model_type", "telepathy"),
    ("llama", "rope_parameters", {"rope_type": "telepathy"}), ("llama", "rope_parameters", {"rope_type": "linear"}),
    ("llama", "rope_parameters", {"rope_type": "longrope", "short_factor": [1], "long_factor": [1]}),
    ("llama", "rope_parameters", {"rope_type": "default", "rope_theta": 0}),
    ("bert-hidden", "max_position_embeddings", 5000), ("bert-hidden", "hidden_size", 128),
    ("gpt2", "n_positions", 2**40), ("gpt2", "n_head", 5), ("gpt_neox", "num_attention_heads", 48),
    ("modernbert-hidden", "num_hidden_layers", 5), ("opt", "max_position_embeddings", 41),
])
def test_a_configuration_that_does_not_fit_is_refused(name, key, value, probe, tmp_path):
    tiny_models.make_forward(name, tmp_path / "model")
    path = tmp_path / "model/config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    refused(probe, tmp_path / "model")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"model_type": 5}', "{}", '{"model_type": "llama", "hidden_size": NaN}'])
def test_a_configuration_that_is_none_is_refused(text, probe, tmp_path):
    tiny_models.make_forward("llama", tmp_path / "model")
    (tmp_path / "model/config.json").write_text(text)
    refused(probe, tmp_path / "model")


@pytest.mark.parametrize("name, tensor", [("llama", "model.layers.1.mlp.down_proj.weight"), ("gpt2", "transformer.wpe.weight"),
                                          ("bert-hidden", "embeddings.LayerNorm.weight")])
def test_a_missing_or_misshapen_tensor_is_named(name, tensor, probe, tmp_path):
    tiny_models.make_forward(name, tmp_path / "model")
    file = tmp_path / "model/model.safetensors"
    tensors = load_file(file)
    short = tensor.removeprefix("model.").removeprefix("transformer.")
    save_file({key: value for key, value in tensors.items() if key != tensor}, file)
    refused(probe, tmp_path / "model", short)
    cut = tensors[tensor][..., :-1] if name == "llama" else tensors[tensor][:-1]
    save_file(tensors | {tensor: cut.contiguous()}, file)
    refused(probe, tmp_path / "model", short)


def test_a_folder_without_a_model_is_refused(probe, tmp_path):
    refused(probe, tmp_path)
    refused(probe, tmp_path / "nowhere")
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + bytes(60))
    refused(probe, tmp_path / "m.gguf")


@pytest.mark.parametrize("cut", [0.2, 0.9, 0.999])
@pytest.mark.parametrize("file", ["model.safetensors", "m.gguf", "pytorch_model.bin"])
def test_cut_files_are_refused(file, cut, probe, tmp_path):
    model = tiny_models.make_forward("llama", tmp_path / "model")
    if file == "m.gguf":
        hearth("convert", tmp_path / "model", tmp_path / "model/m.gguf", "--type", "F16")
    if file == "pytorch_model.bin":
        torch.save(model.state_dict(), tmp_path / "model" / file)
        (tmp_path / "model/model.safetensors").unlink()
    path = tmp_path / "model" / file
    whole = path.read_bytes()
    path.write_bytes(whole[:int(len(whole) * cut)])
    refused(probe, path if file == "m.gguf" else tmp_path / "model")


def test_gguf_metadata_that_contradicts_the_tensors_is_refused(probe, tmp_path):
    tiny_models.make_forward("llama", tmp_path / "model")
    hearth("convert", tmp_path / "model", tmp_path / "m.gguf", "--type", "F16")
    plain = without_config(tmp_path / "m.gguf")
    whole = plain.read_bytes()
    for key, old, new in [("llama.attention.head_count", 4, 3), ("llama.attention.head_count", 4, 2**31), ("llama.block_count", 2, 3),
                          ("llama.attention.head_count_kv", 2, 0)]:
        at = whole.index(key.encode() + np.uint32(4).tobytes()) + len(key) + 4
        assert np.frombuffer(whole[at:at + 4], np.uint32)[0] == old
        plain.write_bytes(whole[:at] + np.uint32(new).tobytes() + whole[at + 4:])
        refused(probe, plain)
