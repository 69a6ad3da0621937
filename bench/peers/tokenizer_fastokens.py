"""fastokens: BPE, ids into one flat buffer without a Python object per token."""
import numpy
from fastokens._native import Tokenizer
from tokenizer_peer import serve


class Fastokens:
    def load(self, path):
        self.tokenizer = Tokenizer.from_file(path)

    def prepare(self, data):
        self.text = data.decode()

    def encode(self):
        return self.tokenizer.encode_batch_flat([self.text], add_special_tokens=False)

    def ids(self, result):
        return numpy.frombuffer(result[0], "<u4")


if __name__ == "__main__":
    serve(Fastokens())
