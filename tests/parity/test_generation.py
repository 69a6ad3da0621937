"""Logits processors, warpers, beam search and prompt look-up against transformers' own classes and generate()."""
import math
import random

import pytest
import torch
from transformers import GenerationConfig, PretrainedConfig, PreTrainedModel
from transformers.generation import GenerationMixin
from transformers.generation.candidate_generator import PromptLookupCandidateGenerator
from transformers.modeling_outputs import CausalLMOutput

from probes import Probe

VOCAB = 97
INF = math.inf


@pytest.fixture(scope="module")
def probe():
    with Probe("generation_probe") as running:
        yield running


def as_json(values):
    return [str(v) if not math.isfinite(v) else v for v in values]


def from_json(values):
    return torch.tensor([float(v) for v in values], dtype=torch.float32)


class TableConfig(PretrainedConfig):
    model_type = "table"
    num_hidden_layers = 1
    vocab_size = VOCAB


class TableModel(PreTrainedModel, GenerationMixin):
    """A model whose scores are a row of a table that its whole history picks."""
    config_class = TableConfig
    _is_stateful = True  # nothing to cache

    def __init__(self, config, table):
        super().__init__(config)
        self.anchor = torch.nn.Parameter(torch.zeros(1))
        self.table = table

    def forward(self, input_ids, **_):
        places = torch.arange(1, input_ids.shape[1] + 1)
        rows = (input_ids * places).sum(1) % len(self.table)
        return CausalLMOutput(logits=self.table[rows][:, None, :])

    def prepare_inputs_for_generation(self, input_ids, **_):
        return {"input_ids": input_ids}


def reference_processors(config, prompt_length, encoder, beams=1):
    """The list that generate() itself would build."""
    generation = GenerationConfig(**config)
    for name, value in GenerationConfig._get_default_generation_params().items():
        if getattr(generation, name, None) is None:
            setattr(generation, name, value)
    model = TableModel(TableConfig(), torch.zeros(1, VOCAB))
    model._prepare_special_tokens(generation, kwargs_has_attention_mask=True, device="cpu")
    if generation.max_new_tokens is not None:
        generation.max_length = prompt_length + generation.max_new_tokens
    elif "max_length" not in config:
        generation.max_length += prompt_length
    if generation.min_new_tokens is not None:
        generation.min_length = prompt_length + generation.min_new_tokens
    encoder = torch.tensor([encoder]) if encoder else None
    return model._get_logits_processor(generation, prompt_length, encoder_input_ids=encoder, device="cpu")


def same_scores(expected, answer, context):
    assert "error" not in answer, (answer, context)
    got = from_json(answer["scores"])
    expected = expected.to(torch.float32)
    assert torch.equal(torch.isneginf(expected), torch.isneginf(got)), (context, (torch.isneginf(expected) != torch.isneginf(got)).nonzero().tolist())
    finite = ~torch.isneginf(expected)
    assert torch.allclose(expected[finite], got[finite], rtol=1e-6, atol=1e-6), (context, (expected[finite] - got[finite]).abs().max())


def check(probe, config, history, scores, prompt_length=None, encoder=()):
    prompt_length = len(history) if prompt_length is None else prompt_length
    processors = reference_processors(config, prompt_length, list(encoder))
    expected = processors(torch.tensor([history]), torch.tensor([scores], dtype=torch.float32).clone())[0]
    answer = probe.ask({"op": "process", "config": config, "prompt_length": prompt_length, "encoder": list(encoder),
                        "history": history, "scores": as_json(torch.tensor(scores, dtype=torch.float32).tolist())})
    same_scores(expected, answer, config)


def random_scores(rng, scale=3.0):
    return [rng.gauss(0, scale) for _ in range(VOCAB)]


SHAPES = {
    "normal": lambda rng: random_scores(rng),
    "flat": lambda rng: random_scores(rng, 0.01),
    "peaked": lambda rng: [rng.gauss(0, 1) + (9 if i == 5 else 0) for i in range(VOCAB)],
    "wide": lambda rng: random_scores(rng, 60.0),
    "holes": lambda rng: [-INF if rng.random() < 0.5 else rng.gauss(0, 2) for _ in range(VOCAB)],
    "one": lambda rng: [-INF] * 7 + [1.5] + [-INF] * (VOCAB - 8),
    "negative": lambda rng: [-abs(rng.gauss(0, 3)) - 1 for _ in range(VOCAB)],
}
PROCESSORS = {
    "bias": {"sequence_bias": [[[3], 2.5], [[4], -7.0], [[1, 2, 9], 4.0], [[2, 9], -1.0], [[2, 8], -50.0]]},
    "repetition": {"repetition_penalty": 1.3}, "repetition-low": {"repetition_penalty": 0.7},
    "encoder-repetition": {"encoder_repetition_penalty": 1.4},
    "ngram1": {"no_repeat_ngram_size": 1}, "ngram2": {"no_repeat_ngram_size": 2}, "ngram3": {"no_repeat_ngram_size": 3},
    "encoder-ngram1": {"encoder_no_repeat_ngram_size": 1}, "encoder-ngram2": {"encoder_no_repeat_ngram_size": 2},
    "bad-words": {"bad_words_ids": [[7], [1, 2], [2, 2, 11], [6]], "eos_token_id": [6]},
    "min-length": {"min_length": 9, "eos_token_id": [6, 7]}, "min-new": {"min_new_tokens": 4, "eos_token_id": 6},
    "forced-bos": {"forced_bos_token_id": 12}, "forced-eos": {"forced_eos_token_id": [6, 8], "max_length": 8},
    "decay": {"exponential_decay_length_penalty": [2, 1.5], "eos_token_id": [6, 9]},
    "suppress": {"suppress_tokens": [1, 5, 90]}, "begin-suppress": {"begin_suppress_tokens": [2, 3]},
    "renormalize": {"renormalize_logits": True},
}
WARPERS = {
    "temperature": {"temperature": 0.7, "top_k": 0}, "hot": {"temperature": 2.5, "top_k": 0}, "top-k": {"top_k": 5}, "top-k1": {"top_k": 1}, "top-k-all": {"top_k": 5000},
    **{f"top-p-{p}": {"top_k": 0, "top_p": p} for p in (0.0, 0.1, 0.5, 0.9, 0.95, 0.999)}, "top-kp": {"top_k": 20, "top_p": 0.8, "temperature": 0.9},
    **{f"min-p-{p}": {"top_k": 0, "min_p": p} for p in (0.0, 0.05, 0.5, 1.0)}, **{f"top-h-{h}": {"top_k": 0, "top_h": h} for h in (0.1, 0.4, 0.9)},
    **{f"typical-{p}": {"top_k": 0, "typical_p": p} for p in (0.1, 0.5, 0.9, 0.99)},
    **{f"epsilon-{e}": {"top_k": 0, "epsilon_cutoff": e} for e in (3e-4, 0.01, 0.3)}, **{f"eta-{e}": {"top_k": 0, "eta_cutoff": e} for e in (3e-4, 0.01, 0.3)},
    "beams": {"num_beams": 3, "eos_token_id": [1, 2], "top_k": 1, "top_p": 0.2, "min_p": 0.9, "typical_p": 0.1, "epsilon_cutoff": 0.4, "eta_cutoff": 0.4},
    "all": {"temperature": 0.8, "top_h": 0.9, "top_k": 30, "top_p": 0.95, "min_p": 0.01, "typical_p": 0.95, "epsilon_cutoff": 1e-3, "eta_cutoff": 1e-3, "renormalize_logits": True},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", PROCESSORS)
def test_processors(probe, name, shape):
    rng = random.Random(name + shape)
    for length in (1, 2, 3, 7, 8, 9, 30):
        history = [rng.randrange(13) for _ in range(length)]
        if length > 2:
            history[-2:] = [1, 2]
        prompt = rng.randint(1, length)
        encoder = [rng.randrange(13) for _ in range(12)] if "encoder" in name else ()
        check(probe, PROCESSORS[name], history, SHAPES[shape](rng), prompt, encoder)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", WARPERS)
def test_warpers(probe, name, shape):
    rng = random.Random(name + shape)
    for _ in range(8):
        check(probe, {"do_sample": True, **WARPERS[name]}, [1, 2, 3], SHAPES[shape](rng))


def test_invalid_values_are_mended(probe):
    scores = [math.nan, INF, -INF] + [0.5] * (VOCAB - 3)
    check(probe, {"remove_invalid_values": True}, [1, 2], scores)


def test_all_kinds_together_keep_the_reference_order(probe):
    rng = random.Random(5)
    for _ in range(60):
        config = {"do_sample": rng.random() < 0.7, "eos_token_id": [6, 9]}
        for part in rng.sample(sorted(PROCESSORS), 5):
            config |= {k: v for k, v in PROCESSORS[part].items() if k != "eos_token_id" and not k.startswith("forced")}
        for part in rng.sample(sorted(set(WARPERS) - {"beams"}), 3):
            config |= WARPERS[part]
        if not config["do_sample"]:
            config = {k: v for k, v in config.items() if k not in ("temperature", "top_k", "top_p", "min_p", "top_h", "typical_p", "epsilon_cutoff", "eta_cutoff")}
        history = [rng.randrange(13) for _ in range(rng.randint(1, 25))]
        encoder = [rng.randrange(13) for _ in range(9)]
        check(probe, config, history, random_scores(rng), rng.randint(1, len(history)), encoder)


def test_openai_penalties_count_only_what_was_generated(probe):
    history, prompt = [1, 1, 2, 3, 3, 3, 4], 2
    scores = [float(i % 7) for i in range(VOCAB)]
    answer = probe.ask({"op": "process", "config": {"frequency_penalty": 0.5, "presence_penalty": 0.25}, "prompt_length": prompt, "history": history, "scores": scores})
    expected = list(scores)
    for token, count in ((2, 1), (3, 3), (4, 1)):
        expected[token] -= 0.5 * count + 0.25
    assert answer["scores"] == pytest.approx(expected, abs=1e-6)


def run_beams(probe, config, rows, seed, prompt, new_tokens, scale=2.0):
    generator = torch.Generator().manual_seed(seed)
    table = torch.randn(rows, VOCAB, generator=generator) * scale
    config = {**config, "max_new_tokens": new_tokens}
    model = TableModel(TableConfig(), table).eval()
    expected = model.generate(torch.tensor([prompt]), GenerationConfig(**config, pad_token_id=0, output_scores=True, return_dict_in_generate=True, use_cache=False))
    answer = probe.ask({"op": "beams", "config": config, "prompt": prompt, "vocab_size": VOCAB, "max_length": len(prompt) + new_tokens, "table": table.tolist()})
    assert "error" not in answer, answer
    want = expected.sequences.tolist()
    filler = config["eos_token_id"][0]  # with a pad token of 0 the reference pads with the end
    got = [sequence + [filler] * (len(want[0]) - len(sequence)) for sequence in answer["sequences"]]
    # Where fewer sequences have finished than were asked for, the rest is filler without a meaning.
    real = [score > -1e8 for score in expected.sequences_scores.tolist()]
    assert [g for g, r in zip(got, real) if r] == [w for w, r in zip(want, real) if r], (config, seed)
    assert [s for s, r in zip(answer["scores"], real) if r] == pytest.approx([s for s, r in zip(expected.sequences_scores.tolist(), real) if r], rel=1e-5, abs=1e-5)
    assert any(real)


@pytest.mark.parametrize("early", [True, False, "never"])
@pytest.mark.parametrize("penalty", [1.0, 0.0, 2.0, -0.7])
def test_beam_search_equals_generate(probe, early, penalty):
    for seed in range(12):
        rng = random.Random(seed)
        beams = rng.choice([2, 3, 5])
        config = {"num_beams": beams, "num_return_sequences": rng.randint(1, beams), "early_stopping": early, "length_penalty": penalty,
                  "eos_token_id": rng.choice([[6], [6, 9, 11], list(range(10, 30))]), "do_sample": False}
        run_beams(probe, config, 37, seed, [rng.randrange(VOCAB) for _ in range(rng.randint(1, 5))], rng.choice([1, 2, 6, 14]))


@pytest.mark.parametrize("extra", [{"no_repeat_ngram_size": 2}, {"repetition_penalty": 1.4}, {"min_new_tokens": 5}, {"forced_eos_token_id": [6]}, {"suppress_tokens": list(range(40))}], ids=lambda e: next(iter(e)))
def test_beam_search_with_processors_equals_generate(probe, extra):
    for seed in range(8):
        run_beams(probe, {"num_beams": 4, "num_return_sequences": 4, "eos_token_id": [6, 41, 42], "do_sample": False, **extra}, 997, seed, [3, 1], 12)


def test_beam_sampling_is_distributed_as_generates(probe):
    """Two beams, two steps: the frequency of each result over many seeds, within five standard deviations."""
    table = torch.randn(5, VOCAB, generator=torch.Generator().manual_seed(3)) * 0.8
    table[:, 5:] = -INF
    config = {"num_beams": 2, "do_sample": True, "top_k": 0, "eos_token_id": [0], "length_penalty": 0.0}
    model = TableModel(TableConfig(), table).eval()
    runs = 1500
    torch.manual_seed(7)
    expected, got = {}, {}
    options = GenerationConfig(**config, max_new_tokens=2, pad_token_id=0, use_cache=False)
    prompts = torch.full((runs, 1), 2)
    for sequence in model.generate(prompts, options).tolist():
        expected[tuple(sequence)] = expected.get(tuple(sequence), 0) + 1
    for seed in range(runs):
        answer = probe.ask({"op": "beams", "config": {**config, "seed": seed}, "prompt": [2], "vocab_size": VOCAB, "max_length": 3, "table": [as_json(row) for row in table.tolist()]})
        sequence = answer["sequences"][0]
        key = tuple(sequence + [0] * (3 - len(sequence)))
        got[key] = got.get(key, 0) + 1
    for key in expected.keys() | got.keys():
        a, b = expected.get(key, 0), got.get(key, 0)
        assert abs(a - b) <= 5 * math.sqrt(a + b + 1), (key, a, b)


def test_draws_follow_the_warped_distribution(probe):
    rng = random.Random(9)
    scores = random_scores(rng, 1.5)
    config = {"do_sample": True, "temperature": 0.9, "top_k": 40, "top_p": 0.9, "seed": 1234}
    probabilities = reference_processors({k: v for k, v in config.items() if k != "seed"}, 1, [])(torch.tensor([[1]]), torch.tensor([scores]))[0].softmax(0)
    draws = 40_000
    tokens = probe.ask({"op": "sample", "config": config, "scores": scores, "draws": draws})["tokens"]
    assert tokens == probe.ask({"op": "sample", "config": config, "scores": scores, "draws": draws})["tokens"]
    assert tokens != probe.ask({"op": "sample", "config": {**config, "seed": 1235}, "scores": scores, "draws": draws})["tokens"]
    for token, p in enumerate(probabilities.tolist()):
        count = tokens.count(token)
        assert abs(count - draws * p) <= 5 * math.sqrt(draws * p * (1 - p)) + (p > 0), (token, count, draws * p)


def test_prompt_lookup_candidates(probe):
    rng = random.Random(2)
    for _ in range(400):
        history = [rng.randrange(rng.choice([3, 8, 40])) for _ in range(rng.randint(2, 40))]
        ngram, tokens, eos = rng.randint(1, 4), rng.randint(1, 12), rng.choice([[], [1], [0, 2]])
        max_length = len(history) + rng.randint(20, 40)
        generator = PromptLookupCandidateGenerator(eos_token_id=torch.tensor(eos) if eos else None, num_output_tokens=tokens, max_matching_ngram_size=ngram, max_length=max_length)
        expected = generator.get_candidates(torch.tensor([history]))[0][0].tolist()[len(history):]
        got = probe.ask({"op": "lookup", "history": history, "max_ngram": ngram, "max_tokens": tokens, "max_length": max_length, "eos": eos})["tokens"]
        assert got == expected, (history, ngram, tokens, eos)


@pytest.mark.parametrize("config, key", [({"top_k": -1}, "top_k"), ({"top_p": 2}, "top_p"), ({"temperature": -1}, "temperature"), ({"temperature": "hot"}, "temperature"), ({"bad_words_ids": [[]]}, "bad_words_ids"),
                                         ({"eos_token_id": "x"}, "eos_token_id"), ({"max_new_tokens": 1.5}, "max_new_tokens"), ({"sequence_bias": [[1, 2]]}, "sequence_bias"), ({"do_sample": 1}, "do_sample"),
                                         ({"early_stopping": "soon"}, "early_stopping"), ({"stop_strings": [3]}, "stop_strings"), ({"exponential_decay_length_penalty": [1]}, "exponential_decay_length_penalty")])
def test_wrong_configs_name_their_key(probe, config, key):
    assert key in probe.ask({"op": "config", "config": config})["error"]
