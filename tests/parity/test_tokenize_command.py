"""`hearth tokenize` as a user calls it, against the Python library."""
import json
import re
import select
import subprocess

import pytest
from probes import ROOT, data_folder
from tokenizers import Tokenizer

HEARTH = ROOT / "build" / "release" / "src" / "apps" / "hearth"
DATA = data_folder()


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    """Loaded tokenizers are kept here, not with those of the user."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder / "hearth" / "tokenizers"


def path_of(name):
    return DATA / "tokenizers" / name / "tokenizer.json"


def run(*arguments, text=None, check=True):
    done = subprocess.run([str(HEARTH), "tokenize", *map(str, arguments)], input=text, capture_output=True, text=True)
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama3", "mistral-v1", "gemma", "xlmr"])
def test_a_large_file_streams_to_the_ids_of_the_whole(name):
    text = (DATA / "text" / "english.txt").read_text()[:2_500_000]
    expected = Tokenizer.from_file(str(path_of(name))).encode(text).ids
    assert list(map(int, run("-t", path_of(name), text=text).stdout.split())) == expected
    assert run("-t", path_of(name).parent, "--count", text=text).stdout == f"{len(expected)}\n"


def test_json_is_what_the_library_says():
    reference = Tokenizer.from_file(str(path_of("bert")))
    lines = ["Hello wörld", "", "日本語 🙂 naïve"]
    answers = run("-t", path_of("bert"), "--lines", "--json", text="\n".join(lines)).stdout.splitlines()
    for line, answer in zip(lines, answers, strict=True):
        expected, got = reference.encode(line), json.loads(answer)
        assert got["ids"] == expected.ids and got["tokens"] == expected.tokens
        assert [tuple(pair) for pair in got["offsets"]] == expected.offsets
        assert got["word_ids"] == expected.word_ids and got["special_tokens_mask"] == expected.special_tokens_mask


def test_a_pair_has_two_type_ids():
    expected = Tokenizer.from_file(str(path_of("bert"))).encode("one", "two").type_ids
    assert json.loads(run("-t", path_of("bert"), "--json", "--pair", "two", "one").stdout)["type_ids"] == expected


def test_json_lines_are_counted_one_by_one():
    text = "\n".join(json.dumps({"text": value}) for value in ("a b c", "d"))
    assert run("-t", path_of("gpt2"), "--jsonl", "text", "--count", text=text).stdout == "3\n1\n"
    missing = run("-t", path_of("gpt2"), "--jsonl", "body", "--count", text=text, check=False)
    assert missing.returncode == 1 and 'line 1: no "body"' in missing.stderr


def test_ids_decode_to_the_text():
    ids = run("-t", path_of("llama3"), "--no-special", "Hello wörld").stdout
    assert run("-t", path_of("llama3"), "--decode", text=ids).stdout == "Hello wörld\n"
    wrong = run("-t", path_of("llama3"), "--decode", text="12 x", check=False)
    assert wrong.returncode == 1 and "ids separated by blanks" in wrong.stderr


def test_coloured_pieces_are_the_text():
    shown = run("-t", path_of("gpt2"), "--color", "always", "one  two\tthree").stdout
    plain = "".join(part.split("m", 1)[1] for part in ("m" + shown).split("\033["))
    assert plain == "one  two␉three\n5 tokens, 14 bytes\n"


def test_a_character_of_several_tokens_is_shown_once():
    shown = run("-t", path_of("gpt2"), "--color", "always", "日本x").stdout
    plain = "".join(part.split("m", 1)[1] for part in ("m" + shown).split("\033["))
    assert re.sub("<0x..>", "", plain).startswith("日本x\n")
    table = run("-t", path_of("gpt2"), "--offsets", "日本x").stdout
    assert table.count("日") == table.count("本") == 1 and '"<0xA5>"' in table


def test_lines_are_answered_while_the_input_waits():
    """A program that asks line by line would otherwise wait for ever."""
    with subprocess.Popen([str(HEARTH), "tokenize", "-t", str(path_of("gpt2")), "--lines", "--count"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for text, count in ((b"one two\n", b"2\n"), (b"one\n", b"1\n")):
            process.stdin.write(text)
            process.stdin.flush()
            assert select.select([process.stdout], [], [], 60)[0], "no answer"
            assert process.stdout.readline() == count
        process.stdin.close()
        assert process.stdout.read() == b"" and process.wait() == 0


@pytest.mark.parametrize("form", ["--ids", "--json"])
def test_a_line_that_is_no_utf8_is_named(tmp_path, form):
    (tmp_path / "in.txt").write_bytes(b"fine\n\xff\xfe\n")
    wrong = run("-t", path_of("gpt2"), "--lines", form, "-f", tmp_path / "in.txt", check=False)
    assert wrong.returncode == 1 and "in.txt, line 2: " in wrong.stderr and "UTF-8" in wrong.stderr
    assert len(wrong.stdout.splitlines()) == 1


def test_a_folder_is_no_text(tmp_path):
    wrong = run("-t", path_of("gpt2"), "-f", tmp_path, check=False)
    assert wrong.returncode == 1 and f"{tmp_path} is a folder" in wrong.stderr and "filesystem error" not in wrong.stderr


def test_what_was_trained_is_used_under_its_own_name(tmp_path):
    (tmp_path / "text.txt").write_text("low lower lowest\n" * 20)
    out = tmp_path / "t_bpe.json"
    subprocess.run([str(HEARTH), "train-tokenizer", "--model", "bpe", "--vocab-size", "300", "-o", str(out), str(tmp_path / "text.txt")], check=True, capture_output=True)
    assert list(map(int, run("-t", out, "lower").stdout.split())) == Tokenizer.from_file(str(out)).encode("lower").ids


def test_a_file_that_is_no_tokenizer_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    wrong = run("-t", tmp_path / "config.json", "x", check=False)
    assert wrong.returncode == 1 and "config.json" in wrong.stderr and "expected tokenizer.json" in wrong.stderr


def test_a_missing_tokenizer_is_named(tmp_path):
    wrong = run("-t", tmp_path / "nothing", "x", check=False)
    assert wrong.returncode == 1 and "nothing" in wrong.stderr


def test_a_kept_tokenizer_is_the_same_and_damage_costs_nothing(cache):
    texts = ["Hello wörld", "don't  stop 日本語 🙂"]
    for name in ("gpt2", "bert", "xlmr"):
        fresh = run("-t", path_of(name), "--no-cache", "--json", *texts).stdout
        before = set(cache.glob("*")) if cache.exists() else set()
        for _ in range(2):
            assert run("-t", path_of(name), "--json", *texts).stdout == fresh
        for kept in set(cache.glob("*")) - before:
            kept.write_bytes(kept.read_bytes()[:-5000] + b"?" * 5000)
            assert run("-t", path_of(name), "--json", *texts).stdout == fresh
            kept.write_bytes(b"")
            assert run("-t", path_of(name), "--json", *texts).stdout == fresh
    assert len(list(cache.glob("*.tokenizer"))) >= 3
