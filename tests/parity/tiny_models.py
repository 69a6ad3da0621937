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


# --- forward passes: every head and every variation that a configuration can ask for ---------------

BERT_HEAD = dict(BERT, num_labels=3)
ROBERTA = dict(BERT_HEAD, pad_token_id=1)
DISTIL = dict(CASES["distilbert"][1], num_labels=3)
MODERN = dict(CASES["modernbert"][1], num_hidden_layers=4, num_labels=3)
NOMIC = dict(SMALL, max_position_embeddings=128, num_labels=3)
GPT2 = dict(CASES["gpt2"][1], num_labels=3)
NEOX = dict(SMALL, max_position_embeddings=128)
OPT = CASES["opt"][1]
LABELS = dict(GROUPED, num_labels=3, pad_token_id=0)
QWEN3 = dict(GROUPED, head_dim=32)
PHI3 = CASES["phi3"][1]
GEMMA = dict(GROUPED, head_dim=32, num_hidden_layers=4, sliding_window=8)
GRANITE = dict(GROUPED, attention_multiplier=0.11, embedding_multiplier=5.0, residual_multiplier=0.4, logits_scaling=3.0)


def rope(kind, **settings):
    return {"rope_type": kind, "rope_theta": 10000.0} | settings


def longrope(dims, **settings):
    return rope("longrope", short_factor=[1 + i / 7 for i in range(dims)], long_factor=[2 + i / 3 for i in range(dims)], **settings)


YARN = rope("yarn", factor=4.0, original_max_position_embeddings=32)
FORWARD = {
    "bert-hidden": ("BertModel", BERT),
    "bert-masked": ("BertForMaskedLM", BERT),
    "bert-untied": ("BertForMaskedLM", dict(BERT, tie_word_embeddings=False)),
    "bert-gelu-new": ("BertModel", dict(BERT, hidden_act="gelu_new")),
    "bert-sequence": ("BertForSequenceClassification", BERT_HEAD),
    "bert-token": ("BertForTokenClassification", BERT_HEAD),
    "bert-answer": ("BertForQuestionAnswering", BERT),
    "roberta-hidden": ("RobertaModel", ROBERTA),
    "roberta-masked": ("RobertaForMaskedLM", ROBERTA),
    "roberta-sequence": ("RobertaForSequenceClassification", ROBERTA),
    "roberta-token": ("RobertaForTokenClassification", ROBERTA),
    "roberta-answer": ("RobertaForQuestionAnswering", dict(ROBERTA, num_labels=2)),
    "xlm-roberta-sequence": ("XLMRobertaForSequenceClassification", ROBERTA),
    "camembert-masked": ("CamembertForMaskedLM", ROBERTA),
    "distilbert-hidden": ("DistilBertModel", DISTIL),
    "distilbert-masked": ("DistilBertForMaskedLM", DISTIL),
    "distilbert-sequence": ("DistilBertForSequenceClassification", DISTIL),
    "distilbert-token": ("DistilBertForTokenClassification", DISTIL),
    "distilbert-answer": ("DistilBertForQuestionAnswering", dict(DISTIL, num_labels=2)),
    "mpnet-hidden": ("MPNetModel", ROBERTA),
    "mpnet-masked": ("MPNetForMaskedLM", ROBERTA),
    "mpnet-sequence": ("MPNetForSequenceClassification", ROBERTA),
    "mpnet-token": ("MPNetForTokenClassification", ROBERTA),
    "mpnet-answer": ("MPNetForQuestionAnswering", dict(ROBERTA, num_labels=2)),
    "electra-hidden": ("ElectraModel", dict(BERT, embedding_size=32)),
    "electra-masked": ("ElectraForMaskedLM", dict(BERT, embedding_size=32)),
    "electra-sequence": ("ElectraForSequenceClassification", dict(BERT_HEAD, embedding_size=64)),
    "electra-token": ("ElectraForTokenClassification", dict(BERT_HEAD, embedding_size=32)),
    "electra-answer": ("ElectraForQuestionAnswering", dict(BERT, embedding_size=32)),
    "modernbert-hidden": ("ModernBertModel", MODERN),
    "modernbert-biases": ("ModernBertModel", dict(MODERN, attention_bias=True, mlp_bias=True, norm_bias=True, local_attention=6)),
    "modernbert-masked": ("ModernBertForMaskedLM", MODERN),
    "modernbert-sequence": ("ModernBertForSequenceClassification", MODERN),
    "modernbert-mean": ("ModernBertForSequenceClassification", dict(MODERN, classifier_pooling="mean", classifier_bias=True)),
    "modernbert-token": ("ModernBertForTokenClassification", MODERN),
    "modernbert-answer": ("ModernBertForQuestionAnswering", dict(MODERN, num_labels=2)),
    "nomic-hidden": ("NomicBertModel", NOMIC),
    "nomic-masked": ("NomicBertForMaskedLM", NOMIC),
    "nomic-sequence": ("NomicBertForSequenceClassification", NOMIC),
    "nomic-token": ("NomicBertForTokenClassification", NOMIC),
    "gpt2": ("GPT2LMHeadModel", GPT2),
    "gpt2-untied": ("GPT2LMHeadModel", dict(GPT2, tie_word_embeddings=False, scale_attn_by_inverse_layer_idx=True, n_inner=80)),
    "gpt2-hidden": ("GPT2Model", GPT2),
    "gpt2-sequence": ("GPT2ForSequenceClassification", dict(GPT2, pad_token_id=0)),
    "gpt2-token": ("GPT2ForTokenClassification", GPT2),
    "gpt2-answer": ("GPT2ForQuestionAnswering", dict(GPT2, num_labels=2)),
    "opt": ("OPTForCausalLM", OPT),
    "opt-norms-after": ("OPTForCausalLM", dict(OPT, do_layer_norm_before=False, word_embed_proj_dim=32)),
    "opt-no-biases": ("OPTForCausalLM", dict(OPT, enable_bias=False, layer_norm_elementwise_affine=False)),
    "opt-sequence": ("OPTForSequenceClassification", dict(OPT, num_labels=3, pad_token_id=0)),
    "opt-answer": ("OPTForQuestionAnswering", OPT),
    "gpt_neox": ("GPTNeoXForCausalLM", NEOX),
    "gpt_neox-serial": ("GPTNeoXForCausalLM", dict(NEOX, use_parallel_residual=False, tie_word_embeddings=True, rotary_pct=0.5)),
    "gpt_neox-dynamic-long": ("GPTNeoXForCausalLM", dict(NEOX, max_position_embeddings=16, rope_parameters=rope(
        "dynamic", factor=4.0, partial_rotary_factor=0.5))),
    "gpt_neox-no-biases": ("GPTNeoXForCausalLM", dict(NEOX, attention_bias=False)),
    "gpt_neox-sequence": ("GPTNeoXForSequenceClassification", dict(NEOX, num_labels=3, pad_token_id=0)),
    "gpt_neox-token": ("GPTNeoXForTokenClassification", dict(NEOX, num_labels=3)),
    "gpt_neox-answer": ("GPTNeoXForQuestionAnswering", NEOX),
    "llama": ("LlamaForCausalLM", GROUPED),
    "llama-hidden": ("LlamaModel", GROUPED),
    "llama-tied": ("LlamaForCausalLM", dict(GROUPED, tie_word_embeddings=True)),
    "llama-biases": ("LlamaForCausalLM", dict(GROUPED, attention_bias=True, mlp_bias=True)),
    "llama-sequence": ("LlamaForSequenceClassification", LABELS),
    "llama-token": ("LlamaForTokenClassification", LABELS),
    "llama-answer": ("LlamaForQuestionAnswering", GROUPED),
    "llama-linear": ("LlamaForCausalLM", dict(GROUPED, rope_parameters=rope("linear", factor=3.0))),
    "llama-dynamic": ("LlamaForCausalLM", dict(GROUPED, rope_parameters=rope("dynamic", factor=3.0))),
    # Longer texts than it was trained for: the sequences of the tests have more tokens.
    "llama-dynamic-long": ("LlamaForCausalLM", dict(GROUPED, max_position_embeddings=16, rope_parameters=rope("dynamic", factor=4.0))),
    "llama-rope3": ("LlamaForCausalLM", dict(GROUPED, rope_parameters=rope(
        "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32))),
    "llama-yarn": ("LlamaForCausalLM", dict(GROUPED, rope_parameters=YARN)),
    "llama-yarn-mscale": ("LlamaForCausalLM", dict(GROUPED, rope_parameters=YARN | dict(
        beta_fast=16, beta_slow=2, mscale=0.7, mscale_all_dim=1.2, truncate=False))),
    "mistral": ("MistralForCausalLM", dict(GROUPED, head_dim=32, sliding_window=8)),
    "qwen2": ("Qwen2ForCausalLM", GROUPED),
    "qwen2-window": ("Qwen2ForCausalLM", dict(GROUPED, use_sliding_window=True, sliding_window=8, max_window_layers=1)),
    "qwen3": ("Qwen3ForCausalLM", QWEN3),
    "qwen3-hidden": ("Qwen3Model", QWEN3),
    "qwen3-sequence": ("Qwen3ForSequenceClassification", dict(QWEN3, num_labels=3, pad_token_id=0)),
    "smollm3": ("SmolLM3ForCausalLM", dict(GROUPED, num_hidden_layers=4, pad_token_id=0)),
    "smollm3-interval": ("SmolLM3ForCausalLM", dict(GROUPED, num_hidden_layers=4, pad_token_id=0, no_rope_layer_interval=2)),
    "phi3": ("Phi3ForCausalLM", PHI3),
    "phi3-window": ("Phi3ForCausalLM", dict(PHI3, sliding_window=8)),
    "phi3-longrope": ("Phi3ForCausalLM", dict(PHI3, original_max_position_embeddings=64, rope_parameters=longrope(8))),
    "phi4": ("Phi3ForCausalLM", dict(PHI3, tie_word_embeddings=True, original_max_position_embeddings=16,
                                     rope_parameters=longrope(6, partial_rotary_factor=0.75))),
    "gemma": ("GemmaForCausalLM", dict(GROUPED, head_dim=32)),
    "gemma2": ("Gemma2ForCausalLM", dict(GEMMA, query_pre_attn_scalar=24)),
    "gemma3_text": ("Gemma3ForCausalLM", dict(GEMMA, sliding_window_pattern=3, query_pre_attn_scalar=24)),
    "gemma3-linear": ("Gemma3ForCausalLM", dict(GEMMA, rope_parameters={
        "full_attention": rope("linear", factor=8.0, rope_theta=1e6), "sliding_attention": rope("default")})),
    "gemma3-both-sides": ("Gemma3TextModel", dict(GEMMA, sliding_window=9, use_bidirectional_attention=True)),
    "granite": ("GraniteForCausalLM", GRANITE),
}


PATCHED = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_labels=3)
PICTURE = dict(PATCHED, image_size=24, patch_size=8)
SOUND = dict(PATCHED, num_mel_bins=32, max_length=56)
# Models of pictures and of sounds.
PATCHES = {
    "vit-labels": ("ViTForImageClassification", PICTURE),
    "vit-hidden": ("ViTModel", PICTURE),
    "vit-oblong": ("ViTForImageClassification", dict(PICTURE, image_size=[24, 40], patch_size=[8, 4], qkv_bias=False, hidden_act="gelu_new")),
    "vit-grey": ("ViTForImageClassification", dict(PICTURE, num_channels=1, image_size=28, patch_size=8)),
    "deit-labels": ("DeiTForImageClassification", PICTURE),
    "deit-teacher": ("DeiTForImageClassificationWithTeacher", PICTURE),
    "deit-hidden": ("DeiTModel", PICTURE),
    "ast-labels": ("ASTForAudioClassification", SOUND),
    "ast-strides": ("ASTForAudioClassification", dict(SOUND, patch_size=8, frequency_stride=8, time_stride=5)),
    "ast-hidden": ("ASTModel", SOUND),
}


def make_forward(name, folder):
    """A checkpoint whose scores and norms are lively enough to show a wrong angle, window or scale."""
    class_name, settings = (FORWARD | PATCHES)[name]
    model_class = getattr(transformers, class_name)
    torch.manual_seed(sum(name.encode()))
    model = model_class(model_class.config_class(**settings)).eval()
    with torch.no_grad():
        for key, value in model.named_parameters():
            value.copy_(torch.randn_like(value) * 0.15 + (1 if value.dim() == 1 and key.endswith("weight") else 0))
    model.save_pretrained(folder)
    return model
