"""OpenVINO GenAI's text generation from a GGUF file: generation_openvino.py FILE THREADS. Only "prefill TOKENS"."""
import json
import sys
import time

import numpy as np
import openvino
import openvino_genai


def main():
    pipeline = openvino_genai.LLMPipeline(sys.argv[1], "CPU", INFERENCE_NUM_THREADS=int(sys.argv[2]))
    config = openvino_genai.GenerationConfig(max_new_tokens=1, ignore_eos=True)
    random = np.random.default_rng(1)
    for line in sys.stdin:
        what, *words = line.split()
        if what != "prefill":
            raise ValueError(what)
        tokens = int(words[0])
        ids = openvino.Tensor(random.integers(10, 40000, (1, tokens), np.int64))
        inputs = openvino_genai.TokenizedInputs(ids, openvino.Tensor(np.ones((1, tokens), np.int64)))
        start, cpu = time.perf_counter(), time.process_time()
        pipeline.generate(inputs, config)
        print(json.dumps({"items": tokens, "wall": time.perf_counter() - start, "cpu": time.process_time() - cpu}), flush=True)


if __name__ == "__main__":
    main()
