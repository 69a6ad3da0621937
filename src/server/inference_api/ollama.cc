// Ollama's routes over the hub's models, named by their ids, for local applications that know no
// other words: /api/chat, /api/generate, /api/embed, /api/embeddings are answered by the model's
// worker (serving/routes/ollama.cc); /api/tags, /api/show, /api/ps, /api/version by the hub, which
// loads nothing for them. https://docs.ollama.com/api
#include <algorithm>

#include "base/error.h"
#include "hub/model_judge.h"
#include "server/inference_api/admission.h"
#include "server/route.h"

namespace hearth::server {
namespace {

constexpr uint64_t kMaxBody = 2'000'000;
constexpr size_t kMaxListed = 1000;
// These clients wait for a model to load, as it does with Ollama itself.
constexpr auto kHold = std::chrono::minutes(5);

// "owner/name", "owner/name:latest", "hf.co/owner/name".
std::string ModelId(const Json& body) {
  const Json* named = body.Find("model");
  if (named == nullptr) named = body.Find("name");
  if (named == nullptr || named->AsString() == nullptr)
    throw Error(Code::kInvalidArgument, "model is required");
  std::string id = *named->AsString();
  for (std::string_view prefix : {"hf.co/", "huggingface.co/"}) {
    if (id.starts_with(prefix)) id.erase(0, prefix.size());
  }
  return id.substr(0, id.find(':'));
}

hub::RepoHandle OpenModel(const Context& context, hub::Right right) {
  std::string id = ModelId(context.JsonBody());
  if (id.find('/') == std::string::npos) {
    // The same for all that is missing or hidden, and nothing is hidden under one word.
    std::optional<std::string> whole = context.hub.repos().FindAlias(hub::RepoType::kModel, id);
    if (!whole) throw Error(Code::kNotFound, "model '" + id.substr(0, 100) + "' not found");
    id = *whole;
  }
  return context.hub.repos().Open(context.actor, hub::RepoType::kModel, id, right);
}

net::Response Run(Context& context, std::string target) {
  if (context.scheduler == nullptr)
    throw Error(Code::kUnimplemented, "This hub does not run models");
  hub::RepoHandle repo = OpenModel(context, hub::Right::kReadContent);
  AdmitInference(context);
  inference::ForwardOptions options;
  options.hold = kHold;
  options.on_computed = ChargeFor(context);
  return context.scheduler->Forward(repo, context.request, std::move(target), options);
}

// --- what there is

std::string ParameterSize(uint64_t parameters) {
  if (parameters == 0) return "";
  double millions = static_cast<double>(parameters) / 1e6;
  char text[32];
  std::snprintf(text, sizeof text, millions >= 1000 ? "%.1fB" : "%.0fM",
                millions >= 1000 ? millions / 1000 : millions);
  return text;
}

Json Details(const hub::RepoFacts& facts) {
  bool gguf = facts.gguf.is_object();
  std::string family = gguf ? facts.gguf.StringField("architecture").value_or("")
                            : facts.config.StringField("model_type").value_or("");
  return Json::Obj({{"parent_model", ""},
                    {"format", gguf ? "gguf" : "safetensors"},
                    {"family", family},
                    {"families", Json::Arr({family})},
                    {"parameter_size", ParameterSize(facts.parameter_count)},
                    {"quantization_level", ""}});
}

hub::FactsPtr FactsOf(const Context& context, const hub::RepoHandle& repo) {
  return context.hub.catalog().FactsOf(repo, *repo.record().head);
}

Json Entry(const Context& context, const hub::RepoPtr& repo) {
  hub::FactsPtr facts = FactsOf(context, context.hub.repos().OpenAsSystem(repo));
  return Json::Obj({{"name", repo->FullName()},
                    {"model", repo->FullName()},
                    {"modified_at", FormatIso8601(repo->modified_at)},
                    {"size", facts->run.memory_bytes},
                    {"digest", repo->head->Hex()},
                    {"details", Details(*facts)}});
}

net::Response Tags(Context& context) {
  hub::CatalogQuery query;
  query.run_task = "";
  query.limit = kMaxListed;
  Json models = Json::Arr();
  for (const hub::RepoPtr& repo : context.hub.catalog().List(context.actor, query).repos) {
    if (repo->head && context.hub.repos().May(context.actor, repo->id, hub::Right::kReadContent))
      models.Push(Entry(context, repo));
  }
  return JsonResponse(Json::Obj({{"models", std::move(models)}}));
}

net::Response Running(Context& context) {
  Json models = Json::Arr();
  if (context.scheduler != nullptr) {
    for (const auto& [id, status] : context.scheduler->Loaded()) {
      hub::RepoPtr repo = context.hub.repos().FindById(id);
      bool shown = repo && repo->head && status.state == inference::ModelState::kWarm &&
                   context.hub.repos().May(context.actor, id, hub::Right::kReadContent);
      if (!shown) continue;
      Json entry = Entry(context, repo);
      entry.Set("size", status.memory_bytes).Set("size_vram", 0);
      models.Push(std::move(entry));
    }
  }
  return JsonResponse(Json::Obj({{"models", std::move(models)}}));
}

std::string TemplateOf(const hub::RepoFacts& facts) {
  const Json* tokenizer = facts.config.Find("tokenizer_config");
  const Json* chat = tokenizer == nullptr ? nullptr : tokenizer->Find("chat_template");
  if (chat == nullptr) chat = facts.gguf.Find("chat_template");
  return chat != nullptr && chat->AsString() != nullptr ? *chat->AsString() : "";
}

net::Response Show(Context& context) {
  hub::RepoHandle repo = OpenModel(context, hub::Right::kReadContent);
  if (!repo.record().head) throw Error(Code::kNotFound, "model has no files");
  hub::FactsPtr facts = FactsOf(context, repo);
  const std::vector<std::string>& tasks = facts->run.tasks;
  auto can = [&tasks](std::string_view task) {
    return std::find(tasks.begin(), tasks.end(), task) != tasks.end();
  };
  std::string chat = TemplateOf(*facts);
  Json capabilities = Json::Arr();
  if (can("text-generation")) capabilities.Push("completion");
  if (can("conversational") && chat.find("tools") != std::string::npos) capabilities.Push("tools");
  if (can("feature-extraction")) capabilities.Push("embedding");
  Json details = Details(*facts);
  Json info = Json::Obj({{"general.architecture", *details.Find("family")},
                         {"general.parameter_count", facts->parameter_count}});
  if (const Json* length = facts->gguf.Find("context_length"))
    info.Set(details.StringField("family").value_or("") + ".context_length", *length);
  std::string license;
  if (const Json* named = facts->card_data.Find("license"); named && named->AsString())
    license = *named->AsString();
  return JsonResponse(Json::Obj({{"license", license},
                                 {"modelfile", "FROM " + repo.record().FullName() + "\n"},
                                 {"parameters", ""},
                                 {"template", chat},
                                 {"details", std::move(details)},
                                 {"model_info", std::move(info)},
                                 {"capabilities", std::move(capabilities)},
                                 {"modified_at", FormatIso8601(repo.record().modified_at)}}));
}

}  // namespace

void RegisterOllama(RouteTable& table) {
  for (const char* path : {"/api/chat", "/api/generate", "/api/embed", "/api/embeddings"}) {
    table.Add({.methods = "POST",
               .pattern = path,
               .access = Access::kPublic,
               .handle = [path](Context& context) { return Run(context, path); },
               .body = {.max_bytes = kMaxBody, .memory_bytes = kMaxBody},
               .summary = "Runs the model that the body names, in Ollama's words."});
  }
  auto add = [&table](const char* methods, const char* path, Handler handle, const char* summary) {
    table.Add({.methods = methods,
               .pattern = path,
               .access = Access::kPublic,
               .handle = std::move(handle),
               .summary = summary});
  };
  add("GET,HEAD", "/api/tags", Tags, "Models that run here, in Ollama's words.");
  add("GET,HEAD", "/api/ps", Running, "Models that are loaded, in Ollama's words.");
  add("POST", "/api/show", Show, "What is known of a model, in Ollama's words.");
  add(
      "GET,HEAD", "/api/version",
      [](Context&) {
        return JsonResponse(Json::Obj({{"version", HEARTH_VERSION}}));
      },
      "The program's version, where Ollama's clients look for it.");
}

}  // namespace hearth::server
