#!/usr/bin/env python3
"""Trains two small models on real text, so that tests and benches have outputs that mean something.

.cache/testdata/trained/llama: a language model (Llama, 2 M parameters, byte-level BPE of 1024 tokens), trained on English
prose and documentation. .cache/testdata/trained/kinds: a BERT that tells what kind of text lines are: prose, documentation,
C++, Python or a chat template. held_out.json beside them has text that neither has seen. Seeded; made again when this file, the
text or the packages change. Needs the environment "parity". Usage: train_small_models.py
"""
import hashlib
import json
import pathlib
import random
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import python_env  # noqa: E402
import test_data  # noqa: E402

HOME = test_data.DATA / "trained"
SEED = 2026
LANGUAGE_STEPS, LANGUAGE_BATCH, WINDOW = 220, 12, 128
KINDS_STEPS, KINDS_BATCH, LINES, KINDS_WINDOW = 200, 24, 3, 64
KINDS = {
    "prose": ["charsmaps/botchan.txt"],
    "documentation": ["source/docs/**/*.md"],
    "c++": ["source/src/**/*.cpp", "source/common/**/*.cpp"],
    "python": ["source/python/**/*.py"],
    "template": ["templates/*.jinja"],
}


def text_of(kind):
    paths = sorted({path for pattern in KINDS[kind] for path in test_data.DATA.glob(pattern)})
    return "\n".join(path.read_text(errors="replace") for path in paths)


def halves(text, share=0.9):
    """Training text and held-out text: the end, cut at a line."""
    cut = text.index("\n", int(len(text) * share)) + 1
    return text[:cut], text[cut:]


def stamp():
    digest = hashlib.sha256(pathlib.Path(__file__).read_bytes() + python_env.stamp_of("parity").encode())
    for kind in KINDS:
        digest.update(text_of(kind).encode())
    return digest.hexdigest()


def ensure():
    """Returns the folder of the models; trains them, in the environment "parity", when they are not there."""
    test_data.ensure()
    python_env.ensure("parity")
    mark = HOME / "stamp"
    if not mark.exists() or mark.read_text() != stamp():
        print("train-small-models: training (a minute or two)", file=sys.stderr, flush=True)
        make()
    return HOME


def learn(model, batches, rate):
    """AdamW with a warm-up and a linear end; returns the mean loss of the last tenth."""
    import torch
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01, betas=(0.9, 0.98))
    losses, total = [], len(batches)
    model.train()
    for step, batch in enumerate(batches):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 20, (total - step) / (total * 0.6))
        loss = model(**batch()).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
    model.eval()
    return sum(losses[-total // 10:]) / len(losses[-total // 10:])


def language_model(folder):
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    train = "\n".join(halves(text_of(kind))[0] for kind in ("prose", "documentation"))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(train.splitlines(keepends=True), trainers.BpeTrainer(
        vocab_size=1024, special_tokens=["<|end|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    ids = torch.tensor(tokenizer.encode(train).ids)
    torch.manual_seed(SEED)
    # Widths are multiples of 256: K-quants have blocks of so many.
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=1024, hidden_size=256, intermediate_size=512, num_hidden_layers=3, num_attention_heads=8,
        num_key_value_heads=4, max_position_embeddings=512, rms_norm_eps=1e-5, tie_word_embeddings=True, bos_token_id=0,
        eos_token_id=0))
    generator = torch.Generator().manual_seed(SEED)

    def batch():
        at = torch.randint(len(ids) - WINDOW, (LANGUAGE_BATCH,), generator=generator)
        rows = torch.stack([ids[i:i + WINDOW] for i in at])
        return {"input_ids": rows, "labels": rows}

    loss = learn(model, [batch] * LANGUAGE_STEPS, 2e-3)
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>").save_pretrained(folder)
    return loss


def chunks(text):
    """Every few lines of a text, blank ones left out."""
    lines = [line for line in text.splitlines() if line.strip()]
    return ["\n".join(lines[i:i + LINES]) for i in range(0, len(lines) - LINES, LINES)]


def kinds_model(folder):
    import torch
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast
    labelled = {kind: chunks(halves(text_of(kind))[0]) for kind in KINDS}
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.train_from_iterator([chunk for each in labelled.values() for chunk in each[:2000]], trainers.WordPieceTrainer(
        vocab_size=2048, special_tokens=special, show_progress=False))
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
                                                        special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, model_input_names=["input_ids", "token_type_ids", "attention_mask"],
                                        **{word.strip("[]").lower() + "_token": word for word in special})
    torch.manual_seed(SEED)
    names = dict(enumerate(KINDS))
    model = BertForSequenceClassification(BertConfig(
        vocab_size=len(tokenizer), hidden_size=128, num_hidden_layers=2, num_attention_heads=4, intermediate_size=512,
        max_position_embeddings=128, id2label=names, label2id={name: i for i, name in names.items()}))
    chance = random.Random(SEED)

    def batch():
        picked = [chance.randrange(len(KINDS)) for _ in range(KINDS_BATCH)]
        texts = [chance.choice(labelled[names[label]]) for label in picked]
        made = tokenizer(texts, padding=True, truncation=True, max_length=KINDS_WINDOW, return_tensors="pt")
        return {**made, "labels": torch.tensor(picked)}

    loss = learn(model, [batch] * KINDS_STEPS, 1e-3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return loss


def train(name, folder):
    """One model, on one thread: the same numbers however many cores there are, and both at the same time."""
    import torch
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    start = time.monotonic()
    loss = {"llama": language_model, "kinds": kinds_model}[name](folder)
    print(f"train-small-models: {name}: loss {loss:.3f} in {time.monotonic() - start:.0f} s", file=sys.stderr)


def make():
    """Both models and the held-out text, in a folder that takes HOME's place when all is there."""
    fresh = HOME.with_name(f"trained.{random.SystemRandom().getrandbits(32):08x}")
    fresh.mkdir(parents=True)
    chance = random.Random(SEED)
    held = {"english": halves(text_of("prose"))[1],
            "kinds": [[kind, chunk] for kind in KINDS for chunk in chance.sample(chunks(halves(text_of(kind))[1]), 40)]}
    (fresh / "held_out.json").write_text(json.dumps(held))
    running = [subprocess.Popen([python_env.python_of("parity"), __file__, "--train", name, str(fresh / name)],
                                stderr=subprocess.PIPE, text=True) for name in ("llama", "kinds")]
    for process in running:
        text = process.communicate()[1]
        print("\n".join(line for line in text.splitlines() if line.startswith("train-")), file=sys.stderr)
        if process.returncode != 0:
            shutil.rmtree(fresh)
            sys.exit(f"train-small-models: training failed:\n{text}")
    (fresh / "stamp").write_text(stamp())
    shutil.rmtree(HOME, ignore_errors=True)
    fresh.rename(HOME)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--train"]:
        train(sys.argv[2], pathlib.Path(sys.argv[3]))
    else:
        print(ensure())
