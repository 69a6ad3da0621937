"""transformers on torch (scaled dot product attention): embeddings_torch.py FOLDER THREADS."""
import sys

import torch
import transformers
from embeddings_peer import padded, pooled, serve


class Torch:
    def __init__(self, folder, threads):
        torch.set_num_threads(threads)
        self.model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").eval()

    @torch.inference_mode()
    def run(self, texts):
        ids, mask, types = map(torch.from_numpy, padded(texts))
        states = self.model(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        return pooled(states.numpy(), mask.numpy())


if __name__ == "__main__":
    serve(Torch(sys.argv[1], int(sys.argv[2])))
