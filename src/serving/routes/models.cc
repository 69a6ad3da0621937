// GET /v1/models and /v1/models/{id}, POST /v1/load_lora_adapter and /v1/unload_lora_adapter
// (vLLM's names).
#include <algorithm>

#include "base/error.h"
#include "runtime/tasks/inputs.h"
#include "serving/model_choice.h"

namespace hearth::serving {
namespace {

namespace fs = std::filesystem;

std::string NameOf(const Json& body) {
  const Json* name = body.Find("lora_name");
  if (name == nullptr || name->AsString() == nullptr || name->AsString()->empty()) {
    throw Error(Code::kInvalidArgument, "`lora_name` must be the name of an adapter");
  }
  return *name->AsString();
}

// Inside of the folder that the operator gave, links followed.
fs::path FolderOf(const ModelServer& server, const Json& body) {
  const fs::path& root = server.options().adapters_folder;
  if (root.empty()) {
    throw Error(Code::kForbidden,
                "this worker loads no adapters by request: start it with --adapters-from FOLDER");
  }
  const Json* path = body.Find("lora_path");
  if (path == nullptr || path->AsString() == nullptr || path->AsString()->empty() ||
      path->AsString()->find('\0') != std::string::npos) {
    throw Error(Code::kInvalidArgument, "`lora_path` must be the folder of an adapter");
  }
  std::error_code failure;
  fs::path base = fs::weakly_canonical(root, failure);
  fs::path folder = fs::weakly_canonical(base / *path->AsString(), failure);
  auto [end, rest] = std::mismatch(base.begin(), base.end(), folder.begin(), folder.end());
  if (failure || end != base.end()) {
    throw Error(Code::kForbidden, "`lora_path` lies outside of the adapters' folder");
  }
  if (!fs::exists(folder / "adapter_config.json", failure)) {
    throw Error(Code::kNotFound, "`lora_path` holds no adapter_config.json");
  }
  return folder;
}

Json Entry(const ModelServer& server, const std::string& id) {
  return Json::Obj({{"id", id},
                    {"object", "model"},
                    {"created", server.started_unix_seconds()},
                    {"owned_by", "hearth"}});
}

}  // namespace

ModelChoice ChooseModel(ModelServer& server, const Json& body) {
  const Json* model = body.Find("model");
  std::string name = model != nullptr && !model->is_null() ? runtime::ReadText(*model, "`model`")
                                                           : server.model_id();
  if (name == server.model_id()) return {name, nullptr};
  if (auto adapter = server.runner().adapters().Find(name)) return {name, std::move(adapter)};
  if (server.runner().adapters().is_used() || !server.options().adapters_folder.empty()) {
    throw Error(Code::kNotFound, "The model `" + name.substr(0, 256) + "` does not exist.");
  }
  return {server.model_id(), nullptr};
}

net::Response ListModels(ModelServer& server, net::Request&) {
  Json all = Json::Arr();
  all.Push(Entry(server, server.model_id()));
  for (const auto& adapter : server.runner().adapters().All()) {
    Json entry = Entry(server, adapter->name());
    entry.Set("root", adapter->folder().filename().string()).Set("parent", server.model_id());
    all.Push(std::move(entry));
  }
  return JsonAnswer(Json::Obj({{"object", "list"}, {"data", std::move(all)}}));
}

// Ids with a "/" come as they are, or with "%2F".
net::Response ShowModel(ModelServer& server, net::Request& http) {
  std::string id = http.Capture("id");
  if (id != server.model_id() && server.runner().adapters().Find(id) == nullptr)
    throw Error(Code::kNotFound, "The model `" + id.substr(0, 256) + "` does not exist.");
  return JsonAnswer(Entry(server, id));
}

net::Response LoadLoraAdapter(ModelServer& server, net::Request& http) {
  Json body = ReadBody(http);
  std::string name = NameOf(body);
  if (name == server.model_id()) throw Error(Code::kConflict, "the model itself has this name");
  server.runner().adapters().Load(name, FolderOf(server, body));
  return net::Response::Text(200, "Success: LoRA adapter '" + name + "' added successfully.");
}

net::Response UnloadLoraAdapter(ModelServer& server, net::Request& http) {
  std::string name = NameOf(ReadBody(http));
  if (server.options().adapters_folder.empty()) {
    throw Error(Code::kForbidden,
                "this worker unloads no adapters by request: start it with --adapters-from FOLDER");
  }
  server.runner().adapters().Unload(name);
  return net::Response::Text(200, "Success: LoRA adapter '" + name + "' removed successfully.");
}

}  // namespace hearth::serving
