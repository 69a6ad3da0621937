#!/usr/bin/env python3
"""Makes tokenizer.json files and corpora for the parity tests and the benchmarks, from what test_data.py fetches.

  .cache/testdata/tokenizers/NAME/tokenizer.json   as the reference's own converters would write them: from GGUF
                                                   vocabularies, SentencePiece models and Tekken ranks
  .cache/testdata/text/{english,code,multilingual}.txt and text/languages/XX.txt
                                                   prose and documentation; C++ and Python sources; the translations
                                                   of this machine's programs (message catalogues), 40 languages and more

The Python reference and Hearth read the same files. Usage: tokenizer_data.py [--force]; prints the folder.
"""
import base64
import json
import pathlib
import re
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import test_data  # noqa: E402

TOKENIZERS = test_data.DATA / "tokenizers"
TEXT = test_data.DATA / "text"
FORMAT = "3"  # raise when this file makes something else, so that old output is made again
METASPACE = "▁"
CATALOGUES = pathlib.Path("/usr/share/locale")
LANGUAGE_BYTES = 200_000

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


# --- readers of the sources ---------------------------------------------------------------------


def read_gguf_metadata(path):
    """The key-value part of a GGUF file as a dictionary."""
    scalars = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
    data, at = path.read_bytes(), 24

    def take(form):
        nonlocal at
        values = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return values

    def text():
        nonlocal at
        (size,) = take("Q")
        at += size
        return data[at - size:at].decode("utf-8", "replace")

    def value(kind):
        if kind == 8:
            return text()
        if kind == 9:
            item, count = take("IQ")
            return list(take(f"{count}{scalars[item]}")) if item in scalars else [value(item) for _ in range(count)]
        return take(scalars[kind])[0]

    rows = {}
    for _ in range(struct.unpack_from("<Q", data, 16)[0]):
        key = text()
        rows[key] = value(take("I")[0])
    return rows


def read_protobuf(data):
    """(field number, value) of a message; a length-delimited value is bytes, a fixed32 is a float."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    while at < len(data):
        key = varint()
        kind = key & 7
        if kind == 0:
            yield key >> 3, varint()
        elif kind == 2:
            size = varint()
            at += size
            yield key >> 3, data[at - size:at]
        elif kind == 5:
            at += 4
            yield key >> 3, struct.unpack_from("<f", data, at - 4)[0]
        else:
            raise ValueError(f"wire type {kind}")


def read_sentencepiece(path):
    """[(piece, score, type)] of a SentencePiece model file."""
    pieces = []
    for number, value in read_protobuf(path.read_bytes()):
        if number == 1:
            fields = dict(read_protobuf(value))
            pieces.append((fields[1].decode(), fields.get(2, 0.0), fields.get(3, 1)))
    return pieces


def catalogue_texts(path):
    """(original, translation) pairs of a compiled message catalogue (.mo, little-endian)."""
    data = path.read_bytes()
    if data[:4] != b"\xde\x12\x04\x95":
        return
    count, originals, translations = struct.unpack_from("<III", data, 8)
    for index in range(count):
        pair = []
        for table in (originals, translations):
            size, at = struct.unpack_from("<II", data, table + 8 * index)
            pair.append(data[at:at + size].split(b"\0")[0])
        if pair[0]:
            try:
                yield pair[0].decode("utf-8"), pair[1].decode("utf-8")
            except UnicodeDecodeError:
                return  # a catalogue in an older character set


# --- parts of a tokenizer.json ------------------------------------------------------------------


def document(model, normalizer=None, pre_tokenizer=None, decoder=None, post_processor=None, added=()):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": list(added), "normalizer": normalizer,
            "pre_tokenizer": pre_tokenizer, "post_processor": post_processor, "decoder": decoder, "model": model}


def sequence(kind, *parts):
    return {"type": "Sequence", kind: list(parts)}


def byte_level(use_regex, add_prefix_space=False):
    return {"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": True, "use_regex": use_regex}


def split(pattern, behavior="Isolated"):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": False}


def added_token(token_id, content, special):
    return {"id": token_id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": special}


def bpe(vocab, merges, **fields):
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocab, "merges": merges, **fields}


def template(token, token_id):
    """A post-processor that puts one token before every text."""
    special = {"SpecialToken": {"id": token, "type_id": 0}}
    return {"type": "TemplateProcessing", "single": [special, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [special, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": token, "type_id": 1}},
                     {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {token: {"id": token, "ids": [token_id], "tokens": [token]}}}


def merges_of(scores):
    """Every way to make a token of two others, best score first: what a SentencePiece BPE does, as merge rules."""
    order = {piece: index for index, piece in enumerate(scores)}
    merges = []
    for piece, score in scores.items():
        local = []
        for cut in range(1, len(piece)):
            left, right = piece[:cut], piece[cut:]
            if left in order and right in order:
                local.append((left, right, score))
        merges += sorted(local, key=lambda row: (order[row[0]], order[row[1]]))
    return [[left, right] for left, right, _ in sorted(merges, key=lambda row: row[2], reverse=True)]


def byte_characters():
    """The printable stand-ins for bytes of byte-level BPE, by byte."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = iter(range(256, 512))
    return [chr(byte) if byte in kept else chr(next(rest)) for byte in range(256)]


# --- the tokenizers -----------------------------------------------------------------------------


def from_gguf_bpe(name, pre_tokenizer, normalizer=None, bos=False, **fields):
    rows = read_gguf_metadata(test_data.DATA / "vocabularies" / f"{name}.gguf")
    tokens, kinds = rows["tokenizer.ggml.tokens"], rows["tokenizer.ggml.token_type"]
    added = [added_token(index, token, kinds[index] == 3) for index, token in enumerate(tokens) if kinds[index] in (3, 4)]
    inside = {row["content"] for row in added} if name != "gpt-2" else set()
    vocab = {token: index for index, token in enumerate(tokens) if token not in inside and kinds[index] != 5}
    post = byte_level(True)
    if bos:
        bos_id = rows["tokenizer.ggml.bos_token_id"]
        post = sequence("processors", byte_level(True), template(tokens[bos_id], bos_id))
    return document(bpe(vocab, rows["tokenizer.ggml.merges"], **fields), normalizer, pre_tokenizer, byte_level(True), post, added)


def sentencepiece_bpe(pieces, prepend):
    """`pieces`: [(piece, score, type)] with SentencePiece's types: 2 unknown, 3 control, 4 user defined, 6 byte."""
    scores = {piece: score for piece, score, _ in pieces}
    vocab = {piece: index for index, (piece, _, _) in enumerate(pieces)}
    added = [added_token(index, piece, kind in (2, 3)) for index, (piece, _, kind) in enumerate(pieces) if kind in (2, 3, 4)]
    mergeable = {piece: score for piece, score, kind in pieces if kind == 1}
    spaces = {"type": "Replace", "pattern": {"String": " "}, "content": METASPACE}
    normalizer = sequence("normalizers", {"type": "Prepend", "prepend": METASPACE}, spaces) if prepend else spaces
    decoders = [{"type": "Replace", "pattern": {"String": METASPACE}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]
    if prepend:
        decoders.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    assert len(scores) == len(pieces)
    return document(bpe(vocab, merges_of(mergeable), unk_token="<unk>", fuse_unk=True, byte_fallback=True), normalizer, None,
                    sequence("decoders", *decoders), template("<s>", 1), added)


def bert():
    document = json.loads((test_data.DATA / "minilm" / "tokenizer.json").read_text())
    document["truncation"] = document["padding"] = None  # MiniLM fixes both to 128
    return document


def gpt2():
    return from_gguf_bpe("gpt-2", byte_level(True))


def llama3():
    pre = sequence("pretokenizers", split({"Regex": LLAMA3}), byte_level(False))
    return from_gguf_bpe("llama-bpe", pre, bos=True, ignore_merges=True)


def qwen2():
    pre = sequence("pretokenizers", split({"Regex": QWEN2}), byte_level(False))
    return from_gguf_bpe("qwen2", pre, {"type": "NFC"})


def starcoder():
    return from_gguf_bpe("starcoder", sequence("pretokenizers", {"type": "Digits", "individual_digits": True}, byte_level(True)))


def gemma():
    rows = read_gguf_metadata(test_data.DATA / "vocabularies" / "gemma-4.gguf")
    tokens, kinds = rows["tokenizer.ggml.tokens"], rows["tokenizer.ggml.token_type"]
    added = [added_token(index, token, kinds[index] in (2, 3)) for index, token in enumerate(tokens) if kinds[index] in (2, 3, 4)]
    merges = [pair.split(" ", 1) for pair in rows["tokenizer.ggml.merges"]]
    vocab = {token: index for index, token in enumerate(tokens)}
    decoder = sequence("decoders", {"type": "Replace", "pattern": {"String": METASPACE}, "content": " "},
                       {"type": "ByteFallback"}, {"type": "Fuse"})
    return document(bpe(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True),
                    {"type": "Replace", "pattern": {"String": " "}, "content": METASPACE},
                    split({"String": " "}, "MergedWithPrevious"), decoder, template("<bos>", 2), added)


def llama2():
    rows = read_gguf_metadata(test_data.DATA / "vocabularies" / "phi-3.gguf")
    kinds = rows["tokenizer.ggml.token_type"]
    # Phi-3 adds its own tokens after Llama 2's 32,000, whose types its GGUF file keeps.
    pieces = list(zip(rows["tokenizer.ggml.tokens"], rows["tokenizer.ggml.scores"], kinds))
    return sentencepiece_bpe(pieces, prepend=True)


def mistral_v1():
    return sentencepiece_bpe(read_sentencepiece(test_data.DATA / "mistral" / "tokenizer.model.v1"), prepend=True)


def mistral_v3():
    return sentencepiece_bpe(read_sentencepiece(test_data.DATA / "mistral" / "tokenizer.model.v3"), prepend=True)


def tekken():
    source = json.loads((test_data.DATA / "mistral" / "tekken.json").read_text())
    config = source["config"]
    specials = config["default_num_special_tokens"]
    ranks = {base64.b64decode(row["token_bytes"]): row["rank"] for row in source["vocab"][:config["default_vocab_size"] - specials]}
    letters = byte_characters()
    spelled = {token: "".join(letters[byte] for byte in token) for token in ranks}
    merges = []
    for token, rank in ranks.items():
        local = [(token[:cut], token[cut:], rank) for cut in range(1, len(token)) if token[:cut] in ranks and token[cut:] in ranks]
        merges += sorted(local, key=lambda row: (ranks[row[0]], ranks[row[1]]))
    merges.sort(key=lambda row: row[2])
    vocab = {spelled[token]: rank + specials for token, rank in ranks.items()}
    named = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
    names = named + [f"<SPECIAL_{index}>" for index in range(len(named), specials)]
    added = [added_token(index, name, True) for index, name in enumerate(names)]
    pre = sequence("pretokenizers", split({"Regex": config["pattern"]}), byte_level(False))
    model = bpe(vocab, [[spelled[left], spelled[right]] for left, right, _ in merges], ignore_merges=True)
    return document(model, None, pre, byte_level(True), byte_level(True), added)


def xlmr():
    rows = read_gguf_metadata(test_data.DATA / "vocabularies" / "nomic-bert-moe.gguf")
    tokens, scores = rows["tokenizer.ggml.tokens"], rows["tokenizer.ggml.scores"]
    kinds = rows["tokenizer.ggml.token_type"]
    charsmap = base64.b64encode(bytes(byte & 255 for byte in rows["tokenizer.ggml.precompiled_charsmap"])).decode()
    keep = 250_002  # the rest pads the embedding table
    added = [added_token(index, tokens[index], True) for index in range(keep) if kinds[index] in (2, 3)]
    metaspace = {"type": "Metaspace", "replacement": METASPACE, "prepend_scheme": "always", "split": True}
    special = {name: {"id": name, "ids": [index], "tokens": [name]} for name, index in (("<s>", 0), ("</s>", 2))}

    def part(name):
        return {"SpecialToken": {"id": name, "type_id": 0}}
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    post = {"type": "TemplateProcessing", "single": [part("<s>"), first, part("</s>")],
            "pair": [part("<s>"), first, part("</s>"), part("</s>"), second, part("</s>")], "special_tokens": special}
    model = {"type": "Unigram", "unk_id": 3, "vocab": [[token, score] for token, score in zip(tokens[:keep], scores)],
             "byte_fallback": False}
    return document(model, {"type": "Precompiled", "precompiled_charsmap": charsmap},
                    sequence("pretokenizers", {"type": "WhitespaceSplit"}, metaspace), metaspace, post, added)


MAKERS = {"bert": bert, "gpt2": gpt2, "llama3": llama3, "qwen2": qwen2, "starcoder": starcoder, "gemma": gemma, "llama2": llama2,
          "mistral-v1": mistral_v1, "mistral-v3": mistral_v3, "tekken": tekken, "xlmr": xlmr}


# --- corpora ------------------------------------------------------------------------------------


def make_texts():
    (TEXT / "languages").mkdir(parents=True, exist_ok=True)
    source = test_data.DATA / "source"
    english = [(test_data.DATA / "charsmaps" / "botchan.txt").read_text()]
    english += [path.read_text() for path in sorted(source.rglob("*.md"))]
    code = [path.read_text() for path in sorted(source.rglob("*")) if path.suffix in (".cpp", ".h", ".py")]
    originals = {}
    languages = []
    for folder in sorted(CATALOGUES.iterdir()):
        if not re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2})?", folder.name) or folder.name.startswith("en"):
            continue
        seen, size = [], 0
        for path in sorted((folder / "LC_MESSAGES").glob("*.mo")):
            for original, translation in catalogue_texts(path):
                originals[original] = None
                if size < LANGUAGE_BYTES and translation and translation != original:
                    seen.append(translation)
                    size += len(translation.encode())
        if size >= 20_000:
            text = "\n".join(seen) + "\n"
            (TEXT / "languages" / f"{folder.name}.txt").write_text(text)
            languages.append(text)
    english.append("\n".join(originals) + "\n")
    (TEXT / "english.txt").write_text("\n".join(english)[:6_000_000])
    (TEXT / "code.txt").write_text("\n".join(code))
    (TEXT / "multilingual.txt").write_text("".join(languages))


def ensure():
    """Makes what is missing; returns the data folder."""
    test_data.ensure()
    stamp = TOKENIZERS / "format"
    wanted = FORMAT + " " + " ".join(sorted(MAKERS))
    if not stamp.exists() or stamp.read_text() != wanted:
        print("tokenizer-data: making tokenizer.json files and corpora", file=sys.stderr, flush=True)
        for name, make in MAKERS.items():
            path = TOKENIZERS / name / "tokenizer.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(make(), ensure_ascii=False, separators=(",", ":")))
        make_texts()
        stamp.write_text(wanted)
    return test_data.DATA


if __name__ == "__main__":
    if "--force" in sys.argv:
        (TOKENIZERS / "format").unlink(missing_ok=True)
    print(ensure())
