#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "formats/inspect/inspector.h"
#include "formats/scan/scan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // The first byte chooses the name, which chooses among the examiners of text.
  static constexpr const char* kNames[] = {
      "model.bin", "config.json",          "model.h5",       "model.keras", "model.onnx",
      "x.yaml",    "chat_template.jinja",  "saved_model.pb", "x.npz",       "x.joblib",
      "x.gguf",    "x.safetensors",        "tokenizer.json", "vocab.txt",   "merges.txt",
      "x.h5",      "tokenizer_config.json"};
  if (bytes.empty()) return 0;
  const char* name = kNames[data[0] % (sizeof kNames / sizeof kNames[0])];
  hearth::MemorySource source(bytes.substr(1));
  hearth::ScanLimits limits;
  limits.max_unpacked_bytes = 8 << 20;
  limits.unpack.max_bytes = 1 << 20;
  limits.max_objects = 2000;
  limits.pickle = {.max_ops = 50'000, .max_values = 50'000, .max_stack = 50'000};
  hearth::ScanSource(source, name, limits);
  hearth::InspectSource(source, name);
  return 0;
}
