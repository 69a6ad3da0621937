// The C++ side of the runtime scenarios: one model in one process, a command a line, an answer a
// line, so that rounds of several engines interleave.
//   runtime_bench MODEL PRECISION THREADS
//   embed TEXTS TOKENS MILLISECONDS   equal texts, again and again for about so long
//   texts FILE                        ids of texts, a line each (numbers and spaces)
//   ragged MILLISECONDS               the texts of the file, in one call
//   prefill TOKENS                    one prompt to its first token
//   decode SEQUENCES TOKENS           all at once, each from its own prompt of one token
//   sentences FILE                    texts, a line each
//   sentence MILLISECONDS             one after the other, from text to vector: also "p50", seconds
//   together MILLISECONDS             all in one call, from text to vectors
//   vector FILE                       embeddings of the texts, fp32, to a file
//   logits IN OUT                     scores after each token of each line of ids, fp32, to a file
// Answers {"items": texts or tokens, "wall": s, "cpu": s of all threads}.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <mutex>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "runtime/runner.h"
#include "runtime/tasks/embeddings.h"
#include "tensor/executor.h"
#include "tensor/thread_team.h"

namespace {

using hearth::runtime::EncoderInput;
using Clock = std::chrono::steady_clock;

double CpuSeconds() {
  timespec spent;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

class Bench {
 public:
  Bench(const std::string& path, const std::string& precision, int threads) : threads_(threads) {
    hearth::runtime::LoadOptions load;
    load.precision = hearth::runtime::ParsePrecision(precision);
    hearth::runtime::EngineOptions options;
    options.threads = threads;
    runner_ = std::make_unique<hearth::runtime::Runner>(hearth::runtime::Model::Load(path, load),
                                                        options);
  }

  std::string Answer(const std::string& line) {
    std::istringstream words(line);
    std::string what;
    words >> what;
    if (what == "texts") return ReadTexts(Word(words));
    if (what == "vector") return WriteVectors(Word(words));
    if (what == "embed") {
      uint32_t texts = Number(words), tokens = Number(words);
      return Embed(Equal(texts, tokens), Number(words));
    }
    if (what == "ragged") return Embed(texts_, Number(words));
    if (what == "sentences") return ReadSentences(Word(words));
    if (what == "sentence") return OneByOne(Number(words));
    if (what == "together") {
      return Timed(Number(words), [&] {
        hearth::runtime::EmbedTexts(*runner_, sentences_, {});
        return sentences_.size();
      });
    }
    if (what == "prefill") return Generate(1, Number(words), 1);
    if (what == "decode") {
      uint32_t sequences = Number(words);
      return Generate(sequences, 1, Number(words));
    }
    if (what == "logits") {
      std::string in = Word(words);
      return Logits(in, Word(words));
    }
    throw hearth::Error(hearth::Code::kInvalidArgument, "unknown command " + what);
  }

 private:
  static std::string Word(std::istringstream& words) {
    std::string word;
    words >> word;
    return word;
  }
  static uint32_t Number(std::istringstream& words) {
    return static_cast<uint32_t>(std::stoul(Word(words)));
  }

  uint32_t NextToken() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>((state_ >> 33) % runner_->model().shape().vocabulary);
  }

  template <typename Work>
  std::string Timed(double milliseconds, Work work) {
    auto start = Clock::now();
    double cpu = CpuSeconds(), seconds = 0;
    uint64_t items = 0;
    do {
      items += work();
      seconds = std::chrono::duration<double>(Clock::now() - start).count();
    } while (seconds * 1000 < milliseconds);
    return fmt::format("{{\"items\": {}, \"wall\": {:.9f}, \"cpu\": {:.9f}}}", items, seconds,
                       CpuSeconds() - cpu);
  }

  std::vector<EncoderInput> Equal(uint32_t texts, uint32_t tokens) {
    std::vector<EncoderInput> inputs(texts);
    for (EncoderInput& input : inputs) {
      for (uint32_t i = 0; i < tokens; ++i) input.ids.push_back(NextToken());
    }
    return inputs;
  }

  std::string Embed(const std::vector<EncoderInput>& inputs, double milliseconds) {
    hearth::runtime::Encoder& encoder = runner_->embedder();
    return Timed(milliseconds, [&] {
      encoder.Run(inputs, "embedding", [](size_t, const hearth::tensor::OutputRows&) {});
      return inputs.size();
    });
  }

  std::string ReadTexts(const std::string& path) {
    texts_.clear();
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      std::istringstream numbers(line);
      EncoderInput input;
      for (uint32_t id; numbers >> id;) input.ids.push_back(id);
      texts_.push_back(std::move(input));
    }
    return fmt::format("{{\"texts\": {}}}", texts_.size());
  }

  std::string ReadSentences(const std::string& path) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) sentences_.push_back(line);
    return fmt::format("{{\"texts\": {}}}", sentences_.size());
  }

  std::string OneByOne(double milliseconds) {
    std::vector<double> seconds;
    std::string answer = Timed(milliseconds, [&] {
      auto start = Clock::now();
      const std::string& sentence = sentences_[seconds.size() % sentences_.size()];
      hearth::runtime::EmbedTexts(*runner_, {&sentence, 1}, {});
      seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
      return 1;
    });
    std::nth_element(seconds.begin(), seconds.begin() + seconds.size() / 2, seconds.end());
    answer.back() = ',';
    return answer + fmt::format(" \"p50\": {:.9f}}}", seconds[seconds.size() / 2]);
  }

  std::string WriteVectors(const std::string& path) {
    std::vector<std::vector<float>> vectors(texts_.size());
    runner_->embedder().Run(texts_, "embedding",
                            [&](size_t text, const hearth::tensor::OutputRows& rows) {
                              vectors[text].assign(rows.Row(0).begin(), rows.Row(0).end());
                            });
    std::ofstream file(path, std::ios::binary);
    for (const std::vector<float>& vector : vectors) {
      file.write(reinterpret_cast<const char*>(vector.data()),
                 static_cast<std::streamsize>(vector.size() * sizeof(float)));
    }
    return fmt::format("{{\"texts\": {}}}", vectors.size());
  }

  std::string Generate(uint32_t sequences, uint32_t prompt, uint32_t tokens) {
    hearth::runtime::Engine& engine = runner_->engine();
    std::mutex mutex;
    std::condition_variable done;
    uint32_t open = sequences;
    std::vector<hearth::runtime::GenerationRequest> requests(sequences);
    for (auto& request : requests) {
      for (uint32_t i = 0; i < prompt; ++i) request.prompt.push_back(NextToken());
      request.config.max_new_tokens = tokens;
      request.config.min_new_tokens = tokens;
    }
    return Timed(0, [&] {
      for (auto& request : requests) {
        engine.Submit(std::move(request), [&](const hearth::runtime::GenerationEvent& event) {
          if (!event.is_last()) return true;
          std::lock_guard lock(mutex);
          if (--open == 0) done.notify_one();
          return true;
        });
      }
      std::unique_lock lock(mutex);
      done.wait(lock, [&] { return open == 0; });
      return tokens > 1 ? uint64_t{sequences} * tokens : prompt;
    });
  }

  // With the cache that generation has.
  std::string Logits(const std::string& in, const std::string& out) {
    ReadTexts(in);
    const hearth::runtime::Model& model = runner_->model();
    hearth::tensor::ThreadTeam team(threads_);
    auto program = model.Program(hearth::runtime::Head::kCausalLm);
    auto session = program->NewSession(team);
    auto cache =
        program->NewCache({model.shape().layers, model.shape().kv_heads, model.shape().head_dim,
                           hearth::runtime::EngineOptions().kv_type},
                          64);
    std::ofstream file(out, std::ios::binary);
    for (const EncoderInput& text : texts_) {
      std::vector<uint32_t> places(std::max<size_t>(text.ids.size(), 64));
      std::iota(places.begin(), places.end(), 0u);
      std::span<const uint32_t> rows = std::span(places).first(text.ids.size());
      hearth::tensor::Segment segment{0, static_cast<uint32_t>(rows.size()), 0,
                                      std::span(places).first(64)};
      session->Run({text.ids, rows, {}, {&segment, 1}, rows}, cache.get(), {});
      hearth::tensor::OutputRows scores = session->Output("logits");
      for (uint64_t i = 0; i < scores.rows; ++i) {
        file.write(reinterpret_cast<const char*>(scores.Row(i).data()),
                   static_cast<std::streamsize>(scores.columns * sizeof(float)));
      }
    }
    return fmt::format("{{\"sequences\": {}}}", texts_.size());
  }

  int threads_;
  std::unique_ptr<hearth::runtime::Runner> runner_;
  std::vector<EncoderInput> texts_;
  std::vector<std::string> sentences_;
  uint64_t state_ = 1;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "runtime_bench MODEL PRECISION THREADS\n");
    return 2;
  }
  try {
    Bench bench(argv[1], argv[2], std::stoi(argv[3]));
    for (std::string line; std::getline(std::cin, line);) {
      std::cout << bench.Answer(line) << std::endl;
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "runtime_bench: %s\n", error.what());
    return 1;
  }
}
