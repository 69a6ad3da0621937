"""Models of pictures and sounds against transformers: seeded random checkpoints, every head, every executor."""
import pathlib
import sys

import numpy as np
import pytest
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tiny_models  # noqa: E402
from test_architectures import assert_close, checkpoints, load, probe  # noqa: E402, F401

NAMES = sorted(tiny_models.PATCHES)


def inputs_of(model, count=3):
    """Pixels or spectrograms, as the model takes them."""
    config, generator = model.config, torch.Generator().manual_seed(4)
    if config.model_type == "audio-spectrogram-transformer":
        size = (config.max_length, config.num_mel_bins)
    else:
        side = config.image_size
        size = (config.num_channels, *(side if isinstance(side, (list, tuple)) else (side, side)))
    return torch.randn((count, *size), generator=generator)


def segments_of(model, inputs):
    """[channels][height][width] of each; a spectrogram's rows are its mel bins."""
    if model.config.model_type == "audio-spectrogram-transformer":
        inputs = inputs.transpose(1, 2)
    return [{"values": each.flatten().tolist()} for each in inputs]


def expected_of(model, inputs):
    with torch.no_grad():
        output = model(inputs)
    if hasattr(output, "logits"):
        return output.logits.numpy()
    states = output.last_hidden_state
    if model.config.model_type.startswith(("deit", "audio")):
        # The second special row is the last one here.
        states = torch.cat([states[:, :1], states[:, 2:], states[:, 1:2]], 1)
    return states.reshape(-1, states.shape[-1]).numpy()


def run(probe, segments, columns, **settings):  # noqa: F811
    answer = probe.ask({"op": "run", "segments": segments} | settings)
    assert "error" not in answer, answer
    (values,) = answer.values()
    return np.array(values, np.float32).reshape(-1, columns)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_gives_what_transformers_gives(name, probe, checkpoints):  # noqa: F811
    folder, model = checkpoints(name)
    inputs = inputs_of(model)
    theirs = expected_of(model, inputs)
    load(probe, folder)
    assert_close(probe, run(probe, segments_of(model, inputs), theirs.shape[1]), theirs)


@pytest.mark.parametrize("name", ["vit-hidden", "deit-hidden"])
def test_the_pooler_is_another_output(name, probe, checkpoints):  # noqa: F811
    folder, model = checkpoints(name)
    inputs = inputs_of(model, 2)
    with torch.no_grad():
        theirs = model(inputs).pooler_output.numpy()
    load(probe, folder)
    assert_close(probe, run(probe, segments_of(model, inputs), theirs.shape[1], output="pooled"), theirs)


def test_values_of_another_size_are_refused(probe, checkpoints):  # noqa: F811
    folder, model = checkpoints("vit-labels")
    load(probe, folder)
    (segment,) = segments_of(model, inputs_of(model, 1))
    answer = probe.ask({"op": "run", "segments": [{"values": segment["values"][1:]}]})
    assert answer["error"] == "invalid_argument", answer


def test_tables_that_do_not_fit_the_patches_are_refused(probe, tmp_path):  # noqa: F811
    from safetensors.torch import load_file, save_file
    for name, broken in (("vit-labels", "embeddings.position_embeddings"), ("ast-labels", "embeddings.distillation_token"),
                         ("deit-labels", "embeddings.cls_token"), ("vit-hidden", "embeddings.patch_embeddings.projection.weight")):
        folder = tmp_path / name
        tiny_models.make_forward(name, folder)
        tensors = load_file(folder / "model.safetensors")
        (key,) = [key for key in tensors if key.endswith(broken)]
        for change in (lambda value: value[..., :-1].contiguous(), None):
            edited = dict(tensors)
            if change is None:
                del edited[key]
            else:
                edited[key] = change(edited[key])
            save_file(edited, folder / "model.safetensors", {"format": "pt"})
            answer = probe.ask({"op": "load", "path": str(folder)})
            assert answer.get("error") == "invalid_argument" and broken in answer["message"], answer
