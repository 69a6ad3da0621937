"""What happens around the model: post-processors, pairs, words, truncation with stride, padding, batches."""
import random

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from probes import Probe
from reference import FAULT, PANIC, as_input, attempt, compare_encode, encoding, is_words, load, ours, same, same_list
from strings import LONG, texts

R = processors
WORDS = "one two three four five six seven eight nine ten".split()
VOCAB = {token: id for id, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "<s>", "</s>", *WORDS])}
SPECIAL = [("[CLS]", 2), ("[SEP]", 3)]
MANY = {"id": "many", "ids": [2, 4, 2], "tokens": ["[CLS]", "<s>", "[CLS]"]}

COMPONENTS = {
    "none": lambda: None,
    "bert": lambda: R.BertProcessing(("[SEP]", 3), ("[CLS]", 2)),
    **{f"roberta-{t:d}{p:d}": (lambda t=t, p=p: R.RobertaProcessing(("</s>", 5), ("<s>", 4), t, p)) for t in (False, True) for p in (False, True)},
    **{f"byte-level-{t:d}{a:d}": (lambda t=t, a=a: R.ByteLevel(trim_offsets=t, add_prefix_space=a)) for t in (False, True) for a in (False, True)},
    "template-bert": lambda: R.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", SPECIAL),
    "template-types": lambda: R.TemplateProcessing("[CLS]:3 $A:2 [SEP]:9", "$B:5 [SEP]:1 $A:7", SPECIAL),
    "template-plain": lambda: R.TemplateProcessing("$0", "$A $B", []),
    "template-only-special": lambda: R.TemplateProcessing("[CLS] [SEP]", "$A $B", SPECIAL),
    "template-repeated": lambda: R.TemplateProcessing("$A [SEP] $A:1", "$A $B $A:2 [SEP] $B:3", SPECIAL),
    "template-many": lambda: R.TemplateProcessing("many $A many", "many:1 $A $B many:2", [MANY]),
    "template-missing-b": lambda: R.TemplateProcessing("$A $B", "$A $B", []),
    "sequence-empty": lambda: R.Sequence([]),
    "sequence-llama3": lambda: R.Sequence([R.ByteLevel(), R.TemplateProcessing("<s> $A", "<s> $A <s>:1 $B:1", [("<s>", 4)])]),
    "sequence-twice": lambda: R.Sequence([R.BertProcessing(("[SEP]", 3), ("[CLS]", 2)), R.RobertaProcessing(("</s>", 5), ("<s>", 4))]),
    "sequence-template-twice": lambda: R.Sequence([R.TemplateProcessing("[CLS] $A", "$A $B", SPECIAL), R.ByteLevel()]),
}
ROUNDS = 150 if LONG else 12


@pytest.fixture(scope="module")
def probe():
    with Probe("tokenizer_probe") as running:
        yield running


def make(post_processor):
    tokenizer = Tokenizer(models.WordLevel(VOCAB, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.NFKD()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Punctuation(), pre_tokenizers.WhitespaceSplit()])
    if post_processor is not None:
        tokenizer.post_processor = post_processor
    return tokenizer


def sentence(rng):
    if rng.random() < 0.2:
        return texts(1, rng.random())[-1]
    return " ".join(rng.choice(WORDS) for _ in range(rng.choice((0, 1, 2, 3, 5, 8, 13, 21))))


def sequence(rng):
    if rng.random() < 0.3:
        return {"words": [sentence(rng) if rng.random() < 0.2 else rng.choice([*WORDS, "", "é,x"]) for _ in range(rng.randint(0, 9))]}
    return sentence(rng)


def inputs(rng, count=25):
    made = []
    for _ in range(count):
        kind = rng.random()
        if kind < 0.4:
            made.append(sequence(rng))
        elif kind < 0.7:
            made.append({"first": sentence(rng), "second": sentence(rng)})
        else:
            first, second = sequence(rng), sequence(rng)
            made.append({"first": first, "second": second} if is_words(first) == is_words(second) else first)
    return made


def set_truncation(rng, tokenizer):
    options = {"max_length": rng.choice((0, 1, 2, 3, 4, 5, 6, 8, 12, 40)), "stride": rng.choice((0, 0, 1, 2, 3)),
               "strategy": rng.choice(("longest_first", "only_first", "only_second")), "direction": rng.choice(("left", "right"))}
    return attempt(lambda: tokenizer.enable_truncation(**options))


def set_padding(rng, tokenizer):
    tokenizer.enable_padding(direction=rng.choice(("left", "right")), pad_id=rng.choice((0, 7)), pad_type_id=rng.choice((0, 3)), pad_token=rng.choice(("[PAD]", "<pé>")),
                             length=rng.choice((None, 0, 5, 17)), pad_to_multiple_of=rng.choice((None, 4, 8)))


def batch(tokenizer, items, add_special_tokens):
    answers = tokenizer.encode_batch([as_input(item) for item in items], is_pretokenized=is_words(items[0]), add_special_tokens=add_special_tokens)
    return [encoding(answer) for answer in answers]


@pytest.mark.parametrize("name", COMPONENTS)
def test_settings(probe, name):
    """Random truncation and padding: one by one, then those of a kind as a batch."""
    rng = random.Random(f"settings {name}")
    for _ in range(ROUNDS):
        tokenizer = make(COMPONENTS[name]())
        if rng.random() < 0.8:
            set_truncation(rng, tokenizer)
        if rng.random() < 0.6:
            set_padding(rng, tokenizer)
        load(probe, tokenizer)
        items = inputs(rng)
        for add_special_tokens in (True, False):
            compare_encode(probe, tokenizer, items, add_special_tokens)
            for words in (False, True):
                alike = [item for item in items if is_words(item) == words]
                if not alike:
                    continue
                expected = attempt(lambda: batch(tokenizer, alike, add_special_tokens))
                answers = probe.ask({"op": "encode", "inputs": alike, "add_special_tokens": add_special_tokens, "threads": 3})
                if expected == FAULT:
                    assert ours(answers) == FAULT
                elif expected != PANIC:
                    same_list(expected, answers, alike)


@pytest.mark.parametrize("name", COMPONENTS)
def test_ids_alone(probe, name):
    """The fast form gives the ids of the whole text, without truncation and padding."""
    rng = random.Random(f"ids {name}")
    tokenizer = make(COMPONENTS[name]())
    load(probe, tokenizer)
    sentences = [sentence(rng) for _ in range(60)]
    for add_special_tokens in (True, False):
        expected = [attempt(lambda text=text: tokenizer.encode(text, add_special_tokens=add_special_tokens).ids) for text in sentences]
        same_list(expected, probe.ask({"op": "ids", "texts": sentences, "add_special_tokens": add_special_tokens}), sentences)


def test_truncation_is_checked(probe):
    """The reference's rule for the stride; it is not asked of a file."""
    tokenizer = make(COMPONENTS["bert"]())
    load(probe, tokenizer)
    for max_length in range(8):
        for stride in range(8):
            expected = attempt(lambda: tokenizer.enable_truncation(max_length, stride=stride))
            answer = probe.ask({"op": "set", "truncation": {"max_length": max_length, "stride": stride, "strategy": "LongestFirst"}})
            assert expected == PANIC or (expected == FAULT) == (ours(answer) == FAULT), (max_length, stride, expected, answer)


def test_without_offsets(probe):
    """encode_batch_fast: neither offsets nor words nor token strings, and the same ids."""
    for name, make_component in COMPONENTS.items():
        tokenizer = make(make_component())
        load(probe, tokenizer)
        rng = random.Random(5)
        items = [item for item in inputs(rng) if not is_words(item)]
        expected = attempt(lambda: [encoding(answer) for answer in tokenizer.encode_batch_fast([as_input(item) for item in items])])
        answers = probe.ask({"op": "encode", "inputs": items, "offsets": "none"})
        if expected == FAULT:
            assert ours(answers) == FAULT
        elif expected != PANIC:
            for theirs, mine, item in zip(expected, answers, items):
                same(theirs, mine, (name, item))
