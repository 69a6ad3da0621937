// The addresses that the LFS batch hands out: upload, parts, completion, verification, download.
#include "base/bytes.h"
#include "base/error.h"
#include "hub/access.h"
#include "server/inspector_api/quarantine.h"
#include "server/lfs_api/signed_link.h"
#include "server/object_body.h"
#include "server/route.h"

namespace hearth::server {
namespace {

constexpr char kLfsJson[] = "application/vnd.git-lfs+json";
constexpr uint64_t kMaxObjectBytes = 500'000'000'000;
constexpr uint64_t kMaxPartBytes = 1ull << 30;

SignedLink Check(const Context& context, LinkPurpose purpose) {
  return CheckLink(context.hub, context.request, purpose, context.hub.clock().Now());
}

// A link outlives the look at its owner's rights by hours; what ends them for good ends it too.
hub::RepoPtr RequireRepo(const Context& context, const SignedLink& link) {
  hub::RepoPtr repo = context.hub.repos().FindById(link.repo_id);
  bool visible = repo != nullptr;
  if (visible && link.user_id == 0) {
    visible = hub::RightOn({}, *repo, false) >= hub::Right::kReadContent;
  } else if (visible) {
    hub::AccountPtr user = context.hub.accounts().FindById(link.user_id);
    visible = user != nullptr && !user->disabled;
  }
  if (!visible) throw Error(Code::kNotFound, "Repository not found");
  if (repo->disabled) throw Error(Code::kForbidden, "Access to this resource is disabled.");
  return repo;
}

std::string UploadIdOf(const SignedLink& link) {
  return std::to_string(link.repo_id) + "-" + link.oid.Hex();
}

// The object's size from the link, whose signature is checked later: a changed one is refused then.
// So a body without a length cannot fill the disk beyond what was announced.
uint64_t AnnouncedBytes(const net::Request& request) {
  try {
    return ParseUint(request.QueryParam("size").value_or("")).value_or(0);
  } catch (const Error&) {
    return 0;
  }
}

// Before the body is taken in: a body of another length than announced is not worth reading.
void AdmitUpload(Context& context) {
  SignedLink link = Check(context, LinkPurpose::kUpload);
  RequireRepo(context, link);
  const std::string* length = context.request.headers.Find("Content-Length");
  if (length == nullptr) return;
  std::optional<uint64_t> bytes = ParseUint(*length);
  if (!bytes || *bytes != link.size_bytes) {
    throw Error(Code::kUnprocessable, "The upload must have " + std::to_string(link.size_bytes) +
                                          " bytes, as announced to the LFS batch");
  }
}

net::Response Upload(Context& context) {
  SignedLink link = Check(context, LinkPurpose::kUpload);
  net::RequestBody& body = context.request.body;
  if (!body.sha256()) throw Error(Code::kInternal, "the upload was not hashed on arrival");
  Sha256 actual = *body.sha256();
  context.hub.objects().Store(link.repo_id, link.user_id, link.oid, link.size_bytes,
                              body.TakeFile(), actual);
  return net::Response::Empty(200);
}

void AdmitPart(Context& context) {
  SignedLink link = Check(context, LinkPurpose::kPart);
  RequireRepo(context, link);
}

net::Response UploadPart(Context& context) {
  SignedLink link = Check(context, LinkPurpose::kPart);
  std::string etag =
      context.hub.objects().PutPart(UploadIdOf(link), link.part, context.request.body.TakeFile());
  net::Response response = net::Response::Empty(200);
  response.headers.Set("ETag", "\"" + etag + "\"");
  return response;
}

net::Response Complete(Context& context) {
  SignedLink link = Check(context, LinkPurpose::kComplete);
  RequireRepo(context, link);
  Json body = context.JsonBody();
  if (body.StringField("oid").value_or(link.oid.Hex()) != link.oid.Hex()) {
    throw Error(Code::kUnprocessable, "oid is not the one of this upload");
  }
  std::vector<std::pair<int, std::string>> parts;
  for (const Json& item : body.RequireArray("parts")) {
    int64_t number = item.IntField("partNumber").value_or(0);
    if (number < 1 || number > 100000) {
      throw Error(Code::kInvalidArgument, "partNumber must be a number from 1");
    }
    parts.emplace_back(static_cast<int>(number), item.RequireString("etag"));
  }
  context.hub.objects().Finish(UploadIdOf(link), parts);
  return JsonResponse(Json::Obj({{"success", true}}));
}

net::Response Verify(Context& context) {
  SignedLink link = Check(context, LinkPurpose::kVerify);
  hub::RepoPtr repo = RequireRepo(context, link);
  Json body = context.JsonBody();
  if (body.RequireString("oid") != link.oid.Hex()) {
    throw Error(Code::kUnprocessable, "oid is not the one of this upload");
  }
  std::optional<uint64_t> held = context.hub.objects().FindIn(*repo, link.oid);
  if (!held) throw Error(Code::kNotFound, "The object was not uploaded");
  if (body.IntField("size").value_or(-1) != static_cast<int64_t>(*held)) {
    throw Error(Code::kUnprocessable, "The object has " + std::to_string(*held) + " bytes");
  }
  return net::Response::Bytes(200, kLfsJson, "{}");
}

net::Response Download(Context& context) {
  SignedLink link = Check(context, LinkPurpose::kDownload);
  hub::RepoPtr repo = RequireRepo(context, link);
  if (!context.hub.objects().FindIn(*repo, link.oid)) {
    throw Error(Code::kNotFound, "The object does not exist");
  }
  // The link may be older than the verdict.
  if (context.hub.safety().Blocks(link.oid))
    throw Error(Code::kForbidden, UnsafeMessage("This object"));
  net::Response response;
  response.headers.Set("Content-Type", "application/octet-stream");
  response.headers.Set("ETag", "\"" + link.oid.Hex() + "\"");
  response.headers.Set("Cache-Control", "private, no-cache");
  response.headers.Set("X-Content-Type-Options", "nosniff");
  SetObjectBody(context.hub, link.oid, &response);
  return response;
}

}  // namespace

void RegisterLfsTransfer(RouteTable& table) {
  table.Add({.methods = "PUT",
             .pattern = LinkPattern(LinkPurpose::kUpload),
             .access = Access::kSigned,
             .handle = Upload,
             .surface = Surface::kLfs,
             .body = {.max_bytes = kMaxObjectBytes,
                      .memory_bytes = 0,
                      .spool_always = true,
                      .hash = true,
                      .accept_gzip = false},
             .announced_bytes = AnnouncedBytes,
             .admit = AdmitUpload,
             .summary = "LFS: an object's bytes."});
  table.Add({.methods = "PUT",
             .pattern = LinkPattern(LinkPurpose::kPart),
             .access = Access::kSigned,
             .handle = UploadPart,
             .surface = Surface::kLfs,
             .body = {.max_bytes = kMaxPartBytes,
                      .memory_bytes = 0,
                      .spool_always = true,
                      .accept_gzip = false},
             .announced_bytes = AnnouncedBytes,
             .admit = AdmitPart,
             .summary = "LFS: one part of an object."});
  table.Add({.methods = "POST",
             .pattern = LinkPattern(LinkPurpose::kComplete),
             .access = Access::kSigned,
             .handle = Complete,
             .surface = Surface::kLfs,
             .summary = "LFS: all parts are there."});
  table.Add({.methods = "POST",
             .pattern = LinkPattern(LinkPurpose::kVerify),
             .access = Access::kSigned,
             .handle = Verify,
             .surface = Surface::kLfs,
             .summary = "LFS: is the object stored?"});
  table.Add({.methods = "GET,HEAD",
             .pattern = LinkPattern(LinkPurpose::kDownload),
             .access = Access::kSigned,
             .handle = Download,
             .surface = Surface::kLfs,
             .summary = "LFS: an object's bytes."});
}

}  // namespace hearth::server
