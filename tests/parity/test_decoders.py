"""Every decoder with every parameter, on tokens of all kinds; streams too."""
import random

import pytest
from tokenizers import Regex, decoders

from probes import Probe
from reference import attempt, component_json, same_list
from strings import LONG, every_code_point, piece

D = decoders
COMPONENTS = {
    "bpe": D.BPEDecoder, "bpe-other": lambda: D.BPEDecoder("@@"), "bpe-empty": lambda: D.BPEDecoder(""), "byte-level": D.ByteLevel, "byte-fallback": D.ByteFallback, "fuse": D.Fuse,
    **{f"wordpiece-{p}-{c:d}": (lambda p=p, c=c: D.WordPiece(p, c)) for p in ("##", "@", "") for c in (False, True)},
    **{f"metaspace-{m}-{s}-{split:d}": (lambda m=m, s=s, split=split: D.Metaspace(m, s, split))
       for m in ("▁", "_") for s in ("always", "first", "never") for split in (False, True)},
    **{f"ctc-{c:d}": (lambda c=c: D.CTC("<pad>", "|", c)) for c in (False, True)}, "ctc-other": lambda: D.CTC("", "", True),
    "replace": lambda: D.Replace("▁", " "), "replace-empty": lambda: D.Replace("", "x"), "replace-regex": lambda: D.Replace(Regex(r"\s+"), "_"), "replace-out": lambda: D.Replace(Regex("[aeiou]"), ""),
    **{f"strip-{c}-{a}-{b}": (lambda c=c, a=a, b=b: D.Strip(c, a, b)) for c in (" ", "a", "▁") for a, b in ((0, 0), (1, 0), (0, 1), (2, 2), (100, 0))},
    "sequence-empty": lambda: D.Sequence([]),
    "sequence-llama": lambda: D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)]),
    "sequence-gemma": lambda: D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse()]),
    "sequence-nested": lambda: D.Sequence([D.Sequence([D.ByteLevel(), D.WordPiece()]), D.Fuse()]),
}
PIECES = ["##ing", "##s", "##", "@@", "</w>", "low</w>", "▁the", "▁", "▁▁a", "_x_", "<pad>", "|", "n't", " .", " ' ", "do not", " 've", "<0x41>", "<0xE4>", "<0xb8>", "<0xAD>", "<0xFF>",
          "<0x+A>", "<0xG0>", "<0x-1>", "<0x>", "<0xé>", "Ġthe", "Ċ", "ä¸Ń", "ðŁ", "ĺĢ", "Ã", "©", " ", "  a  ", "aa", "", "."]


@pytest.fixture(scope="module")
def probe():
    with Probe("tokenizer_probe") as running:
        yield running


@pytest.mark.parametrize("name", COMPONENTS)
def test_generated_tokens(probe, name):
    component = COMPONENTS[name]()
    rng = random.Random(31)
    lists = [[], [""], ["", ""]]
    for _ in range(20_000 if LONG else 600):
        made = [rng.choice(PIECES) if rng.random() < 0.7 else piece(rng) for _ in range(rng.randint(1, 9))]
        lists.append(made + made[-1:] * (rng.random() < 0.2))
    lists += [[part] for part in every_code_point(997)]
    answers = probe.ask({"op": "decoder", "component": component_json(component), "tokens": lists})
    same_list([attempt(lambda item=item: component.decode(item)) for item in lists], answers, lists)
