"""The C++ library: the programs of examples/, and one that is built outside of the tree against an installed prefix."""
import os
import subprocess

import numpy as np
import pytest
import requests

from conftest import BINARY, ROOT, test_data
from harness.hub import ADMIN, ADMIN_TOKEN, Hub

BUILD = BINARY.parent.parent.parent
TEXTS = ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."]


def example(name, *arguments, text="", fails=False, **variables):
    done = subprocess.run([str(BUILD / "examples" / f"example_{name}"), *map(str, arguments)], input=text, text=True,
                          capture_output=True, timeout=120, env={**os.environ, **variables})
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr if fails else done.stdout


def test_generate_shows_what_the_command_does(llama_folder):
    out = example("generate", llama_folder, "the cat", 12)
    command = subprocess.run([str(BINARY), "run", str(llama_folder), "text-generation", "the cat", "-p", "max_new_tokens=12"],
                             capture_output=True, text=True, check=True).stdout
    text, tokens = out.rstrip("\n").rsplit("\n", 1)
    assert "the cat" + text == command.rstrip("\n")
    assert 1 <= int(tokens.split()[0]) <= 12


def test_chat_answers_every_line_and_remembers(llama, llama_folder):
    out = example("chat", llama_folder, text="where is the cat ?\nand the dog ?\n")
    messages, expected = [{"role": "system", "content": "You answer in few words."}], ""
    for line in ("where is the cat ?", "and the dog ?"):
        messages.append({"role": "user", "content": line})
        answer = requests.post(llama.url + "/v1/chat/completions", timeout=60, json=dict(
            messages=messages, max_tokens=24, temperature=0)).json()["choices"][0]["message"]["content"]
        messages.append({"role": "assistant", "content": answer})
        expected += answer + "\n"
    assert out == expected


def test_embed_gives_the_matrix_that_the_server_gives(minilm):
    lines = example("embed", test_data.DATA / "minilm", *TEXTS).splitlines()
    vectors = np.array(requests.post(minilm.url + "/embed", json={"inputs": TEXTS}, timeout=60).json())
    assert lines[0] == f"{len(TEXTS)} x {vectors.shape[1]}"
    cosine = vectors @ vectors[0] / np.linalg.norm(vectors, axis=1) / np.linalg.norm(vectors[0])
    assert [float(line.split()[0]) for line in lines[1:]] == pytest.approx(list(cosine[1:]), abs=1e-3)
    assert cosine[1] > cosine[2]


def test_a_batch_and_threads_give_what_each_prompt_gives_alone(llama_folder):
    prompts = [f"the {word}" for word in "cat dog mat tree red blue".split()]
    out = example("batch", llama_folder, text="\n".join(prompts) + "\n")
    assert "(differs)" not in out and all(prompt in out for prompt in prompts)


def test_faults_are_errors_with_a_reason(llama_folder, tmp_path):
    assert "neither a folder nor a file" in example("generate", tmp_path / "none", "x", fails=True)
    assert "text-classification" in example("classify", llama_folder, "x", fails=True)
    assert "no chat template" in example("chat", test_data.DATA / "minilm", text="hi\n", fails=True)
    assert "HF_ENDPOINT" in example("generate", "nobody/nothing", "x", fails=True, HF_ENDPOINT="", HF_HOME=str(tmp_path))


def test_a_model_comes_by_its_id(llama_folder, tmp_path):
    hub = Hub(tmp_path / "data").start()
    try:
        from huggingface_hub import HfApi
        api = HfApi(endpoint=hub.url, token=ADMIN_TOKEN)
        api.create_repo(f"{ADMIN}/tiny", private=True)
        api.upload_folder(repo_id=f"{ADMIN}/tiny", folder_path=llama_folder)
        out = example("generate", f"{ADMIN}/tiny", "the cat", 8, HF_ENDPOINT=hub.url, HF_TOKEN=ADMIN_TOKEN, HF_HOME=str(tmp_path))
        assert out == example("generate", llama_folder, "the cat", 8)
    finally:
        hub.stop()


@pytest.mark.parametrize("name", ["hearth", "Hearth"])
def test_a_program_outside_builds_against_an_installed_prefix(name, llama_folder, tmp_path):
    def run(*arguments):
        done = subprocess.run([str(part) for part in arguments], capture_output=True, text=True, timeout=150)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
    prefix, source = tmp_path / "prefix", tmp_path / "app"
    run("cmake", "--install", BUILD, "--prefix", prefix, "--component", "library")
    headers = {str(path.relative_to(prefix / "include")) for path in (prefix / "include").rglob("*.h")}
    assert headers == {"hearth/pipeline.h", "hearth/base/error.h"}
    source.mkdir()
    (source / "generate.cc").write_text((ROOT / "examples" / "generate.cc").read_text())
    (source / "CMakeLists.txt").write_text(f"""\
cmake_minimum_required(VERSION 3.25)
project(app LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
find_package({name} REQUIRED)
add_executable(app generate.cc)
target_link_libraries(app hearth::runtime)
""")
    run("cmake", "-G", "Ninja", "-S", source, "-B", source / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("ninja", "-C", source / "build")
    assert run(source / "build" / "app", llama_folder, "the cat", 8) == example("generate", llama_folder, "the cat", 8)
