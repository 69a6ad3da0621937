// llama.cpp behind the line protocol of bench/tools/runtime_bench.cc, and its quantiser.
//   llama_cpp MODEL THREADS          then "prefill TOKENS", "decode SEQUENCES TOKENS"
//   llama_cpp quantize IN OUT TYPE   TYPE: F16, Q8_0, Q4_0, Q4_K_M
#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "llama.h"

namespace {

using Clock = std::chrono::steady_clock;

double CpuSeconds() {
  timespec spent;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

void Check(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

class Peer {
 public:
  Peer(const char* path, int threads) : threads_(threads) {
    llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = 0;
    model_ = llama_model_load_from_file(path, params);
    Check(model_ != nullptr, "no model");
    vocabulary_ = llama_vocab_n_tokens(llama_model_get_vocab(model_));
  }

  std::string Answer(const std::string& line) {
    std::istringstream words(line);
    std::string what;
    words >> what;
    if (what == "prefill") {
      int tokens = 0;
      words >> tokens;
      return Generate(1, tokens, 1);
    }
    int sequences = 0, tokens = 0;
    words >> sequences >> tokens;
    Check(what == "decode", "unknown command");
    return Generate(sequences, 1, tokens);
  }

 private:
  // A context per number of sequences: caches of their own are the faster form.
  llama_context* Context(int sequences) {
    llama_context*& context = contexts_[sequences];
    if (context != nullptr) return context;
    llama_context_params params = llama_context_default_params();
    params.n_seq_max = sequences;
    params.n_ctx = sequences == 1 ? 1024 : 256 * sequences;
    params.n_batch = params.n_ubatch = 512;
    params.n_threads = params.n_threads_batch = threads_;
    params.kv_unified = false;
    params.swa_full = false;
    context = llama_init_from_model(model_, params);
    Check(context != nullptr, "no context");
    return context;
  }

  llama_token NextToken() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<llama_token>((state_ >> 33) % vocabulary_);
  }

  llama_token Greedy(const float* logits) const {
    int best = 0;
    for (int i = 1; i < vocabulary_; ++i) {
      if (logits[i] > logits[best]) best = i;
    }
    return best;
  }

  static void Add(llama_batch* batch, llama_token token, int position, int sequence, bool output) {
    int at = batch->n_tokens++;
    batch->token[at] = token;
    batch->pos[at] = position;
    batch->n_seq_id[at] = 1;
    batch->seq_id[at][0] = sequence;
    batch->logits[at] = output;
  }

  std::string Generate(int sequences, int prompt, int tokens) {
    llama_context* context = Context(sequences);
    llama_memory_clear(llama_get_memory(context), true);
    llama_batch batch = llama_batch_init(512, 0, 1);
    for (int s = 0; s < sequences; ++s) {
      for (int i = 0; i < prompt; ++i) Add(&batch, NextToken(), i, s, i + 1 == prompt);
    }
    auto start = Clock::now();
    double cpu = CpuSeconds();
    for (int step = 0; step < tokens; ++step) {
      Check(llama_decode(context, batch) == 0, "decode failed");
      std::vector<llama_token> next(sequences);
      for (int s = 0; s < sequences; ++s) {
        next[s] = Greedy(llama_get_logits_ith(context, step == 0 ? (s + 1) * prompt - 1 : s));
      }
      batch.n_tokens = 0;
      for (int s = 0; s < sequences; ++s) Add(&batch, next[s], prompt + step, s, true);
    }
    double wall = std::chrono::duration<double>(Clock::now() - start).count();
    cpu = CpuSeconds() - cpu;
    llama_batch_free(batch);
    std::ostringstream answer;
    answer << "{\"items\": " << (tokens > 1 ? sequences * tokens : prompt) << ", \"wall\": " << wall
           << ", \"cpu\": " << cpu << "}";
    return answer.str();
  }

  int threads_, vocabulary_ = 0;
  llama_model* model_ = nullptr;
  std::map<int, llama_context*> contexts_;
  uint64_t state_ = 1;
};

void Quantize(const char* in, const char* out, const std::string& type) {
  const std::map<std::string, llama_ftype> types = {{"F16", LLAMA_FTYPE_MOSTLY_F16},
                                                    {"Q8_0", LLAMA_FTYPE_MOSTLY_Q8_0},
                                                    {"Q4_0", LLAMA_FTYPE_MOSTLY_Q4_0},
                                                    {"Q4_K_M", LLAMA_FTYPE_MOSTLY_Q4_K_M}};
  llama_model_quantize_params params = llama_model_quantize_default_params();
  params.ftype = types.at(type);
  params.nthread = 2;
  Check(llama_model_quantize(in, out, &params) == 0, "quantising failed");
}

}  // namespace

int main(int argc, char** argv) {
  llama_log_set(
      [](ggml_log_level level, const char* text, void*) {
        if (level >= GGML_LOG_LEVEL_ERROR) std::fputs(text, stderr);
      },
      nullptr);
  llama_backend_init();
  try {
    if (argc == 5 && std::string(argv[1]) == "quantize") {
      Quantize(argv[2], argv[3], argv[4]);
      return 0;
    }
    Check(argc == 3, "llama_cpp MODEL THREADS");
    Peer peer(argv[1], std::atoi(argv[2]));
    for (std::string line; std::getline(std::cin, line);)
      std::cout << peer.Answer(line) << std::endl;
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "llama_cpp: %s\n", error.what());
    return 1;
  }
}
