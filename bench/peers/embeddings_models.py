"""Makes the rivals' forms of one BERT checkpoint: embeddings_models.py FOLDER OUT.

OUT/fp32.onnx (optimised graph, fused attention and norms), OUT/int8.onnx (the same, dynamically quantised, a scale per output),
OUT/plain.onnx and OUT/plain_int8.onnx (not fused, for OpenVINO, which fuses by itself), OUT/ct2 (CTranslate2).
"""
import pathlib
import sys

import ctranslate2
import onnx
import torch
import transformers
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions


class States(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).last_hidden_state


def main(folder, out):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    ids = torch.ones(2, 7, dtype=torch.int64)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    torch.onnx.export(States(model), (ids, ids, ids * 0), str(out / "plain.onnx"), input_names=names, output_names=["states"],
                      dynamic_axes={name: {0: "batch", 1: "tokens"} for name in [*names, "states"]}, opset_version=17, dynamo=False)
    fusion = FusionOptions("bert")
    config = model.config
    fused = optimizer.optimize_model(str(out / "plain.onnx"), "bert", num_heads=config.num_attention_heads,
                                     hidden_size=config.hidden_size, optimization_options=fusion)
    print(fused.get_fused_operator_statistics())
    fused.save_model_to_file(str(out / "fp32.onnx"))
    for whole, short in (("fp32", "int8"), ("plain", "plain_int8")):
        quantize_dynamic(out / f"{whole}.onnx", out / f"{short}.onnx", per_channel=True, weight_type=QuantType.QInt8,
                         extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})
    ctranslate2.converters.TransformersConverter(str(folder)).convert(str(out / "ct2"), force=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
