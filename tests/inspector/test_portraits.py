"""Side by side over the labelled repositories: no fault, nothing said without a place, numbers that agree with the files."""
import json
import math
import subprocess

import pytest

from test_labelled import BINARY, every_repository

TOGETHER = 8
LEVELS = {"proved", "declared", "inferred", "missing"}


@pytest.fixture(scope="module")
def columns(tmp_path_factory):
    """[(repository, {row: cell})] of every labelled model."""
    root = tmp_path_factory.mktemp("portraits")
    models = [repo for repo in every_repository() if repo.type == "model" and repo.files]
    for repo in models:
        repo.write(root / repo.label / repo.name)
    result = []
    for start in range(0, len(models) - len(models) % TOGETHER, TOGETHER):
        some = models[start:start + TOGETHER]
        done = subprocess.run([str(BINARY), "compare", "--side-by-side", "--json", *(str(root / repo.label / repo.name) for repo in some)],
                              capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, (done.stderr, [repo.label for repo in some])
        answer = json.loads(done.stdout)
        for index, repo in enumerate(some):
            result.append((repo, {row["row"]: row["cells"][index] for group in answer["groups"] for row in group["rows"]}))
    assert len(result) > 200
    return result


def test_every_cell_says_how_it_is_known_and_where(columns):
    for repo, cells in columns:
        for row, cell in cells.items():
            assert cell["level"] in LEVELS, (repo.label, row)
            if cell["level"] == "missing":
                assert cell["value"] is None and cell["text"] == "", (repo.label, row)
            elif cell["applies"]:
                assert cell["text"] and cell["evidence"], (repo.label, row, cell)


def header_of(data):
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    return {name: tensor for name, tensor in header.items() if name != "__metadata__"}


def test_parameters_are_those_of_the_header(columns):
    checked = 0
    for repo, cells in columns:
        weights = [path for path in repo.files if path.endswith((".safetensors", ".bin", ".gguf", ".pt", ".pth"))]
        if weights != ["model.safetensors"] or cells["parameters"]["level"] != "proved":
            continue
        count = sum(math.prod(tensor["shape"]) for tensor in header_of(repo.files["model.safetensors"]).values())
        assert cells["parameters"]["value"] == count, repo.label
        checked += 1
    assert checked > 50


def test_numbers_of_the_configuration_are_its_own(columns):
    checked = 0
    for repo, cells in columns:
        if "config.json" not in repo.files or cells["layers"]["level"] == "missing":
            continue
        try:
            config = json.loads(repo.files["config.json"])
        except ValueError:
            continue
        if "num_hidden_layers" in config and not any(path.endswith(".gguf") for path in repo.files):
            assert cells["layers"]["value"] == config["num_hidden_layers"], repo.label
            checked += 1
    assert checked > 50


def test_files_are_counted(columns):
    for repo, cells in columns:
        assert cells["files"]["value"] == len(repo.files), repo.label
        assert cells["bytes"]["value"] == sum(map(len, repo.files.values())), repo.label
