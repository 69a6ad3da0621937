"""Model architectures against transformers: seeded random checkpoints, every head, every executor."""
import pathlib
import sys

import numpy as np
import pytest
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import probes  # noqa: E402
import tiny_models  # noqa: E402

# Largest difference, relative to the largest output: both sides compute in fp32, in other orders.
TOLERANCE = {"cpu": 2e-5, "reference": 2e-5, "torch": 2e-5}
LENGTHS = (23, 1, 12)  # one batch of these; longer than the windows of the small configurations
DECODERS = [name for name, (kind, _) in tiny_models.FORWARD.items() if kind.endswith(("ForCausalLM", "LMHeadModel"))]
# Past 16 tokens all angles change: a sequence must then be computed anew (phi4), or its later tokens otherwise.
SWITCHING = {"phi4", "llama-dynamic-long", "gpt_neox-dynamic-long"}


@pytest.fixture(scope="module", params=sorted(TOLERANCE))
def probe(request):
    with probes.Probe("forward_probe", request.param) as running:
        running.executor = request.param
        yield running


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Makes each checkpoint once: (folder, model)."""
    made = {}

    def get(name):
        if name not in made:
            folder = tmp_path_factory.mktemp("checkpoint") / name
            made[name] = (folder, tiny_models.make_forward(name, folder))
        return made[name]
    return get


def sequences(model, name):
    generator = torch.Generator().manual_seed(len(name))
    size = model.config.get_text_config().vocab_size
    return [torch.randint(5, size, (length,), generator=generator) for length in LENGTHS]


def answer_of(output):
    """What a head gives, a row per token or sequence."""
    if hasattr(output, "start_logits"):
        return torch.stack([output.start_logits[0], output.end_logits[0]], -1).numpy()
    value = output.logits if hasattr(output, "logits") else output.last_hidden_state
    return value.reshape(-1, value.shape[-1]).numpy()


def expected_of(model, ids, types=None):
    settings = {"input_ids": ids[None]}
    if types is not None:
        settings["token_type_ids"] = types[None]
    with torch.no_grad():
        return answer_of(model(**settings))


def load(probe, folder):
    answer = probe.ask({"op": "load", "path": str(folder)})
    assert "error" not in answer, answer
    return answer


def run(probe, segments, columns, every=True):
    answer = probe.ask({"op": "run", "segments": segments, "all": every})
    assert "error" not in answer, answer
    (values,) = answer.values()
    return np.array(values, np.float32).reshape(-1, columns)


def segment(ids, past=0, sequence=0, types=None):
    made = {"ids": [int(i) for i in ids], "past": past, "sequence": sequence}
    return made | ({} if types is None else {"types": [int(t) for t in types]})


def assert_close(probe, ours, theirs):
    assert ours.shape == theirs.shape
    worst = np.abs(ours - theirs).max() / np.abs(theirs).max()
    assert worst < TOLERANCE[probe.executor], worst


@pytest.mark.parametrize("name", sorted(tiny_models.FORWARD))
def test_a_ragged_batch_gives_what_each_sequence_gives(name, probe, checkpoints):
    folder, model = checkpoints(name)
    ids = sequences(model, name)
    theirs = [expected_of(model, each) for each in ids]
    load(probe, folder)
    ours = run(probe, [segment(each, sequence=i) for i, each in enumerate(ids)], theirs[0].shape[1])
    assert_close(probe, ours, np.concatenate(theirs))


@pytest.mark.parametrize("name", ["bert-hidden", "bert-sequence", "nomic-hidden", "electra-hidden"])
def test_token_types_are_told_apart(name, probe, checkpoints):
    folder, model = checkpoints(name)
    ids = sequences(model, name)[0]
    types = (torch.arange(len(ids)) > 9).long()
    load(probe, folder)
    theirs = expected_of(model, ids, types)
    assert_close(probe, run(probe, [segment(ids, types=types)], theirs.shape[1]), theirs)


@pytest.mark.parametrize("name", DECODERS)
def test_the_cache_gives_what_the_whole_gives(name, probe, checkpoints):
    """In chunks and token by token, another sequence computed along in the same batches."""
    folder, model = checkpoints(name)
    ids, _, other = sequences(model, name)
    if name in SWITCHING:
        ids, other = ids[:14], other[:8]
    theirs, of_other = expected_of(model, ids), expected_of(model, other)
    columns = theirs.shape[1]
    load(probe, folder)
    rows = []
    for begin, end in [(0, 5), (5, 12), *((i, i + 1) for i in range(12, len(ids)))]:
        batch = [segment(ids[begin:end], begin, 7)]
        mine = end - begin
        if end <= len(other):
            batch.insert(0, segment(other[begin:end], begin, 3))
            made = run(probe, batch, columns)
            assert_close(probe, made[:mine], of_other[begin:end])
            rows.append(made[mine:])
        else:
            rows.append(run(probe, batch, columns))
    assert_close(probe, np.concatenate(rows), theirs)


@pytest.mark.parametrize("name", DECODERS)
def test_greedy_generation_gives_the_same_tokens(name, probe, checkpoints):
    folder, model = checkpoints(name)
    ids, count = sequences(model, name)[2], 20
    if name in SWITCHING:
        ids, count = ids[:4], 12
    load(probe, folder)
    with torch.no_grad():
        theirs = model.generate(ids[None], attention_mask=torch.ones_like(ids[None]), max_new_tokens=count, min_new_tokens=count,
                                do_sample=False, eos_token_id=None, pad_token_id=0)
    ours = probe.ask({"op": "generate", "ids": ids.tolist(), "count": count})["ids"]
    assert ours == theirs[0, len(ids):].tolist()
