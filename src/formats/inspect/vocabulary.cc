// The vocabularies that older tokenizers keep as files of their own: vocab.txt (a piece a line, its
// number is its id), vocab.json (piece to id) and merges.txt (a pair a line, the first merges
// first).
#include <algorithm>

#include "formats/inspect/internal/json_facts.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxBytes = 64 << 20;
constexpr size_t kShownTokens = 16;

int Probe(std::string_view name, std::string_view) {
  for (std::string_view wanted : {"vocab.txt", "vocab.json", "merges.txt"}) {
    if (IsNamed(name, wanted)) return 80;
  }
  return 0;
}

// Calls with each line and its number from 1, without the end of the line.
template <typename Take>
void ForEachLine(std::string_view text, const Take& take) {
  for (size_t number = 1; !text.empty(); ++number) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    take(line, number);
  }
}

// [CLS], <s>, <|end|>: the forms that special pieces have.
bool LooksSpecial(std::string_view piece) {
  return piece.size() > 2 && ((piece.front() == '[' && piece.back() == ']') ||
                              (piece.front() == '<' && piece.back() == '>'));
}

void InspectPieces(std::string_view text, Inspection* out) {
  size_t pieces = 0, inner = 0, shown = 0, empty = 0;
  ForEachLine(text, [&](std::string_view line, size_t number) {
    pieces = number;
    if (line.empty()) ++empty;
    if (line.starts_with("##")) ++inner;
    bool unused = line.starts_with("[unused");
    if (!LooksSpecial(line) || unused || shown >= kShownTokens) return;
    ++shown;
    out->Add("token " + std::string(line), number - 1, "line " + std::to_string(number));
  });
  out->facts.insert(out->facts.begin(), {"pieces inside of words", inner, "lines with ##"});
  out->facts.insert(out->facts.begin(), {"vocabulary", pieces, "lines"});
  if (empty > 0) out->warnings.push_back(std::to_string(empty) + " lines are empty");
}

void InspectMerges(std::string_view text, Inspection* out) {
  size_t merges = 0, odd = 0, first_odd = 0;
  ForEachLine(text, [&](std::string_view line, size_t number) {
    if (number == 1 && line.starts_with("#version")) {
      out->Add("version", line, "line 1");
    } else if (std::count(line.begin(), line.end(), ' ') == 1 && line.size() >= 3) {
      ++merges;
    } else if (!line.empty()) {
      if (odd++ == 0) first_odd = number;
    }
  });
  out->Add("merges", merges, "lines of two pieces");
  if (odd > 0)
    out->warnings.push_back(std::to_string(odd) +
                            " lines are no pair of pieces, the first is line " +
                            std::to_string(first_odd));
}

void InspectIds(const Json& json, Inspection* out) {
  uint64_t largest = 0;
  size_t odd = 0;
  for (const auto& [piece, id] : *json.AsObject()) {
    std::optional<uint64_t> number = id.AsUint();
    if (!number) {
      ++odd;
    } else {
      largest = std::max(largest, *number);
    }
  }
  out->Add("vocabulary", json.size(), "keys");
  if (json.size() > odd) out->Add("largest id", largest, "values");
  if (odd > 0) out->warnings.push_back(std::to_string(odd) + " pieces have no id");
}

void Inspect(ByteSource& source, std::string_view name, Inspection* out) {
  if (name.ends_with(".json")) return InspectIds(ReadJsonObject(source, kMaxBytes), out);
  std::string text = ReadWhole(source, kMaxBytes);
  if (name.ends_with("merges.txt")) {
    InspectMerges(text, out);
  } else {
    InspectPieces(text, out);
  }
}

}  // namespace

extern const Inspector kVocabularyInspector;
const Inspector kVocabularyInspector = {"vocabulary", Probe, Inspect};

}  // namespace hearth
