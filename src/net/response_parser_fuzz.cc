// Any bytes in any pieces: the parser never gives more than it was given, and always moves on.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/response_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using hearth::net::ResponseParser;
  if (size == 0) return 0;
  size_t piece = static_cast<size_t>(data[0]) + 1;
  std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  ResponseParser parser;
  while (!input.empty()) {
    std::string_view part = input.substr(0, piece);
    ResponseParser::Step step = parser.Next(part);
    if (step.consumed > part.size() || step.data.size() > step.consumed) std::abort();
    if (step.status == ResponseParser::Status::kDone || step.status == ResponseParser::Status::kBad)
      return 0;
    if (step.status == ResponseParser::Status::kNeedMore && step.consumed != part.size())
      std::abort();
    input.remove_prefix(step.consumed);
  }
  return 0;
}
