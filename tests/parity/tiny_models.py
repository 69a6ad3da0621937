"""Small checkpoints with seeded random weights, one of each model type that converts to GGUF and back."""
import json

import torch
import transformers

SMALL = dict(vocab_size=96, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4)
GROUPED = dict(SMALL, num_key_value_heads=2, max_position_embeddings=128)
BERT = dict(SMALL, max_position_embeddings=40)
# Rows of whole 256-value blocks, for the K types.
WIDE = dict(vocab_size=64, hidden_size=256, intermediate_size=512, num_hidden_layers=9, num_attention_heads=4, num_key_value_heads=2,
            max_position_embeddings=128)

# model type: (class, configuration)
CASES = {
    "bert": ("BertModel", BERT),
    "roberta": ("RobertaModel", dict(BERT, pad_token_id=1)),
    "xlm-roberta": ("XLMRobertaForSequenceClassification", dict(BERT, pad_token_id=1)),
    "distilbert": ("DistilBertModel", dict(vocab_size=96, dim=64, hidden_dim=96, n_layers=2, n_heads=4, max_position_embeddings=40)),
    "mpnet": ("MPNetModel", dict(BERT, pad_token_id=1)),
    "modernbert": ("ModernBertModel", dict(BERT, global_attn_every_n_layers=2, local_attention=16, pad_token_id=0, bos_token_id=1,
                                           eos_token_id=2, cls_token_id=1, sep_token_id=2)),
    "llama": ("LlamaForCausalLM", GROUPED),
    "llama-rope3": ("LlamaForCausalLM", dict(GROUPED, rope_parameters={
        "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64})),
    "mistral": ("MistralForCausalLM", dict(GROUPED, head_dim=16)),
    "smollm": ("LlamaForCausalLM", dict(GROUPED, tie_word_embeddings=True)),
    "qwen2": ("Qwen2ForCausalLM", GROUPED),
    "qwen3": ("Qwen3ForCausalLM", dict(GROUPED, head_dim=16)),
    "phi3": ("Phi3ForCausalLM", dict(GROUPED, pad_token_id=0, bos_token_id=1, eos_token_id=2)),
    "gemma2": ("Gemma2ForCausalLM", dict(GROUPED, head_dim=16)),
    "gemma3_text": ("Gemma3ForCausalLM", dict(GROUPED, head_dim=16)),
    "granite": ("GraniteForCausalLM", GROUPED),
    "gpt2": ("GPT2LMHeadModel", dict(vocab_size=96, n_embd=64, n_layer=2, n_head=4, n_positions=40)),
    "opt": ("OPTForCausalLM", dict(vocab_size=96, hidden_size=64, ffn_dim=96, num_hidden_layers=2, num_attention_heads=4,
                                   max_position_embeddings=40, word_embed_proj_dim=64)),
    "gpt_neox": ("GPTNeoXForCausalLM", dict(SMALL, max_position_embeddings=40)),
    "wide": ("LlamaForCausalLM", WIDE),
}


def make(name, folder, dtype=torch.float32):
    class_name, settings = CASES[name]
    model_class = getattr(transformers, class_name)
    torch.manual_seed(sum(name.encode()))
    model = model_class(model_class.config_class(**settings))
    with torch.no_grad():
        for key, value in model.named_parameters():
            # Norms too: a weight of ones would hide a wrong place.
            value.copy_(torch.randn_like(value) * 0.05 + (1 if value.dim() == 1 and key.endswith("weight") else 0))
    model.to(dtype).save_pretrained(folder)
    return model


def nomic_bert(folder):
    """Not a class of transformers: its names and configuration, as the model's own code saves them."""
    from safetensors.torch import save_file
    torch.manual_seed(5)
    size, inner = 64, 96
    tensors = {"embeddings.word_embeddings.weight": (96, size), "embeddings.token_type_embeddings.weight": (2, size),
               "emb_ln.weight": (size,), "emb_ln.bias": (size,)}
    for i in range(2):
        layer = f"encoder.layers.{i}."
        tensors |= {layer + "attn.Wqkv.weight": (3 * size, size), layer + "attn.out_proj.weight": (size, size),
                    layer + "mlp.fc11.weight": (inner, size), layer + "mlp.fc12.weight": (inner, size),
                    layer + "mlp.fc2.weight": (size, inner), layer + "norm1.weight": (size,), layer + "norm1.bias": (size,),
                    layer + "norm2.weight": (size,), layer + "norm2.bias": (size,)}
    save_file({key: torch.randn(shape) for key, shape in tensors.items()}, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps({
        "model_type": "nomic_bert", "architectures": ["NomicBertModel"], "vocab_size": 96, "n_embd": size, "n_head": 4, "n_inner": inner,
        "n_layer": 2, "n_positions": 8192, "rotary_emb_base": 1000, "layer_norm_epsilon": 1e-12, "type_vocab_size": 2}))
