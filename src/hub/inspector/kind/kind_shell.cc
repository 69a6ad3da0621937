// An empty shell: a card, perhaps a licence and pictures, and nothing to use.
#include <algorithm>

#include "base/bytes.h"
#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

bool IsWrapping(std::string_view path) {
  std::string lower = AsciiLower(path);
  std::string_view name = BaseName(lower);
  for (std::string_view ending : {".md", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp"}) {
    if (name.ends_with(ending)) return true;
  }
  return name == ".gitattributes" || name == ".gitignore" || name.starts_with("license") ||
         name.starts_with("licence") || name.starts_with("notice") || name == "copying" ||
         name == "citation.cff";
}

}  // namespace

void FindShell(const Survey& survey, Classification* result) {
  const std::vector<RepoFile>& files = survey.repo().files();
  bool wrapping = std::all_of(files.begin(), files.end(),
                              [](const RepoFile& file) { return IsWrapping(file.path); });
  // Data sets of pictures have nothing but pictures.
  if (!wrapping || result->Is("dataset")) return;
  std::string first = files.empty() ? "" : files[0].path;
  result->Add("shell", Level::kProved,
              At(first, "", files.empty() ? "no file at all" : "a card, and nothing to use"));
}

}  // namespace hearth::inspector
