// Any text in any pieces: events in order, and the same ones whatever the pieces are.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "runtime/generation/tool_calls.h"

namespace {

using hearth::runtime::ToolCallEvent;

std::string Read(std::string_view family, std::string_view text, size_t piece) {
  auto parser = hearth::runtime::MakeToolCallParser(family);
  std::vector<ToolCallEvent> events;
  for (size_t at = 0; at < text.size(); at += piece) parser->Push(text.substr(at, piece), &events);
  parser->Finish(&events);
  std::string all;
  ToolCallEvent::Kind last = ToolCallEvent::Kind::kCallEnd;
  bool open = false;
  for (const ToolCallEvent& event : events) {
    if (event.kind == ToolCallEvent::Kind::kArguments && !open) abort();
    if (event.kind == ToolCallEvent::Kind::kCall) open = true;
    if (event.kind == ToolCallEvent::Kind::kCallEnd) open = false;
    bool piece_of_same = event.kind == last && event.kind != ToolCallEvent::Kind::kCall &&
                         event.kind != ToolCallEvent::Kind::kCallEnd;
    if (!piece_of_same) all += "|" + std::to_string(static_cast<int>(event.kind)) + ":";
    all += event.text;
    last = event.kind;
  }
  if (open) abort();
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 4096) return 0;
  auto families = hearth::runtime::ToolCallFamilies();
  std::string_view family = families[data[0] % families.size()];
  std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string whole = Read(family, text, text.size() + 1);
  if (Read(family, text, data[1] % 16 + 1) != whole) abort();
  return 0;
}
