#!/usr/bin/env python3
"""Trains a tiny ViT on scikit-learn's handwritten digits, so that tests of pictures have answers that mean something.

.cache/testdata/digits/model: a ViTForImageClassification of 120,000 parameters (pictures of 32 x 32, ten labels).
.cache/testdata/digits/pictures: digits that it has not seen, white on black as PNG files of 64 x 64, "<digit>_<number>.png".
Seeded; made again when this file or the packages change. Needs the environment "parity". Usage: train_digits_model.py
"""
import hashlib
import json
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import time
import zlib

TOOLS = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS))
import python_env  # noqa: E402
import test_data  # noqa: E402

HOME = test_data.DATA / "digits"
SEED = 2026
STEPS, BATCH, HELD_OUT = 1200, 64, 200
SIDE, DRAWN = 32, 64  # of what the model sees, and of the pictures' files
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
PREPROCESSOR = {"image_processor_type": "ViTImageProcessor", "do_resize": True, "size": {"height": SIDE, "width": SIDE}, "resample": 2,
                "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
CARD = """---
pipeline_tag: image-classification
library_name: transformers
license: bsd-3-clause
---

# Handwritten digits

A tiny vision transformer that tells the digits of scikit-learn's `load_digits` apart, light on dark or dark on light.
"""


def stamp():
    return hashlib.sha256(pathlib.Path(__file__).read_bytes() + python_env.stamp_of("parity").encode()).hexdigest()


def ensure():
    """Returns the folder of the model and the pictures; trains, in the environment "parity", when they are not there."""
    python_env.ensure("parity")
    mark = HOME / "stamp"
    if not mark.exists() or mark.read_text() != stamp():
        print("train-digits-model: training (half a minute)", file=sys.stderr, flush=True)
        fresh = HOME.with_name(f"digits.{random.SystemRandom().getrandbits(32):08x}")
        done = subprocess.run([python_env.python_of("parity"), __file__, "--train", str(fresh)], stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            sys.exit(f"train-digits-model: training failed:\n{done.stderr}")
        print("\n".join(line for line in done.stderr.splitlines() if line.startswith("train-")), file=sys.stderr)
        shutil.rmtree(HOME, ignore_errors=True)
        fresh.rename(HOME)
    return HOME


def write_png(path, rows):
    """8-bit grey."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows), 9)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def train(folder):
    import torch
    from sklearn.datasets import load_digits
    from transformers import ViTConfig, ViTForImageClassification
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(SEED)
    start = time.monotonic()
    digits = load_digits()
    drawn = torch.tensor(digits.images * 255 / 16).round().float()[:, None]
    drawn = drawn.repeat_interleave(DRAWN // 8, 2).repeat_interleave(DRAWN // 8, 3)
    seen = torch.nn.functional.interpolate(drawn, (SIDE, SIDE), mode="bilinear", antialias=True).expand(-1, 3, -1, -1) / 127.5 - 1
    labels = torch.tensor(digits.target)
    order = torch.randperm(len(labels))
    held, known = order[:HELD_OUT], order[HELD_OUT:]
    model = ViTForImageClassification(ViTConfig(
        hidden_size=64, num_hidden_layers=3, num_attention_heads=4, intermediate_size=128, image_size=SIDE, patch_size=8, initializer_range=0.1,
        id2label=dict(enumerate(NAMES)), label2id={name: i for i, name in enumerate(NAMES)}))
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * min(1, (step + 1) / 30, (STEPS - step) / (STEPS * 0.6))
        picked = known[torch.randint(len(known), (BATCH,))]
        pictures = seen[picked]
        # A little out of place, and dark on light: people draw as they like.
        pictures = torch.roll(pictures, (int(torch.randint(-2, 3, ())), int(torch.randint(-2, 3, ()))), (2, 3))
        pictures = torch.where(torch.rand(BATCH, 1, 1, 1) < 0.5, pictures, -pictures)
        loss = model(pixel_values=pictures, labels=labels[picked]).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    model.eval()
    with torch.no_grad():
        right = [(model(pixel_values=sign * seen[held]).logits.argmax(-1) == labels[held]).float().mean().item() for sign in (1, -1)]
    model.save_pretrained(folder / "model")
    (folder / "model" / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR, indent=2))
    (folder / "model" / "README.md").write_text(CARD)
    (folder / "pictures").mkdir()
    for index in held[:50].tolist():
        write_png(folder / "pictures" / f"{labels[index]}_{index:04}.png", drawn[index, 0].byte().tolist())
    (folder / "stamp").write_text(stamp())
    print(f"train-digits-model: {right[0]:.1%} of the held-out digits right, {right[1]:.1%} dark on light, "
          f"in {time.monotonic() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--train"]:
        train(pathlib.Path(sys.argv[2]))
    else:
        print(ensure())
