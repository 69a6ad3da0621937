"""The command line beside its models: how inputs are read, and what a shell completes."""
import json
import shutil
import subprocess

import numpy as np
import pytest

import test_data
from conftest import BINARY


def hearth(*arguments, text=None):
    return subprocess.run([str(BINARY), *map(str, arguments)], capture_output=True, text=True, input=text)


@pytest.fixture(scope="module")
def minilm_folder():
    test_data.ensure()
    return test_data.DATA / "minilm"


def vector(folder, *inputs, text=None):
    done = hearth("run", folder, "feature-extraction", *inputs, "--json", "--precision", "fp32", text=text)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_text_is_a_text_whatever_it_begins_with(minilm_folder, llama_folder):
    """A list in brackets is one input of a task that takes a text, not several, and not JSON."""
    bracketed = np.array(json.loads(vector(minilm_folder, '["a", "b"]')))
    assert bracketed.shape == (384,)
    plain = np.array(json.loads(vector(minilm_folder, '["a", "b" ]')))
    assert 0.99 < bracketed @ plain / np.linalg.norm(bracketed) / np.linalg.norm(plain) <= 1.000001
    # An object too, where the task has no use for one; from standard input as well.
    assert vector(minilm_folder, '{"text": "a"}') == vector(minilm_folder, text='{"text": "a"}')
    done = hearth("run", llama_folder, "text-generation", '["a","b"]', "--json", "-p", "max_new_tokens=2", "-p", "return_full_text=true")
    assert done.returncode == 0 and json.loads(done.stdout)[0]["generated_text"].startswith('["a","b"]')


def test_several_inputs_are_several_arguments(minilm_folder):
    both = vector(minilm_folder, "a", "b")
    assert both == vector(minilm_folder, "a") + vector(minilm_folder, "b")


def test_tasks_of_several_texts_take_objects_and_say_so(minilm_folder):
    question = json.dumps({"source_sentence": "a cat", "sentences": ["a kitten", "a stone"]})
    done = hearth("run", minilm_folder, "sentence-similarity", question, "--json")
    assert done.returncode == 0 and len(json.loads(done.stdout)) == 2
    for wrong in ('["a cat", "a kitten"]', "a cat", "{broken"):
        done = hearth("run", minilm_folder, "sentence-similarity", wrong)
        assert done.returncode == 1 and "JSON object" in done.stderr, done.stderr


class TestCompletion:
    def complete(self, *words):
        """What bash offers for the last of the words."""
        script = ('source <("$0" completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _hearth; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script, str(BINARY), *words], capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, done.stderr
        return done.stdout.split()

    def test_commands(self):
        assert self.complete("hearth", "ser") == ["serve"]
        every = self.complete("hearth", "")
        assert {"run", "chat", "embed", "serve", "worker", "completion"} <= set(every)
        assert "git-hook" not in every  # not for people
        # All that help lists, and nothing else.
        listed = hearth("--help").stdout.split("Subcommands:")[1].splitlines()
        assert set(every) == {line.split()[0] for line in listed if line.startswith("  ") and not line.startswith("   ")}

    def test_commands_below_a_command(self):
        assert "user" in " ".join(self.complete("hearth", "admin", "")) and self.complete("hearth", "admin", "--he") == ["--help"]

    def test_options_of_the_command_at_hand(self):
        assert self.complete("hearth", "worker", "--lis") == ["--listen"]
        assert self.complete("hearth", "run", "--lis") == []
        assert "--precision" in self.complete("hearth", "run", "model", "auto", "--p")
        # A value is not taken for a command or an option.
        assert self.complete("hearth", "worker", "--listen", "serve", "--adapters-f") == ["--adapters-from"]

    def test_tasks_files_and_shells(self, tmp_path, monkeypatch):
        (tmp_path / "model-of-mine").mkdir()
        monkeypatch.chdir(tmp_path)
        assert self.complete("hearth", "run", "model-o") == ["model-of-mine"]
        assert self.complete("hearth", "run", "model-of-mine", "text-g") == ["text-generation"]
        assert self.complete("hearth", "serve", "--data", "model-o") == ["model-of-mine"]
        assert self.complete("hearth", "completion", "") == ["bash", "zsh", "fish"]

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_scripts_name_everything(self, shell):
        script = hearth("completion", shell).stdout
        for word in ("serve", "worker", "listen", "precision", "text-generation"):
            assert word in script
        interpreter = shutil.which(shell)
        if interpreter:  # bash always; the others where they are installed
            assert subprocess.run([interpreter, "-n"], input=script, text=True, capture_output=True).returncode == 0

    def test_an_unknown_shell_is_wrong_usage(self):
        assert hearth("completion", "tcsh").returncode == 2
