"""Windows of held-out text, and how far scores after their tokens are from others. Run in an environment with numpy and tokenizers.

    prediction_quality.py windows TOKENIZER SIZE TEXT...     ids, a line a window: all whole windows of each file
    prediction_quality.py compare IDS EXPECTED SCORES        files of fp32; {"divergence", "surprise", "exact"}: nats a token, of
                                                             each window: KL(expected || scores), and -ln p of the next tokens
"""
import json
import pathlib
import sys

import numpy as np


def windows(tokenizer, size, *texts):
    import tokenizers
    encoder, size = tokenizers.Tokenizer.from_file(tokenizer), int(size)
    for text in texts:
        ids = encoder.encode(pathlib.Path(text).read_text()).ids
        for begin in range(0, len(ids) - size + 1, size):
            print(*ids[begin:begin + size])


def log_probabilities(scores):
    scores = scores.astype(np.float64)
    scores -= scores.max(-1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(-1, keepdims=True))


def surprise(logs, tokens):
    return float(-np.take_along_axis(logs[:-1], tokens[1:, None], -1).mean())


def compare(ids, expected, scores):
    tokens = np.loadtxt(ids, np.int64, ndmin=2)
    found = {"divergence": [], "surprise": [], "exact": []}
    files = [np.memmap(file, np.float32, "r").reshape(*tokens.shape, -1) for file in (expected, scores)]
    for at, window in enumerate(tokens):
        exact, made = (log_probabilities(file[at]) for file in files)
        found["divergence"].append(float(np.sum(np.exp(exact) * (exact - made), -1).mean()))
        found["surprise"].append(surprise(made, window))
        found["exact"].append(surprise(exact, window))
    print(json.dumps(found))


{"windows": windows, "compare": compare}[sys.argv[1]](*sys.argv[2:])
