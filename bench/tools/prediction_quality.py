"""Windows of held-out text, and how far scores after their tokens are from others. Run in an environment with numpy and tokenizers.

    prediction_quality.py windows TOKENIZER HELD_OUT COUNT SIZE   ids, a line a window
    prediction_quality.py compare IDS EXPECTED SCORES             files of fp32; {"divergence", "surprise", "exact"}: nats a token, of
                                                                  each window: KL(expected || scores), and -ln p of the next tokens
"""
import json
import sys

import numpy as np


def windows(tokenizer, held_out, count, size):
    import tokenizers
    ids = tokenizers.Tokenizer.from_file(tokenizer).encode(json.load(open(held_out))["english"]).ids
    for i in range(min(int(count), len(ids) // int(size))):
        print(*ids[i * int(size):(i + 1) * int(size)])


def log_probabilities(file, shape):
    scores = np.fromfile(file, np.float32).reshape(*shape, -1).astype(np.float64)
    scores -= scores.max(-1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(-1, keepdims=True))


def compare(ids, expected, scores):
    tokens = np.loadtxt(ids, np.int64, ndmin=2)
    exact, made = log_probabilities(expected, tokens.shape), log_probabilities(scores, tokens.shape)

    def surprise(logs):
        return (-np.take_along_axis(logs[:, :-1], tokens[:, 1:, None], -1)[..., 0].mean(-1)).tolist()

    divergence = np.sum(np.exp(exact) * (exact - made), -1).mean(-1).tolist()
    print(json.dumps({"divergence": divergence, "surprise": surprise(made), "exact": surprise(exact)}))


{"windows": windows, "compare": compare}[sys.argv[1]](*sys.argv[2:])
