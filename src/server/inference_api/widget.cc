#include "server/inference_api/widget.h"

#include <algorithm>

#include "hub/model_judge.h"
#include "hub/tasks.h"
#include "server/inference_api/model_status.h"
#include "server/inference_api/snippets.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxExamples = 8;
constexpr size_t kMaxExampleBytes = 8u << 10;
constexpr size_t kMaxTitleCharacters = 48;

// "conversational" is an old name that clients still use; people say chat.
std::string LabelOf(const std::string& task) {
  if (task == "conversational") return "Chat";
  const hub::TaskEntry* known = hub::FindTask(task);
  return known == nullptr ? task : std::string(known->label);
}

// The offered one first.
Json TaskList(std::vector<std::string> tasks, const std::string& offered) {
  std::stable_partition(tasks.begin(), tasks.end(),
                        [&offered](const std::string& task) { return task == offered; });
  Json list = Json::Arr();
  for (const std::string& task : tasks) {
    list.Push(Json::Obj({{"id", task}, {"label", LabelOf(task)}}));
  }
  return list;
}

std::string Shortened(const std::string& text) {
  if (text.size() <= kMaxTitleCharacters) return text;
  size_t end = kMaxTitleCharacters;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string TitleOf(const Json& example, size_t number) {
  if (auto title = example.StringField("example_title")) return Shortened(*title);
  for (const char* key : {"text", "source_sentence"}) {
    if (auto text = example.StringField(key)) return Shortened(*text);
  }
  return "Example " + std::to_string(number);
}

// Of the card's `widget:` or the usual ones; pictures and sounds are left out.
Json Examples(const Json& widget_data) {
  Json list = Json::Arr();
  const Json::Array* examples = widget_data.AsArray();
  if (examples == nullptr) return list;
  for (const Json& example : *examples) {
    bool usable = example.is_object() && example.Find("src") == nullptr;
    if (!usable || list.size() >= kMaxExamples) continue;
    std::string data = example.Dump();
    if (data.size() > kMaxExampleBytes) continue;
    list.Push(Json::Obj({{"title", TitleOf(example, list.size() + 1)}, {"data", data}}));
  }
  return list;
}

}  // namespace

Json WidgetData(const Context& context, const hub::RepoFacts* facts) {
  const hub::RepoRecord& record = context.repo().record();
  if (record.type != hub::RepoType::kModel || context.scheduler == nullptr || facts == nullptr ||
      !context.hub.catalog().judges())
    return {};
  Json status = ModelStatusJson(context, context.repo());
  Json data = Json::Obj({{"admin", context.actor.site_admin}});
  data.Set("owner", context.hub.repos().May(context.actor, record.id, hub::Right::kAdmin));
  data.Set("may_run", context.hub.repos().May(context.actor, record.id, hub::Right::kReadContent));
  if (facts->run.runs()) {
    std::string offered = hub::OfferedTask(facts->run.tasks, facts->pipeline_tag);
    data.Set("task", offered);
    data.Set("tasks", TaskList(facts->run.tasks, offered));
    data.Set("examples", Examples(facts->widget_data));
    data.Set("mask_token", facts->mask_token.empty() ? "[MASK]" : facts->mask_token);
    data.Set("snippets", Snippets(context.base_url, record.FullName(), offered));
  }
  data.Set("status", std::move(status));
  return data;
}

}  // namespace hearth::server
