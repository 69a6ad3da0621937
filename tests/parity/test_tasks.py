"""Tasks of encoders against transformers' pipelines: tiny seeded models behind MiniLM's real tokenizer."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
import sentence_transformers
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import test_data  # noqa: E402
from test_adapters import make_adapter  # noqa: E402

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


def run(folder, task, text, *options, **parameters):
    given = [part for name, value in parameters.items() for part in ("-p", f"{name}={json.dumps(value)}")]
    done = subprocess.run([BINARY, "run", folder, task, text, "--json", "--precision", "fp32", *options, *given], capture_output=True, text=True)
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


@contextlib.contextmanager
def worker(folder):
    process = subprocess.Popen([BINARY, "worker", folder, "--listen", "127.0.0.1:0", "--precision", "fp32"], stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().split("listening on ")[1].strip()
    finally:
        process.terminate()
        process.wait(timeout=30)


def ask(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=60))


def test_sparse_vectors_are_splades(tokenizer, tmp_path):
    model = make(tmp_path, "BertForMaskedLM")
    texts = [TEXT, "a cat"]
    with worker(tmp_path) as url:
        ours = ask(url + "/embed_sparse", {"inputs": texts})
    for vector, text in zip(ours, texts, strict=True):
        logits = model(**tokenizer(text, return_tensors="pt")).logits[0]
        theirs = torch.log1p(torch.relu(logits)).amax(dim=0)
        mine = torch.zeros_like(theirs)
        mine[[entry["index"] for entry in vector]] = torch.tensor([entry["value"] for entry in vector])
        assert (mine - theirs).abs().max() < 1e-3
        assert len(vector) < len(theirs) and all(entry["value"] > 0 for entry in vector)


def add_modules(folder, *modules, kind="SentenceTransformer", prompts=None):
    """modules: (type, folder name, config) in sentence-transformers' words."""
    for _, name, config in modules:
        if name:
            (folder / name).mkdir()
            (folder / name / "config.json").write_text(json.dumps(config))
    (folder / "modules.json").write_text(json.dumps(
        [{"idx": i, "name": str(i), "path": name, "type": kind} for i, (kind, name, _) in enumerate(modules)]))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 64, "do_lower_case": False}))
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"model_type": kind, "prompts": prompts or {}}))


@pytest.mark.parametrize("strategy", ["max", "sum"])
@pytest.mark.parametrize("activation", ["relu", "log1p_relu"])
def test_sparse_repositories_of_sentence_transformers(strategy, activation, tmp_path):
    make(tmp_path, "BertForMaskedLM")
    add_modules(tmp_path, ("sentence_transformers.sparse_encoder.models.MLMTransformer", "", None),
                ("sentence_transformers.sparse_encoder.models.SpladePooling", "1_SpladePooling",
                 {"pooling_strategy": strategy, "activation_function": activation, "word_embedding_dimension": SIZES["vocab_size"]}),
                kind="SparseEncoder", prompts={"query": "find: "})
    library = sentence_transformers.SparseEncoder(str(tmp_path), device="cpu")
    texts = [TEXT, "a cat"]
    with worker(tmp_path) as url:
        plain = ask(url + "/embed_sparse", {"inputs": texts})
        asked = ask(url + "/embed_sparse", {"inputs": texts, "prompt_name": "query"})
    for ours, prompt in ((plain, None), (asked, "query")):
        for vector, theirs in zip(ours, library.encode(texts, prompt_name=prompt, convert_to_sparse_tensor=False), strict=True):
            mine = torch.zeros_like(theirs)
            mine[[entry["index"] for entry in vector]] = torch.tensor([entry["value"] for entry in vector])
            assert (mine - theirs).abs().max() < 1e-3


@pytest.mark.parametrize("mode", ["mean", "max", "weightedmean", "mean_sqrt_len_tokens", "cls"])
def test_prompts_that_are_seen_and_not_pooled(mode, tmp_path):
    make(tmp_path, "BertModel")
    add_modules(tmp_path, ("sentence_transformers.models.Transformer", "", None),
                ("sentence_transformers.models.Pooling", "1_Pooling",
                 {"pooling_mode": mode, "embedding_dimension": SIZES["hidden_size"], "include_prompt": False}),
                prompts={"query": "Represent the question for retrieval: "})
    library = sentence_transformers.SentenceTransformer(str(tmp_path), device="cpu")
    texts = [TEXT, "a cat", ""]
    with worker(tmp_path) as url:
        plain = ask(url + "/embed", {"inputs": texts, "normalize": False})
        asked = ask(url + "/embed", {"inputs": texts, "normalize": False, "prompt_name": "query"})
    for ours, prompt in ((plain, None), (asked, "query")):
        theirs = torch.tensor(library.encode(texts, prompt_name=prompt))
        assert (torch.tensor(ours) - theirs).abs().max() < 1e-4 * theirs.abs().max()
    assert torch.tensor(plain).sub(torch.tensor(asked)).abs().max() > 1e-3


def test_texts_that_are_too_long_in_teis_words(tmp_path):
    make(tmp_path, "BertForSequenceClassification", ["only"])
    long = "word " * 100
    with worker(tmp_path) as url:
        for path, body in (("/predict", {"inputs": long}), ("/rerank", {"query": "a", "texts": ["b", long]})):
            with pytest.raises(urllib.error.HTTPError) as refused:
                ask(url + path, body)
            assert refused.value.code == 422 and "less than 64 tokens. Given: 10" in json.load(refused.value)["error"]
            left, right = (ask(url + path, body | {"truncate": True, "truncation_direction": side}) for side in ("Left", "Right"))
            assert left and right
        ends = {side: ask(url + "/predict", {"inputs": "start " + long + "end", "truncate": True, "truncation_direction": side})
                for side in ("Left", "Right")}
        assert ends["Left"] == ask(url + "/predict", {"inputs": "word " * 61 + "end"}) != ends["Right"]


def test_pairs_and_batches_in_teis_words(tokenizer, tmp_path):
    labels = ["good", "bad", "neither"]
    pipeline = transformers.pipeline("text-classification", model=make(tmp_path, "BertForSequenceClassification", labels),
                                     tokenizer=tokenizer, top_k=None)
    single, pair = pipeline([TEXT])[0], pipeline({"text": TEXT, "text_pair": "a cat"})
    with worker(tmp_path) as url:
        def predict(inputs):
            return ask(url + "/predict", {"inputs": inputs})
        for ours, theirs in ((predict(TEXT), single), (predict([TEXT]), single), (predict([TEXT, "a cat"]), pair)):
            assert_same(ours, theirs, ["label"])
        for ours, theirs in zip(predict([[TEXT], [TEXT, "a cat"]]), (single, pair), strict=True):
            assert_same(ours, theirs, ["label"])
        for wrong in ([], [[]], [["a", "b", "c"]], ["a", "b", "c"], ["a", ["b"]]):
            with pytest.raises(urllib.error.HTTPError) as caught:
                predict(wrong)
            assert caught.value.code == 422
        with urllib.request.urlopen(url + "/info", timeout=60) as answer:
            kind = json.load(answer)["model_type"]["classifier"]
        assert kind["id2label"] == {"0": "good", "1": "bad", "2": "neither"} and kind["label2id"]["bad"] == 1


def test_fill_mask(tokenizer, tmp_path):
    model = make(tmp_path, "BertForMaskedLM")
    theirs = transformers.pipeline("fill-mask", model=model, tokenizer=tokenizer)("the [MASK] sat on the mat")
    assert_same(run(tmp_path, "fill-mask", "the [MASK] sat on the mat"), theirs, ["token", "token_str", "sequence"])


def best_spans(model, tokenizer, question, context, width, stride, longest=15):
    """Probabilities of start times end, over windows; transformers has no pipeline of this task any more."""
    windows = tokenizer(question, context, max_length=width, stride=stride, truncation="only_second", return_overflowing_tokens=True,
                        return_offsets_mapping=True)
    spans = {}
    for i, ids in enumerate(windows["input_ids"]):
        with torch.no_grad():
            output = model(torch.tensor([ids]), token_type_ids=torch.tensor([windows["token_type_ids"][i]]))
        inside = torch.tensor([sequence == 1 for sequence in windows.sequence_ids(i)])
        counts = inside.clone()
        counts[0] = True  # stands for "no answer"
        start, end = (scores[0].masked_fill(~counts, -10000.0).softmax(-1) for scores in (output.start_logits, output.end_logits))
        for a in range(len(ids)):
            for b in range(a, min(len(ids), a + longest)):
                if inside[a] and inside[b]:
                    place = windows["offset_mapping"][i][a][0], windows["offset_mapping"][i][b][1]
                    spans[place] = max(spans.get(place, 0), float(start[a] * end[b]))
    return sorted(spans.items(), key=lambda item: -item[1])


@pytest.mark.parametrize("width, stride", [(60, 20), (34, 8)])
def test_question_answering(width, stride, tokenizer, tmp_path):
    model = make(tmp_path, "BertForQuestionAnswering")
    question = "who lives near the tower?"
    theirs = best_spans(model, tokenizer, question, TEXT, width, stride)[:4]
    ours = run(tmp_path, "question-answering", json.dumps({"question": question, "context": TEXT}), top_k=4, max_seq_len=width,
               doc_stride=stride)
    assert [(item["start"], item["end"]) for item in ours] == [place for place, _ in theirs]
    assert [item["answer"] for item in ours] == [TEXT[begin:end] for (begin, end), _ in theirs]
    assert [item["score"] for item in ours] == pytest.approx([score for _, score in theirs], abs=1e-4)


def test_text_ranking(tokenizer, tmp_path):
    model = make(tmp_path, "BertForSequenceClassification", ["relevance"])
    query, texts = "who lives near the tower?", [TEXT, "cats", "the tower of Zürich is not near 東京", "a b c d"]
    with torch.no_grad():
        encoded = tokenizer([query] * len(texts), texts, padding=True, return_tensors="pt")
        scores = model(**encoded).logits[:, 0].sigmoid().tolist()
    ours = run(tmp_path, "text-ranking", json.dumps({"query": query, "texts": texts}))
    assert [item["index"] for item in ours] == sorted(range(len(texts)), key=lambda i: -scores[i])
    assert [item["score"] for item in ours] == pytest.approx(sorted(scores, reverse=True), abs=1e-4)


@pytest.mark.parametrize("task, kind, labels", [
    ("text-classification", "BertForSequenceClassification", ["good", "bad", "neither"]),
    ("zero-shot-classification", "BertForSequenceClassification", ["contradiction", "neutral", "entailment"]),
    ("text-ranking", "BertForSequenceClassification", ["relevance"]),
    ("token-classification", "BertForTokenClassification", ["O", "B-PER", "B-LOC"]),
    ("question-answering", "BertForQuestionAnswering", None), ("fill-mask", "BertForMaskedLM", None)])
def test_an_adapter_that_is_named_counts_in_every_task(task, kind, labels, tokenizer, tmp_path):
    """The same answer as the model whose weights the adapter's pairs were added to, and not the plain model's."""
    model = make(tmp_path / "model", kind, labels)
    changed = make_adapter(model, ["query", "value", "dense"], tmp_path / "adapter")
    changed.save_pretrained(tmp_path / "changed")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tmp_path / "model" / name, tmp_path / "changed")
    question = {"question": "who lives near the tower?", "context": TEXT}
    text = {"fill-mask": "the [MASK] sat on the mat", "question-answering": json.dumps(question),
            "text-ranking": json.dumps({"query": question["question"], "texts": [TEXT, "cats", "a b c d"]})}.get(task, TEXT)
    more = {"candidate_labels": ["travel", "art"]} if task.startswith("zero") else {}

    def scores(answer):
        if isinstance(answer, list):
            return [score for item in answer for score in scores(item)]
        return [answer["score"]]
    adapter = ["--adapter", f"mine={tmp_path / 'adapter'}"]
    ours = run(tmp_path / "model", task, text, *adapter, adapter_id="mine", **more)
    expected = run(tmp_path / "changed", task, text, **more)
    plain = run(tmp_path / "model", task, text, *adapter, **more)

    def error(a, b):
        a, b = torch.tensor(scores(a)), torch.tensor(scores(b))
        return float((a - b).abs().max() / b.max()) if a.shape == b.shape else 1.0
    assert error(ours, expected) < 2e-3 and error(ours, expected) < error(ours, plain) / 5
    wrong = subprocess.run([BINARY, "run", tmp_path / "model", task, text, "-p", 'adapter_id="nobody"',
                            *(["-p", 'candidate_labels=["a"]'] if more else [])], capture_output=True, text=True)
    assert wrong.returncode != 0 and 'adapter_id "nobody" is not loaded' in wrong.stderr
