#include "hub/tag_words.h"

#include "hub/internal/card_tables.h"
#include "hub/tasks.h"

namespace hearth::hub {

std::string_view TagGroup(RepoType type, std::string_view tag) {
  struct Prefix {
    std::string_view text, group;
  };
  static constexpr Prefix kShared[] = {
      {"license:", "license"}, {"region:", "region"}, {"dataset:", "dataset"}, {"arxiv:", "arxiv"}};
  static constexpr Prefix kDataset[] = {{"task_categories:", "task_categories"},
                                        {"task_ids:", "task_ids"},
                                        {"size_categories:", "size_categories"},
                                        {"modality:", "modality"},
                                        {"format:", "format"},
                                        {"library:", "library"},
                                        {"language:", "language"},
                                        {"license:", "license"},
                                        {"benchmark:", "benchmark"}};
  if (type == RepoType::kDataset) {
    for (const Prefix& prefix : kDataset) {
      if (tag.starts_with(prefix.text)) return prefix.group;
    }
    return tag.find(':') == std::string_view::npos ? "other" : "";
  }
  for (const Prefix& prefix : kShared) {
    if (tag.starts_with(prefix.text)) return prefix.group;
  }
  if (tag.find(':') != std::string_view::npos) return "";
  if (FindTask(tag) != nullptr) return "pipeline_tag";
  if (IsKnownLibrary(tag)) return "library";
  return LanguageName(tag).empty() ? "other" : "language";
}

std::string TagLabel(std::string_view group, std::string_view tag) {
  size_t colon = tag.find(':');
  std::string_view bare = colon == std::string_view::npos ? tag : tag.substr(colon + 1);
  if (group == "language" && !LanguageName(bare).empty()) return std::string(LanguageName(bare));
  if (group == "library" && IsKnownLibrary(bare)) return std::string(LibraryLabel(bare));
  if (group == "pipeline_tag" || group == "task_categories") {
    if (const TaskEntry* task = FindTask(bare)) return std::string(task->label);
  }
  return std::string(bare);
}

}  // namespace hearth::hub
