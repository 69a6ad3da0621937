#include "tokenizers/internal/replace_text.h"

#include <utility>

#include "tokenizers/internal/characters.h"

namespace hearth::tokenizers::internal {
namespace {

// In this order: later ones see what earlier ones made.
constexpr std::pair<std::string_view, std::string_view> kCleanUps[] = {
    {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
    {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
    {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
};

std::string ReplaceEmpty(std::string_view to, std::string_view text) {
  std::string result(to);
  for (size_t at = 0; at < text.size();) {
    size_t length = CharacterLength(text, at);
    result.append(text.substr(at, length)).append(to);
    at += length;
  }
  return result;
}

}  // namespace

void ReplaceAll(std::string_view from, std::string_view to, std::string* text) {
  if (from.empty()) {
    *text = ReplaceEmpty(to, *text);
    return;
  }
  size_t at = text->find(from);
  if (at == std::string::npos) return;
  std::string result;
  size_t copied = 0;
  for (; at != std::string::npos; at = text->find(from, copied)) {
    result.append(*text, copied, at - copied).append(to);
    copied = at + from.size();
  }
  result.append(*text, copied);
  *text = std::move(result);
}

void CleanUp(std::string* text) {
  if (text->find(' ') == std::string::npos) return;
  for (const auto& [from, to] : kCleanUps) ReplaceAll(from, to, text);
}

}  // namespace hearth::tokenizers::internal
