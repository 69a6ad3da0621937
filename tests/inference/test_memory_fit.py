"""What the hub says a model needs, beside what its engine takes."""
import subprocess
import sys

import pytest
import requests
from huggingface_hub import HfApi

import test_data
import train_small_models
from conftest import BINARY
from harness.hub import ADMIN_TOKEN, Hub

# Resident memory has parts that no header tells (pages of libraries, an allocator's reserve). A forgotten part - the table of tokens,
# the packed matrices, the keys - is off by more than this.
SLACK = 0.3


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    test_data.ensure()
    hub = Hub(tmp_path_factory.mktemp("hub") / "data")
    hub.start()
    yield hub
    hub.stop()


def need(hub, folder, **query):
    name = f"alice/{folder.name}"
    api = HfApi(hub.url, token=ADMIN_TOKEN)
    api.create_repo(name, exist_ok=True)
    api.upload_folder(repo_id=name, folder_path=str(folder))
    answer = requests.get(f"{hub.url}/api/hearth/models/{name}/fit", params=query)
    assert answer.ok, answer.text
    return answer.json()["need"]


# A child's peak begins with that of the process it was forked from: a small one asks for it.
PEAK = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(usage.ru_maxrss * 1024 if status == 0 else 0)
"""


def peak(*arguments):
    """Of a run whose packed weights are there already."""
    for _ in range(2):
        run = subprocess.run([sys.executable, "-S", "-c", PEAK, BINARY, "bench", *map(str, arguments), "--rounds", "1"], capture_output=True,
                             text=True, check=True)
    return int(run.stdout)


def test_an_encoder_takes_what_the_hub_says(hub):
    folder = test_data.DATA / "minilm"
    parts = need(hub, folder, context=256, sequences=32)
    assert parts["kv"] == 0
    assert parts["total"] == pytest.approx(peak(folder, "--lengths", 256), rel=SLACK)


def test_a_generator_takes_what_the_hub_says(hub):
    folder = train_small_models.ensure() / "llama"
    # The measured prompt's keys lie beside those of the one that warmed up.
    parts = need(hub, folder, context=240, sequences=2)
    assert parts["kv"] == 3 * 4 * (32 + 32) * 240 * 2 * 2
    assert parts["total"] == pytest.approx(peak(folder, "--prompt", 240, "--generate", 2, "--sequences", 1), rel=SLACK)
