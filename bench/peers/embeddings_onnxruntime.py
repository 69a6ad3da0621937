"""onnxruntime: embeddings_onnxruntime.py MODEL.onnx THREADS."""
import sys

import onnxruntime
from embeddings_peer import padded, pooled, serve


class OnnxRuntime:
    def __init__(self, path, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.wanted = [each.name for each in self.session.get_inputs()]

    def run(self, texts):
        ids, mask, types = padded(texts)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        return pooled(self.session.run(None, {name: given[name] for name in self.wanted})[0], mask)


if __name__ == "__main__":
    serve(OnnxRuntime(sys.argv[1], int(sys.argv[2])))
