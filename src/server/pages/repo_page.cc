#include "server/pages/repo_page.h"

#include "base/error.h"
#include "base/hash.h"
#include "codec/markdown.h"
#include "hub/likes.h"
#include "hub/tag_words.h"
#include "server/hub_api/answer_cache.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxHeadings = 60;
constexpr size_t kMaxLanguages = 3;  // a longer list becomes one chip that counts

// Groups of tags in the order in which their chips stand.
constexpr std::string_view kChipGroups[] = {
    "pipeline_tag", "task_categories", "modality", "size_categories", "format",
    "library",      "language",        "license",  "arxiv",           "other"};

Json Chip(std::string_view kind, std::string_view text, std::string_view filter) {
  return Json::Obj({{"kind", kind}, {"text", text}, {"filter", filter}});
}

// Each tag with the words that people use for it; "region:us" and what has a box of its own on the
// card's page (data sets, base models) are left out.
Json Chips(hub::RepoType type, const hub::RepoFacts& facts) {
  Json chips = Json::Arr();
  for (std::string_view wanted : kChipGroups) {
    Json group = Json::Arr();
    for (const std::string& tag : facts.tags) {
      if (hub::TagGroup(type, tag) != wanted) continue;
      if (wanted == "pipeline_tag" && tag != facts.pipeline_tag) continue;
      group.Push(Chip(wanted, hub::TagLabel(wanted, tag), tag));
    }
    size_t count = group.size();
    if (wanted == "language" && count > kMaxLanguages) {
      chips.Push(Chip(wanted, std::to_string(count) + " languages", ""));
      continue;
    }
    for (const Json& chip : *group.AsArray()) chips.Push(chip);
  }
  return chips;
}

// The text of a heading without its tags; what is left is escaped HTML.
std::string WithoutTags(std::string_view html) {
  std::string text;
  bool inside = false;
  for (char c : html) {
    if (c == '<') inside = true;
    if (!inside) text += c;
    if (c == '>') inside = false;
  }
  return text;
}

}  // namespace

Json RepoPageData(Context& context, std::string_view tab, std::string_view revision,
                  const hub::RepoFacts* facts) {
  const hub::RepoRecord& record = context.repo().record();
  Json repo = RepoSummary(record, facts, context.hub.clock().Now());
  repo.Set("liked", context.actor.signed_in() &&
                        hub::DoesLike(context.hub.db(), context.actor.user_id, record.id));
  repo.Set("may_like", context.actor.signed_in());
  repo.Set("may_admin", context.repo().right() >= hub::Right::kAdmin);
  if (facts != nullptr) repo.Set("chips", Chips(record.type, *facts));
  return Json::Obj({{"repo", std::move(repo)}, {"tab", tab}, {"revision", revision}});
}

hub::FactsPtr HeadFacts(Context& context) {
  const hub::RepoRecord& repo = context.repo().record();
  if (!repo.head) return nullptr;
  return context.hub.catalog().FactsOf(context.repo(), *repo.head);
}

std::string CardHtml(Context& context, std::string_view markdown, std::string_view revision,
                     std::string_view folder) {
  static AnswerCache cache(16u << 20);
  MarkdownOptions options;
  options.base_url = RepoPath(context.repo().record());
  options.revision = net::PercentEncode(revision);
  options.folder = std::string(folder);
  options.math = true;
  std::string key = options.base_url + '\0' + options.revision + '\0' + options.folder + '\0' +
                    std::string(Sha256Of(markdown).raw());
  if (auto known = cache.Find(key)) return *known;
  std::string html;
  try {
    html = RenderMarkdown(markdown, options);
  } catch (const Error& error) {
    html = "<p>This text cannot be shown: it is too large or nested too deeply.</p>";
  }
  cache.Put(std::move(key), std::make_shared<const std::string>(html));
  return html;
}

Json TableOfContents(std::string_view html) {
  // The sanitiser writes <hN id="..."...>text<a class="anchor"...></a></hN>.
  constexpr std::string_view kAnchor = "<a class=\"anchor\"";
  Json headings = Json::Arr();
  for (size_t at = html.find("<h"); at != std::string_view::npos && headings.size() < kMaxHeadings;
       at = html.find("<h", at + 2)) {
    std::string_view rest = html.substr(at + 2);
    if (rest.size() < 6 || rest[0] < '1' || rest[0] > '3' || !rest.substr(1).starts_with(" id=\""))
      continue;
    size_t id_end = rest.find('"', 6), open_end = rest.find('>'), anchor = rest.find(kAnchor);
    if (anchor == std::string_view::npos || open_end > anchor || id_end > open_end) continue;
    headings.Push(
        Json::Obj({{"level", rest[0] - '0'},
                   {"id", rest.substr(6, id_end - 6)},
                   {"html", WithoutTags(rest.substr(open_end + 1, anchor - open_end - 1))}}));
  }
  return headings;
}

}  // namespace hearth::server
