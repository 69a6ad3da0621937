"""Tasks of encoders against transformers' pipelines: tiny seeded models behind MiniLM's real tokenizer."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import test_data  # noqa: E402

BINARY = pathlib.Path(os.environ.get("HEARTH_BINARY", ROOT / "build" / "release" / "src" / "apps" / "hearth"))
# Nothing is written to the home of whoever runs the tests.
os.environ.setdefault("HEARTH_CACHE", str(ROOT / "build" / "test-cache"))
TEXT = "Señor Wolfgang unbelievably lives in Zürich-Oerlikon, near 東京 tower."
SIZES = dict(vocab_size=30522, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
             max_position_embeddings=64)


@pytest.fixture(scope="module")
def tokenizer():
    test_data.ensure()
    return transformers.AutoTokenizer.from_pretrained(test_data.DATA / "minilm")


def make(folder, class_name, labels=None):
    settings = dict(SIZES)
    if labels:
        settings |= dict(num_labels=len(labels), id2label=dict(enumerate(labels)), label2id={label: i for i, label in enumerate(labels)})
    torch.manual_seed(1)
    model = getattr(transformers, class_name)(transformers.BertConfig(**settings))
    for value in model.parameters():
        torch.nn.init.normal_(value, std=0.3)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(test_data.DATA / "minilm" / name, folder)
    return model.eval()


def run(folder, task, text, **parameters):
    given = [part for name, value in parameters.items() for part in ("-p", f"{name}={json.dumps(value)}")]
    done = subprocess.run([BINARY, "run", folder, task, text, "--json", "--precision", "fp32", *given], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_same(ours, theirs, keys):
    assert [{key: item[key] for key in keys} for item in ours] == [{key: item[key] for key in keys} for item in theirs]
    assert [item["score"] for item in ours] == pytest.approx([float(item["score"]) for item in theirs], abs=1e-4)


@pytest.mark.parametrize("strategy", ["none", "simple", "first", "average", "max"])
@pytest.mark.parametrize("outside", ["O", "B-ORG"])
def test_token_classification(strategy, outside, tokenizer, tmp_path):
    model = make(tmp_path, "BertForTokenClassification", [outside, "B-PER", "I-PER", "B-LOC", "I-LOC"])
    pipeline = transformers.pipeline("token-classification", model=model, tokenizer=tokenizer, aggregation_strategy=strategy)
    ours = run(tmp_path, "token-classification", TEXT, aggregation_strategy=strategy)
    assert_same(ours, pipeline(TEXT), ["entity" if strategy == "none" else "entity_group", "word", "start", "end"])


def test_text_classification(tokenizer, tmp_path):
    model = make(tmp_path, "BertForSequenceClassification", ["good", "bad", "neither"])
    theirs = transformers.pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=None)([TEXT])[0]
    assert_same(run(tmp_path, "text-classification", TEXT)[0], theirs, ["label"])


@pytest.mark.parametrize("several", [False, True])
def test_zero_shot_classification(several, tokenizer, tmp_path):
    model = make(tmp_path, "BertForSequenceClassification", ["contradiction", "neutral", "entailment"])
    labels = ["travel", "cooking", "art"]
    answer = transformers.pipeline("zero-shot-classification", model=model, tokenizer=tokenizer)(TEXT, candidate_labels=labels,
                                                                                                 multi_label=several)
    theirs = [{"label": label, "score": score} for label, score in zip(answer["labels"], answer["scores"])]
    assert_same(run(tmp_path, "zero-shot-classification", TEXT, candidate_labels=labels, multi_label=several), theirs, ["label"])


def test_fill_mask(tokenizer, tmp_path):
    model = make(tmp_path, "BertForMaskedLM")
    theirs = transformers.pipeline("fill-mask", model=model, tokenizer=tokenizer)("the [MASK] sat on the mat")
    assert_same(run(tmp_path, "fill-mask", "the [MASK] sat on the mat"), theirs, ["token", "token_str", "sequence"])
