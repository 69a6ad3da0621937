#include "server/inference_api/widget.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/model_judge.h"
#include "hub/tasks.h"
#include "net/http.h"
#include "server/inference_api/model_status.h"
#include "server/inference_api/snippets.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxExamples = 8;
constexpr size_t kMaxExampleBytes = 8u << 10;
constexpr size_t kMaxTitleCharacters = 48;

// Tasks whose input is a file and not text, and what their forms take.
struct FileTask {
  std::string_view task, kind;
};
constexpr FileTask kFileTasks[] = {{"audio-classification", "audio"},
                                   {"automatic-speech-recognition", "audio"},
                                   {"image-classification", "image"},
                                   {"image-feature-extraction", "image"}};

// "image", "audio"; "" for text.
std::string_view KindOf(std::string_view task) {
  for (const FileTask& known : kFileTasks) {
    if (known.task == task) return known.kind;
  }
  return "";
}

// What a file is to a form, by the ending of its name; "" when no form takes it.
std::string_view KindOfFile(std::string_view path) {
  static constexpr std::pair<std::string_view, std::string_view> kEndings[] = {
      {"png", "image"}, {"jpg", "image"},  {"jpeg", "image"}, {"webp", "image"},
      {"gif", "image"}, {"wav", "audio"},  {"flac", "audio"}, {"ogg", "audio"},
      {"oga", "audio"}, {"opus", "audio"}, {"mp3", "audio"}};
  const std::string ending =
      AsciiLower(path.substr(std::min(path.rfind('.'), path.size() - 1) + 1));
  for (auto [known, kind] : kEndings) {
    if (known == ending) return kind;
  }
  return "";
}

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
    list.Push(Json::Obj({{"id", task}, {"label", LabelOf(task)}, {"kind", KindOf(task)}}));
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

// "" when it is no such text.
std::string Decoded(std::string_view text) {
  try {
    return net::PercentDecodePath(text);
  } catch (const Error&) {
    return "";
  }
}

// The file of this repository that an example's `src` names: a path, or an address in this
// repository on whatever host the card was written for. nullopt for all others: pages ask no other
// host.
std::optional<std::string> FileOf(std::string_view src, const std::string& id,
                                  const hub::RepoFacts& facts) {
  if (size_t scheme = src.find("://"); scheme != std::string_view::npos) {
    size_t path = src.find('/', scheme + 3);
    if (path == std::string_view::npos) return std::nullopt;
    src.remove_prefix(path + 1);
    if (!src.starts_with(id + "/")) return std::nullopt;
    src.remove_prefix(id.size() + 1);
    // resolve/main/..., raw/main/..., blob/main/...
    for (int part = 0; part < 2; ++part) {
      size_t slash = src.find('/');
      if (slash == std::string_view::npos) return std::nullopt;
      src.remove_prefix(slash + 1);
    }
    src = src.substr(0, src.find_first_of("?#"));
  }
  if (src.starts_with("./")) src.remove_prefix(2);
  const std::string decoded = Decoded(src);
  for (const hub::Sibling& file : facts.siblings) {
    if (file.path == src || file.path == decoded) return file.path;
  }
  return std::nullopt;
}

// An example that is a picture or a recording of this repository; null when it is not to be had.
Json FileExample(const Json& example, const hub::RepoRecord& record, const hub::RepoFacts& facts) {
  std::optional<std::string> src = example.StringField("src");
  if (!src) return {};
  std::optional<std::string> path = FileOf(*src, record.FullName(), facts);
  if (!path || KindOfFile(*path).empty()) return {};
  const std::string kind(KindOfFile(*path));
  const std::string address = "/" + net::PercentEncode(record.FullName(), "/") + "/resolve/main/" +
                              net::PercentEncode(*path, "/");
  Json row = Json::Obj({{"kind", kind}, {"data", Json::Obj({{"src", address}}).Dump()}});
  row.Set("title", Shortened(example.StringField("example_title").value_or(*path)));
  if (kind == "image") row.Set("picture", address);
  return row;
}

// Of the card's `widget:` or the usual ones.
Json Examples(const hub::RepoRecord& record, const hub::RepoFacts& facts) {
  Json list = Json::Arr();
  const Json::Array* examples = facts.widget_data.AsArray();
  if (examples == nullptr) return list;
  for (const Json& example : *examples) {
    if (!example.is_object() || list.size() >= kMaxExamples) continue;
    if (example.Find("src") != nullptr) {
      Json row = FileExample(example, record, facts);
      if (row.is_object()) list.Push(std::move(row));
      continue;
    }
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
    data.Set("examples", Examples(record, *facts));
    data.Set("mask_token", facts->mask_token.empty() ? "[MASK]" : facts->mask_token);
    data.Set("snippets", Snippets(context.base_url, record.FullName(), offered));
  }
  data.Set("status", std::move(status));
  return data;
}

Json WidgetPermissions(const Json& widget) {
  Json permissions = Json::Arr();
  const Json* tasks = widget.Find("tasks");
  if (tasks == nullptr || !widget.BoolField("may_run").value_or(false)) return permissions;
  bool files = false, sound = false;
  for (const Json& task : *tasks->AsArray()) {
    const std::string kind = task.StringField("kind").value_or("");
    files = files || !kind.empty();
    sound = sound || kind == "audio";
  }
  if (files) permissions.Push("blobs");
  if (sound) permissions.Push("microphone");
  return permissions;
}

}  // namespace hearth::server
