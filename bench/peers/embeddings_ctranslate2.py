"""CTranslate2: embeddings_ctranslate2.py FOLDER THREADS TYPE (float32, int8)."""
import sys

import ctranslate2
import numpy as np
from embeddings_peer import padded, pooled, serve


class CTranslate2:
    def __init__(self, folder, threads, kind):
        self.encoder = ctranslate2.Encoder(folder, compute_type=kind, intra_threads=threads, inter_threads=1)

    def run(self, texts):
        states = np.array(self.encoder.forward_batch(texts).last_hidden_state)
        return pooled(states, padded(texts)[1])


if __name__ == "__main__":
    serve(CTranslate2(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
