"""Tokenizers from other kinds of files: their tokenizer.json, run by the reference, must give the ids of the file's own
program: llama.cpp's golden ids for GGUF vocabularies, sentencepiece, tiktoken, transformers."""
import base64
import json
import pathlib
import sys

import gguf
import pytest
import sentencepiece
from tokenizers import Tokenizer

from model_probe import ROOT, Probe, ProbeError

sys.path.insert(0, str(ROOT / "tools"))
import tokenizer_data  # noqa: E402

DATA = tokenizer_data.ensure()
VOCABULARIES = DATA / "vocabularies"
GOLDEN = sorted(path.name[:-len(".gguf.inp")] for path in VOCABULARIES.glob("*.gguf.inp"))
UNKEYED = sorted({path.stem for path in VOCABULARIES.glob("*.gguf")} - set(GOLDEN))


@pytest.fixture(scope="module")
def probe():
    probe = Probe()
    yield probe
    probe.close()


def load(probe, path):
    return Tokenizer.from_str(json.dumps(probe.ask(files=str(path))["tokenizer"], ensure_ascii=False))


def golden(name):
    texts = (VOCABULARIES / f"{name}.gguf.inp").read_bytes().decode().split("\n__ggml_vocab_test__\n")
    ids = (VOCABULARIES / f"{name}.gguf.out").read_text().split("\n")
    rows = [[int(number) for number in line.split()] for line in ids]
    return list(zip(texts, rows))


def real_texts():
    lines = []
    for name in ("english", "code", "multilingual"):
        text = (DATA / "text" / f"{name}.txt").read_text()
        lines += [text[at:at + 400] for at in range(0, min(len(text), 2_000_000), 10_000)]
    return lines + ["", " ", "  two  spaces ", "\n\n", "a\tb", "🤗 é中𝄞", "café", "x" * 300, "▁"]


def differences(texts, ours, theirs):
    return [(text, mine, other) for text, mine, other in zip(texts, ours, theirs) if mine != other]


@pytest.mark.parametrize("name", GOLDEN)
def test_gguf_vocabularies_give_the_golden_ids(probe, name):
    tokenizer = load(probe, VOCABULARIES / f"{name}.gguf")
    rows = golden(name)
    assert len(rows) > 40
    wrong = [(text, ids, got) for text, ids in rows
             if (got := tokenizer.encode(text, add_special_tokens=False).ids) != ids]
    assert not wrong, (len(wrong), wrong[:3])


@pytest.mark.parametrize("name", UNKEYED)
def test_gguf_vocabularies_without_golden_ids_load_and_decode(probe, name):
    tokenizer = load(probe, VOCABULARIES / f"{name}.gguf")
    text = "Hello world, 1234 is a number."
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids) == text


MADE = {"gpt2": "vocabularies/gpt-2.gguf", "llama3": "vocabularies/llama-bpe.gguf", "qwen2": "vocabularies/qwen2.gguf",
        "starcoder": "vocabularies/starcoder.gguf", "gemma": "vocabularies/gemma-4.gguf",
        "llama2": "vocabularies/phi-3.gguf", "xlmr": "vocabularies/nomic-bert-moe.gguf",
        "mistral-v1": "mistral/tokenizer.model.v1", "mistral-v3": "mistral/tokenizer.model.v3",
        "tekken": "mistral/tekken.json"}


@pytest.mark.parametrize("name", MADE)
def test_equal_ids_to_the_tokenizer_made_in_python(probe, name):
    ours = load(probe, DATA / MADE[name])
    theirs = Tokenizer.from_file(str(DATA / "tokenizers" / name / "tokenizer.json"))
    texts = real_texts()
    wrong = differences(texts, [ours.encode(text, add_special_tokens=False).ids for text in texts],
                        [theirs.encode(text, add_special_tokens=False).ids for text in texts])
    assert not wrong, (len(wrong), wrong[:2])


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_mistral_models_give_sentencepiece_ids(probe, version):
    path = DATA / "mistral" / f"tokenizer.model.{version}"
    tokenizer, processor = load(probe, path), sentencepiece.SentencePieceProcessor(model_file=str(path))
    texts = real_texts()
    wrong = differences(texts, [tokenizer.encode(text, add_special_tokens=False).ids for text in texts],
                        [processor.encode(text) for text in texts])
    assert not wrong, (len(wrong), wrong[:2])
    for text in texts[:50]:
        ids = processor.encode(text)
        assert tokenizer.decode(ids) == processor.decode(ids)
    assert tokenizer.encode("Hello").ids == [1, *processor.encode("Hello")]


# --- models trained here ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    text = (DATA / "text" / "english.txt").read_text()[:400_000] + (DATA / "text" / "multilingual.txt").read_text()[:400_000]
    path = tmp_path_factory.mktemp("corpus") / "text.txt"
    path.write_text("\n".join(line for line in text.splitlines() if line.strip()))
    return path


def train(corpus, folder, name, **options):
    settings = {"vocab_size": 2000, "character_coverage": 0.995, "num_threads": 1, "minloglevel": 2,
                "input_sentence_size": 4000, **options}
    sentencepiece.SentencePieceTrainer.train(input=str(corpus), model_prefix=str(folder / name), **settings)
    return folder / f"{name}.model"


def total(processor, ids):
    return sum(processor.get_score(number) for number in ids)


def only_equally_good(processor, texts, wrong):
    """sentencepiece adds floats and the reference doubles: of cuts that score the same, each may take another. How many
    texts have such cuts depends on the vocabulary, which the machine's own texts make."""
    worse = [row for row in wrong if abs(total(processor, row[1]) - total(processor, row[2])) > 1e-3]
    return not worse and len(wrong) <= len(texts) // 40


TRAINED = {
    "unigram": {"model_type": "unigram"},
    "unigram-bytes": {"model_type": "unigram", "byte_fallback": True},
    "unigram-identity": {"model_type": "unigram", "normalization_rule_name": "identity", "add_dummy_prefix": False,
                         "remove_extra_whitespaces": False},
    "unigram-nfkc": {"model_type": "unigram", "normalization_rule_name": "nfkc_cf", "split_by_whitespace": False},
    "unigram-symbols": {"model_type": "unigram", "user_defined_symbols": ["<mark>", "{}"], "control_symbols": ["<ctl>"]},
    "bpe": {"model_type": "bpe"},
    "bpe-bytes": {"model_type": "bpe", "byte_fallback": True, "split_digits": True, "remove_extra_whitespaces": False,
                  "normalization_rule_name": "identity", "allow_whitespace_only_pieces": True},
    "bpe-specials": {"model_type": "bpe", "pad_id": 0, "unk_id": 1, "bos_id": 2, "eos_id": -1, "unk_piece": "[UNK]"},
}


@pytest.mark.parametrize("name", TRAINED)
def test_trained_models_give_sentencepiece_ids(probe, corpus, tmp_path, name):
    path = train(corpus, tmp_path, name, **TRAINED[name])
    tokenizer, processor = load(probe, path), sentencepiece.SentencePieceProcessor(model_file=str(path))
    texts = real_texts()
    if "symbols" in name:  # a space at the end stays where a model has user-defined symbols
        texts = [text.rstrip(" \n\t▁") for text in texts if not text.startswith(("<mark>", "{}"))]
    wrong = differences(texts, [tokenizer.encode(text, add_special_tokens=False).ids for text in texts],
                        [processor.encode(text) for text in texts])
    assert only_equally_good(processor, texts, wrong), (len(wrong), wrong[:2])


CHARACTERS = {
    "char": {},
    "char-bytes": {"byte_fallback": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False},
    "char-bare": {"add_dummy_prefix": False, "normalization_rule_name": "nfkc_cf"},
}


@pytest.mark.parametrize("name", CHARACTERS)
def test_models_of_characters_give_sentencepiece_ids(probe, corpus, tmp_path, name):
    path = train(corpus, tmp_path, name, model_type="char", **CHARACTERS[name])
    tokenizer, processor = load(probe, path), sentencepiece.SentencePieceProcessor(model_file=str(path))
    texts = real_texts()
    wrong = differences(texts, [tokenizer.encode(text, add_special_tokens=False).ids for text in texts],
                        [processor.encode(text) for text in texts])
    assert not wrong, (len(wrong), wrong[:2])
    for text in texts[:50]:
        assert tokenizer.decode(processor.encode(text)) == processor.decode(processor.encode(text)).replace(" \u2047 ", "")


def joined_unknowns(ids, unknown):
    return [number for at, number in enumerate(ids) if number != unknown or at == 0 or ids[at - 1] != unknown]


@pytest.mark.parametrize("options", [{}, {"add_dummy_prefix": False}, {"remove_extra_whitespaces": False}],
                         ids=["plain", "bare", "spaces"])
def test_models_of_words_give_sentencepiece_ids(probe, corpus, tmp_path, options):
    path = train(corpus, tmp_path, "word", model_type="word", **options)
    tokenizer, processor = load(probe, path), sentencepiece.SentencePieceProcessor(model_file=str(path))
    texts = real_texts()
    # SentencePiece joins unknown words that stand side by side, which a tokenizer.json cannot say.
    wrong = differences(texts, [joined_unknowns(tokenizer.encode(text, add_special_tokens=False).ids, 0) for text in texts],
                        [processor.encode(text) for text in texts])
    assert not wrong, (len(wrong), wrong[:2])


def test_models_of_words_and_bytes_give_sentencepiece_ids(probe, corpus, tmp_path):
    path = train(corpus, tmp_path, "word", model_type="word", byte_fallback=True)
    tokenizer, processor = load(probe, path), sentencepiece.SentencePieceProcessor(model_file=str(path))
    texts = real_texts()
    wrong = differences(texts, [tokenizer.encode(text, add_special_tokens=False).ids for text in texts],
                        [processor.encode(text) for text in texts])
    assert not wrong, (len(wrong), wrong[:2])
    ours = probe.ask(files=str(path), texts=texts, special=False)["ids"]
    assert not differences(texts, ours, [processor.encode(text) for text in texts])


def test_words_of_one_character_beside_bytes_are_refused(probe, corpus, tmp_path):
    path = train(corpus, tmp_path, "word", model_type="word", byte_fallback=True, add_dummy_prefix=False)
    with pytest.raises(ProbeError, match="one character"):
        probe.ask(files=str(path))


SUFFIXES = {"bpe": {"byte_fallback": True}, "unigram": {}, "word": {}, "char": {"vocab_size": 400},
            "unigram-spaces": {"remove_extra_whitespaces": False, "normalization_rule_name": "identity"}}


@pytest.mark.parametrize("name", SUFFIXES)
def test_spaces_behind_words_give_sentencepiece_ids(probe, corpus, tmp_path, name):
    path = train(corpus, tmp_path, name, model_type=name.split("-")[0], treat_whitespace_as_suffix=True, **SUFFIXES[name])
    tokenizer, processor = load(probe, path), sentencepiece.SentencePieceProcessor(model_file=str(path))
    texts = real_texts()
    ours = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    assert probe.ask(files=str(path), texts=texts, special=False)["ids"] == ours
    if name == "word":
        ours = [joined_unknowns(ids, 0) for ids in ours]
    wrong = differences(texts, ours, [processor.encode(text) for text in texts])
    assert only_equally_good(processor, texts, wrong), (len(wrong), wrong[:2])


def test_spaces_behind_words_beside_symbols_are_refused(probe, corpus, tmp_path):
    path = train(corpus, tmp_path, "suffix", treat_whitespace_as_suffix=True, user_defined_symbols=["<mark>"])
    with pytest.raises(ProbeError, match="symbols"):
        probe.ask(files=str(path))


# --- RWKV's World vocabulary --------------------------------------------------------------------


def world_tokens():
    """Bytes, and stretches of real text that overlap: no cut is the longest one for every start."""
    text = "".join((DATA / "text" / f"{name}.txt").read_text()[:60_000] for name in ("english", "multilingual", "code")).encode()
    tokens = {text[at:at + 2 + at * 7 % 11] for at in range(0, len(text), 23)} - {b""}
    return [bytes([byte]) for byte in range(256)] + sorted(token for token in tokens if len(token) > 1)


def write_world(path, tokens, padding=5):
    writer = gguf.GGUFWriter(path, "rwkv7")
    writer.add_tokenizer_model("rwkv")
    writer.add_token_list(["<s>"] + [repr(token)[2:-1] for token in tokens] + [f"[PAD{n}]" for n in range(padding)])
    kinds = gguf.TokenType
    writer.add_token_types([kinds.CONTROL] + [kinds.NORMAL] * len(tokens) + [kinds.UNUSED] * padding)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def longest_from_the_left(tokens, text):
    ids, longest, at = {token: number + 1 for number, token in enumerate(tokens)}, max(map(len, tokens)), 0
    found = []
    while at < len(text):
        size = next(size for size in range(longest, 0, -1) if len(text[at:at + size]) == size and text[at:at + size] in ids)
        found.append(ids[text[at:at + size]])
        at += size
    return found


def test_world_vocabularies_take_the_longest_token(probe, tmp_path):
    tokens = world_tokens()
    write_world(tmp_path / "world.gguf", tokens)
    tokenizer = load(probe, tmp_path / "world.gguf")
    texts = [text[:120] for text in real_texts()[::4]] + ["", " ", "\t\r\n\\'\"", "🤗 é中𝄞\0\x7f", "x" * 120]
    ours = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    assert not differences(texts, ours, [longest_from_the_left(tokens, text.encode()) for text in texts])
    assert [tokenizer.decode(ids) for ids in ours] == texts
    assert tokenizer.encode("a<s>b").ids == [1 + ord("a"), 0, 1 + ord("b")]


def test_world_vocabularies_without_some_byte_are_refused(probe, tmp_path):
    write_world(tmp_path / "world.gguf", [bytes([byte]) for byte in range(255)])
    with pytest.raises(ProbeError, match="every byte"):
        probe.ask(files=str(tmp_path / "world.gguf"))


def compare_with_transformers(probe, folder, reference, special=True, texts=None):
    ours = load(probe, folder)
    texts = texts or real_texts()
    wrong = differences(texts, probe.ask(files=str(folder), texts=texts, special=special)["ids"],
                        [reference(text, add_special_tokens=special)["input_ids"] for text in texts])
    assert not wrong, (len(wrong), wrong[:2])
    pair = ours.encode("first text", "second text")
    theirs = reference("first text", "second text")
    assert pair.ids == theirs["input_ids"]
    return ours


@pytest.mark.parametrize("name", ["T5Tokenizer", "XLMRobertaTokenizer", "LlamaTokenizer", "GemmaTokenizer"])
def test_classes_of_sentencepiece_models(probe, corpus, tmp_path, name):
    import transformers

    options = {
        "T5Tokenizer": {"model_type": "unigram", "pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1},
        "XLMRobertaTokenizer": {"model_type": "unigram"},
        "LlamaTokenizer": {"model_type": "bpe", "byte_fallback": True, "normalization_rule_name": "identity",
                           "remove_extra_whitespaces": False},
        "GemmaTokenizer": {"model_type": "bpe", "byte_fallback": True, "normalization_rule_name": "identity", "pad_id": 0,
                           "eos_id": 1, "bos_id": 2, "unk_id": 3, "add_dummy_prefix": False, "bos_piece": "<bos>",
                           "eos_piece": "<eos>", "user_defined_symbols": ["<mask>"], "remove_extra_whitespaces": False},
    }[name]
    file_name = {"T5Tokenizer": "spiece", "XLMRobertaTokenizer": "sentencepiece.bpe"}.get(name, "tokenizer")
    train(corpus, tmp_path, file_name, **options)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": name, **({"add_bos_token": True} if options["model_type"] == "bpe" else {})}))
    (tmp_path / f"{file_name}.vocab").unlink()
    compare_with_transformers(probe, tmp_path, getattr(transformers, name).from_pretrained(str(tmp_path)))


def test_ties_of_sentencepiece_scores(probe, corpus, tmp_path):
    """Scores of a .model are exact, while those of a tokenizer.json are as its reader rounds decimals: runs of one sign are cut in
    many ways that are worth the same."""
    import transformers
    from sentencepiece import sentencepiece_model_pb2

    path = train(corpus, tmp_path, "sentencepiece.bpe", model_type="unigram")
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(path.read_bytes())
    scores = {"▁": -2.52628493309021, "=": -7.045942306518555, "=" * 14: -10.456085205078125}
    kept = [piece for piece in model.pieces if set(piece.piece) - {"="} and piece.piece != "▁"]
    del model.pieces[:]
    model.pieces.extend(kept)
    for text, score in scores.items():
        model.pieces.add(piece=text, score=score)
    path.write_bytes(model.SerializeToString())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "XLMRobertaTokenizer"}))
    (tmp_path / "sentencepiece.bpe.vocab").unlink()
    compare_with_transformers(probe, tmp_path, transformers.XLMRobertaTokenizer.from_pretrained(str(tmp_path)),
                              texts=["=" * length for length in range(1, 200)])


def test_bert_vocabularies(probe, tmp_path):
    import transformers

    (tmp_path / "vocab.txt").write_bytes((DATA / "minilm" / "vocab.txt").read_bytes())
    for cased in (False, True):
        config = {"tokenizer_class": "BertTokenizer", "do_lower_case": not cased}
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
        compare_with_transformers(probe, tmp_path, transformers.BertTokenizer.from_pretrained(str(tmp_path)))


@pytest.mark.parametrize("name", ["GPT2Tokenizer", "RobertaTokenizer", "Qwen2Tokenizer"])
def test_vocabularies_with_merges(probe, tmp_path, name):
    import transformers

    source = json.loads((DATA / "tokenizers" / ("qwen2" if name[0] == "Q" else "gpt2") / "tokenizer.json").read_text())
    vocab = source["model"]["vocab"]
    if name == "RobertaTokenizer":
        order = ["<s>", "<pad>", "</s>", "<unk>"] + [token for token in vocab if token != "<|endoftext|>"] + ["<mask>"]
        vocab = {token: index for index, token in enumerate(order)}
    elif "<|endoftext|>" not in vocab:
        vocab["<|endoftext|>"] = max(vocab.values()) + 1
    (tmp_path / "vocab.json").write_text(json.dumps(vocab))
    merges = [row if isinstance(row, str) else " ".join(row) for row in source["model"]["merges"]]
    (tmp_path / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": name}))
    compare_with_transformers(probe, tmp_path, getattr(transformers, name).from_pretrained(str(tmp_path)))


def test_ranks_give_tiktoken_ids(probe, tmp_path):
    import tiktoken

    merges = json.loads((DATA / "tokenizers" / "gpt2" / "tokenizer.json").read_text())["model"]["merges"]
    letters = tokenizer_data.byte_characters()
    byte_of = {letter: byte for byte, letter in enumerate(letters)}
    ranks = {bytes([byte]): byte for byte in range(256)}
    for merge in merges[:20_000]:
        left, right = merge if isinstance(merge, list) else merge.split(" ")
        ranks.setdefault(bytes(byte_of[letter] for letter in left + right), len(ranks))
    (tmp_path / "made.tiktoken").write_text("".join(f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in ranks.items()))
    special = {"<|end|>": len(ranks), "<|start|>": len(ranks) + 1}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": {
        str(number): {"content": text, "special": True} for text, number in special.items()}}))
    encoding = tiktoken.Encoding("made", pat_str=tokenizer_data.LLAMA3, mergeable_ranks=ranks, special_tokens=special)
    tokenizer = load(probe, tmp_path)
    texts = real_texts() + ["a<|end|>b<|start|>"]
    wrong = differences(texts, [tokenizer.encode(text).ids for text in texts],
                        [encoding.encode(text, allowed_special="all") for text in texts])
    assert not wrong, (len(wrong), wrong[:2])
    assert tokenizer.decode(encoding.encode("naïve 中文 🤗")) == "naïve 中文 🤗"


def test_tekken_special_tokens_keep_their_ids(probe):
    tokenizer = load(probe, DATA / "mistral" / "tekken.json")
    assert tokenizer.encode("[INST]hi[/INST]").ids[0] == 3
    assert tokenizer.token_to_id("[TOOL_CONTENT]") == 19 and tokenizer.token_to_id("<SPECIAL_999>") == 999


BROKEN = {
    "tokenizer.model": b"\n\x80",
    "vocab.json": b"[]",
    "tekken.json": b'{"config": {}, "vocab": []}',
    "x.gguf": b"GGUF\x03\0\0\0",
    "x.tiktoken": b"AA== 0\nnot base64\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(probe, tmp_path, name):
    (tmp_path / name).write_bytes(BROKEN[name])
    (tmp_path / "merges.txt").write_bytes(b"")
    with pytest.raises(ProbeError):
        probe.ask(files=str(tmp_path))
