// Splits a text as the tokenizers of well-known models do: MB/s per pattern.
//   hearth_regex_bench [FILE]   (without a file: English made from a fixed word list)
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "text/regex.h"
#include "text/unicode.h"

namespace {

struct Named {
  const char* name;
  const char* pattern;
};

constexpr Named kPatterns[] = {
    {"gpt2", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
    {"cl100k",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"qwen2",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"o200k",
     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
};

std::string MadeText(size_t bytes) {
  constexpr const char* kWords[] = {"the",       "of",    "model",   "It's",    "and",
                                    "tokenizer", "in",    "2026",    "reading", "a",
                                    "which",     "whose", "Unicode", "text",    "they",
                                    "don't",     "to",    "split",   "quick",   "evaluation"};
  constexpr const char* kEnds[] = {" ",  " ",  " ",   " ",  " ",  " ",
                                   ", ", ". ", ".\n", " (", ") ", "\n\n"};
  std::string text;
  uint32_t state = 1;
  while (text.size() < bytes) {
    state = state * 1664525u + 1013904223u;
    text += kWords[(state >> 8) % std::size(kWords)];
    text += kEnds[(state >> 20) % std::size(kEnds)];
  }
  return text;
}

template <typename Work>
double BestMegabytesPerSecond(size_t bytes, Work&& work) {
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    auto start = std::chrono::steady_clock::now();
    work();
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(bytes) / 1e6 / took.count());
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  std::string text;
  if (argc > 1) {
    std::ostringstream content;
    content << std::ifstream(argv[1]).rdbuf();
    text = content.str().substr(0, 8u << 20);
  } else {
    text = MadeText(8u << 20);
  }
  for (const Named& named : kPatterns) {
    hearth::Regex regex = hearth::Regex::Compile(named.pattern);
    size_t pieces = 0;
    double speed = BestMegabytesPerSecond(text.size(), [&] {
      pieces = 0;
      regex.ForEachMatch(text, [&](hearth::RegexMatch) { ++pieces; });
    });
    std::printf("%-8s %8.1f MB/s  %zu pieces\n", named.name, speed, pieces);
  }
  double nfc = BestMegabytesPerSecond(text.size(), [&] { hearth::Nfc(text); });
  double nfd = BestMegabytesPerSecond(text.size(), [&] { hearth::Nfd(text); });
  double lower = BestMegabytesPerSecond(text.size(), [&] { hearth::Lowercase(text); });
  std::printf("nfc      %8.1f MB/s\nnfd      %8.1f MB/s\nlower    %8.1f MB/s\n", nfc, nfd, lower);
}
