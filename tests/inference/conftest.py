"""One `hearth worker` per model, asked by unmodified clients."""
import itertools
import json
import os
import pathlib
import queue
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import test_data  # noqa: E402

BINARY = pathlib.Path(os.environ.get("HEARTH_BINARY", ROOT / "build" / "release" / "src" / "apps" / "hearth"))
# Nothing is written to the home of whoever runs the tests.
os.environ.setdefault("HEARTH_CACHE", str(ROOT / "build" / "test-cache"))
START_SECONDS = 60
WORDS = ("the a cat dog sat ran on under mat tree and then it was red blue big small happy very . , ! ? yes no what where "
         "how I you we they").split()
TEMPLATE = ("{% for m in messages %}<|{{ m.role }}|> {{ m.content }} {% endfor %}"
            "{% if add_generation_prompt %}<|assistant|> {% endif %}")


class Worker:
    def __init__(self, model, *arguments, environment=None):
        self.process = subprocess.Popen([str(BINARY), "worker", str(model), "--listen", "127.0.0.1:0", "--id", "test/model",
                                         *arguments], env=dict(os.environ, **(environment or {})), text=True,
                                        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        lines = queue.Queue()
        # An empty line at the end: a worker that gives up is seen at once.
        threading.Thread(target=lambda: [lines.put(line) for line in itertools.chain(self.process.stdout, [""])], daemon=True).start()
        line = lines.get(timeout=START_SECONDS)
        assert "listening on " in line, line
        self.url = line.split("listening on ")[1].strip()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=30)


def write_tensors(path, tensors):
    header, offset = {}, 0
    tensors = {name: values.astype("<f4") for name, values in tensors.items()}
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            out.write(values.tobytes())


def tiny_llama(folder):
    """Seeded random weights, a tokenizer of bytes and words, and a chat template of our own."""
    special = ["<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
    alphabet = [chr(code) for code in range(33, 127)] + ["Ġ", "Ċ"]
    vocabulary = {token: i for i, token in enumerate(special + alphabet)}
    hidden, feed, layers = 48, 64, 2
    config = dict(model_type="llama", architectures=["LlamaForCausalLM"], vocab_size=len(vocabulary), hidden_size=hidden,
                  intermediate_size=feed, num_hidden_layers=layers, num_attention_heads=4, num_key_value_heads=2,
                  max_position_embeddings=512, rms_norm_eps=1e-5, eos_token_id=0, tie_word_embeddings=True)
    (folder / "config.json").write_text(json.dumps(config))
    added = [dict(id=i, content=token, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
             for i, token in enumerate(special)]
    tokenizer = dict(version="1.0", truncation=None, padding=None, added_tokens=added, normalizer=None,
                     pre_tokenizer=dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True),
                     post_processor=None, decoder=dict(type="ByteLevel", add_prefix_space=True, trim_offsets=True, use_regex=True),
                     model=dict(type="BPE", dropout=None, unk_token=None, continuing_subword_prefix=None,
                                end_of_word_suffix=None, fuse_unk=False, byte_fallback=False, ignore_merges=False,
                                vocab=vocabulary, merges=[]))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(json.dumps(dict(chat_template=TEMPLATE, eos_token="<|end|>")))
    random = np.random.default_rng(3)
    shapes = {"model.embed_tokens.weight": (len(vocabulary), hidden), "model.norm.weight": (hidden,)}
    for layer in range(layers):
        at = f"model.layers.{layer}."
        shapes |= {at + "self_attn.q_proj.weight": (hidden, hidden), at + "self_attn.k_proj.weight": (hidden // 2, hidden),
                   at + "self_attn.v_proj.weight": (hidden // 2, hidden), at + "self_attn.o_proj.weight": (hidden, hidden),
                   at + "mlp.gate_proj.weight": (feed, hidden), at + "mlp.up_proj.weight": (feed, hidden),
                   at + "mlp.down_proj.weight": (hidden, feed), at + "input_layernorm.weight": (hidden,),
                   at + "post_attention_layernorm.weight": (hidden,)}
    write_tensors(folder / "model.safetensors",
                  {name: random.standard_normal(shape) * 0.3 + (len(shape) == 1) for name, shape in shapes.items()})


@pytest.fixture(scope="session")
def minilm():
    test_data.ensure()
    worker = Worker(test_data.DATA / "minilm")
    yield worker
    assert worker.stop() == 0


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("llama")
    tiny_llama(folder)
    return folder


@pytest.fixture(scope="session")
def llama(llama_folder):
    worker = Worker(llama_folder, "--precision", "fp32")
    yield worker
    assert worker.stop() == 0
