#!/usr/bin/env python3
"""Writes a language model of a real shape with seeded random weights: right for timing, not for reading.

    seeded_model.py smollm2-135m FOLDER [--tokenizer tokenizer.json]
"""
import argparse
import json
import pathlib
import shutil
import struct

import numpy as np

SHAPES = {
    "smollm2-135m": dict(
        model_type="llama", architectures=["LlamaForCausalLM"], vocab_size=49152, hidden_size=576,
        intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3,
        max_position_embeddings=8192, rope_theta=100000.0, rms_norm_eps=1e-5, tie_word_embeddings=True,
        bos_token_id=0, eos_token_id=0, hidden_act="silu", torch_dtype="bfloat16"),
    "gemma-3-270m": dict(
        model_type="gemma3_text", architectures=["Gemma3ForCausalLM"], vocab_size=262144, hidden_size=640,
        intermediate_size=2048, num_hidden_layers=18, num_attention_heads=4, num_key_value_heads=1, head_dim=256,
        max_position_embeddings=32768, rope_theta=1000000.0, rope_local_base_freq=10000.0, rms_norm_eps=1e-6,
        query_pre_attn_scalar=256, sliding_window=512, tie_word_embeddings=True, bos_token_id=2, eos_token_id=1,
        layer_types=["full_attention" if (i + 1) % 6 == 0 else "sliding_attention" for i in range(18)],
        hidden_activation="gelu_pytorch_tanh", torch_dtype="bfloat16"),
}


def tensors(shape):
    hidden, feed = shape["hidden_size"], shape["intermediate_size"]
    head = shape.get("head_dim", hidden // shape["num_attention_heads"])
    queries, keys = head * shape["num_attention_heads"], head * shape["num_key_value_heads"]
    gemma = shape["model_type"].startswith("gemma")
    yield "model.embed_tokens.weight", (shape["vocab_size"], hidden)
    yield "model.norm.weight", (hidden,)
    for layer in range(shape["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        yield at + "self_attn.q_proj.weight", (queries, hidden)
        yield at + "self_attn.k_proj.weight", (keys, hidden)
        yield at + "self_attn.v_proj.weight", (keys, hidden)
        yield at + "self_attn.o_proj.weight", (hidden, queries)
        yield at + "mlp.gate_proj.weight", (feed, hidden)
        yield at + "mlp.up_proj.weight", (feed, hidden)
        yield at + "mlp.down_proj.weight", (hidden, feed)
        norms = ["input_layernorm", "post_attention_layernorm"]
        if gemma:
            norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
            yield at + "self_attn.q_norm.weight", (head,)
            yield at + "self_attn.k_norm.weight", (head,)
        for norm in norms:
            yield at + norm + ".weight", (hidden,)


def to_bf16(values):
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def write(folder, shape, seed=1):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(shape, indent=2))
    header, offset, specs = {}, 0, list(tensors(shape))
    for name, dims in specs:
        size = 2 * int(np.prod(dims))
        header[name] = {"dtype": "BF16", "shape": list(dims), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    random = np.random.default_rng(seed)
    with open(folder / "model.safetensors", "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for name, dims in specs:
            values = random.standard_normal(dims, dtype=np.float32)
            # Norms near 1 (Gemma stores them less 1); matrices as initialisers have them.
            values = values * 0.02 if len(dims) > 1 else values * 0.1 + (0 if "gemma" in shape["model_type"] else 1)
            out.write(to_bf16(values).tobytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tokenizer", type=pathlib.Path)
    options = parser.parse_args()
    write(options.folder, SHAPES[options.shape])
    if options.tokenizer:
        shutil.copy(options.tokenizer, options.folder / "tokenizer.json")


if __name__ == "__main__":
    main()
