// Life cycle of repositories (wire reference, section 3.1) and auth-check.
#include "base/error.h"
#include "codec/base64.h"
#include "codec/yaml.h"
#include "server/hub_api/buckets.h"
#include "server/route.h"

namespace hearth::server {
namespace {

using hub::Right;

// Files of a first commit come inside the JSON body.
constexpr uint64_t kMaxCreateBytes = 32u << 20;

// A 409 must tell the client where the repository is: it goes on from there (exist_ok).
template <typename F>
auto WithUrlOnConflict(const Context& context, hub::RepoType type, F body) {
  try {
    return body();
  } catch (const Error& error) {
    if (error.code() != Code::kConflict) throw;
    for (const auto& [key, value] : error.details()) {
      if (key != "id") continue;
      throw Error(Code::kConflict, error.message())
          .With("url", context.base_url + "/" + std::string(hub::PathPrefix(type)) + value);
    }
    throw;
  }
}

hub::RepoType TypeField(const Json& body) {
  std::string text = body.StringField("type").value_or("model");
  std::optional<hub::RepoType> type = hub::ParseRepoType(text);
  if (!type) throw Error(Code::kInvalidArgument, "Unknown repository type '" + text + "'");
  return *type;
}

// "visibility" of new clients, "private" of old ones. "protected" hides the files as well.
std::optional<bool> PrivateField(const Json& body) {
  std::optional<std::string> visibility = body.StringField("visibility");
  if (!visibility) return body.BoolField("private");
  if (*visibility == "public") return false;
  if (*visibility == "private" || *visibility == "protected") return true;
  throw Error(Code::kInvalidArgument, "visibility must be 'public', 'private' or 'protected'");
}

// {name, organization} or a whole "ns/name" in name.
hub::RepoId NamedRepo(const Context& context, const Json& body) {
  std::string name = body.RequireString("name");
  std::string owner = body.StringField("organization").value_or("");
  if (owner.empty() && name.find('/') != std::string::npos) return hub::ParseRepoId(name);
  return {owner.empty() ? context.actor.user_name : owner, name};
}

// A repository that the body names. A former name is not followed: deleting or moving by mistake is
// worse than a 404.
hub::RepoHandle OpenNamed(const Context& context, hub::RepoType type, const std::string& id) {
  try {
    return context.hub.repos().Open(context.actor, type, id, Right::kAdmin);
  } catch (const Error& error) {
    if (error.code() != Code::kMoved) throw;
    throw Error(Code::kNotFound, "Repository not found").WithWireCode("RepoNotFound");
  }
}

std::vector<std::pair<std::string, std::string>> FilesField(const Json& body) {
  std::vector<std::pair<std::string, std::string>> files;
  const Json* list = body.Find("files");
  if (list == nullptr || list->is_null()) return files;
  for (const Json& file : body.RequireArray("files")) {
    std::string path = file.RequireString("path");
    std::string content = file.RequireString("content");
    if (file.StringField("encoding").value_or("utf-8") == "base64") {
      std::optional<std::string> decoded = Base64Decode(content);
      if (!decoded) throw Error(Code::kInvalidArgument, "'" + path + "' is not valid base64");
      content = *std::move(decoded);
    }
    files.emplace_back(std::move(path), std::move(content));
  }
  return files;
}

// What a Space is asked to be; kept until Spaces run.
Json SpaceFields(const Json& body, hub::RepoType type) {
  if (type != hub::RepoType::kSpace) return {};
  std::optional<std::string> sdk = body.StringField("sdk");
  if (!sdk || (*sdk != "gradio" && *sdk != "docker" && *sdk != "static" && *sdk != "streamlit")) {
    throw Error(Code::kInvalidArgument,
                "A Space needs an sdk: one of gradio, docker, static, streamlit");
  }
  const Json* secrets = body.Find("secrets");
  if (secrets != nullptr && secrets->size() > 0) {
    throw Error(Code::kUnimplemented, "This hub does not keep secrets of Spaces yet");
  }
  Json space = Json::Obj();
  for (const char* key : {"sdk", "sdkVersion", "template", "hardware", "sleepTimeSeconds",
                          "variables", "volumes", "short_description", "devModeEnabled"}) {
    const Json* value = body.Find(key);
    if (value != nullptr && !value->is_null()) space.Set(key, *value);
  }
  return space;
}

Json RepoAnswer(const Context& context, const hub::RepoRecord& repo) {
  return Json::Obj({{"url", RepoUrl(context, repo)}, {"name", repo.FullName()}, {"id", repo.oid}});
}

net::Response CreateRepo(Context& context) {
  Json body = context.JsonBody();
  hub::NewRepo repo;
  repo.type = TypeField(body);
  hub::RepoId id = NamedRepo(context, body);
  repo.owner = id.owner;
  repo.name = id.name;
  repo.is_private = PrivateField(body).value_or(false);
  repo.license = body.StringField("license").value_or("");
  repo.files = FilesField(body);
  repo.space = SpaceFields(body, repo.type);
  if (std::optional<std::string> name = body.StringField("license_name")) {
    Json card = Json::Obj(
        {{"license", repo.license.empty() ? "other" : repo.license}, {"license_name", *name}});
    // Files win over what the hub would write, so this goes before the caller's own.
    repo.files.insert(repo.files.begin(), {"README.md", "---\n" + DumpYaml(card) + "---\n"});
  }
  return WithUrlOnConflict(context, repo.type, [&] {
    hub::RepoHandle made = context.hub.repos().Create(context.actor, repo);
    return JsonResponse(RepoAnswer(context, made.record()));
  });
}

net::Response DeleteRepo(Context& context) {
  Json body = context.JsonBody();
  hub::RepoType type = TypeField(body);
  context.hub.repos().Delete(OpenNamed(context, type, NamedRepo(context, body).Full()));
  return JsonResponse(Json::Obj());
}

net::Response MoveRepo(Context& context) {
  Json body = context.JsonBody();
  if (body.StringField("type") == "bucket") return MoveBucket(context, body);
  hub::RepoType type = TypeField(body);
  hub::RepoHandle repo = OpenNamed(context, type, body.RequireString("fromRepo"));
  std::string to = body.RequireString("toRepo");
  return WithUrlOnConflict(context, type, [&] {
    context.hub.repos().Move(context.actor, repo, to);
    return JsonResponse(Json::Obj());
  });
}

std::optional<hub::Gated> GatedField(const Json& body) {
  const Json* gated = body.Find("gated");
  if (gated == nullptr || gated->is_null()) return std::nullopt;
  if (gated->AsBool() == false) return hub::Gated::kOff;
  if (const std::string* text = gated->AsString()) {
    if (*text == "auto") return hub::Gated::kAuto;
    if (*text == "manual") return hub::Gated::kManual;
  }
  throw Error(Code::kInvalidArgument, "gated must be false, 'auto' or 'manual'");
}

net::Response PutSettings(Context& context) {
  Json body = context.JsonBody();
  hub::RepoSettings settings;
  settings.is_private = PrivateField(body);
  settings.gated = GatedField(body);
  settings.discussions_disabled = body.BoolField("discussionsDisabled");
  context.hub.repos().UpdateSettings(context.repo(), settings);
  return JsonResponse(Json::Obj());
}

net::Response DuplicateRepo(Context& context) {
  if (!context.actor.signed_in()) {
    throw Error(Code::kUnauthenticated, "Invalid username or password.");
  }
  Json body = context.JsonBody();
  hub::RepoId id = hub::ParseRepoId(body.RequireString("repository"));
  hub::NewRepo target;
  target.type = context.repo().record().type;
  target.owner = id.owner;
  target.name = id.name;
  target.is_private = PrivateField(body).value_or(context.repo().record().is_private);
  return WithUrlOnConflict(context, target.type, [&] {
    hub::RepoHandle made = context.hub.repos().Duplicate(context.actor, context.repo(), target);
    return JsonResponse(RepoAnswer(context, made.record()));
  });
}

// Access was checked before the handler runs: there is nothing left to say.
net::Response Allowed(Context&) { return JsonResponse(Json::Obj()); }

}  // namespace

void RegisterRepoApi(RouteTable& table) {
  table.Add({.methods = "POST",
             .pattern = "/api/repos/create",
             .access = Access::kUserWrite,
             .handle = CreateRepo,
             .body = {.max_bytes = kMaxCreateBytes},
             .summary = "Creates a repository."});
  table.Add({.methods = "DELETE",
             .pattern = "/api/repos/delete",
             .access = Access::kUserWrite,
             .handle = DeleteRepo,
             .summary = "Deletes a repository."});
  table.Add({.methods = "POST",
             .pattern = "/api/repos/move",
             .access = Access::kUserWrite,
             .handle = MoveRepo,
             .summary = "Renames or transfers a repository; the old name redirects."});
  table.Add({.methods = "PUT",
             .pattern = "/api/{T}/{ns}/{name}/settings",
             .access = Access::kRepoAdmin,
             .handle = PutSettings,
             .summary = "Changes visibility, gating and discussions."});
  table.Add({.methods = "POST",
             .pattern = "/api/{T}/{ns}/{name}/duplicate",
             .access = Access::kRepoContent,
             .handle = DuplicateRepo,
             .summary = "Copies a repository with its history under a new name."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/{T}/{ns}/{name}/auth-check",
             .access = Access::kRepoContent,
             .handle = Allowed,
             .summary = "200 when the caller may read the files."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/{T}/{ns}/{name}/auth-check/write",
             .access = Access::kRepoWrite,
             .handle = Allowed,
             .summary = "200 when the caller may write."});
}

}  // namespace hearth::server
