#include "server/lfs_api/signed_link.h"

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::server {
namespace {

std::string_view PurposeName(LinkPurpose purpose) {
  switch (purpose) {
    case LinkPurpose::kUpload:
      return "upload";
    case LinkPurpose::kPart:
      return "part";
    case LinkPurpose::kComplete:
      return "complete";
    case LinkPurpose::kVerify:
      return "verify";
    case LinkPurpose::kDownload:
      return "download";
  }
  return "";
}

std::string Signature(const hub::Hub& hub, const SignedLink& link) {
  // Every field has a fixed alphabet without spaces, so the text is unambiguous.
  std::string text = std::to_string(link.repo_id) + " " + std::to_string(link.user_id) + " " +
                     link.oid.Hex() + " " + std::to_string(link.size_bytes) + " " +
                     std::to_string(link.part) + " " + std::to_string(link.expires);
  return hub.Sign("lfs-" + std::string(PurposeName(link.purpose)), text);
}

[[noreturn]] void BadLink() {
  throw Error(Code::kForbidden, "This link is not valid: ask the LFS batch for a new one");
}

int64_t RequireNumber(const net::Request& request, std::string_view key) {
  std::optional<std::string> text = request.QueryParam(key);
  std::optional<int64_t> value = text ? ParseInt(*text) : std::nullopt;
  if (!value || *value < 0) BadLink();
  return *value;
}

}  // namespace

std::string LinkPattern(LinkPurpose purpose) {
  std::string pattern = "/api/lfs/" + std::string(PurposeName(purpose)) + "/{oid}";
  return purpose == LinkPurpose::kPart ? pattern + "/{part}" : pattern;
}

std::string MakeLink(const hub::Hub& hub, const SignedLink& link) {
  std::string target = "/api/lfs/" + std::string(PurposeName(link.purpose)) + "/" + link.oid.Hex();
  if (link.purpose == LinkPurpose::kPart) target += "/" + std::to_string(link.part);
  target += "?repo=" + std::to_string(link.repo_id) + "&user=" + std::to_string(link.user_id);
  target += "&size=" + std::to_string(link.size_bytes);
  target += "&expires=" + std::to_string(link.expires) + "&signature=" + Signature(hub, link);
  return target;
}

SignedLink CheckLink(const hub::Hub& hub, const net::Request& request, LinkPurpose purpose,
                     TimePoint now) {
  SignedLink link;
  link.purpose = purpose;
  std::optional<Sha256> oid = Sha256::FromHex(request.RawCapture("oid"));
  if (!oid) BadLink();
  link.oid = *oid;
  if (purpose == LinkPurpose::kPart) {
    std::optional<uint64_t> part = ParseUint(request.RawCapture("part"));
    if (!part || *part > 100000) BadLink();
    link.part = static_cast<int>(*part);
  }
  link.repo_id = RequireNumber(request, "repo");
  link.user_id = RequireNumber(request, "user");
  link.size_bytes = static_cast<uint64_t>(RequireNumber(request, "size"));
  link.expires = RequireNumber(request, "expires");
  std::string sent = request.QueryParam("signature").value_or("");
  if (!ConstantTimeEqual(sent, Signature(hub, link))) BadLink();
  if (ToUnixMillis(now) / 1000 > link.expires) {
    throw Error(Code::kForbidden, "This link has expired: ask the LFS batch for a new one");
  }
  return link;
}

}  // namespace hearth::server
