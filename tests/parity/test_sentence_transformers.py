"""MiniLM's embeddings of real sentences against the sentence-transformers library itself."""
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import sentence_transformers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import probes  # noqa: E402
import test_data  # noqa: E402

BINARY = probes.ROOT / "build" / "release" / "src" / "apps" / "hearth"


@pytest.fixture(scope="module")
def sentences():
    """Lines of a novel, of one word to two hundred, and a whole page that must be cut."""
    text = (test_data.ensure() / "charsmaps" / "botchan.txt").read_text()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[20:420:5] + [" ".join(lines[20:80])]


@pytest.fixture(scope="module")
def expected(sentences):
    return sentence_transformers.SentenceTransformer(str(test_data.DATA / "minilm"), device="cpu").encode(sentences)


@pytest.mark.parametrize("precision, least", [("fp32", 0.999999), ("native", 0.9999), ("int8", 0.985)])
def test_embeddings_are_the_librarys(precision, least, sentences, expected, tmp_path):
    (tmp_path / "texts").write_text("\n".join(sentences))
    out = subprocess.run([BINARY, "embed", test_data.DATA / "minilm", "--precision", precision, "--file", tmp_path / "texts"],
                         capture_output=True, text=True, check=True).stdout
    ours = np.array([json.loads(line)["embedding"] for line in out.splitlines()])
    assert ours.shape == expected.shape
    cosine = (ours * expected).sum(-1) / np.linalg.norm(ours, axis=-1) / np.linalg.norm(expected, axis=-1)
    assert cosine.min() > least
