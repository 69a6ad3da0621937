"""Sentence embeddings: pooling, dense layers and norms as sentence-transformers applies them to a model's states."""
import json
import pathlib
import sys

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import probes  # noqa: E402
import tiny_models  # noqa: E402
from test_architectures import segment, sequences  # noqa: E402
from test_checkpoints import hearth  # noqa: E402

SIZE = 64
POOLED = {
    "cls": lambda x: x[0],
    "lasttoken": lambda x: x[-1],
    "mean": lambda x: x.mean(0),
    "max": lambda x: x.max(0).values,
    "mean_sqrt_len_tokens": lambda x: x.sum(0) / len(x) ** 0.5,
    "weightedmean": lambda x: (x * torch.arange(1, len(x) + 1)[:, None]).sum(0) / sum(range(1, len(x) + 1)),
}
OLD_SWITCHES = {"cls": "pooling_mode_cls_token", "lasttoken": "pooling_mode_lasttoken", "mean": "pooling_mode_mean_tokens",
                "max": "pooling_mode_max_tokens", "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
                "weightedmean": "pooling_mode_weightedmean_tokens"}


@pytest.fixture(scope="module")
def probe():
    with probes.Probe("forward_probe", "reference") as running:
        yield running


@pytest.fixture()
def model(tmp_path):
    """A tiny encoder; its folder is tmp_path / "model"."""
    return tiny_models.make_forward("bert-hidden", tmp_path / "model")


def write(folder, *modules, **files):
    """modules: (type, path, config or None) after the transformer."""
    entries = [("sentence_transformers.models.Transformer", "", None), *modules]
    for _, path, config in modules:
        (folder / path).mkdir(exist_ok=True)
        if config is not None:
            (folder / path / "config.json").write_text(json.dumps(config))
    (folder / "modules.json").write_text(json.dumps(
        [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (kind, path, _) in enumerate(entries)]))
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value))


def pooling(**config):
    return ("sentence_transformers.models.Pooling", "1_Pooling", config)


def embed(probe, folder, ids):
    loaded = probe.ask({"op": "load", "path": str(folder), "sentence": True})
    assert "error" not in loaded, loaded
    answer = probe.ask({"op": "run", "segments": [segment(each, sequence=i) for i, each in enumerate(ids)]})
    assert "error" not in answer, answer
    return loaded, np.array(answer["embedding"], np.float32).reshape(len(ids), -1)


def states(model, ids):
    with torch.no_grad():
        return [model(each[None]).last_hidden_state[0] for each in ids]


def assert_close(ours, rows):
    theirs = torch.stack(rows).numpy()
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() / np.abs(theirs).max() < 2e-5


@pytest.mark.parametrize("mode", sorted(POOLED))
@pytest.mark.parametrize("old", [False, True])
def test_every_pooling(mode, old, probe, model, tmp_path):
    config = {OLD_SWITCHES[mode]: True, "word_embedding_dimension": SIZE} if old else {"pooling_mode": mode, "embedding_dimension": SIZE}
    write(tmp_path / "model", pooling(**config))
    ids = sequences(model, "bert-hidden")
    _, ours = embed(probe, tmp_path / "model", ids)
    assert_close(ours, [POOLED[mode](each) for each in states(model, ids)])


@pytest.mark.parametrize("old", [False, True])
def test_several_poolings_stand_side_by_side(old, probe, model, tmp_path):
    modes = ["cls", "max", "mean"]
    config = {OLD_SWITCHES[mode]: True for mode in reversed(modes)} if old else {"pooling_mode": modes}
    write(tmp_path / "model", pooling(**config))
    ids = sequences(model, "bert-hidden")
    _, ours = embed(probe, tmp_path / "model", ids)
    assert_close(ours, [torch.cat([POOLED[mode](each) for mode in modes]) for each in states(model, ids)])


@pytest.mark.parametrize("form", ["safetensors", "bin"])
@pytest.mark.parametrize("activation", ["Tanh", "Identity", "ReLU", "GELU", "SiLU", "Sigmoid"])
def test_dense_layers_and_norms(activation, form, probe, model, tmp_path):
    torch.manual_seed(1)
    dense = torch.nn.Linear(SIZE, 24, bias=activation != "Identity")
    norm = torch.nn.LayerNorm(24)
    torch.nn.init.normal_(norm.weight)
    act = getattr(torch.nn, activation)()
    name = f"{type(act).__module__}.{activation}"
    write(tmp_path / "model", pooling(pooling_mode_mean_tokens=True),
          ("sentence_transformers.models.Dense", "2_Dense", {"in_features": SIZE, "out_features": 24, "bias": dense.bias is not None,
                                                             "activation_function": name}),
          ("sentence_transformers.models.LayerNorm", "3_LayerNorm", {"dimension": 24}),
          ("sentence_transformers.models.Normalize", "4_Normalize", None))
    for folder, prefix, module in (("2_Dense", "linear.", dense), ("3_LayerNorm", "norm.", norm)):
        state = {prefix + key: value for key, value in module.state_dict().items()}
        if form == "bin":
            torch.save(state, tmp_path / "model" / folder / "pytorch_model.bin")
        else:
            save_file(state, tmp_path / "model" / folder / "model.safetensors")
    ids = sequences(model, "bert-hidden")
    _, ours = embed(probe, tmp_path / "model", ids)
    with torch.no_grad():
        rows = [norm(act(dense(each.mean(0)))) for each in states(model, ids)]
    assert_close(ours, [torch.nn.functional.normalize(row, dim=0) for row in rows])


def test_limits_and_prompts_are_read(probe, model, tmp_path):
    prompts = {"query": "search_query: ", "document": "search_document: "}
    write(tmp_path / "model", pooling(pooling_mode="mean"), sentence_bert_config={"max_seq_length": 33, "do_lower_case": False},
          config_sentence_transformers={"prompts": prompts, "default_prompt_name": "query", "similarity_fn_name": "dot"})
    loaded, _ = embed(probe, tmp_path / "model", sequences(model, "bert-hidden"))
    assert (loaded["max_tokens"], loaded["prompts"], loaded["similarity"]) == (33, prompts, "dot")


@pytest.mark.parametrize("mode", ["mean", "cls", "lasttoken"])
def test_gguf_files_carry_their_pooling(mode, probe, model, tmp_path):
    write(tmp_path / "model", pooling(**{OLD_SWITCHES[mode]: True}))
    hearth("convert", tmp_path / "model", tmp_path / "m.gguf", "--type", "F32")
    ids = sequences(model, "bert-hidden")
    _, ours = embed(probe, tmp_path / "m.gguf", ids)
    assert_close(ours, [POOLED[mode](each) for each in states(model, ids)])


@pytest.mark.parametrize("modules, code", [
    ([pooling(pooling_mode="median")], "unimplemented"),
    ([("sentence_transformers.models.Normalize", "1_Normalize", None)], "unimplemented"),
    ([pooling(pooling_mode="mean"), ("my_code.Sharpen", "2_Sharpen", None)], "unimplemented"),
    ([pooling(pooling_mode="mean"), ("sentence_transformers.models.Dense", "2_Dense", {"activation_function": "my_code.Act"})],
     "unimplemented"),
    ([pooling(pooling_mode="mean"), ("sentence_transformers.models.Dense", "2_Dense", {})], "not_found"),
    ([("sentence_transformers.models.Pooling", "1_Pooling", None)], "not_found"),
])
def test_what_is_not_known_is_refused(modules, code, probe, model, tmp_path):
    write(tmp_path / "model", *modules)
    answer = probe.ask({"op": "load", "path": str(tmp_path / "model"), "sentence": True})
    assert answer["error"] == code, answer


def test_module_folders_stay_inside_the_model(probe, model, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/config.json").write_text('{"pooling_mode": "mean"}')
    write(tmp_path / "model")
    for path in ("../outside", str(tmp_path / "outside"), "a/../../outside"):
        modules = [{"idx": 0, "name": "0", "path": path, "type": "sentence_transformers.models.Pooling"}]
        (tmp_path / "model/modules.json").write_text(json.dumps(modules))
        answer = probe.ask({"op": "load", "path": str(tmp_path / "model"), "sentence": True})
        assert answer["error"] == "invalid_argument", answer


def test_minilm_gives_the_embeddings_of_the_reference(probe):
    import test_data
    folder = test_data.ensure() / "minilm"
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    texts = ["A cat sleeps on the warm windowsill.", "Ein Satz, der nicht englisch ist: Straßenbahn 42!", "x"]
    ids = [torch.tensor(tokenizer(text)["input_ids"]) for text in texts]
    _, ours = embed(probe, folder, ids)
    assert_close(ours, [torch.nn.functional.normalize(each.mean(0), dim=0) for each in states(model, ids)])
