"""A hub of a million synthetic repositories with cards, written into its database, and a few real ones whose pages can be opened.

`Seeder` works in steps, so that a long filling can be cut: each step writes one block of rows, whatever was written before. The same cards go into
a database of SQLite's FTS5, which search is compared with.

One account owns nine tenths of everything, an organisation the rest: the worst that the pages of owners can meet. Beside `count` models there are
a tenth as many data sets and a twentieth as many Spaces. Every model holds one large object that only the database knows.
"""
import base64
import hashlib
import json
import pathlib
import random
import re
import sqlite3
import struct
import time

from harness import ROOT

BLOCK = 50_000
FIRST_ID = 1000  # of the synthetic repositories
ORGANIZATION = "crowd"
USERS = 20_000
TASKS = ["text-generation", "text-classification", "fill-mask", "feature-extraction", "image-classification", "automatic-speech-recognition"]
LIBRARIES = ["transformers", "diffusers", "sentence-transformers", "timm", "peft", "gguf"]
FORMATS = ["safetensors", "gguf", "onnx", "pytorch"]
LICENSES = ["license:mit", "license:apache-2.0", "license:llama3", "license:cc-by-4.0", "license:other"]
LANGUAGES = ["en", "fr", "de", "zh", "ja", "es", "ru", "hi", "ar", "pt"]
MODALITIES = ["text", "image", "audio", "tabular", "video"]
SIZES = ["n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M"]
SDKS = ["gradio", "docker", "static", "streamlit"]
COMMON = ("the of model and to a in for is on with training data from language text trained use by results dataset fine tuned base evaluation input "
          "tokens learning rate batch size transformer license generation accuracy loss sentence embedding image speech audio vision english medical "
          "legal code pipeline tokenizer weights quantized adapter diffusion detection translation summary chat instruct reward safety bias").split()
VOCABULARY = 300_000
NO_COMMIT = "0" * 40


def word(rank):
    """The word of a rank: the first are those that cards are full of, the others made of syllables."""
    if rank < len(COMMON):
        return COMMON[rank]
    left, text = rank + 200, ""
    while left:
        text += ("b", "br", "ch", "d", "f", "g", "gr", "h", "k", "l", "m", "n", "p", "pl", "r", "s", "st", "t", "tr", "v", "w", "z")[left % 22]
        left //= 22
        text += ("a", "e", "i", "o", "u", "ai", "ea", "or", "an", "el", "in")[left % 11]
        left //= 11
    return text


def rank(pick):
    """About once for every r occurrences of the first word, as in real texts."""
    return int(VOCABULARY ** pick.random()) - 1


def paragraphs(pick, count=60_000):
    """Cards are put together from these: drawing each word of a million cards would take an hour."""
    return [" ".join(word(rank(pick)) for _ in range(pick.choice([20, 40, 60]))) for _ in range(count)]


def rules_version(header, name):
    """The version of rules whose results the database is to hold."""
    found = re.search(rf"{name} = (\d+)", (ROOT / "src" / header).read_text())
    return int(found.group(1))


class Seeder:
    def __init__(self, database, peer, count):
        self.database, self.peer = sqlite3.connect(database), sqlite3.connect(peer)
        self.database.execute("PRAGMA synchronous=OFF")
        self.peer.execute("PRAGMA synchronous=OFF")
        self.peer.execute("CREATE VIRTUAL TABLE IF NOT EXISTS cards USING fts5(name, tags, card, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3')")
        self.kinds = [("model", count), ("dataset", count // 10), ("space", count // 20)]
        self.total = sum(number for _, number in self.kinds)
        self.pool = None

    def done(self):
        """Repositories that are written."""
        return self.database.execute("SELECT COALESCE(MAX(id), ?) FROM repos", (FIRST_ID - 1,)).fetchone()[0] + 1 - FIRST_ID

    def step(self):
        """Writes the next block; False when there is none left."""
        if self.pool is None:
            self.pool = paragraphs(random.Random(7))
        start = max(self.done(), 0)
        if start == 0:
            self.people()
        if start >= self.total:
            return False
        self.block(start, min(start + BLOCK, self.total))
        return True

    def people(self):
        now = int(time.time() * 1000)
        if self.database.execute("SELECT 1 FROM accounts WHERE name = ?", (ORGANIZATION,)).fetchone():
            return
        self.database.execute("INSERT INTO accounts (id, oid, is_org, name, name_lower, fullname, created_at) VALUES (?, ?, 1, ?, ?, 'A crowd', ?)",
                              (FIRST_ID, f"{FIRST_ID:024x}", ORGANIZATION, ORGANIZATION, now))
        self.database.executemany("INSERT INTO accounts (id, oid, is_org, name, name_lower, fullname, created_at) VALUES (?, ?, 0, ?, ?, '', ?)",
                                  [(FIRST_ID + 1 + i, f"{FIRST_ID + 1 + i:024x}", f"user{i}", f"user{i}", now) for i in range(USERS)])
        bench = self.database.execute("SELECT id FROM accounts WHERE name = 'bench'").fetchone()[0]
        self.database.executemany("INSERT INTO members (org_id, user_id, role) VALUES (?, ?, ?)",
                                  [(FIRST_ID, bench, "admin")] + [(FIRST_ID, FIRST_ID + 1 + i, "read") for i in range(200)])
        self.database.commit()

    def kind_of(self, i):
        for kind, number in self.kinds:
            if i < number:
                return kind
            i -= number
        raise IndexError(i)

    def block(self, start, end):
        pick, now = random.Random(start), int(time.time() * 1000)
        bench = self.database.execute("SELECT id FROM accounts WHERE name = 'bench'").fetchone()[0]
        repos, facts, texts, cards, objects, grants = [], [], [], [], [], []
        for i in range(start, end):
            number, kind = i + FIRST_ID, self.kind_of(i)
            owner, owner_name = (FIRST_ID, ORGANIZATION) if i % 10 == 3 else (bench, "bench")
            created = now - pick.randrange(3 * 365 * 86400) * 1000
            name = f"{word(rank(pick))}-{word(rank(pick))}-{i}"
            repos.append((number, f"{number:024x}", kind, owner, name, name, bench, NO_COMMIT, created, created + pick.randrange(10**9),
                          min(int(pick.paretovariate(0.6)), 10**9), min(int(pick.paretovariate(0.9)) - 1, 10**6)))
            row, extra = self.facts(pick, kind)
            facts.append((number, NO_COMMIT, row["task"], row["library"], row["parameters"], row["bytes"], json.dumps(row["tags"])))
            card = "\n\n".join(pick.choices(self.pool, k=pick.choice([1, 2, 2, 3, 3, 5, 8])))
            texts.append((number, NO_COMMIT, json.dumps({"version": 1, "commit": NO_COMMIT, "text": card, "tags": row["tags"], "task": row["task"],
                                                         "library": row["library"], "files": []} | extra)))
            cards.append((number, f"{owner_name}/{name}", " ".join(row["tags"]), card))
            if kind == "model":
                content = hashlib.sha256(str(i).encode()).digest()
                objects.append((content, row["bytes"], now))
                grants.append((number, content, bench, now))
        many = self.database.executemany
        many("INSERT INTO repos (id, oid, type, owner_id, name, name_lower, creator_id, head, created_at, modified_at, downloads, likes, index_stale) "
             "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,0)", repos)
        many("INSERT INTO repo_facts (repo_id, commit_oid, pipeline_tag, library_name, parameters, main_bytes, tags) VALUES (?,?,?,?,?,?,?)", facts)
        many("INSERT INTO repo_fact_texts (repo_id, commit_oid, facts) VALUES (?,?,?)", texts)
        many("INSERT INTO objects (sha256, size, created_at) VALUES (?,?,?)", objects)
        many("INSERT INTO repo_objects (repo_id, sha256, pusher_id, created_at) VALUES (?,?,?,?)", grants)
        self.database.commit()
        self.peer.executemany("INSERT INTO cards (rowid, name, tags, card) VALUES (?,?,?,?)", cards)
        self.peer.commit()

    @staticmethod
    def facts(pick, kind):
        shared = [pick.choice(LANGUAGES), pick.choice(LICENSES), "region:us"]
        if kind == "model":
            task, library = pick.choice(TASKS), pick.choice(LIBRARIES)
            tags = [library, pick.choice(FORMATS), task] + shared
            if pick.random() < 0.05:
                tags.append("model-index")
            return {"task": task, "library": library, "parameters": pick.randrange(10**6, 10**10), "bytes": pick.randrange(10**6, 10**10), "tags": tags}, {}
        if kind == "dataset":
            tags = [f"task_categories:{pick.choice(TASKS)}", f"size_categories:{pick.choice(SIZES)}", f"modality:{pick.choice(MODALITIES)}", "format:parquet"]
            if pick.random() < 0.05:
                tags.append("benchmark:official")
            return {"task": "", "library": "", "parameters": 0, "bytes": pick.randrange(10**6, 10**10), "tags": tags + shared}, {}
        return {"task": "", "library": "", "parameters": 0, "bytes": 0, "tags": [pick.choice(SDKS)] + shared}, {}

    def settle(self):
        """The background jobs have looked at all of these repositories, which have no git folder, long ago."""
        tensors, repository = rules_version("hub/inspector/weights/tensor_scan.h", "kTensorScanVersion"), rules_version("hub/inspector/inspect_repo.h", "kRepoRules")
        ours = "FROM repos r JOIN accounts a ON a.id = r.owner_id WHERE r.id >= ?"
        run = self.database.execute
        run(f"INSERT OR REPLACE INTO repo_tensor_state (repo_id, commit_oid, rule) SELECT r.id, r.head, {tensors} {ours}", (FIRST_ID,))
        run(f"INSERT OR REPLACE INTO safety_refs (repo_id, ref, commit_oid) SELECT r.id, 'refs/heads/main', r.head {ours}", (FIRST_ID,))
        run(f"INSERT OR REPLACE INTO safety_refs (repo_id, ref, commit_oid) SELECT r.id, '', CAST(r.modified_at AS TEXT) {ours}", (FIRST_ID,))
        run("INSERT OR REPLACE INTO inspections (repo_id, rule, commit_oid, version, summary, gpu_bytes, cpu_bytes, result) SELECT r.id, 'repository', "
            f"r.head || ' ' || a.name || '/' || r.name, {repository}, CASE r.id % 4 WHEN 0 THEN 'adapter:proved' WHEN 1 THEN "
            "'quantized:proved,converted:declared' WHEN 2 THEN 'base:inferred' ELSE 'embedding:proved,finetune:declared' END, "
            f"(r.id * 40503 % 97) << 30, (r.id * 40503 % 97) << 30, '{{}}' {ours}", (FIRST_ID,))
        self.database.commit()

    def optimize_peer(self):
        begin = time.perf_counter()
        self.peer.execute("INSERT INTO cards (cards) VALUES ('optimize')")
        self.peer.commit()
        return time.perf_counter() - begin

    def card_bytes(self):
        """Of a card, on average over some."""
        return self.database.execute("SELECT AVG(LENGTH(facts)) FROM repo_fact_texts WHERE repo_id BETWEEN ? AND ?", (FIRST_ID, FIRST_ID + 9999)).fetchone()[0]

    def close(self):
        self.database.close()
        self.peer.close()


# --- repositories whose pages can be opened

def safetensors(scale):
    names = [f"encoder.layer.{i}.{part}.weight" for i in range(12) for part in ("query", "key", "value", "output", "intermediate")] + ["embeddings.word.weight"]
    header, data = {}, b""
    for name in names:
        values = struct.pack("<256f", *(scale * (i % 17 - 8) / 100 for i in range(256)))
        header[name] = {"dtype": "F32", "shape": [16, 16], "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def notebook():
    cells = [{"cell_type": kind, "metadata": {}, "source": [f"# cell {i}\n", "x = 1\n"]} | ({"outputs": [], "execution_count": i} if kind == "code" else {})
             for i in range(20) for kind in ("markdown", "code")]
    return json.dumps({"cells": cells, "metadata": {"kernelspec": {"language": "python", "name": "python3"}}, "nbformat": 4, "nbformat_minor": 5})


def large_card():
    """100 KB of everything that a card may have."""
    section = ("## Part {0}\n\nA paragraph with **bold** words, `code`, a [link](https://example.org/{0}) and $a_{{{0}}}^2 + b^2$.\n\n| a | b | c |\n|---|---|---|\n"
               + "| 1 | 2 | 3 |\n" * 12 + "\n```python\nfor i in range({0}):\n    print(\"value\", i)  # a comment\n```\n\n- one\n- two\n\nA note.[^{0}]\n\n[^{0}]: Said here.\n\n")
    front = "---\nlicense: mit\nlanguage: [en]\npipeline_tag: text-classification\nlibrary_name: transformers\n---\n# A large card\n\n"
    text, i = front, 0
    while len(text) < 100_000:
        i += 1
        text += section.format(i)
    return text


CONFIG = {"architectures": ["BertForSequenceClassification"], "model_type": "bert", "hidden_size": 16, "num_hidden_layers": 12, "num_attention_heads": 4,
          "intermediate_size": 16, "vocab_size": 16, "max_position_embeddings": 512, "id2label": {"0": "no", "1": "yes"}}
CODE = "".join(f"def step_{i}(value):\n    \"\"\"Step {i}.\"\"\"\n    return value * {i} + len(\"text\")\n\n\n" for i in range(400))


def real_files(card):
    return {"README.md": card, "config.json": json.dumps(CONFIG, indent=2), "code.py": CODE, "notes.ipynb": notebook(),
            "table.csv": "name,value,other\n" + "".join(f"row {i},{i * 7 % 101},{i}\n" for i in range(2000)),
            "data.json": json.dumps({f"key{i}": list(range(20)) for i in range(200)}), "docs/guide/first.md": "# First\n\nText.\n", "LICENSE": "MIT License\n\nPermission is hereby granted, free of charge, to any person\n"}


def make_real(hub):
    """`carded` with a small card, `worked` with a history, weights and a large card, `other` to compare with; a data set and a Space."""
    def commit(name, summary, files, kind="models"):
        lines = [{"key": "header", "value": {"summary": summary}}]
        lines += [{"key": "file", "value": {"path": path, "content": base64.b64encode(text.encode()).decode(), "encoding": "base64"}} for path, text in files.items()]
        return hub.commit(name, lines, kind=kind)
    hub.create_repo("carded")
    commit("carded", "card", {"README.md": "# A card\n" + "Some text. " * 300})
    for name, scale in (("worked", 1), ("other", 2)):
        hub.create_repo(name)
        commit(name, "first files", real_files(large_card()))
        weights = safetensors(scale)
        file = pathlib.Path(str(hub.folder) + f".{name}")
        file.write_bytes(weights)
        digest = hashlib.sha256(weights).hexdigest()
        hub.upload_lfs(name, file, digest, len(weights))
        file.unlink()
        hub.commit(name, [{"key": "header", "value": {"summary": "weights"}},
                          {"key": "lfsFile", "value": {"path": "model.safetensors", "algo": "sha256", "oid": digest, "size": len(weights)}}])
        for i in range(60):
            commit(name, f"change {i}", {"code.py": CODE.replace(f"Step {i}.", f"Step {i}, changed."), f"more/file{i}.txt": f"{i}\n" * 50})
    hub.create_repo("rows", "dataset")
    commit("rows", "rows", {"README.md": "---\nlicense: mit\n---\n# Rows\n", "train.csv": real_files("")["table.csv"]}, "datasets")
    hub.call("POST", "/api/repos/create", {"name": "app", "type": "space", "sdk": "static", "organization": None})
    commit("app", "page", {"README.md": "---\nsdk: static\ntitle: App\n---\n# App\n", "index.html": "<h1>App</h1>"}, "spaces")
