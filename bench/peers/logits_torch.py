"""Scores of a language model by transformers in fp32: logits_torch.py FOLDER IN OUT, as "logits" of llama_cpp.cc writes them."""
import sys

import torch
import transformers

model = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
with open(sys.argv[2]) as lines, open(sys.argv[3], "wb") as out, torch.inference_mode():
    for line in lines:
        model(torch.tensor([list(map(int, line.split()))])).logits[0].float().numpy().tofile(out)
