"""LoRA adapters as PEFT saves them: the same outputs as the model whose weights were changed by the pairs."""
import copy
import json
import math
import pathlib
import re
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import probes  # noqa: E402
import tiny_models  # noqa: E402
from test_architectures import expected_of, segment, sequences  # noqa: E402
from test_checkpoints import hearth  # noqa: E402

TARGETS = {
    "llama": ["q_proj", "v_proj", "down_proj", "lm_head"],
    "llama-tied": ["k_proj", "lm_head"],
    "phi3": ["qkv_proj", "gate_up_proj"],
    "gpt2": ["c_attn", "c_fc"],
    "gpt_neox": ["query_key_value", "dense_4h_to_h"],
    "opt": ["q_proj", "fc1"],
    "qwen3-hidden": ["o_proj", "up_proj"],
    "bert-sequence": ["query", "dense"],
    "modernbert-masked": ["Wqkv", "Wo", "Wi"],
}


@pytest.fixture(scope="module", params=["cpu", "reference", "torch"])
def probe(request):
    with probes.Probe("forward_probe", request.param) as running:
        yield running


def make_adapter(model, targets, folder, form="safetensors", rank=4, **settings):
    """Writes an adapter for the layers whose names end in one of `targets`; returns the changed model."""
    torch.manual_seed(7)
    changed = copy.deepcopy(model)
    ranks, alphas = settings.get("rank_pattern", {}), settings.get("alpha_pattern", {})
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": 6, "bias": "none", "target_modules": targets,
              "base_model_name_or_path": "some/model", "fan_in_fan_out": False} | settings

    def of(patterns, name, otherwise):
        return next((value for key, value in patterns.items() if re.match(rf"(.*\.)?({key})$", name)), otherwise)
    tensors = {}
    for name, module in changed.named_modules():
        if name.rpartition(".")[2] not in targets or not hasattr(module, "weight"):
            continue
        turned = type(module).__name__ == "Conv1D"
        inputs, outputs = module.weight.shape if turned else reversed(module.weight.shape)
        width = of(ranks, name, rank)
        a, b = torch.randn(width, inputs) * 0.2, torch.randn(outputs, width) * 0.2
        scale = of(alphas, name, config["lora_alpha"]) / (math.sqrt(width) if config.get("use_rslora") else width)
        delta = scale * b @ a
        with torch.no_grad():
            module.weight = torch.nn.Parameter(module.weight + (delta.T if turned else delta))  # its own, where it was shared
        tensors |= {f"base_model.model.{name}.lora_A.weight": a, f"base_model.model.{name}.lora_B.weight": b}
    if "lm_head" in targets:  # PEFT saves such a layer along
        tensors["base_model.model.lm_head.base_layer.weight"] = model.lm_head.weight.detach().clone()
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps(config))
    if form == "bin":
        torch.save(tensors, folder / "adapter_model.bin")
    else:
        save_file({key: value.contiguous() for key, value in tensors.items()}, folder / "adapter_model.safetensors")
    return changed


def run(probe, path, adapters, segments, columns):
    loaded = probe.ask({"op": "load", "path": str(path), "adapters": [str(folder) for folder in adapters]})
    assert "error" not in loaded, loaded
    answer = probe.ask({"op": "run", "segments": segments})
    assert "error" not in answer, answer
    (values,) = answer.values()
    return np.array(values, np.float32).reshape(-1, columns)


def assert_close(ours, theirs, limit=2e-5):
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() / np.abs(theirs).max() < limit


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_an_adapter_changes_the_sequences_that_ask_for_it(name, probe, tmp_path):
    """Two adapters and none in one batch."""
    model = tiny_models.make_forward(name, tmp_path / "model")
    first = make_adapter(model, TARGETS[name], tmp_path / "first")
    second = make_adapter(model, TARGETS[name][:1], tmp_path / "second", form="bin", rank=2, use_rslora=True)
    ids = sequences(model, name)
    theirs = [expected_of(each, tokens) for each, tokens in zip((first, second, model), ids)]
    segments = [segment(tokens, sequence=i) | {"adapter": adapter} for i, (tokens, adapter) in enumerate(zip(ids, (0, 1, -1)))]
    assert_close(run(probe, tmp_path / "model", [tmp_path / "first", tmp_path / "second"], segments, theirs[0].shape[1]),
                 np.concatenate(theirs))


def test_ranks_and_alphas_by_pattern(probe, tmp_path):
    model = tiny_models.make_forward("llama", tmp_path / "model")
    changed = make_adapter(model, ["q_proj", "k_proj", "up_proj"], tmp_path / "adapter", use_rslora=True,
                           rank_pattern={"layers.1.self_attn.q_proj": 7, "up_proj": 2}, alpha_pattern={r"layers\.[0].*": 11, "k_proj": 3})
    ids = sequences(model, "llama")[0]
    theirs = expected_of(changed, ids)
    assert_close(run(probe, tmp_path / "model", [tmp_path / "adapter"], [segment(ids) | {"adapter": 0}], theirs.shape[1]), theirs)


@pytest.mark.parametrize("name", ["llama", "gpt2", "gpt_neox"])
def test_adapters_fit_the_gguf_form_of_their_model(name, probe, tmp_path):
    model = tiny_models.make_forward(name, tmp_path / "model")
    changed = make_adapter(model, TARGETS[name], tmp_path / "adapter")
    hearth("convert", tmp_path / "model", tmp_path / "m.gguf", "--type", "F32")
    ids = sequences(model, name)[0]
    theirs = expected_of(changed, ids)
    assert_close(run(probe, tmp_path / "m.gguf", [tmp_path / "adapter"], [segment(ids) | {"adapter": 0}], theirs.shape[1]), theirs)


@pytest.mark.parametrize("settings, code, word", [
    ({"peft_type": "IA3"}, "unimplemented", "IA3"),
    ({"use_dora": True}, "unimplemented", "use_dora"),
    ({"modules_to_save": ["lm_head"]}, "unimplemented", "modules_to_save"),
    ({"bias": "all"}, "unimplemented", "bias"),
    ({"lora_alpha": "big"}, "invalid_argument", "lora_alpha"),
    ({"alpha_pattern": {"(": 1}}, "invalid_argument", ""),
])
def test_other_kinds_of_adapters_are_refused(settings, code, word, probe, tmp_path):
    model = tiny_models.make_forward("llama", tmp_path / "model")
    make_adapter(model, ["q_proj"], tmp_path / "adapter")
    config = json.loads((tmp_path / "adapter/adapter_config.json").read_text()) | settings
    (tmp_path / "adapter/adapter_config.json").write_text(json.dumps(config))
    answer = probe.ask({"op": "load", "path": str(tmp_path / "model"), "adapters": [str(tmp_path / "adapter")]})
    assert answer["error"] == code and word in answer["message"], answer


@pytest.mark.parametrize("change, word", [
    (lambda t: t | {"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": torch.zeros(4, 63)}, "shape"),
    (lambda t: t | {"base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight": torch.zeros(64, 5)}, "shape"),
    (lambda t: t | {"base_model.model.model.layers.9.self_attn.q_proj.lora_A.weight": torch.zeros(4, 64),
                    "base_model.model.model.layers.9.self_attn.q_proj.lora_B.weight": torch.zeros(64, 4)}, "no layer"),
    (lambda t: {key: value for key, value in t.items() if "lora_A" in key}, "half a pair"),
    (lambda t: {}, "no pairs"),
    (lambda t: t | {"base_model.model.model.embed_tokens.lora_embedding_A": torch.zeros(4, 96)}, "no half"),
])
def test_adapters_of_another_model_are_refused(change, word, probe, tmp_path):
    from safetensors.torch import load_file
    model = tiny_models.make_forward("llama", tmp_path / "model")
    make_adapter(model, ["q_proj"], tmp_path / "adapter")
    file = tmp_path / "adapter/adapter_model.safetensors"
    save_file(change(load_file(file)), file)
    answer = probe.ask({"op": "load", "path": str(tmp_path / "model"), "adapters": [str(tmp_path / "adapter")]})
    assert answer["error"] in ("invalid_argument", "unimplemented") and word in answer["message"], answer
