// llama.cpp with a full context, for its peak of memory: llama_memory MODEL CONTEXT THREADS fills
// CONTEXT tokens in steps of 512 and decodes one more. The caller reads the child's peak.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "llama.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int tokens = std::atoi(argv[2]), threads = std::atoi(argv[3]);
  llama_model_params model_params = llama_model_default_params();
  model_params.n_gpu_layers = 0;
  llama_model* model = llama_model_load_from_file(argv[1], model_params);
  if (model == nullptr) return 1;
  llama_context_params params = llama_context_default_params();
  params.n_ctx = static_cast<uint32_t>(tokens);
  params.n_batch = params.n_ubatch = 512;
  params.n_threads = params.n_threads_batch = threads;
  params.swa_full = false;
  llama_context* context = llama_init_from_model(model, params);
  if (context == nullptr) return 1;
  const int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
  llama_batch batch = llama_batch_init(512, 0, 1);
  uint64_t state = 1;
  for (int at = 0; at < tokens; at += batch.n_tokens) {
    batch.n_tokens = 0;
    for (int i = at; i < tokens && batch.n_tokens < 512; ++i, ++batch.n_tokens) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      batch.token[batch.n_tokens] = static_cast<llama_token>((state >> 33) % vocabulary);
      batch.pos[batch.n_tokens] = i;
      batch.n_seq_id[batch.n_tokens] = 1;
      batch.seq_id[batch.n_tokens][0] = 0;
      batch.logits[batch.n_tokens] = i + 1 == tokens;
    }
    if (llama_decode(context, batch) != 0) return 1;
  }
  std::printf("%d\n", tokens);
  return 0;
}
