"""gigatoken: byte-level and SentencePiece BPE; bytes in, a numpy array out."""
import gigatoken
from tokenizer_peer import serve


class Gigatoken:
    def load(self, path):
        self.tokenizer = gigatoken.Tokenizer(path)

    def prepare(self, data):
        self.data = data

    def encode(self):
        return self.tokenizer.encode(self.data)

    def ids(self, result):
        return result


if __name__ == "__main__":
    serve(Gigatoken())
