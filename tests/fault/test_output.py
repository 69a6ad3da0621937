"""Standard output that takes nothing more: what a command printed must not be lost behind exit code 0."""
import json
import os
import subprocess

import pytest
from harness.hub import BINARY

VOCAB = {token: number for number, token in enumerate(["[UNK]", "a", "b"])}
TOKENIZER = {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"},
             "model": {"type": "WordLevel", "vocab": VOCAB, "unk_token": "[UNK]"}}
HEADER = json.dumps({f"w{i}": {"dtype": "F32", "shape": [1], "data_offsets": [4 * i, 4 * i + 4]} for i in range(2000)}).encode()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("output")
    (folder / "tokenizer.json").write_text(json.dumps(TOKENIZER))
    (folder / "model.safetensors").write_bytes(len(HEADER).to_bytes(8, "little") + HEADER + bytes(8000))
    (folder / "text.txt").write_text("a b\n" * 200_000)
    return folder


COMMANDS = {
    "tokenize": "tokenize -t tokenizer.json --ids a",
    "tokenize-long": "tokenize -t tokenizer.json --ids --lines -f text.txt",
    "tokenize-json": "tokenize -t tokenizer.json --json --lines -f text.txt",
    "tokenize-count": "tokenize -t tokenizer.json --count a",
    "tokenize-decode": "tokenize -t tokenizer.json --decode 1",
    "train-tokenizer": "train-tokenizer --model wordlevel -o - text.txt",
    "inspect": "inspect model.safetensors",
    "inspect-all": "inspect --all model.safetensors",
    "inspect-json": "inspect --json model.safetensors",
    "inspect-folder": "inspect .",
    "scan": "scan .",
    "scan-json": "scan --json .",
    "completion": "completion bash",
    "help": "--help",
    "version": "--version",
}


def run(place, name, **options):
    command = [str(BINARY), *COMMANDS[name].split()]
    return subprocess.run(command, cwd=place, env={**os.environ, "XDG_CACHE_HOME": str(place / "cache")}, stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, timeout=60, **options)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_is_told(place, name):
    with open("/dev/full", "w") as full:
        done = run(place, name, stdout=full)
    assert done.returncode == 1 and done.stderr == "hearth: standard output: No space left on device\n"


@pytest.mark.parametrize("restore_signals", [True, False], ids=["default", "ignored"])
@pytest.mark.parametrize("name", ["tokenize-long", "tokenize-json", "inspect-json"])
def test_a_reader_that_leaves_ends_it_quietly(place, name, restore_signals):
    """By SIGPIPE, or where that is ignored by the error of the write."""
    reader, writer = os.pipe()
    os.close(reader)
    done = run(place, name, stdout=writer, restore_signals=restore_signals)
    os.close(writer)
    assert done.returncode == (-13 if restore_signals else 1) and done.stderr == ""
