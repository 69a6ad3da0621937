// Each kind of file in turn, by the first byte of the input; what loads is given to the model
// parser.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "tokenizers/loaders/loader.h"
#include "tokenizers/model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static constexpr const char* kNames[] = {"tokenizer.model", "x.gguf",    "tekken.json",
                                           "x.tiktoken",      "vocab.txt", "vocab.json"};
  if (size == 0) return 0;
  std::string content(reinterpret_cast<const char*>(data) + 1, size - 1);
  hearth::tokenizers::MemoryFiles files(
      {{kNames[data[0] % std::size(kNames)], content}, {"merges.txt", content}});
  try {
    hearth::Json json = hearth::tokenizers::LoadTokenizerJson(files);
    if (const hearth::Json* model = json.Find("model")) hearth::tokenizers::ParseModel(*model);
  } catch (const hearth::Error&) {
  }
  return 0;
}
