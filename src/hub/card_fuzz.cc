#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hub/facts.h"
#include "hub/internal/facts_reader.h"

// A README.md as a client or a push may send it: every fault is a verdict, nothing escapes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  hearth::hub::ValidateCard(hearth::hub::RepoType::kModel, text);
  hearth::hub::ValidateCard(hearth::hub::RepoType::kDataset, text);
  hearth::hub::ValidateCard(hearth::hub::RepoType::kSpace, text);
  hearth::hub::FindArxivIds(text);
  hearth::hub::FindDois(text);
  return 0;
}
