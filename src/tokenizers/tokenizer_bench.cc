// One short sentence and one page, through the plain path with offsets and through EncodeIds.
// Data: what tools/tokenizer_data.py makes, or the folder in HEARTH_TESTDATA.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {
namespace {

constexpr std::string_view kSentence = "The quick brown fox jumps over the lazy dog.";

std::filesystem::path Data() {
  const char* folder = std::getenv("HEARTH_TESTDATA");
  return folder != nullptr ? folder : ".cache/testdata";
}

Tokenizer Load(const std::string& name) {
  return Tokenizer::FromFile(Data() / "tokenizers" / name / "tokenizer.json");
}

std::string Page() {
  std::string page;
  while (page.size() < 4000) page.append(kSentence).append(" ");
  return page;
}

void Encode(benchmark::State& state, const std::string& name, const std::string& text) {
  Tokenizer tokenizer = Load(name);
  for (auto _ : state) {
    benchmark::DoNotOptimize(tokenizer.Encode(text, {.offsets = OffsetUnit::kCharacters}));
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}

void EncodeIds(benchmark::State& state, const std::string& name, const std::string& text) {
  Tokenizer tokenizer = Load(name);
  std::vector<uint32_t> ids;
  for (auto _ : state) {
    ids.clear();
    tokenizer.EncodeIds(text, true, &ids);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}

void Register() {
  for (std::string name : {"bert", "gpt2", "llama3", "gemma", "xlmr"}) {
    for (const auto& [size, text] :
         {std::pair{"sentence", std::string(kSentence)}, std::pair{"page", Page()}}) {
      std::string label = name + "/" + size;
      benchmark::RegisterBenchmark(("encode/" + label).c_str(), Encode, name, text);
      benchmark::RegisterBenchmark(("ids/" + label).c_str(), EncodeIds, name, text);
    }
  }
}

const int registered = (Register(), 0);

}  // namespace
}  // namespace hearth::tokenizers
