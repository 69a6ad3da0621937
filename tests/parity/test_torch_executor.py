"""The executors that a user may choose beside the CPU's: torch (libtorch, a plugin) and reference, by the command line and a worker.

What each computes is compared with transformers in test_architectures.py and test_adapters.py; here it is how they are chosen, served and
missed."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import probes  # noqa: E402
import test_tasks  # noqa: E402
from test_tasks import TEXT, make, tokenizer as word_pieces  # noqa: E402, F401
from test_text_generation import BINARY, PROMPT, Worker, expected, model, tokenizer  # noqa: E402, F401

OPERATIONS = probes.ROOT / "build/release/src/tensor/hearth_tensor_test"


def hearth(*arguments, **environment):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=120, env=dict(os.environ, **environment))


def test_every_operation_agrees_in_every_executor():
    done = subprocess.run([OPERATIONS, "--gtest_filter=Executors.*"], capture_output=True, text=True, cwd=probes.ROOT,
                          env=dict(os.environ, HEARTH_TEST_TORCH="1"))
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("executor", ["torch", "reference"])
def test_the_command_line_generates_what_transformers_does(executor, model, tokenizer):  # noqa: F811
    done = hearth("run", model.folder, "text-generation", PROMPT, "--executor", executor, "--precision", "fp32", "--json",
                  "-p", "max_new_tokens=24", "-p", "return_full_text=false")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    answer = answer[0] if isinstance(answer, list) else answer
    texts, _ = expected(model, tokenizer, max_new_tokens=24, do_sample=False)
    assert [answer["generated_text"]] == texts


@pytest.fixture(scope="module")
def worker(model):  # noqa: F811
    running = Worker(model.folder, "--executor", "torch", "--threads", 1)
    yield running
    assert running.stop() == 0


def test_many_texts_at_once_are_what_each_is_alone(worker, model, tokenizer):  # noqa: F811
    prompts = [PROMPT[i:] for i in range(8)]

    def ask(prompt):
        status, answer = worker.ask("/generate", inputs=prompt, parameters={"max_new_tokens": 20, "do_sample": False})
        assert status == 200, answer
        return [answer["generated_text"]]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, prompts))
    assert together == [expected(model, tokenizer, prompt, max_new_tokens=20, do_sample=False)[0] for prompt in prompts]


def test_a_worker_with_libtorch_is_confined_too(worker):
    status = pathlib.Path(f"/proc/{worker.process.pid}/status").read_text()
    assert "Seccomp:\t2" in status
    assert "libtorch_cpu" in pathlib.Path(f"/proc/{worker.process.pid}/maps").read_text()


@pytest.mark.parametrize("executor", ["torch", "reference"])
def test_encoders_classify_alike(executor, word_pieces, tmp_path):  # noqa: F811
    make(tmp_path, "BertForSequenceClassification", ["good", "bad", "neither"])
    mine = test_tasks.run(tmp_path, "text-classification", TEXT, "--executor", executor)[0]
    theirs = test_tasks.run(tmp_path, "text-classification", TEXT)[0]
    assert [item["label"] for item in mine] == [item["label"] for item in theirs]
    assert [item["score"] for item in mine] == pytest.approx([item["score"] for item in theirs], abs=1e-4)


def vectors(folder, texts, *options):
    done = subprocess.run([BINARY, "embed", folder, *options, *texts], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return np.array([json.loads(line)["embedding"] for line in done.stdout.splitlines()], np.float32)


def test_vectors_are_the_same_to_their_last_digits_and_near_in_bf16(word_pieces, tmp_path):  # noqa: F811
    make(tmp_path, "BertModel")
    texts = [" ".join([TEXT] * (1 + i % 2)) for i in range(40)]
    expected = vectors(tmp_path, texts, "--precision", "fp32")
    exact = vectors(tmp_path, texts, "--precision", "fp32", "--executor", "torch")
    rounded = vectors(tmp_path, texts, "--precision", "bf16", "--executor", "torch")
    largest = np.abs(expected).max()
    assert expected.shape[0] == len(texts)
    assert np.abs(exact - expected).max() < 2e-5 * largest
    assert 0 < np.abs(rounded - expected).max() < 0.05 * largest


def test_without_the_plugin_it_says_how_to_get_it(model, tmp_path):  # noqa: F811
    missing = hearth("run", model.folder, "text-generation", "a", "--executor", "torch", HEARTH_TORCH_PLUGIN=str(tmp_path / "none.so"))
    assert missing.returncode != 0
    assert "torch executor is not installed" in missing.stderr and "docs/inference.md" in missing.stderr
    (tmp_path / "none.so").write_text("no library")
    damaged = hearth("run", model.folder, "text-generation", "a", "--executor", "torch", HEARTH_TORCH_PLUGIN=str(tmp_path / "none.so"))
    assert damaged.returncode != 0 and "does not load" in damaged.stderr
    hub = hearth("serve", "--data", tmp_path / "data", "--inference-executor", "torch", HEARTH_TORCH_PLUGIN=str(tmp_path / "gone.so"))
    assert hub.returncode != 0 and "torch executor is not installed" in hub.stderr


@pytest.mark.parametrize("device, precision, says", [("cpu", "int8", "fp32 or bf16"), ("abacus", "fp32", "abacus"), ("cuda:9", "fp32", "cuda:9")])
def test_what_torch_cannot_do_is_refused(device, precision, says, model):  # noqa: F811
    done = hearth("run", model.folder, "text-generation", "a", "--executor", "torch", "--precision", precision, HEARTH_TORCH_DEVICE=device)
    assert done.returncode != 0 and says in done.stderr
