"""fastokens: BPE, ids into one flat buffer without a Python object per token."""
import json

import numpy
from fastokens._native import Tokenizer
from tokenizer_peer import serve


def without_holes(path):
    """The same file with a token for each id that only an added token has: fastokens refuses holes (StarCoder)."""
    with open(path, encoding="utf-8") as stream:
        parsed = json.load(stream)
    vocab = parsed["model"]["vocab"]
    for number in set(range(max(vocab.values()))) - set(vocab.values()):
        vocab[f"<hole {number}>"] = number
    return json.dumps(parsed)


class Fastokens:
    def load(self, path):
        try:
            self.tokenizer = Tokenizer.from_file(path)
        except ValueError:
            self.tokenizer = Tokenizer.from_json_str(without_holes(path))

    def prepare(self, data):
        self.text = data.decode()

    def encode(self):
        return self.tokenizer.encode_batch_flat([self.text], add_special_tokens=False)

    def ids(self, result):
        return numpy.frombuffer(result[0], "<u4")


if __name__ == "__main__":
    serve(Fastokens())
