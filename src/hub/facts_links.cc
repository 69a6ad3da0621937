// arXiv ids and DOIs in the text of a card. A plain scan: no regular expression meets hostile text.
#include <algorithm>
#include <cctype>

#include "hub/internal/facts_reader.h"

namespace hearth::hub {
namespace {

constexpr size_t kMaxLinks = 50;
constexpr size_t kMaxDoiBytes = 120;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "2106.09685" or "0704.0001" at the start of `text`; "" when there is none. A version ("v2") is
// not part of the id.
std::string ArxivIdAt(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && IsDigit(text[at])) ++at;
  if (at != 4 || at >= text.size() || text[at] != '.') return {};
  size_t end = ++at;
  while (end < text.size() && IsDigit(text[end])) ++end;
  size_t digits = end - at;
  if (digits < 4 || digits > 5) return {};
  return std::string(text.substr(0, end));
}

void AddOnce(std::vector<std::string>* list, std::string value) {
  if (value.empty() || list->size() >= kMaxLinks) return;
  if (std::find(list->begin(), list->end(), value) == list->end())
    list->push_back(std::move(value));
}

// Calls `visit` with the rest of the text after each occurrence of `marker`.
template <typename F>
void AfterEach(std::string_view text, std::string_view marker, F visit) {
  for (size_t at = text.find(marker); at != std::string_view::npos;
       at = text.find(marker, at + marker.size())) {
    visit(text.substr(at + marker.size()));
  }
}

std::string DoiAt(std::string_view text) {
  if (!text.starts_with("10.")) return {};
  size_t end = 0;
  while (end < text.size() && end < kMaxDoiBytes) {
    unsigned char c = static_cast<unsigned char>(text[end]);
    if (!(std::isalnum(c) || c == '.' || c == '/' || c == '-' || c == '_' || c == ':')) break;
    ++end;
  }
  while (end > 0 && (text[end - 1] == '.' || text[end - 1] == ':')) --end;
  std::string doi(text.substr(0, end));
  return doi.find('/') == std::string::npos || doi.back() == '/' ? std::string() : doi;
}

}  // namespace

std::vector<std::string> FindArxivIds(std::string_view text) {
  // In the order of the text, whatever form the link has.
  std::vector<std::pair<size_t, std::string>> found;
  for (std::string_view marker : {"arxiv.org/abs/", "arxiv.org/pdf/", "arxiv.org/html/",
                                  "huggingface.co/papers/", "hf.co/papers/"}) {
    size_t kept = 0;
    AfterEach(text, marker, [&](std::string_view rest) {
      std::string id = ArxivIdAt(rest);
      if (!id.empty() && kept++ < 10 * kMaxLinks)
        found.emplace_back(static_cast<size_t>(rest.data() - text.data()), std::move(id));
    });
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> ids;
  for (auto& [at, id] : found) AddOnce(&ids, std::move(id));
  return ids;
}

std::vector<std::string> FindDois(std::string_view text) {
  std::vector<std::string> dois;
  AfterEach(text, "doi.org/", [&](std::string_view rest) { AddOnce(&dois, DoiAt(rest)); });
  return dois;
}

}  // namespace hearth::hub
