"""A hub as a small team would fill it, from the project's own test data: for pictures, and for journeys through pages."""
import csv
import io
import json

from .hub import ADMIN_TOKEN, ROOT
from .people import eventually, whoami

DATA = ROOT / ".cache" / "testdata"

CHAT_CARD = """---
license: apache-2.0
language: en
pipeline_tag: text-generation
tags: [conversational, tiny]
datasets: [meridian/iris]
widget:
- text: where is the cat ?
  example_title: The cat
- text: what did the old man say ?
  example_title: The old man
---
# Tiny chat

A language model of two million parameters, trained on simple English. It shows how a chat model is laid out; it knows
nothing of the world.

## Intended use

Tests, demonstrations and lessons. It answers within milliseconds on any machine.

## Limitations

It was trained on a few kilobytes of text and repeats them. Do not use it for anything that matters.

## How it works

Attention over keys $k_j$ and values $v_j$ with queries $q_i$:

$$
\\mathrm{out}_i = \\sum_j \\frac{\\exp(q_i \\cdot k_j / \\sqrt{d})}{\\sum_l \\exp(q_i \\cdot k_l / \\sqrt{d})} \\, v_j
$$

| Part | Size |
|---|--:|
| layers | 2 |
| context | 256 |

## Example

```python
from transformers import pipeline

chat = pipeline("text-generation", model="meridian/tiny-chat")
print(chat([{"role": "user", "content": "where is the cat ?"}], max_new_tokens=20))
```

Trained from scratch[^1].

[^1]: With this project's own script, on its own texts.
"""

KINDS_CARD = """---
license: mit
language: [en, de]
pipeline_tag: text-classification
widget:
- text: "def main(): return 0"
  example_title: Some Python
- text: The fire is warm, and the cat sleeps beside it.
  example_title: A sentence
---
# Kinds of text

Says of a text whether it is prose, documentation, a template, Python or C++.
"""

DIGITS_CARD = """---
license: bsd-3-clause
pipeline_tag: image-classification
library_name: transformers
widget:
- src: samples/seven.png
  example_title: Seven
- src: samples/three.png
  example_title: Three
- src: samples/zero.png
  example_title: Zero
---
# Handwritten digits

Tells the ten digits apart, light on dark or dark on light. A vision transformer of 120,000 parameters, trained on 1,600 pictures.

## Limitations

It knows single digits of one size in the middle of a picture, and calls everything else one of the ten.
"""

TABLE_CARD = """---
license: cc-by-4.0
language: en
task_categories: [tabular-classification]
size_categories: [n<1K]
pretty_name: Iris
---
# Iris

Measurements of 150 flowers of three species, made in 1936. Four lengths in centimetres and the name of the species.

## Columns

`sepal length`, `sepal width`, `petal length`, `petal width`, `species`.
"""

LETTERS = """---
license: mit
task_categories: [text-classification]
language: [en, fr, de, es]
---
# Letters

Short messages and what they ask for.
"""


def space_card(title, emoji, first, second, about, models=()):
    named = "".join(f"\n- {model}" for model in models)
    return (f"---\ntitle: {title}\nemoji: {emoji}\ncolorFrom: {first}\ncolorTo: {second}\nsdk: static\nlicense: mit\n"
            f"short_description: {about}\n" + (f"models:{named}\n" if models else "") + f"---\n# {title}\n\n{about}.\n")


# Said to the small language model, which was trained on plain text.
TEMPLATE = "{% for message in messages %}{{ message.content }}\n{% endfor %}"


def chat_tokenizer():
    """tokenizer_config.json of the trained language model, with a template."""
    settings = json.loads((DATA / "trained" / "llama" / "tokenizer_config.json").read_text())
    return json.dumps(settings | {"chat_template": TEMPLATE})


PAGE = b"<!doctype html><title>Demo</title><p>A page of this Space.</p>\n"
SPACES = [
    ("meridian/find-sentences", "Find sentences", "✎", "indigo", "blue", "Search a text by meaning", ["meridian/all-MiniLM-L6-v2"]),
    ("meridian/chat-corner", "Chat corner", "☕", "red", "yellow", "Talk to a very small model", ["meridian/tiny-chat"]),
    ("ada/flowers", "Flowers", "☘", "green", "blue", "Which iris is it", []),
    ("ada/token-lens", "Token lens", "♞", "purple", "pink", "See how a text is cut into tokens", []),
]


class Demo:
    """Fills `hub`, which must be fresh. Everybody's password is the harness's."""

    def __init__(self, hub):
        from huggingface_hub import HfApi
        self.hub = hub
        for name in ("ada", "grace", "linus"):
            hub.make_user(name)
        hub.admin("org", "create", "meridian")
        hub.admin("org", "add-member", "meridian", "ada", "--role", "admin")
        hub.admin("org", "add-member", "meridian", "grace", "--role", "write")
        self.tokens = {name: hub.make_token(name) for name in ("ada", "grace", "linus")}
        self.api = HfApi(hub.url, token=ADMIN_TOKEN)
        self.ada = HfApi(hub.url, token=self.tokens["ada"])
        # The running hub looks for what `hearth admin` made a few times a second.
        assert eventually(lambda: all(whoami(hub, token) for token in self.tokens.values()))
        assert eventually(lambda: any(org["name"] == "meridian" for org in whoami(hub, self.tokens["ada"])["orgs"]))

    def repo(self, name, kind, files, folder=None):
        options = {"space_sdk": "static"} if kind == "space" else {}
        self.ada.create_repo(name, repo_type=kind, **options)
        if folder is not None:
            self.ada.upload_folder(repo_id=name, repo_type=kind, folder_path=str(folder), ignore_patterns=["README.md"] if "README.md" in files else None,
                                   commit_message="Add weights and tokenizer")
        for path, content in files.items():
            self.ada.upload_file(repo_id=name, repo_type=kind, path_in_repo=path, commit_message=f"Add {path}",
                                 path_or_fileobj=content.encode() if isinstance(content, str) else content)

    def fill(self):
        self.repo("meridian/all-MiniLM-L6-v2", "model", {}, DATA / "minilm")
        self.repo("meridian/tiny-chat", "model", {"README.md": CHAT_CARD, "tokenizer_config.json": chat_tokenizer()}, DATA / "trained" / "llama")
        self.repo("ada/kinds-of-text", "model", {"README.md": KINDS_CARD}, DATA / "trained" / "kinds")
        vocabulary = (DATA / "gguf" / "bert-bge.gguf").read_bytes()
        self.repo("ada/bge-vocabulary-GGUF", "model", {
            "README.md": "---\nlicense: mit\ntags: [gguf]\nbase_model: meridian/all-MiniLM-L6-v2\nbase_model_relation: quantized\n---\n"
                         "# Vocabulary\n\nThe tokenizer alone, as a GGUF file.\n", "bge-vocabulary-F16.gguf": vocabulary})
        iris = (DATA / "tables" / "iris.csv").read_text()
        self.repo("meridian/iris", "dataset", {"README.md": TABLE_CARD, "data/iris.csv": iris})
        rows = io.StringIO()
        writer = csv.writer(rows)
        writer.writerows([["text", "label"], ["Where is my parcel?", "question"], ["Please cancel it.", "request"]])
        self.repo("meridian/letters", "dataset", {"README.md": LETTERS, "train.csv": rows.getvalue()})
        for name, title, emoji, first, second, about, models in SPACES:
            self.repo(name, "space", {"README.md": space_card(title, emoji, first, second, about, models), "index.html": PAGE})
        self.repo("ada/notes", "model", {"README.md": "# Notes\n\nPrivate.\n"})
        self.ada.update_repo_settings("ada/notes", private=True)
        self._like()
        # Cards show once the indexer has read them.
        assert eventually(lambda: (self.api.model_info("ada/kinds-of-text").pipeline_tag or "") == "text-classification", 30)
        return self

    def add_digits(self, home):
        """A model of pictures, with examples; `home` as train_digits_model.ensure() gives it."""
        samples = {f"samples/{name}.png": sorted((home / "pictures").glob(f"{digit}_*.png"))[0].read_bytes()
                   for digit, name in ((7, "seven"), (3, "three"), (0, "zero"))}
        self.repo("meridian/digits", "model", {"README.md": DIGITS_CARD, **samples}, home / "model")
        assert eventually(lambda: (self.api.model_info("meridian/digits").pipeline_tag or "") == "image-classification", 30)
        return self

    def _like(self):
        import requests
        for name in ("ada", "grace", "linus"):
            for path in ("models/meridian/all-MiniLM-L6-v2", "models/meridian/tiny-chat", "datasets/meridian/iris", "spaces/meridian/chat-corner"):
                if (name, path) == ("linus", "datasets/meridian/iris"):
                    continue
                requests.post(f"{self.hub.url}/api/{path}/like", headers={"Authorization": "Bearer " + self.tokens[name]}).raise_for_status()


