"""Repositories that lie: names, tags, fields and endings that say one thing, bytes that say another."""
import architectures as arch
import cards
import files
import models
from architectures import FAMILIES, H
from models import whole, with_dtype
from others import GRADIO, TABLE, dataset, space
from repository import Repository


def names_that_lie():
    for suffix in ("GGUF", "AWQ", "GPTQ", "4bit", "int8", "bnb-4bit", "FP8"):
        yield whole(f"lie-name-{suffix}", "llama", ["base"], name=f"m-{suffix}", alarms=["name_quantized"])
    yield whole("lie-name-lora", "llama", ["base"], name="m-LoRA")
    yield whole("lie-name-merge", "llama", ["base"], name="m-slerp-merge")
    yield whole("lie-name-tokenizer", "llama", ["base"], name="m-tokenizer")
    yield whole("lie-name-dataset", "bert", ["base"], name="dataset")
    yield models.adapter("lie-name-full", "LORA", fields={"tags": ["base-model"]})


def tags_that_lie():
    yield whole("lie-tag-gguf", "llama", ["base"], fields={"tags": ["gguf"]}, alarms=["format_tag"])
    yield whole("lie-tag-onnx", "bert", ["base"], fields={"tags": ["onnx"]}, alarms=["format_tag"])
    yield whole("lie-tag-lora", "bert", ["base"], fields={"tags": ["lora"]})
    yield whole("lie-library-peft", "llama", ["base"], fields={"library_name": "peft"}, alarms=["relation_adapter"])
    yield whole("lie-relation-adapter", "llama", ["base"], fields={"base_model_relation": "adapter"}, alarms=["relation_adapter"])
    yield whole("lie-relation-quantized", "llama", ["base"], fields={"base_model_relation": "quantized"}, alarms=["quantization"])
    yield whole("lie-task", "vit", ["classifier", "base"], tensors=with_dtype(arch.vit(4), "F32"), alarms=["task"],
                config={"architectures": ["ViTForImageClassification"], "id2label": {str(n): "x" for n in range(4)}}, fields={"pipeline_tag": "text-generation"})


def configs_that_lie():
    for method in ("bnb4", "gptq", "fp8", "awq"):
        yield whole(f"lie-config-{method}", "llama", ["base"], config=models.METHODS[method], alarms=["quantization"])
    yield (Repository("lie-adapter-config", ["adapter"], alarms=["adapter_without_weights"]).add("adapter_config.json", models.peft_config("LORA"))
           .add("README.md", cards.card({"base_model": "org/llama-base", "library_name": "peft"}, "short")))
    full = with_dtype(FAMILIES["llama"][1], "F16")
    yield (Repository("lie-adapter-file", ["adapter"], alarms=["adapter_weights"]).add("adapter_config.json", models.peft_config("LORA"))
           .add("adapter_model.safetensors", files.safetensors(full)))
    # A training of an adapter left its configuration in the merged model.
    yield whole("left-adapter-config", "llama", ["adapter", "base"], alarms=["adapter_without_weights"]).add("adapter_config.json", models.peft_config("LORA"))
    lora = {f"model.layers.0.self_attn.q_proj.lora_{side}.weight": ("F32", (8, H)) for side in "AB"}
    yield whole("lora-names-in-full", "llama", ["base"], tensors={**with_dtype(FAMILIES["llama"][1], "F32"), **lora})
    yield whole("lie-labels", "bert", ["classifier", "base"], tensors=with_dtype({**arch.bert(), "classifier.weight": (2, H)}, "F32"),
                config={"architectures": ["BertForSequenceClassification"], "id2label": {str(n): "x" for n in range(5)}},
                fields={"pipeline_tag": "text-classification"}, alarms=["labels"])
    yield whole("lie-labels-missing-head", "bert", ["classifier", "base"], config={"architectures": ["BertForSequenceClassification"]},
                fields={"pipeline_tag": "text-classification"})
    yield whole("lie-code", "llama", ["remote_code", "base"], config={"auto_map": {"AutoModel": "modeling_gone.M"}}, alarms=["code_missing"])
    # A GPT-2 whose causal masks are bytes: most elements, and no quantisation.
    masks = {f"h.{i}.attn.bias": ("U8", (1, 1, 256, 256)) for i in range(2)}
    yield whole("masks-of-bytes", "gpt2", ["base"], tensors={**with_dtype(FAMILIES["gpt2"][1], "F32"), **masks})
    scaled = {f"model.layers.{i}.scale": ("F32", (H,)) for i in range(2)}
    yield whole("scales-without-quants", "llama", ["base"], tensors={**with_dtype(FAMILIES["llama"][1], "F16"), **scaled})
    yield whole("integers-as-positions", "bert", ["base"],
                tensors={**with_dtype(FAMILIES["bert"][1], "F32"), "bert.embeddings.position_ids": ("I64", (1, 4096)), "bert.token_map.weight": ("I32", (4096,))})
    modules = [{"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
    yield whole("lie-modules", "bert", ["embedding", "base"]).add("modules.json", modules)
    yield Repository("lie-modules-alone", ["embedding"]).add("modules.json", modules).add("1_Pooling/config.json", {}).add("notes.bin", b"none")


def look_alikes():
    """What is nearly the mark of a kind, and is not."""
    backbone = {f"backbone_layer{i}.conv.weight": ("F32", (8, 8, 3, 3)) for i in range(4)}
    yield (Repository("backbone-names", ["base"]).add("config.json", {"model_type": "own", "architectures": ["OwnModel"]})
           .add("model.safetensors", files.safetensors(backbone)))
    soft = {f"soft_moe.{i}.weight": ("F32", (8, 8)) for i in range(4)}
    yield (Repository("soft-names", ["base"]).add("config.json", {"model_type": "own"}).add("model.safetensors", files.safetensors(soft)))
    lookalike = {"model.token_map.weight": ("U32", (64, 4)), "model.layers.0.scales": ("F32", (4,)), "model.layers.1.biases": ("F32", (4,))}
    yield whole("mlx-look-alike", "llama", ["base"], tensors={**with_dtype(FAMILIES["llama"][1], "F16"), **lookalike})
    tables = {"embeddings.weight": ("U8", (64, 4)), "norm.weight_scale": ("F32", (4,))}
    yield whole("int8-look-alike", "bert", ["base"], tensors={**with_dtype(FAMILIES["bert"][1], "F32"), **tables})
    yield (Repository("results-beside-unknown-weights", []).add("lid.176.bin", b"\xba\x16\x4f\x2f" + bytes(64)).add("results.csv", TABLE)
           .add("README.md", cards.card({"license": "mit"}, "short")))
    yield Repository("tokenizer-beside-unknown-weights", ["tokenizer"]).add("tokenizer.json", files.tokenizer_json()).add("ggml-base.bin", bytes(64))
    yield (Repository("onnx-beside-unknown-weights", ["converted"]).add("model.onnx", files.onnx_file()).add("weights.npz", b"PK\x03\x04" + bytes(64)))


def records_that_lie():
    # mergekit's record beside weights that nobody can check, and alone.
    yield Repository("record-alone", ["merged"]).add("mergekit_config.yml", models.MERGEKIT.format(method="ties")).add("README.md", "# merge\n")
    yield whole("record-broken", "llama", ["base"]).add("mergekit_config.yml", "a: [unclosed")
    yield whole("record-empty", "llama", ["base"]).add("mergekit_config.yml", "")
    index = {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]}
    yield (Repository("pipeline-without-parts", ["pipeline"], alarms=["pipeline_components"]).add("model_index.json", index)
           .add("unet/config.json", {}).add("unet/diffusion_pytorch_model.safetensors", files.safetensors({"a": ("F16", (4, 4))})))
    yield Repository("pipeline-alone", ["pipeline"], alarms=["pipeline_components"]).add("model_index.json", index)


def endings_that_lie():
    yield (Repository("lie-safetensors", [], alarms=["weights_unreadable"]).add("config.json", FAMILIES["llama"][0])
           .add("model.safetensors", b"<html>not found</html>"))
    yield (Repository("lie-gguf", [], alarms=["weights_unreadable"], name="m-GGUF").add("m-Q4_K_M.gguf", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"))
    cut = files.safetensors(with_dtype(FAMILIES["llama"][1], "F32"))
    yield Repository("cut-safetensors", [], alarms=["weights_unreadable"]).add("config.json", FAMILIES["llama"][0]).add("model.safetensors", cut[: len(cut) // 2])
    yield Repository("lie-onnx", [], alarms=["weights_unreadable"]).add("model.onnx", b"\xff\xff not protobuf").add("config.json", FAMILIES["bert"][0])
    yield whole("shards-missing", "llama", ["base"], form="sharded", alarms=["shards_missing"])
    yield Repository("config-alone", [], alarms=["config_without_weights"]).add("config.json", FAMILIES["llama"][0]).add("README.md", "# m\n")
    yield (Repository("weights-alone", [], alarms=["weights_without_config"])
           .add("model.safetensors", files.safetensors(with_dtype(FAMILIES["llama"][1], "F32"))))
    yield Repository("lie-tokenizer", ["tokenizer"]).add("tokenizer.json", "{broken").add("tokenizer_config.json", {})
    yield dataset("lie-parquet", alarms=["data_unreadable"]).add("train.parquet", b"<html></html>")
    yield dataset("lie-patterns", alarms=["data_files"],
                  fields={"configs": [{"config_name": "d", "data_files": "gone/*.csv"}]}).add("train.csv", TABLE)
    yield whole("lie-optimizer", "llama", ["base"]).add("optimizer_notes.md", "none")


def wrong_places():
    yield (dataset("weights-in-dataset", kinds=[], alarms=["weights_in_dataset"])
           .add("model.safetensors", files.safetensors(with_dtype(FAMILIES["bert"][1], "F32"))))
    yield (dataset("weights-beside-data", alarms=["weights_in_dataset"]).add("train.csv", TABLE)
           .add("m.gguf", files.gguf(arch.gguf_tensors("Q4_K"), {"general.architecture": "llama"})))
    for i in range(3):
        yield (Repository(f"data-in-model-{i}", ["dataset"], alarms=["data_in_model"]).add("README.md", cards.card({"license": "mit"}, "short"))
               .add("data/train-00000-of-00001.parquet", files.parquet()))
    yield (Repository("space-in-model", ["space"], alarms=["app_elsewhere"]).add("app.py", GRADIO)
           .add("README.md", cards.card({"title": "x", "sdk": "gradio"}, "bare")))
    yield space("space-without-app", "gradio", alarms=["app_missing"]).add("other.py", "a = 1\n")
    yield space("space-without-dockerfile", "docker", alarms=["app_missing"]).add("app.py", GRADIO)
    yield (Repository("space-without-sdk", ["space"], type="space", alarms=["no_sdk"]).add("app.py", GRADIO)
           .add("README.md", cards.card({"title": "x"}, "bare")))
    yield models.adapter("other-base", "LORA", fields={"base_model": "org/another"})
    onnx = whole("native-with-onnx", "bert", ["base"]).add("onnx/model_quantized.onnx", files.onnx_file(True)).add("onnx/model.onnx", files.onnx_file())
    yield onnx
    yield whole("native-with-gguf", "llama", ["base"]).add("m-Q4_K.gguf", files.gguf(arch.gguf_tensors("Q4_K"), {"general.architecture": "llama"}))
    yield whole("library-with-weights", "bert", ["base"]).add("pyproject.toml", "[project]\nname='x'\n").add("src/x.py", "a = 1\n")
    yield whole("unquantized", "gemma2", ["finetune"], "BF16", name="m-qat-q4_0-unquantized", fields={"base_model": "org/gemma-base"})


def all_adversarial():
    for group in (names_that_lie, tags_that_lie, configs_that_lie, look_alikes, records_that_lie, endings_that_lie, wrong_places):
        for repo in group():
            if repo.label == "shards-missing":
                del repo.files["model-00002-of-00003.safetensors"]
            if repo.label == "other-base":
                repo.alarms.add("base_model")
            yield repo
