"""Real names and shapes of the tensors of well-known architectures, scaled down."""

H, V, L = 32, 64, 2  # hidden size, vocabulary, layers


def llama(h=H, v=V, layers=L, prefix="model.", head=True, qk_norm=False, bias=False):
    names = {f"{prefix}embed_tokens.weight": (v, h)}
    for i in range(layers):
        p = f"{prefix}layers.{i}."
        for part, shape in (("self_attn.q_proj", (h, h)), ("self_attn.k_proj", (h // 2, h)),
                            ("self_attn.v_proj", (h // 2, h)), ("self_attn.o_proj", (h, h)),
                            ("mlp.gate_proj", (2 * h, h)), ("mlp.up_proj", (2 * h, h)), ("mlp.down_proj", (h, 2 * h))):
            names[p + part + ".weight"] = shape
            if bias and part in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"):
                names[p + part + ".bias"] = shape[:1]
        if qk_norm:
            names[p + "self_attn.q_norm.weight"] = (8,)
            names[p + "self_attn.k_norm.weight"] = (8,)
        names[p + "input_layernorm.weight"] = (h,)
        names[p + "post_attention_layernorm.weight"] = (h,)
    names[f"{prefix}norm.weight"] = (h,)
    if head:
        names["lm_head.weight"] = (v, h)
    return names


def mixtral():
    names = llama()
    names = {name: shape for name, shape in names.items() if ".mlp." not in name}
    for i in range(L):
        names[f"model.layers.{i}.block_sparse_moe.gate.weight"] = (4, H)
        for expert in range(4):
            for part, shape in (("w1", (2 * H, H)), ("w2", (H, 2 * H)), ("w3", (2 * H, H))):
                names[f"model.layers.{i}.block_sparse_moe.experts.{expert}.{part}.weight"] = shape
    return names


def bert(prefix="bert.", layers=L, pooler=True):
    names = {f"{prefix}embeddings.word_embeddings.weight": (V, H), f"{prefix}embeddings.position_embeddings.weight": (64, H),
             f"{prefix}embeddings.token_type_embeddings.weight": (2, H), f"{prefix}embeddings.LayerNorm.weight": (H,),
             f"{prefix}embeddings.LayerNorm.bias": (H,)}
    for i in range(layers):
        p = f"{prefix}encoder.layer.{i}."
        for part, shape in (("attention.self.query", (H, H)), ("attention.self.key", (H, H)), ("attention.self.value", (H, H)),
                            ("attention.output.dense", (H, H)), ("intermediate.dense", (4 * H, H)), ("output.dense", (H, 4 * H))):
            names[p + part + ".weight"] = shape
            names[p + part + ".bias"] = shape[:1]
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            names[p + part + ".weight"] = (H,)
            names[p + part + ".bias"] = (H,)
    if pooler:
        names[f"{prefix}pooler.dense.weight"] = (H, H)
        names[f"{prefix}pooler.dense.bias"] = (H,)
    return names


def gpt2():
    names = {"wte.weight": (V, H), "wpe.weight": (64, H), "ln_f.weight": (H,), "ln_f.bias": (H,)}
    for i in range(L):
        for part, shape in (("attn.c_attn", (H, 3 * H)), ("attn.c_proj", (H, H)), ("mlp.c_fc", (H, 4 * H)), ("mlp.c_proj", (4 * H, H))):
            names[f"h.{i}.{part}.weight"] = shape
            names[f"h.{i}.{part}.bias"] = shape[1:]
    return names


def t5():
    names = {"shared.weight": (V, H)}
    for side in ("encoder", "decoder"):
        for i in range(L):
            for part in "qkvo":
                names[f"{side}.block.{i}.layer.0.SelfAttention.{part}.weight"] = (H, H)
            names[f"{side}.block.{i}.layer.1.DenseReluDense.wi.weight"] = (4 * H, H)
            names[f"{side}.block.{i}.layer.1.DenseReluDense.wo.weight"] = (H, 4 * H)
        names[f"{side}.final_layer_norm.weight"] = (H,)
    return names


def vit(labels=None):
    names = {"vit.embeddings.cls_token": (1, 1, H), "vit.embeddings.patch_embeddings.projection.weight": (H, 3, 4, 4)}
    for i in range(L):
        for part in ("query", "key", "value"):
            names[f"vit.encoder.layer.{i}.attention.attention.{part}.weight"] = (H, H)
    names["vit.layernorm.weight"] = (H,)
    if labels:
        names["classifier.weight"] = (labels, H)
        names["classifier.bias"] = (labels,)
    return names


def whisper():
    names = {"model.encoder.conv1.weight": (H, 8, 3), "model.decoder.embed_tokens.weight": (V, H)}
    for side in ("encoder", "decoder"):
        for i in range(L):
            for part in "qkv":
                names[f"model.{side}.layers.{i}.self_attn.{part}_proj.weight"] = (H, H)
    return names


def wav2vec2():
    names = {"wav2vec2.feature_extractor.conv_layers.0.conv.weight": (H, 1, 10), "lm_head.weight": (V, H), "lm_head.bias": (V,)}
    for i in range(L):
        names[f"wav2vec2.encoder.layers.{i}.attention.q_proj.weight"] = (H, H)
    return names


def _config(model_type, architecture, **more):
    return {"architectures": [architecture], "model_type": model_type, "hidden_size": H, "num_hidden_layers": L,
            "vocab_size": V, "torch_dtype": "float32", "transformers_version": "5.2.0", **more}


# name: (config, tensors, task)
FAMILIES = {
    "llama": (_config("llama", "LlamaForCausalLM", num_attention_heads=4, rms_norm_eps=1e-5), llama(), "text-generation"),
    "qwen2": (_config("qwen2", "Qwen2ForCausalLM", num_attention_heads=4), llama(bias=True), "text-generation"),
    "qwen3": (_config("qwen3", "Qwen3ForCausalLM", head_dim=8), llama(qk_norm=True, head=False), "text-generation"),
    "mistral": (_config("mistral", "MistralForCausalLM", sliding_window=64), llama(), "text-generation"),
    "mixtral": (_config("mixtral", "MixtralForCausalLM", num_local_experts=4), mixtral(), "text-generation"),
    "gemma2": (_config("gemma2", "Gemma2ForCausalLM", head_dim=8), llama(head=False), "text-generation"),
    "phi3": (_config("phi3", "Phi3ForCausalLM"), llama(), "text-generation"),
    "gpt2": (_config("gpt2", "GPT2LMHeadModel", n_embd=H, n_layer=L), gpt2(), "text-generation"),
    "bert": (_config("bert", "BertForMaskedLM", intermediate_size=4 * H), bert(), "fill-mask"),
    "roberta": (_config("roberta", "RobertaForMaskedLM"), bert("roberta.", pooler=False), "fill-mask"),
    "xlm-roberta": (_config("xlm-roberta", "XLMRobertaForMaskedLM"), bert("roberta.", pooler=False), "fill-mask"),
    "t5": (_config("t5", "T5ForConditionalGeneration", d_model=H), t5(), "translation"),
    "whisper": (_config("whisper", "WhisperForConditionalGeneration", d_model=H), whisper(), "automatic-speech-recognition"),
    "wav2vec2": (_config("wav2vec2", "Wav2Vec2ForCTC"), wav2vec2(), "automatic-speech-recognition"),
    "vit": (_config("vit", "ViTModel", image_size=16), vit(), "image-feature-extraction"),
}


def gguf_tensors(kind, h=256, v=32, layers=2):
    """The names that llama.cpp gives, matrices in one type and vectors in F32."""
    names = {"token_embd.weight": (kind, (v, h)), "output_norm.weight": ("F32", (h,)), "output.weight": (kind, (v, h))}
    for i in range(layers):
        for part in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            names[f"blk.{i}.{part}.weight"] = (kind, (h, h))
        names[f"blk.{i}.attn_norm.weight"] = ("F32", (h,))
    return names


def linear_names(tensors):
    """Two-sided matrices inside the layers: what quantisers and adapters touch."""
    return [(name, shape) for name, shape in tensors.items()
            if len(shape) == 2 and name.endswith(".weight") and ("layer" in name or "block" in name or name.startswith("h."))]
