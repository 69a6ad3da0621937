// The LFS objects that a repository holds: listed for its writers with the name of a file that uses
// each, given up for good, and lent to another repository.
#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "server/hub_api/duplicate_files.h"
#include "server/lfs_api/object_uses.h"
#include "server/route.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxPage = 1000;

net::Response List(Context& context) {
  size_t limit = kMaxPage;
  if (auto text = context.request.QueryParam("limit")) {
    limit = std::min<uint64_t>(ParseUint(*text).value_or(0), kMaxPage);
    if (limit == 0) throw Error(Code::kInvalidArgument, "limit must be a number from 1");
  }
  std::optional<Sha256> after;
  if (auto cursor = context.request.QueryParam("cursor")) {
    after = Sha256::FromHex(*cursor);
    if (!after) throw Error(Code::kInvalidArgument, "Invalid cursor");
  }
  std::vector<hub::HeldObject> held =
      context.hub.objects().List(context.repo().record(), after, limit + 1);
  bool more = held.size() > limit;
  if (more) held.pop_back();
  ObjectUses uses = held.empty() ? ObjectUses() : FindObjectUses(context.repo());
  std::vector<Sha256> oids;
  for (const hub::HeldObject& object : held) oids.push_back(object.oid);
  auto xet = context.hub.objects().XetHashesIn(context.repo().record(), oids);
  Json rows = Json::Arr();
  for (const hub::HeldObject& object : held) {
    std::string oid = object.oid.Hex();
    auto use = uses.find(object.oid);
    bool used = use != uses.end();
    Json row = Json::Obj({{"fileOid", oid},
                          {"oid", oid},
                          {"filename", used ? use->second.path : oid},
                          {"size", static_cast<int64_t>(object.size_bytes)},
                          {"pushedAt", FormatIso8601(object.pushed_at)}});
    if (used) row.Set("ref", use->second.ref);
    if (auto file = xet.find(object.oid); file != xet.end()) {
      row.Set("xetHash", file->second.Text());
    }
    if (hub::AccountPtr pusher = context.hub.accounts().FindById(object.pusher_id)) {
      row.Set("pusher", Json::Obj({{"name", pusher->name}, {"type", "user"}}));
    }
    rows.Push(std::move(row));
  }
  net::Response response = JsonResponse(rows);
  if (more) AddNextLink(&response, context, held.back().oid.Hex());
  return response;
}

Sha256 RequireOid(const std::string& text) {
  std::optional<Sha256> oid = Sha256::FromHex(text);
  if (!oid) throw Error(Code::kInvalidArgument, "an object is named by its SHA-256 in hex");
  return *oid;
}

net::Response DeleteBatch(Context& context) {
  Json body = context.JsonBody();
  const Json* deletions = body.Find("deletions");
  const Json* list = deletions ? deletions->Find("sha") : nullptr;
  const Json::Array* items = list ? list->AsArray() : nullptr;
  if (items == nullptr) {
    throw Error(Code::kInvalidArgument, "deletions.sha must be a list of object ids");
  }
  std::vector<Sha256> oids;
  for (const Json& item : *items) {
    oids.push_back(RequireOid(item.AsString() ? *item.AsString() : ""));
  }
  const Json* rewrite = deletions->Find("rewriteHistory");
  GiveUpObjects(context, oids, rewrite != nullptr && rewrite->AsBool().value_or(false));
  return JsonResponse(Json::Obj());
}

net::Response DeleteOne(Context& context) {
  GiveUpObjects(context, {RequireOid(context.request.Capture("oid"))},
                context.request.QueryFlag("rewriteHistory", false));
  return JsonResponse(Json::Obj());
}

// Why the source does not give the object; nullopt = it is the target's now, too.
std::optional<std::string> Give(const Context& context, const hub::RepoHandle& target,
                                const storage::XetHash& hash, const Sha256& oid) {
  hub::Objects& objects = context.hub.objects();
  const hub::RepoRecord& source = context.repo().record();
  if (!objects.FindIn(source, oid)) return "not found in the source";
  std::optional<hub::XetFile> file =
      context.hub.xet_index().FindShown(hub::XetHolder::kRepo, source.id, hash);
  if (!file || !context.hub.xet_index().IsProved(file->id, oid)) {
    return "xetHash is not that of sha256";
  }
  if (!objects.GrantFromReadable(context.actor, target, oid)) return "cannot be read";
  return std::nullopt;
}

net::Response GiveFiles(Context& context) {
  return DuplicateFiles(
      context, [&](const hub::RepoHandle& target, const storage::XetHash& hash, const Sha256& oid) {
        return Give(context, target, hash, oid);
      });
}

}  // namespace

void RegisterLfsFiles(RouteTable& table) {
  auto add = [&](const char* methods, const char* path, Handler handle, const char* summary) {
    table.Add({.methods = methods,
               .pattern = std::string("/api/{T}/{ns}/{name}/lfs-files") + path,
               .access = Access::kRepoWrite,
               .handle = std::move(handle),
               .summary = summary});
  };
  add("GET,HEAD", "", List, "The LFS objects of a repository.");
  add("POST", "/batch", DeleteBatch, "Give up LFS objects that no file uses.");
  add("DELETE", "/{oid}", DeleteOne, "Give up one LFS object that no file uses.");
  table.Add({.methods = "POST",
             .pattern = "/api/{T}/{ns}/{name}/lfs-files/duplicate",
             .access = Access::kRepoContent,
             .handle = GiveFiles,
             .summary = "Gives large files to another repository, for a commit that names them."});
}

}  // namespace hearth::server
