"""Repositories of models: whole ones, fine-tunes, adapters, quantised, merged, converted, pipelines, heads, remains."""
import architectures as arch
import cards
import files
from architectures import FAMILIES, H
from repository import Repository

STYLES = ["none", "bare", "short", "full", "template"]
DTYPES = ["F32", "F16", "BF16"]
LANGUAGES = list(cards.TEXTS)


def with_dtype(tensors, dtype):
    return {name: (dtype, shape) for name, shape in tensors.items()}


def add_weights(repo, tensors, form="safetensors", metadata=None):
    """tensors: {name: (dtype, shape)}, in one file, in shards, or in a checkpoint of PyTorch."""
    metadata = metadata or {"format": "pt"}
    if form == "torch":
        return repo.add("pytorch_model.bin", files.torch_file(tensors))
    if form == "safetensors":
        return repo.add("model.safetensors", files.safetensors(tensors, metadata))
    items, parts, index = list(tensors.items()), 3, {}
    for part in range(parts):
        name = f"model-{part + 1:05}-of-{parts:05}.safetensors"
        piece = dict(items[part::parts])
        index.update({key: name for key in piece})
        repo.add(name, files.safetensors(piece, metadata))
    return repo.add("model.safetensors.index.json", {"metadata": {"total_size": 1}, "weight_map": index})


def whole(label, family, kinds, dtype="F32", form="safetensors", tensors=None, config=None, fields=None, style="short",
          tokenizer=True, alarms=(), name="m", **more):
    base_config, base_tensors, task = FAMILIES[family]
    repo = Repository(label, kinds, alarms=alarms, name=name)
    repo.add("config.json", {**base_config, **(config or {}), **more})
    add_weights(repo, tensors or with_dtype(base_tensors, dtype), form)
    if tokenizer:
        repo.add("tokenizer.json", files.tokenizer_json()).add("tokenizer_config.json", {"model_max_length": 512})
    fields = {"license": "apache-2.0", "pipeline_tag": task, "library_name": "transformers", **(fields or {})}
    fields = {key: value for key, value in fields.items() if value is not None}
    return repo.add("README.md", cards.card(fields, style, repo.name, LANGUAGES[len(label) % len(LANGUAGES)]))


def bases():
    for i, family in enumerate(FAMILIES):
        form = ["safetensors", "sharded", "torch"][i % 3]
        yield whole(f"base-{family}", family, ["base"], DTYPES[i % 3], form, style=STYLES[i % 5])
        yield whole(f"base-{family}-{i}", family, ["base"], DTYPES[(i + 1) % 3], ["sharded", "safetensors"][i % 2],
                    style=STYLES[(i + 2) % 5], tokenizer=i % 2 == 0)
    # Half-finished cards, and libraries that have no config.json.
    yield (Repository("base-sklearn", ["base"]).add("model.joblib", files.pickle_file())
           .add("README.md", cards.card({"library_name": "sklearn", "tags": ["tabular-classification"]}, "short")))
    yield (Repository("base-keras", ["base"]).add("model.h5", files.h5_file())
           .add("README.md", cards.card({"library_name": "keras"}, "short")))
    yield (Repository("base-timm", ["base"]).add("config.json", {"architecture": "resnet18", "architectures": ["resnet18"], "num_classes": 10})
           .add("model.safetensors", files.safetensors({"conv1.weight": ("F32", (8, 3, 3, 3)), "fc.weight": ("F32", (10, 8))}))
           .add("README.md", cards.card({"library_name": "timm", "tags": ["image-classification", "timm"]}, "short")))


def finetunes():
    families = ["llama", "qwen2", "qwen3", "mistral", "gemma2", "phi3", "gpt2", "bert", "roberta", "t5", "whisper", "wav2vec2"]
    for i, family in enumerate(families):
        yield whole(f"finetune-{family}", family, ["finetune"], DTYPES[i % 3], style=STYLES[i % 5] if i % 5 else "short",
                    fields={"base_model": f"org/{family}-base", "base_model_relation": "finetune"})
        yield whole(f"finetune-said-{family}", family, ["finetune"], DTYPES[(i + 1) % 3], ["sharded", "torch"][i % 2],
                    fields={"base_model": [f"org/{family}-base"], "tags": ["generated_from_trainer"]}, style="full")
    # Nobody says so: no rule can know. These keep the measure honest.
    yield whole("finetune-silent", "bert", ["finetune"], fields={"tags": ["course"]})
    yield whole("finetune-silent-none", "llama", ["finetune"], style="none")


PEFT_FORMS = {
    "LORA": lambda p, i, o: {f"{p}.lora_A.weight": (8, i), f"{p}.lora_B.weight": (o, 8)},
    "DORA": lambda p, i, o: {f"{p}.lora_A.weight": (8, i), f"{p}.lora_B.weight": (o, 8), f"{p}.lora_magnitude_vector": (o,)},
    "IA3": lambda p, i, o: {f"{p}.ia3_l": (o, 1)},
    "LOHA": lambda p, i, o: {f"{p}.hada_w1_a": (o, 8), f"{p}.hada_w1_b": (8, i), f"{p}.hada_w2_a": (o, 8), f"{p}.hada_w2_b": (8, i)},
    "LOKR": lambda p, i, o: {f"{p}.lokr_w1": (4, 4), f"{p}.lokr_w2": (o // 4, i // 4)},
    "OFT": lambda p, i, o: {f"{p}.oft_r": (8, 4, 4)},
    "BOFT": lambda p, i, o: {f"{p}.boft_R": (1, 8, 4, 4), f"{p}.boft_s": (o, 1)},
}


def peft_weights(form, targets=("q_proj", "v_proj")):
    tensors = {}
    for layer in range(2):
        for target in targets:
            place = f"base_model.model.model.layers.{layer}.self_attn.{target}"
            tensors.update(PEFT_FORMS[form](place, H, H))
    return with_dtype(tensors, "F32")


def peft_config(form, **more):
    return {"peft_type": "LORA" if form == "DORA" else form, "task_type": "CAUSAL_LM", "base_model_name_or_path": "org/llama-base",
            "r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "v_proj"], "use_dora": form == "DORA", **more}


def adapter(label, form, style="short", file="adapter_model.safetensors", fields=None, extra=None, config=None, tensors=None):
    repo = Repository(label, ["adapter"])
    repo.add("adapter_config.json", config or peft_config(form))
    weights = {**(tensors or peft_weights(form)), **with_dtype(extra or {}, "F32")}
    repo.add(file, files.torch_file(weights) if file.endswith(".bin") else files.safetensors(weights, {"format": "pt"}))
    fields = {"base_model": "org/llama-base", "library_name": "peft", "license": "apache-2.0", **(fields or {})}
    return repo.add("README.md", cards.card(fields, style, language="en"))


def adapters():
    for i, form in enumerate(PEFT_FORMS):
        yield adapter(f"adapter-{form.lower()}", form, STYLES[i % 5] if i % 5 else "bare")
        yield adapter(f"adapter-{form.lower()}-bin", form, "full", "adapter_model.bin")
        yield adapter(f"adapter-{form.lower()}-tagged", form, "template",
                      fields={"tags": ["lora", "sft", "trl"], "base_model_relation": "adapter", "pipeline_tag": "text-generation"})
    yield adapter("adapter-with-saved-head", "LORA", extra={"base_model.model.lm_head.weight": (64, H),
                                                             "base_model.model.model.embed_tokens.weight": (64, H)})
    prompt = {"prompt_embeddings": ("F32", (20, H))}
    yield adapter("adapter-prompt-tuning", "LORA", config={"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 20,
                                                           "base_model_name_or_path": "org/llama-base"}, tensors=prompt)
    yield adapter("adapter-no-card", "LORA", "none")
    repo = adapter("adapter-in-folders", "LORA")
    repo.files = {("run-1/" + path if path.startswith("adapter") else path): data for path, data in repo.files.items()}
    yield repo
    kohya, diffusers = {}, {}
    for layer in range(3):
        place = f"lora_unet_down_blocks_{layer}_attentions_0_proj_in"
        kohya.update({f"{place}.lora_down.weight": (8, H), f"{place}.lora_up.weight": (H, 8), f"{place}.alpha": ()})
        place = f"unet.down_blocks.{layer}.attentions.0.to_q"
        diffusers.update({f"{place}.lora.down.weight": (8, H), f"{place}.lora.up.weight": (H, 8)})
    flux = {f"transformer.single_transformer_blocks.{i}.attn.to_k.{part}.weight": (8, H) for i in range(3) for part in ("lora_A", "lora_B")}
    for name, tensors in (("kohya", kohya), ("diffusers", diffusers), ("flux", flux)):
        for j, file in enumerate(("pytorch_lora_weights.safetensors", f"{name}-style-v1.safetensors")):
            yield (Repository(f"adapter-{name}-{j}", ["adapter"]).add(file, files.safetensors(with_dtype(tensors, "F16")))
                   .add("README.md", cards.card({"base_model": "org/image-base", "tags": ["text-to-image", "lora", "diffusers"],
                                                 "instance_prompt": "a cat"}, "short")))
    tensors = {}
    for i in range(2):
        tensors[f"blk.{i}.attn_q.weight.lora_a"] = ("F32", (8, 256))
        tensors[f"blk.{i}.attn_q.weight.lora_b"] = ("F32", (256, 8))
    yield (Repository("adapter-gguf", ["adapter"])
           .add("adapter-f32.gguf", files.gguf(tensors, {"general.architecture": "llama", "general.type": "adapter",
                                                         "adapter.type": "lora", "general.name": "x"}))
           .add("README.md", cards.card({"base_model": "org/llama-base"}, "short")))


def quantise(tensors, method):
    """The tensors that a method's own library writes for these."""
    made, touched = {}, dict(arch.linear_names(tensors))
    for name, shape in tensors.items():
        if name not in touched:
            made[name] = ("F16", shape)
            continue
        (o, i), place = shape, name.removesuffix(".weight")
        if method == "gptq":
            made.update({f"{place}.qweight": ("I32", (i // 8, o)), f"{place}.qzeros": ("I32", (1, max(1, o // 8))),
                         f"{place}.scales": ("F16", (1, o)), f"{place}.g_idx": ("I32", (i,))})
        elif method == "awq":
            made.update({f"{place}.qweight": ("I32", (i, max(1, o // 8))), f"{place}.qzeros": ("I32", (1, max(1, o // 8))),
                         f"{place}.scales": ("F16", (1, o))})
        elif method == "bnb4":
            made.update({name: ("U8", (o * i // 2, 1)), f"{name}.absmax": ("U8", (max(1, o * i // 64),)), f"{name}.quant_map": ("F32", (16,)),
                         f"{name}.nested_absmax": ("F32", (1,)), f"{name}.quant_state.bitsandbytes__nf4": ("U8", (85,))})
        elif method == "bnb8":
            made.update({name: ("I8", (o, i)), f"{place}.SCB": ("F32", (o,)), f"{place}.weight_format": ("U8", ())})
        elif method == "fp8":
            made.update({name: ("F8_E4M3", (o, i)), f"{name}_scale_inv": ("F32", (1, 1))})
        elif method == "ct-int4":
            made.update({f"{name}_packed": ("I32", (o, max(1, i // 8))), f"{name}_scale": ("BF16", (o, 1)), f"{name}_shape": ("I64", (2,))})
        elif method == "ct-int8":
            made.update({name: ("I8", (o, i)), f"{name}_scale": ("BF16", (o, 1))})
        elif method == "mxfp4":
            made.update({f"{place}_blocks": ("U8", (o, i // 32 or 1, 16)), f"{place}_scales": ("U8", (o, i // 32 or 1))})
        elif method == "hqq":
            made.update({f"{place}.W_q": ("U8", (o // 2, i)), f"{place}.scale": ("F16", (o, 1)), f"{place}.zero": ("F16", (o, 1))})
        elif method == "eetq":
            made.update({name: ("I8", (o, i)), f"{place}.weight_scales": ("F16", (i,))})
        elif method == "aqlm":
            made.update({f"{place}.codes": ("I8", (o, i // 8, 1)), f"{place}.codebooks": ("F16", (1, 256, 1, 8)), f"{place}.scales": ("F16", (o, 1, 1, 1))})
        elif method == "mlx":
            made.update({name: ("U32", (o, max(1, i // 8))), f"{place}.scales": ("F16", (o, 1)), f"{place}.biases": ("F16", (o, 1))})
    return made


METHODS = {
    "gptq": {"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128}},
    "awq": {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemm"}},
    "bnb4": {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}},
    "bnb8": {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}},
    "fp8": {"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}},
    "ct-int4": {"quantization_config": {"quant_method": "compressed-tensors", "format": "pack-quantized"}},
    "ct-int8": {"quantization_config": {"quant_method": "compressed-tensors", "format": "int-quantized"}},
    "mxfp4": {"quantization_config": {"quant_method": "mxfp4"}},
    "hqq": {"quantization_config": {"quant_method": "hqq"}},
    "eetq": {"quantization_config": {"quant_method": "eetq"}},
    "aqlm": {"quantization_config": {"quant_method": "aqlm"}},
    "mlx": {"quantization": {"bits": 4, "group_size": 64}},
}


def quantized():
    for i, (method, config) in enumerate(METHODS.items()):
        for j, family in enumerate(("llama", "qwen2")):
            yield whole(f"quantized-{method}-{family}", family, ["quantized"], tensors=quantise(FAMILIES[family][1], method),
                        config=config, form=["safetensors", "sharded"][(i + j) % 2], style=STYLES[(i + j) % 5],
                        fields={"base_model": f"org/{family}-base", **({"base_model_relation": "quantized"} if j else {})})
    # The configuration was lost; the tensors are what they are.
    for method in ("gptq", "bnb4", "fp8", "ct-int4"):
        yield whole(f"quantized-{method}-bare", "mistral", ["quantized"], tensors=quantise(FAMILIES["mistral"][1], method), style="none")
    for i, kind in enumerate(("Q2_K", "Q3_K", "Q4_0", "Q4_K", "Q5_0", "Q5_K", "Q6_K", "Q8_0", "IQ2_XXS", "IQ4_XS")):
        name = f"m-{kind}.gguf"
        meta = {"general.architecture": "llama", "general.type": "model", "llama.context_length": 4096}
        repo = Repository(f"quantized-gguf-{kind}", ["quantized"], name="m-GGUF").add(name, files.gguf(arch.gguf_tensors(kind), meta))
        if i % 2:  # several of them, with the full one beside
            repo.add("m-F16.gguf", files.gguf(arch.gguf_tensors("F16"), meta))
        fields = {"base_model": "org/llama-base", "tags": ["gguf"]} if i % 3 else {"tags": ["gguf"]}
        yield repo.add("README.md", cards.card(fields, STYLES[i % 5], language="en"))
    for i in range(4):
        repo = Repository(f"quantized-onnx-{i}", ["quantized"]).add("onnx/model_quantized.onnx", files.onnx_file(True))
        if i % 2:
            repo.add("onnx/model.onnx", files.onnx_file())
        yield (repo.add("config.json", FAMILIES["bert"][0]).add("tokenizer.json", files.tokenizer_json())
               .add("README.md", cards.card({"library_name": "transformers.js", "base_model": "org/bert-base"}, "short")))


MERGEKIT = """merge_method: {method}
base_model: org/llama-base
models:
  - model: org/llama-chat
    parameters: {{weight: 0.5}}
  - model: org/llama-code
    parameters: {{weight: 0.5}}
dtype: bfloat16
"""


def merged():
    for i, method in enumerate(("linear", "slerp", "ties", "dare_ties", "passthrough", "model_stock", "della", "task_arithmetic")):
        family = ["llama", "qwen2", "mistral"][i % 3]
        fields = {"base_model": ["org/llama-chat", "org/llama-code"], "tags": ["mergekit", "merge"]} if i % 2 else {"license": "mit"}
        repo = whole(f"merged-{method}", family, ["merged"], "BF16", ["safetensors", "sharded"][i % 2], fields=fields, style=STYLES[1 + i % 4])
        yield repo.add("mergekit_config.yml", MERGEKIT.format(method=method))
    for i in range(4):
        yield whole(f"merged-tagged-{i}", "llama", ["merged"], "F16", fields={"base_model": ["org/a", "org/b"], "tags": ["merge"]})
        yield whole(f"merged-said-{i}", "qwen2", ["merged"], "BF16",
                    fields={"base_model": ["org/a", "org/b"], "base_model_relation": "merge"}, style=STYLES[1 + i])
        yield whole(f"merged-two-bases-{i}", "mistral", ["merged"], "F16", fields={"base_model": ["org/a", "org/b"]}, style=STYLES[1 + i])


def converted():
    def repo(label, i):
        made = Repository(label, ["converted"]).add("config.json", FAMILIES["bert"][0]).add("tokenizer.json", files.tokenizer_json())
        fields = {"base_model": "org/bert-base", "license": "mit"} if i % 2 else {"license": "mit"}
        return made.add("README.md", cards.card(fields, STYLES[1 + i % 4]))
    for i in range(3):
        yield repo(f"converted-onnx-{i}", i).add(["model.onnx", "onnx/model.onnx", "model.onnx"][i], files.onnx_file())
        yield repo(f"converted-openvino-{i}", i).add("openvino_model.xml", files.OPENVINO).add("openvino_model.bin", bytes(64))
        yield repo(f"converted-tflite-{i}", i).add("model.tflite", files.TFLITE)
        yield repo(f"converted-coreml-{i}", i).add("model.mlpackage/Manifest.json", {"fileFormatVersion": "1.0.0", "itemInfoEntries": {}})
        yield repo(f"converted-tf-{i}", i).add("tf_model.h5", files.h5_file())
        yield repo(f"converted-flax-{i}", i).add("flax_model.msgpack", b"\x81\xa6params\x80")
        kind = ["F16", "BF16", "F32"][i]
        meta = {"general.architecture": "llama", "general.type": "model"}
        yield (Repository(f"converted-gguf-{kind}", ["converted"], name="m-GGUF").add(f"m-{kind}.gguf", files.gguf(arch.gguf_tensors(kind), meta))
               .add("README.md", cards.card({"tags": ["gguf"]}, STYLES[i])))
        made = repo(f"converted-mlx-{i}", i)
        add_weights(made, with_dtype(FAMILIES["llama"][1], "F16"), metadata={"format": "mlx"})
        yield made.add("config.json", FAMILIES["llama"][0])


def pipelines():
    parts = {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL", "text_encoder": "CLIPTextModel"}
    for i, name in enumerate(("StableDiffusionPipeline", "StableDiffusionXLPipeline", "FluxPipeline", "PixArtAlphaPipeline",
                              "KandinskyPipeline", "AudioLDM2Pipeline", "CogVideoXPipeline", "WanPipeline")):
        base = i % 2 == 0
        repo = Repository(f"pipeline-{name}", ["pipeline", "base"] if base else ["pipeline", "finetune"])
        index = {"_class_name": name, "_diffusers_version": "0.36.0", "scheduler": ["diffusers", "DDIMScheduler"],
                 "safety_checker": [None, None], "requires_safety_checker": False}
        repo.add("scheduler/scheduler_config.json", {"_class_name": "DDIMScheduler"})
        for part, kind in parts.items():
            index[part] = ["diffusers", kind]
            repo.add(f"{part}/config.json", {"_class_name": kind})
            repo.add(f"{part}/diffusion_pytorch_model.safetensors", files.safetensors({"conv_in.weight": ("F16", (8, 4, 3, 3))}))
        index["feature_extractor"] = [None, None]
        repo.add("model_index.json", index)
        fields = {"library_name": "diffusers", "pipeline_tag": "text-to-image"}
        if not base:
            fields.update({"base_model": "org/image-base", "base_model_relation": "finetune"})
        yield repo.add("README.md", cards.card(fields, STYLES[1 + i % 4]))


def heads():
    pooling = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
               {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
    for i, family in enumerate(("bert", "roberta", "xlm-roberta", "qwen3", "mistral", "bert")):
        tuned = i % 2
        fields = {"library_name": "sentence-transformers", "pipeline_tag": "sentence-similarity", "tags": ["sentence-transformers"],
                  **({"base_model": "org/bert-base"} if tuned else {})}
        repo = whole(f"embedding-{family}-{i}", family, ["embedding", "finetune" if tuned else "base"], fields=fields, style=STYLES[1 + i % 4],
                     tensors=with_dtype(arch.bert(""), "F32") if "bert" in family else None, form=["safetensors", "torch"][i % 2])
        yield repo.add("modules.json", pooling).add("1_Pooling/config.json", {"word_embedding_dimension": H, "pooling_mode_mean_tokens": True})
    yield (Repository("embedding-static", ["embedding", "base"]).add("modules.json", [{"idx": 0, "name": "0", "path": "0_StaticEmbedding",
                                                                                     "type": "sentence_transformers.models.StaticEmbedding"}])
           .add("0_StaticEmbedding/model.safetensors", files.safetensors({"embedding.weight": ("F32", (64, H))}))
           .add("0_StaticEmbedding/tokenizer.json", files.tokenizer_json())
           .add("README.md", cards.card({"library_name": "sentence-transformers"}, "short")))
    yield whole("embedding-said", "bert", ["embedding", "base"], fields={"pipeline_tag": "sentence-similarity"})

    def headed(label, family, kinds, labels, fields=None, architecture=None, style="short", head="classifier", **config):
        names = arch.bert(pooler=True) if family != "llama" else arch.llama(head=False)
        tensors = {**names, f"{head}.weight": (labels, H)}
        architecture = architecture or {"bert": "BertForSequenceClassification", "llama": "LlamaForSequenceClassification"}[family]
        return whole(label, family, kinds, tensors=with_dtype(tensors, "F32"), style=style,
                     config={"architectures": [architecture], "id2label": {str(n): f"LABEL_{n}" for n in range(labels)}, **config},
                     fields={"pipeline_tag": "text-classification", **(fields or {})})
    for i, labels in enumerate((2, 3, 5, 28, 2, 77, 4, 6)):
        family, tuned = ["bert", "llama"][i % 2], i % 3 == 0
        yield headed(f"classifier-{labels}-{i}", family, ["classifier", "finetune" if tuned else "base"], labels,
                     {"base_model": "org/x"} if tuned else {}, style=STYLES[1 + i % 4], head="score" if family == "llama" else "classifier")
    yield headed("classifier-tokens", "bert", ["classifier", "base"], 9, {"pipeline_tag": "token-classification"}, "BertForTokenClassification")
    for labels in (10, 100):
        yield whole(f"classifier-vit-{labels}", "vit", ["classifier", "base"], tensors=with_dtype(arch.vit(labels), "F32"),
                    config={"architectures": ["ViTForImageClassification"], "id2label": {str(n): f"c{n}" for n in range(labels)}},
                    fields={"pipeline_tag": "image-classification"})
    for i in range(6):
        fields = [{"pipeline_tag": "text-ranking"}, {"tags": ["cross-encoder"]}, {"tags": ["reranker"]}][i % 3]
        yield headed(f"reranker-{i}", "bert", ["reranker", "scorer", "base"], 1, fields, style=STYLES[1 + i % 4],
                     **({"sentence_transformers": {"activation_fn": "torch.nn.modules.activation.Sigmoid"}} if i > 2 else {}))
    for i in range(5):
        yield headed(f"reward-{i}", "llama", ["reward", "scorer", "finetune"], 1, {"tags": ["trl", "reward-trainer"], "base_model": "org/llama-base"},
                     head="score", style=STYLES[1 + i % 4])
    yield headed("scorer-silent", "bert", ["scorer", "base"], 1, {})


def remains(vocabularies=()):
    for i in range(5):
        fields = {"license": "mit", "tags": ["tokenizer"]}
        yield (Repository(f"tokenizer-{i}", ["tokenizer"]).add("tokenizer.json", files.tokenizer_json())
               .add("tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"})
               .add("README.md", cards.card(fields, STYLES[i])))
    for path in vocabularies:
        repo = Repository(f"tokenizer-{path.name}", ["tokenizer"])
        yield repo.add("tokenizer.json" if path.suffix == ".json" else "tokenizer.model" if "model" in path.name else path.name, path.read_bytes())
    state = {"global_step": 500, "epoch": 1.0, "log_history": [{"loss": 1.0, "step": 500}]}
    for i in range(6):
        place = ["", "checkpoint-500/"][i % 2]
        tuned = {"base_model": "org/llama-base"} if i % 3 == 0 else {}
        repo = whole(f"checkpoint-{i}", "llama", ["checkpoint", "finetune" if tuned else "base"], "BF16", fields=tuned)
        yield repo.add(f"{place}trainer_state.json", state).add(f"{place}optimizer.pt", files.torch_state()).add(f"{place}scheduler.pt", files.torch_state())
    # The log of the training alone: a finished model.
    yield whole("finished-with-log", "bert", ["base"]).add("trainer_state.json", state).add("training_args.bin", files.torch_state())
    for i, style in enumerate(("short", "full", "template", "bare", "short", "short")):
        repo = Repository(f"shell-{i}", ["shell"]).add(".gitattributes", "*.bin filter=lfs\n")
        repo.add("README.md", cards.card({"license": "mit", **({"base_model": "org/x"} if i == 4 else {})}, style))
        if i % 2:
            repo.add("LICENSE", "MIT").add("banner.png", files.PNG)
        yield repo
    yield Repository("shell-empty", ["shell"]).add(".gitattributes", "")
    for i in range(6):
        map_ = {"AutoConfig": "configuration_own.OwnConfig", "AutoModelForCausalLM": "modeling_own.OwnModel"}
        repo = whole(f"remote-code-{i}", "llama", ["remote_code", "base"], config={"auto_map": map_, "architectures": ["OwnModel"]},
                     fields={"tags": ["custom_code"]}, style=STYLES[i % 5])
        yield repo.add("configuration_own.py", "class OwnConfig:\n    pass\n").add("modeling_own.py", "class OwnModel:\n    pass\n")
    yield whole("remote-code-elsewhere", "llama", ["remote_code", "base"], config={"auto_map": {"AutoModel": "org/other--modeling_x.X"}})
    for i, words in enumerate(("mirror of", "re-upload of", "exact copy of")):
        repo = whole(f"copy-{i}", "bert", ["copy"], style="none")
        yield repo.add("README.md", f"# Copy\n\nThis is a {words} org/bert-base, kept because the original may go away.\n")


def all_models(vocabularies=()):
    for group in (bases, finetunes, adapters, quantized, merged, converted, pipelines, heads):
        yield from group()
    yield from remains(vocabularies)
