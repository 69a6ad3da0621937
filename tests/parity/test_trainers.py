"""Training against the reference on the same words: equal vocabularies and merges where the reference is
deterministic (two of its own WordPiece runs on 1 MB share 7991 to 7995 of 8000 tokens); Unigram within the last bits
of its sums."""
import collections
import json
import os
import pathlib
import random
import subprocess
import sys

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from model_probe import ROOT, Probe, ProbeError

sys.path.insert(0, str(ROOT / "tools"))
import tokenizer_data  # noqa: E402

DATA = tokenizer_data.ensure()
MODELS = {"bpe": (models.BPE, trainers.BpeTrainer), "wordpiece": (models.WordPiece, trainers.WordPieceTrainer),
          "wordlevel": (models.WordLevel, trainers.WordLevelTrainer), "unigram": (models.Unigram, trainers.UnigramTrainer)}


@pytest.fixture(scope="module")
def probe():
    probe = Probe()
    yield probe
    probe.close()


def corpus(name, size=300_000):
    return (DATA / "text" / f"{name}.txt").read_text()[:size].split()


def random_words(seed, count=4000, letters="abcdeé中"):
    rng = random.Random(seed)
    return ["".join(rng.choices(letters, k=rng.randint(1, 9))) for _ in range(count)]


def train_theirs(kind, words, **options):
    model, trainer = MODELS[kind]
    tokenizer = Tokenizer(model())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator([" ".join(words)], trainer(show_progress=False, **options))
    return json.loads(tokenizer.to_str())["model"]


def train_ours(probe, kind, words, **options):
    counts = collections.Counter(words)
    return probe.ask(train=kind, words=[[word, count] for word, count in counts.items()], **options)["model"]


CASES = {
    "plain": {"vocab_size": 1000},
    "all": {"vocab_size": 100_000},
    "frequent": {"vocab_size": 100_000, "min_frequency": 7},
    "specials": {"vocab_size": 600, "special_tokens": ["<s>", "<pad>", "the"]},
    "alphabet": {"vocab_size": 500, "initial_alphabet": ["ж", "q", "☃"]},
    "no-room": {"vocab_size": 10},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("text", ["english", "code", "multilingual", "random"])
def test_bpe_is_equal(probe, text, case):
    words = random_words(1) if text == "random" else corpus(text)
    ours, theirs = train_ours(probe, "bpe", words, **CASES[case]), train_theirs("bpe", words, **CASES[case])
    assert ours["vocab"] == theirs["vocab"]
    assert ours["merges"] == theirs["merges"]


@pytest.mark.parametrize("length", [1, 2, 3, 6])
def test_bpe_with_a_length_limit_is_equal(probe, length):
    words = corpus("english", 100_000)
    options = {"vocab_size": 800, "max_token_length": length}
    assert train_ours(probe, "bpe", words, **options)["merges"] == train_theirs("bpe", words, **options)["merges"]


def test_bpe_model_options_are_the_trainers(probe):
    words = corpus("english", 20_000)
    options = {"vocab_size": 300, "end_of_word_suffix": "</w>", "continuing_subword_prefix": "@@"}
    ours, theirs = train_ours(probe, "bpe", words, **options), train_theirs("bpe", words, **options)
    assert {key: value for key, value in ours.items() if key not in ("vocab", "merges")} == \
        {key: value for key, value in theirs.items() if key not in ("vocab", "merges")}


def same_up_to_ties(ours, theirs, least):
    """Ids of prefixed characters, and with them ties, follow the order of a hash table in the reference."""
    common = len(set(ours) & set(theirs)) / max(len(ours), len(theirs))
    assert common >= least, common


@pytest.mark.parametrize("text", ["english", "code"])
def test_a_suffix_gives_the_same_vocabulary_up_to_ties(probe, text):
    words = corpus(text)
    options = {"vocab_size": 2000, "end_of_word_suffix": "</w>"}
    ours, theirs = train_ours(probe, "bpe", words, **options), train_theirs("bpe", words, **options)
    assert len(ours["vocab"]) == len(theirs["vocab"])
    same_up_to_ties(ours["vocab"], theirs["vocab"], 0.99)


@pytest.mark.parametrize("text", ["english", "code", "multilingual"])
def test_wordpiece_is_equal_up_to_ties(probe, text):
    words = corpus(text)
    options = {"vocab_size": 3000, "special_tokens": ["[UNK]", "[CLS]"]}
    ours, theirs = train_ours(probe, "wordpiece", words, **options), train_theirs("wordpiece", words, **options)
    assert len(ours["vocab"]) == len(theirs["vocab"])
    same_up_to_ties(ours["vocab"], theirs["vocab"], 0.99)
    assert {key: value for key, value in ours.items() if key != "vocab"} == \
        {key: value for key, value in theirs.items() if key != "vocab"}


def test_wordpiece_without_ties_is_equal(probe):
    rng = random.Random(3)
    words = [word for word in random_words(2, 60) for _ in range(rng.randint(1, 1 << 16))]
    options = {"vocab_size": 90}
    ours, theirs = train_ours(probe, "wordpiece", words, **options), train_theirs("wordpiece", words, **options)
    assert set(ours["vocab"]) == set(theirs["vocab"])


@pytest.mark.parametrize("options", [{"vocab_size": 500}, {"vocab_size": 100_000, "min_frequency": 3},
                                     {"vocab_size": 300, "special_tokens": ["<unk>", "the", "<s>"]}])
@pytest.mark.parametrize("text", ["english", "multilingual"])
def test_wordlevel_is_equal(probe, text, options):
    words = corpus(text)
    ours, theirs = train_ours(probe, "wordlevel", words, **options), train_theirs("wordlevel", words, **options)
    assert ours == {**theirs, "unk_token": ours["unk_token"]}


def test_limit_alphabet_keeps_the_most_frequent_characters(probe):
    words = corpus("multilingual", 100_000)
    options = {"vocab_size": 80, "limit_alphabet": 40}
    ours, theirs = train_ours(probe, "bpe", words, **options), train_theirs("bpe", words, **options)
    characters = collections.Counter("".join(words))
    least = sorted(characters.values())[-40]
    sure = {character for character, count in characters.items() if count > least}
    assert {token for token in ours["vocab"] if len(token) == 1} >= sure
    same_up_to_ties(ours["vocab"], theirs["vocab"], 0.95)


@pytest.mark.parametrize("options", [
    {"vocab_size": 1000}, {"vocab_size": 400, "unk_token": "<unk>", "special_tokens": ["<s>", "<unk>"]},
    {"vocab_size": 600, "unk_token": "<unk>"}, {"vocab_size": 500, "max_piece_length": 4, "shrinking_factor": 0.5},
    {"vocab_size": 500, "n_sub_iterations": 1, "initial_alphabet": ["☃", "q"]}])
@pytest.mark.parametrize("text", ["english", "random"])
def test_unigram_agrees_within_rounding(probe, text, options):
    words = random_words(5, 3000) if text == "random" else corpus(text, 150_000)
    ours, theirs = train_ours(probe, "unigram", words, **options), train_theirs("unigram", words, **options)
    assert ours["unk_id"] == theirs["unk_id"] and len(ours["vocab"]) == len(theirs["vocab"])
    mine, other = dict(map(tuple, ours["vocab"])), dict(map(tuple, theirs["vocab"]))
    same_up_to_ties(mine, other, 0.998)
    far = [(piece, mine[piece], other[piece]) for piece in mine.keys() & other.keys()
           if abs(mine[piece] - other[piece]) > 0.01]
    assert not far, far[:5]


def test_results_do_not_depend_on_the_order_of_the_corpus(probe):
    words = corpus("english", 60_000)
    shuffled = list(words)
    random.Random(4).shuffle(shuffled)
    for kind in MODELS:
        assert train_ours(probe, kind, words, vocab_size=400) == train_ours(probe, kind, shuffled, vocab_size=400)


@pytest.mark.parametrize("kind, options", [
    ("unigram", {"vocab_size": 3}), ("unigram", {"shrinking_factor": 1.0}), ("unigram", {"max_piece_length": 0}),
    ("other", {})])
def test_options_out_of_range_are_refused(probe, kind, options):
    with pytest.raises(ProbeError):
        train_ours(probe, kind, corpus("english", 1000), **options)


# --- the command --------------------------------------------------------------------------------

BINARY = pathlib.Path(os.environ.get("HEARTH_BINARY", ROOT / "build" / "release" / "src" / "apps" / "hearth"))


def command(*arguments, stdin=None, code=0):
    done = subprocess.run([BINARY, "train-tokenizer", *map(str, arguments)], input=stdin, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done


def test_command_trains_byte_level_bpe_as_the_reference(tmp_path):
    text = DATA / "text" / "english.txt"
    command("--model", "bpe", "--vocab-size", 3000, "--special-token", "<s>", "--special-token", "</s>", text,
            "-o", tmp_path / "tokenizer.json")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train([str(text)], trainers.BpeTrainer(vocab_size=3000, special_tokens=["<s>", "</s>"], show_progress=False,
                                                     initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    ours, theirs = json.loads((tmp_path / "tokenizer.json").read_text()), json.loads(tokenizer.to_str())
    assert ours["model"] == theirs["model"] and ours["added_tokens"] == theirs["added_tokens"]
    loaded = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert loaded.encode("Hello <s> world").ids == tokenizer.encode("Hello <s> world").ids
    assert loaded.decode(loaded.encode("naïve 中文").ids) == "naïve 中文"


def test_command_takes_the_pipeline_of_a_template(tmp_path):
    template = DATA / "minilm" / "tokenizer.json"
    text = DATA / "text" / "english.txt"
    command("--model", "wordpiece", "--vocab-size", 2000, "--template", template, "--special-token", "[PAD]",
            "--special-token", "[UNK]", "--special-token", "[CLS]", "--special-token", "[SEP]", text, "-o", tmp_path / "t.json")
    ours, theirs = json.loads((tmp_path / "t.json").read_text()), json.loads(template.read_text())
    for stage in ("normalizer", "pre_tokenizer", "post_processor", "decoder", "truncation", "padding"):
        assert ours[stage] == theirs[stage]
    assert "##ing" in ours["model"]["vocab"] and "The" not in ours["model"]["vocab"]


@pytest.mark.parametrize("kind", MODELS)
def test_command_reads_json_lines_and_standard_input(tmp_path, kind):
    lines = (DATA / "text" / "english.txt").read_text()[:50_000].splitlines()
    rows = "".join(json.dumps({"text": line + "\n", "other": 1}) + "\n" for line in lines)
    (tmp_path / "rows.jsonl").write_text(rows)
    plain = command("--model", kind, "--vocab-size", 400, "-", "-o", "-", stdin="\n".join(lines) + "\n").stdout
    from_rows = command("--model", kind, "--vocab-size", 400, tmp_path / "rows.jsonl", "-o", "-").stdout
    assert plain == from_rows
    Tokenizer.from_str(plain)


@pytest.mark.parametrize("arguments, code", [
    (["--model", "bpe", "missing.txt", "-o", "x.json"], 1), (["--model", "other", "-", "-o", "-"], 2),
    (["--model", "bpe", "-", "-o", "-", "--json-field", "text"], 1)])
def test_command_failures(tmp_path, arguments, code):
    done = command(*arguments, stdin="not json\n", code=code)
    assert done.stderr.strip() and not (tmp_path / "x.json").exists()
