"""tokie: BPE, WordPiece and Unigram; its only way to raw ids of one text is a Python list."""
import numpy
import tokie
from tokenizer_peer import serve


class Tokie:
    def load(self, path):
        self.tokenizer = tokie.Tokenizer.from_json(path)

    def prepare(self, data):
        self.data = data

    def encode(self):
        return self.tokenizer.encode_bytes(self.data)

    def ids(self, result):
        return numpy.array(result, "<u4")


if __name__ == "__main__":
    serve(Tokie())
