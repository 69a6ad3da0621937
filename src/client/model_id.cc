#include "client/model_id.h"

#include <algorithm>
#include <cctype>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::client {
namespace {

constexpr size_t kMaxNameBytes = 96;    // of an owner or a repository
constexpr size_t kMaxPathBytes = 1024;  // of a revision or a file

// The hub's rule for names, without the endings that only files have.
bool IsName(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes || name.front() == '.' || name.front() == '-' ||
      name.find("..") != std::string_view::npos || name.ends_with(".git")) {
    return false;
  }
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

bool IsPlainPath(std::string_view path) {
  if (path.empty() || path.size() > kMaxPathBytes) return false;
  for (std::string_view part : Split(path, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return std::none_of(path.begin(), path.end(),
                      [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '\\'; });
}

bool IsCommit(std::string_view revision) { return revision.size() == 40 && IsLowerHex(revision); }

std::string ModelId::Text() const {
  std::string text = repository;
  if (revision != "main") text += "@" + revision;
  if (!file.empty()) text += ":" + file;
  return text;
}

std::optional<ModelId> ParseModelId(std::string_view text) {
  ModelId id;
  size_t colon = text.find(':');
  std::string_view named = text.substr(0, colon);
  size_t at = named.find('@');
  std::string_view repository = named.substr(0, at);
  size_t slash = repository.find('/');
  if (slash == std::string_view::npos || !IsName(repository.substr(0, slash)) ||
      !IsName(repository.substr(slash + 1))) {
    return std::nullopt;
  }
  id.repository = repository;
  if (at != std::string_view::npos) id.revision = named.substr(at + 1);
  if (colon != std::string_view::npos) {
    id.file = text.substr(colon + 1);
    if (!IsPlainPath(id.file) || !id.file.ends_with(".gguf")) {
      throw Error(Code::kInvalidArgument,
                  "after the colon of a model's name stands a .gguf file of the repository");
    }
  }
  if (!IsPlainPath(id.revision)) {
    throw Error(Code::kInvalidArgument, "the model's name has no revision that can be");
  }
  return id;
}

}  // namespace hearth::client
