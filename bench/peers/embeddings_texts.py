"""Sentences of a text as ids, a line each: embeddings_texts.py TOKENIZER TEXT OUT COUNT. Every so many-th, so that all of it is seen."""
import re
import sys

import tokenizers

tokenizer = tokenizers.Tokenizer.from_file(sys.argv[1])
tokenizer.no_padding()
tokenizer.enable_truncation(256)
text = open(sys.argv[2], encoding="utf-8").read(2_000_000)
sentences = [each for each in re.split(r"(?<=[.!?])\s+", " ".join(text.split())) if 3 <= len(each.split()) <= 200]
count = int(sys.argv[4])
with open(sys.argv[3], "w") as out:
    for sentence in sentences[::len(sentences) // count][:count]:
        out.write(" ".join(map(str, tokenizer.encode(sentence).ids)) + "\n")
