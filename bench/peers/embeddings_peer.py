"""Runs a rival encoder behind the line protocol of bench/tools/runtime_bench.cc.

A rival is a class with `run(texts)`: embeddings (mean of the tokens, then of length 1) of lists of ids, as an array. It gets
batches that its own users would give it: equal texts as they are; ragged ones sorted by length, at most 32 at a time, padded by
the rival itself where it has to.
"""
import json
import sys
import time

import numpy as np

BATCH = 32


def timed(milliseconds, work):
    start, cpu, items = time.perf_counter(), time.process_time(), 0
    while True:
        items += work()
        wall = time.perf_counter() - start
        if wall * 1000 >= milliseconds:
            return {"items": items, "wall": wall, "cpu": time.process_time() - cpu}


def padded(texts):
    """ids, mask, types as int64 matrices."""
    longest = max(map(len, texts))
    ids = np.zeros((len(texts), longest), np.int64)
    mask = np.zeros_like(ids)
    for i, text in enumerate(texts):
        ids[i, :len(text)] = text
        mask[i, :len(text)] = 1
    return ids, mask, np.zeros_like(ids)


def pooled(states, mask):
    weights = mask[:, :, None].astype(np.float32)
    mean = (states * weights).sum(1) / weights.sum(1)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


class Peer:
    def __init__(self, rival):
        self.rival, self.texts = rival, []
        self.random = np.random.default_rng(1)

    def batches(self):
        order = sorted(range(len(self.texts)), key=lambda i: -len(self.texts[i]))
        return [order[i:i + BATCH] for i in range(0, len(order), BATCH)]

    def all_texts(self):
        vectors = [None] * len(self.texts)
        for batch in self.batches():
            for i, vector in zip(batch, self.rival.run([self.texts[i] for i in batch])):
                vectors[i] = vector
        return vectors

    def answer(self, what, words):
        if what == "texts":
            self.texts = [list(map(int, line.split())) for line in open(words[0])]
            return {"texts": len(self.texts)}
        if what == "embed":
            texts = [list(map(int, self.random.integers(0, 30000, int(words[1])))) for _ in range(int(words[0]))]
            return timed(float(words[2]), lambda: len(self.rival.run(texts)))
        if what == "ragged":
            return timed(float(words[0]), lambda: len(self.all_texts()))
        if what == "vector":
            np.array(self.all_texts(), np.float32).tofile(words[0])
            return {"texts": len(self.texts)}
        raise ValueError(what)


def serve(rival):
    peer = Peer(rival)
    for line in sys.stdin:
        what, *words = line.split()
        print(json.dumps(peer.answer(what, words)), flush=True)
