"""OpenVINO: embeddings_openvino.py MODEL.onnx THREADS [fp32|bf16]."""
import sys

import openvino
from embeddings_peer import padded, pooled, serve


class OpenVino:
    def __init__(self, path, threads, precision):
        core = openvino.Core()
        hints = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
        self.request = core.compile_model(path, "CPU", hints).create_infer_request()
        self.wanted = [each.get_any_name() for each in self.request.model_inputs]

    def run(self, texts):
        ids, mask, types = padded(texts)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        states = self.request.infer({name: given[name] for name in self.wanted}, share_inputs=True, share_outputs=True)[0]
        return pooled(states, mask)


if __name__ == "__main__":
    serve(OpenVino(sys.argv[1], int(sys.argv[2]), {"fp32": "f32", "bf16": "bf16"}[sys.argv[3]]))
