#include "server/hub_api/duplicate_files.h"

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxFiles = 1000;

hub::RepoHandle OpenTarget(const Context& context, const Json& body) {
  const Json* target = body.Find("target");
  if (target == nullptr) throw Error(Code::kInvalidArgument, "target is missing");
  std::string type = target->RequireString("type");
  std::optional<hub::RepoType> known = hub::ParseRepoType(type);
  if (!known) throw Error(Code::kInvalidArgument, "Unknown repository type '" + type + "'");
  return context.hub.repos().Open(context.actor, *known, target->RequireString("name"),
                                  hub::Right::kWrite);
}

std::optional<std::string> GiveNamed(const GiveFile& give, const hub::RepoHandle& target,
                                     const std::string& hash_text, const std::string& oid_text) {
  std::optional<storage::XetHash> hash = storage::XetHash::FromText(AsciiLower(hash_text));
  std::optional<Sha256> oid = Sha256::FromHex(AsciiLower(oid_text));
  if (!hash || !oid) return "xetHash and sha256 must be 64 hex digits each";
  return give(target, *hash, *oid);
}

}  // namespace

net::Response DuplicateFiles(Context& context, const GiveFile& give) {
  Json body = context.JsonBody();
  hub::RepoHandle target = OpenTarget(context, body);
  const Json::Array& files = body.RequireArray("files");
  if (files.empty() || files.size() > kMaxFiles) {
    throw Error(Code::kInvalidArgument, "files must name 1 to 1000 files");
  }
  Json::Array failed;
  for (const Json& file : files) {
    std::string hash = file.RequireString("xetHash");
    std::string oid = file.RequireString("sha256");
    if (std::optional<std::string> fault = GiveNamed(give, target, hash, oid)) {
      failed.push_back(Json::Obj({{"xetHash", hash}, {"sha256", oid}, {"error", *fault}}));
    }
  }
  bool complete = failed.empty();
  Json answer = Json::Obj({{"success", complete},
                           {"processed", files.size()},
                           {"succeeded", files.size() - failed.size()}});
  answer.Set("failed", Json(std::move(failed)));
  return JsonResponse(answer, complete ? 200 : 207);
}

}  // namespace hearth::server
