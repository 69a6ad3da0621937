"""The gguf package's quantisers. Reads type names, answers with the seconds that one matrix takes. Run in the environment `parity`."""
import sys
import time

import gguf
import numpy as np

ROWS = np.random.default_rng(1).standard_normal((256, 4096)).astype(np.float32) * 0.02

for line in sys.stdin:
    kind = gguf.GGMLQuantizationType[line.strip()]
    start = time.perf_counter()
    try:
        gguf.quants.quantize(ROWS, kind)
        print(time.perf_counter() - start, flush=True)
    except NotImplementedError:
        print("nan", flush=True)
