"""Repositories of data sets, Spaces and code."""
import cards
import files
from models import STYLES
from repository import Repository

ROWS = '{"text": "one", "label": 0}\n{"text": "two", "label": 1}\n'
TABLE = "text,label\none,0\ntwo,1\n"


def dataset(label, kinds=("dataset",), fields=None, style="short", alarms=()):
    fields = {"license": "cc-by-4.0", "task_categories": ["text-classification"], **(fields or {})}
    return Repository(label, kinds, type="dataset", alarms=alarms).add("README.md", cards.card(fields, style))


def datasets(tables):
    configs = [{"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*"}, {"split": "test", "path": "data/test-*"}]}]
    for i, style in enumerate(STYLES):
        yield (dataset(f"dataset-parquet-{i}", fields={"configs": configs} if i % 2 else {}, style=style)
               .add("data/train-00000-of-00001.parquet", files.parquet()).add("data/test-00000-of-00001.parquet", files.parquet()))
        yield dataset(f"dataset-csv-{i}", style=style).add(["train.csv", "data.csv", "data/all.tsv"][i % 3], TABLE).add("test.csv", TABLE)
        yield dataset(f"dataset-jsonl-{i}", style=style).add("train.jsonl", ROWS).add("dev.jsonl", ROWS)
    for name, data in tables.items():
        yield dataset(f"dataset-{name}").add(name, data)
    yield dataset("dataset-json").add("data.json", '[{"a": 1}, {"a": 2}]')
    yield dataset("dataset-text").add("corpus.txt", "one line\nanother line\n" * 20)
    yield dataset("dataset-images").add("train/cat/1.png", files.PNG).add("train/dog/1.png", files.PNG)
    yield dataset("dataset-sound").add("clips/1.wav", files.WAV).add("metadata.csv", "file_name,text\nclips/1.wav,hello\n")
    yield dataset("dataset-web").add("shard-000.tar", files.tar({"1.txt": b"x", "1.json": b"{}"}))
    yield dataset("dataset-deep", fields={"configs": [{"config_name": "de", "data_files": "de/**/*.jsonl"}]}).add("de/a/b/x.jsonl", ROWS)
    yield dataset("dataset-folder", fields={"configs": [{"config_name": "x", "data_dir": "x"}]}).add("x/train.csv", TABLE)
    yield dataset("dataset-script", ["dataset", "remote_code"]).add("m.py", "import datasets\n\nclass M(datasets.GeneratorBasedBuilder):\n    pass\n").add(
        "dataset_infos.json", {}).add("README.md", cards.card({"license": "mit", "dataset_info": {"features": [{"name": "a", "dtype": "string"}]}}, "short"))
    yield dataset("dataset-info-only", fields={"dataset_info": {"features": [{"name": "a", "dtype": "string"}], "splits": [{"name": "train"}]}})
    for i in range(5):
        eval_yaml = "name: Cooking\ntasks:\n  - id: cook\n    config: default\n    split: test\n    field_spec: {input: question, target: answer}\n"
        yield (dataset(f"benchmark-{i}", ["dataset", "benchmark"], style=STYLES[i]).add("eval.yaml", eval_yaml)
               .add("data/test-00000-of-00001.parquet", files.parquet()))


GRADIO = 'import gradio as gr\nfrom transformers import pipeline\n\npipe = pipeline("text-generation", model="org/llama-base")\ngr.Interface(pipe, "text", "text").launch()\n'


def space(label, sdk, kinds=("space",), fields=None, style="bare", alarms=()):
    fields = {"title": "Cooking", "emoji": "x", "sdk": sdk, **(fields or {})}
    return Repository(label, kinds, type="space", alarms=alarms).add("README.md", cards.card(fields, style))


def spaces():
    for i in range(5):
        yield space(f"space-gradio-{i}", "gradio", style=STYLES[1 + i % 4]).add("app.py", GRADIO).add("requirements.txt", "transformers\n")
        yield space(f"space-docker-{i}", "docker", fields={"app_port": 7860}).add("Dockerfile", "FROM python:3.12\nRUN hf download org/llama-base\n").add("main.py", "print(1)\n")
        yield space(f"space-static-{i}", "static", style=STYLES[1 + i % 4]).add("index.html", "<html><body>hello</body></html>").add("style.css", "a{}")
    yield space("space-streamlit", "streamlit").add("app.py", "import streamlit\n")
    yield space("space-app-file", "gradio", fields={"app_file": "demo/run.py"}).add("demo/run.py", GRADIO)
    yield space("space-with-data", "gradio").add("app.py", GRADIO).add("examples.csv", TABLE).add("data/log.jsonl", ROWS)
    yield space("space-with-weights", "gradio").add("app.py", GRADIO).add("w.safetensors", files.safetensors({"a.weight": ("F32", (4, 4))}))


def libraries():
    python = {"pyproject.toml": '[build-system]\nrequires = ["hatchling"]\n\n[project]\nname = "x"\n', "src/x/__init__.py": "VERSION = 1\n"}
    kinds = [python, {"setup.py": "from setuptools import setup\nsetup(name='x')\n", "x/core.py": "A = 1\n"},
             {"CMakeLists.txt": "project(x)\nadd_library(x x.cc)\n", "x.cc": "int a;\n"},
             {"Cargo.toml": '[package]\nname = "x"\n', "src/lib.rs": "pub fn a() {}\n"},
             {"package.json": '{"name": "x", "version": "1.0.0"}', "index.js": "export const a = 1;\n"},
             {"go.mod": "module example.org/x\n", "x.go": "package x\n"}]
    for i, tree in enumerate(kinds * 2):
        repo = Repository(f"library-{i}", ["library"]).add("README.md", cards.card({"license": "mit"}, STYLES[i % 5]))
        for path, text in tree.items():
            repo.add(path, text)
        yield repo


def all_others(tables):
    yield from datasets(tables)
    yield from spaces()
    yield from libraries()
