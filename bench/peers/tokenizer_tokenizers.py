"""tokenizers, the reference: whose ids are the right ones, and whose latency and load the goals divide."""
import numpy
from tokenizer_peer import serve
from tokenizers import Tokenizer


class Reference:
    def load(self, path):
        self.tokenizer = Tokenizer.from_file(path)
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def prepare(self, data):
        self.text = data.decode()

    def encode(self):
        return self.tokenizer.encode(self.text, add_special_tokens=False)

    def ids(self, result):
        return numpy.array(result.ids, "<u4")


if __name__ == "__main__":
    serve(Reference())
