"""What the reference answers, in the form in which tokenizer_probe answers, and the comparison of the two."""
import json

FIELDS = ("ids", "type_ids", "tokens", "word_ids", "sequence_ids", "offsets", "special_tokens_mask", "attention_mask")
FAULT = "error"
PANIC = "panic"


def encoding(value):
    answer = {name: getattr(value, name) for name in FIELDS}
    answer["offsets"] = [list(pair) for pair in value.offsets]
    answer["overflowing"] = [encoding(part) for part in value.overflowing]
    return answer


def attempt(call):
    """The answer, FAULT, or PANIC: where the reference breaks, any answer is as good."""
    try:
        return call()
    except Exception:
        return FAULT
    except BaseException as fault:
        if type(fault).__name__ != "PanicException":
            raise
        return PANIC


def ours(answer):
    return FAULT if isinstance(answer, dict) and "error" in answer else answer


def component_json(component):
    """The object of tokenizer.json that the component pickles to."""
    return json.loads(component.__getstate__())


def as_input(probe_input):
    """The reference's form of one input of the probe's "encode"."""
    if isinstance(probe_input, str):
        return probe_input
    if "words" in probe_input:
        return probe_input["words"]
    return as_input(probe_input["first"]), as_input(probe_input["second"])


def is_words(probe_input):
    if isinstance(probe_input, str):
        return False
    return "words" in probe_input or is_words(probe_input.get("first", ""))


def same(expected, answer, context):
    if expected in (answer, PANIC):
        return
    if isinstance(expected, dict) and isinstance(answer, dict):
        for name in expected:
            if expected[name] != answer.get(name):
                raise AssertionError(f"{context!r}: {name}\n  reference {expected[name]!r}\n  ours      {answer.get(name)!r}\n  "
                                     f"tokens {expected.get('tokens')!r}")
    raise AssertionError(f"{context!r}\n  reference {expected!r}\n  ours      {answer!r}")


def same_list(expected, answers, contexts):
    assert len(expected) == len(answers) == len(contexts), (len(expected), answers if isinstance(answers, dict) else len(answers), len(contexts))
    faults = []
    for theirs, mine, context in zip(expected, answers, contexts):
        try:
            same(theirs, ours(mine), context)
        except AssertionError as fault:
            faults.append(str(fault))
    assert not faults, f"{len(faults)} of {len(expected)} differ\n" + "\n".join(faults[:5])


def compare_encode(probe, tokenizer, inputs, add_special_tokens=True, batch_size=500):
    """Each input by itself: everything that an encoding holds, with character offsets."""
    for start in range(0, len(inputs), batch_size):
        part = inputs[start:start + batch_size]
        expected = [attempt(lambda item=item: encoding(_encode(tokenizer, item, add_special_tokens))) for item in part]
        answers = probe.ask({"op": "encode", "inputs": part, "add_special_tokens": add_special_tokens, "batch": False})
        same_list(expected, answers, part)


def _encode(tokenizer, item, add_special_tokens):
    value = as_input(item)
    first, second = value if isinstance(value, tuple) else (value, None)
    return tokenizer.encode(first, second, is_pretokenized=is_words(item), add_special_tokens=add_special_tokens)


def load(probe, tokenizer):
    """Loads the reference's tokenizer into the probe and compares both forms of its file; returns the probe's answer."""
    compact = tokenizer.to_str()
    answer = probe.ask({"op": "load", "json": compact})
    assert "error" not in answer, (answer, compact[:2000])
    for pretty in (False, True):
        mine, theirs = probe.ask({"op": "to_str", "pretty": pretty}), tokenizer.to_str(pretty=pretty)
        if mine != theirs:
            at = next(i for i, (a, b) in enumerate(zip(mine + "\0", theirs + "\0")) if a != b)
            raise AssertionError(f"the file differs at {at}:\n  reference {theirs[max(0, at - 80):at + 80]!r}\n  ours      "
                                 f"{mine[max(0, at - 80):at + 80]!r}")
    return answer
