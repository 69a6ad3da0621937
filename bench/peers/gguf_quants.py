"""The gguf package's quantisers. Reads "write TYPE" or "read TYPE", answers with the seconds that a matrix takes: 1 Mi values to blocks, or blocks to 32 Mi
values. Run in the environment `parity`."""
import sys
import time

import gguf
import numpy as np

COLUMNS = 4096
ROWS = np.random.default_rng(1).standard_normal((256, COLUMNS)).astype(np.float32) * 0.02


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


for line in sys.stdin:
    what, name = line.split()
    kind = gguf.GGMLQuantizationType[name]
    values, size = gguf.GGML_QUANT_SIZES[kind]
    try:
        if what == "write":
            print(seconds(lambda: gguf.quants.quantize(ROWS, kind)), flush=True)
        else:
            # No subnormal scales, as in tools/weights_bench.cc.
            blocks = np.full((8192, COLUMNS // values * size), 0x21, np.uint8)
            print(seconds(lambda: gguf.quants.dequantize(blocks, kind)), flush=True)
    except NotImplementedError:
        print("nan", flush=True)
