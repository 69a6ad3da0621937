// llama.cpp behind the line protocol of bench/tools/runtime_bench.cc, and its quantiser.
//   llama_cpp MODEL THREADS          then "prefill TOKENS", "decode SEQUENCES TOKENS", "logits IN
//   OUT" llama_cpp quantize IN OUT TYPE   TYPE: F16, Q8_0, Q4_0, Q4_K_M...
// With HEARTH_IK_LLAMA: ik_llama.cpp, whose functions have llama.cpp's older names.
#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
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

#ifdef HEARTH_IK_LLAMA
llama_model* LoadModel(const char* path, llama_model_params params) {
  params.repack_tensors = true;  // to its interleaved forms, which compute faster
  return llama_model_load_from_file(path, params);
}
int VocabularyOf(const llama_model* model) { return llama_n_vocab(model); }
void Forget(llama_context* context) { llama_kv_cache_clear(context); }
void KeepApart(llama_context_params*) {}
#else
llama_model* LoadModel(const char* path, llama_model_params params) {
  return llama_model_load_from_file(path, params);
}
int VocabularyOf(const llama_model* model) {
  return llama_vocab_n_tokens(llama_model_get_vocab(model));
}
void Forget(llama_context* context) { llama_memory_clear(llama_get_memory(context), true); }
// Caches of their own are the faster form.
void KeepApart(llama_context_params* params) {
  params->kv_unified = false;
  params->swa_full = false;
}
#endif

void Check(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

class Peer {
 public:
  Peer(const char* path, int threads) : threads_(threads) {
    llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = 0;
    model_ = LoadModel(path, params);
    Check(model_ != nullptr, "no model");
    vocabulary_ = VocabularyOf(model_);
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
    if (what == "logits") {
      std::string in, out;
      words >> in >> out;
      return Logits(in, out);
    }
    int sequences = 0, tokens = 0;
    words >> sequences >> tokens;
    Check(what == "decode", "unknown command");
    return Generate(sequences, 1, tokens);
  }

 private:
  // A context per number of sequences.
  llama_context* Context(int sequences) {
    llama_context*& context = contexts_[sequences];
    if (context != nullptr) return context;
    llama_context_params params = llama_context_default_params();
    params.n_seq_max = sequences;
    params.n_ctx = sequences == 1 ? 1024 : 256 * sequences;
    params.n_batch = params.n_ubatch = 512;
    params.n_threads = params.n_threads_batch = threads_;
    KeepApart(&params);
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
    Forget(context);
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

  // Every line of `in` is one sequence: the scores after each of its tokens, fp32.
  std::string Logits(const std::string& in, const std::string& out) {
    llama_context* context = Context(1);
    std::ifstream lines(in);
    std::ofstream scores(out, std::ios::binary);
    int sequences = 0;
    for (std::string line; std::getline(lines, line); ++sequences) {
      Forget(context);
      llama_batch batch = llama_batch_init(512, 0, 1);
      std::istringstream numbers(line);
      for (llama_token id; numbers >> id;) Add(&batch, id, batch.n_tokens, 0, true);
      Check(llama_decode(context, batch) == 0, "decode failed");
      for (int i = 0; i < batch.n_tokens; ++i) {
        scores.write(reinterpret_cast<const char*>(llama_get_logits_ith(context, i)),
                     static_cast<std::streamsize>(sizeof(float)) * vocabulary_);
      }
      llama_batch_free(batch);
    }
    Check(scores.good(), "cannot write");
    return "{\"sequences\": " + std::to_string(sequences) + "}";
  }

  int threads_, vocabulary_ = 0;
  llama_model* model_ = nullptr;
  std::map<int, llama_context*> contexts_;
  uint64_t state_ = 1;
};

void Quantize(const char* in, const char* out, const std::string& type) {
  const std::map<std::string, llama_ftype> types = {
      {"F16", LLAMA_FTYPE_MOSTLY_F16},       {"Q8_0", LLAMA_FTYPE_MOSTLY_Q8_0},
      {"Q4_0", LLAMA_FTYPE_MOSTLY_Q4_0},     {"Q4_1", LLAMA_FTYPE_MOSTLY_Q4_1},
      {"Q5_0", LLAMA_FTYPE_MOSTLY_Q5_0},     {"Q5_1", LLAMA_FTYPE_MOSTLY_Q5_1},
      {"Q5_K_M", LLAMA_FTYPE_MOSTLY_Q5_K_M}, {"Q6_K", LLAMA_FTYPE_MOSTLY_Q6_K},
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
