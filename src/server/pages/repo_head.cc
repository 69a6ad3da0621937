#include "server/pages/repo_head.h"

#include "hub/likes.h"
#include "hub/tag_words.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxLanguages = 3;  // a longer list becomes one chip that counts
constexpr size_t kMaxPapers = 1;

// Groups of tags in the order in which their chips stand.
constexpr std::string_view kChipGroups[] = {
    "pipeline_tag", "task_categories", "modality", "size_categories", "format",
    "library",      "language",        "license",  "arxiv",           "other"};

Json Chip(std::string_view kind, std::string_view text, std::string_view filter) {
  return Json::Obj({{"kind", kind}, {"text", text}, {"filter", filter}});
}

// Said by programs to programs.
bool IsForPrograms(std::string_view tag) {
  return tag == "endpoints_compatible" || tag == "autotrain_compatible";
}

// Each tag with the words that people use for it; "region:us" and what has a box of its own on the
// card's page (data sets, base models) are left out.
Json Chips(hub::RepoType type, const hub::RepoFacts& facts) {
  Json chips = Json::Arr();
  for (std::string_view wanted : kChipGroups) {
    Json group = Json::Arr();
    for (const std::string& tag : facts.tags) {
      if (hub::TagGroup(type, tag) != wanted) continue;
      if (IsForPrograms(tag)) continue;
      if (wanted == "pipeline_tag" && tag != facts.pipeline_tag) continue;
      group.Push(Chip(wanted, hub::TagLabel(wanted, tag), tag));
    }
    size_t count = group.size();
    if (wanted == "language" && count > kMaxLanguages) {
      chips.Push(Chip(wanted, std::to_string(count) + " languages", ""));
      continue;
    }
    // The card's page has them by name.
    if (wanted == "arxiv" && count > kMaxPapers) {
      chips.Push(Chip("papers", std::to_string(count) + " papers", ""));
      continue;
    }
    for (const Json& chip : *group.AsArray()) chips.Push(chip);
  }
  return chips;
}

}  // namespace

void AddRepoHead(const Context& context, const hub::RepoFacts* facts, Json* repo) {
  const hub::RepoRecord& record = context.repo().record();
  repo->Set("liked", context.actor.signed_in() &&
                         hub::DoesLike(context.hub.db(), context.actor.user_id, record.id));
  repo->Set("may_like", context.actor.signed_in());
  repo->Set("may_admin", context.repo().right() >= hub::Right::kAdmin);
  if (facts != nullptr) repo->Set("chips", Chips(record.type, *facts));
}

}  // namespace hearth::server
