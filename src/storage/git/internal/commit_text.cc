#include "storage/git/internal/commit_text.h"

#include <algorithm>

namespace hearth::storage::internal {
namespace {

std::string CleanField(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c != '<' && c != '>' && c != '\n' && c != '\r' && c != '\0') out += c;
  }
  // git strips these at both ends of a name, and its own fsck expects no space before '<' alone.
  constexpr std::string_view kCrud = " \t.,:;\"'";
  size_t first = out.find_first_not_of(kCrud);
  if (first == std::string::npos) return {};
  return out.substr(first, out.find_last_not_of(kCrud) - first + 1);
}

}  // namespace

std::string SignatureLine(const Signature& signature) {
  std::string name = CleanField(signature.name);
  if (name.empty()) name = "unknown";
  // git reads no times before 1970.
  int64_t seconds = std::max<int64_t>(0, ToUnixMillis(signature.time) / 1000);
  return name + " <" + CleanField(signature.email) + "> " + std::to_string(seconds) + " +0000";
}

std::string CleanMessage(std::string_view message) {
  std::string out(message);
  out.erase(std::remove(out.begin(), out.end(), '\0'), out.end());
  return out;
}

std::string CommitText(const GitOid& tree, const std::vector<GitOid>& parents,
                       const Signature& author, std::string_view message) {
  std::string text = "tree " + tree.Hex() + "\n";
  for (const GitOid& parent : parents) text += "parent " + parent.Hex() + "\n";
  std::string line = SignatureLine(author);
  text += "author " + line + "\ncommitter " + line + "\n\n" + CleanMessage(message);
  return text;
}

}  // namespace hearth::storage::internal
