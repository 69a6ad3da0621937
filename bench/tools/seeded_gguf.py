#!/usr/bin/env python3
"""Writes the model of seeded_model.py as a GGUF file (F16), which llama.cpp's quantiser takes. Run in the environment `parity`.

    seeded_gguf.py smollm2-135m FILE

Its vocabulary is made up ("w0", "w1"...): generation counts tokens here and reads none.
"""
import argparse

import gguf
import numpy as np
from seeded_model import SHAPES, tensors

NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
         "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm", "pre_feedforward_layernorm": "ffn_norm",
         "post_feedforward_layernorm": "post_ffw_norm"}


def gguf_name(name, gemma):
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    if name == "model.norm.weight":
        return "output_norm.weight"
    _, _, layer, rest = name.split(".", 3)
    rest = rest.removesuffix(".weight")
    if rest == "post_attention_layernorm":
        rest = "post_attention_norm" if gemma else "ffn_norm"
    return f"blk.{layer}.{NAMES.get(rest, rest)}.weight"


def write(file, shape, seed=1):
    gemma = shape["model_type"].startswith("gemma")
    head = shape.get("head_dim", shape["hidden_size"] // shape["num_attention_heads"])
    writer = gguf.GGUFWriter(file, "gemma3" if gemma else "llama")
    writer.add_context_length(shape["max_position_embeddings"])
    writer.add_embedding_length(shape["hidden_size"])
    writer.add_block_count(shape["num_hidden_layers"])
    writer.add_feed_forward_length(shape["intermediate_size"])
    writer.add_head_count(shape["num_attention_heads"])
    writer.add_head_count_kv(shape["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(shape["rms_norm_eps"])
    writer.add_rope_freq_base(shape["rope_theta"])
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_vocab_size(shape["vocab_size"])
    if gemma:
        writer.add_sliding_window(shape["sliding_window"])
    else:
        writer.add_rope_dimension_count(head)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    words = ["w", "0", *(f"w{i}" for i in range(shape["vocab_size"] - 2))]
    writer.add_token_list(words)
    writer.add_token_types([gguf.TokenType.NORMAL] * len(words))
    writer.add_token_merges(["w 0"])
    writer.add_bos_token_id(shape["bos_token_id"])
    writer.add_eos_token_id(shape["eos_token_id"])
    random = np.random.default_rng(seed)
    for name, dims in tensors(shape):
        values = random.standard_normal(dims, dtype=np.float32)
        # Norms near 1: GGUF holds Gemma's with their 1.
        values = values * 0.02 if len(dims) > 1 else values * 0.1 + 1
        writer.add_tensor(gguf_name(name, gemma), values.astype(np.float16 if len(dims) > 1 else np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("file")
    options = parser.parse_args()
    write(options.file, SHAPES[options.shape])


if __name__ == "__main__":
    main()
