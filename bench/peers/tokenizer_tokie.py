"""tokie: BPE, WordPiece and Unigram.

encode is faster for one text than encode_batch_flat; encode_bytes leaves out the normaliser and the pre-tokeniser.
"""
import numpy
import tokie
from tokenizer_peer import serve


class Tokie:
    def load(self, path):
        self.tokenizer = tokie.Tokenizer.from_json(path)

    def prepare(self, data):
        self.text = data.decode()

    def encode(self):
        return self.tokenizer.encode(self.text, add_special_tokens=False)

    def ids(self, result):
        return numpy.array(result.ids, "<u4")


if __name__ == "__main__":
    serve(Tokie())
