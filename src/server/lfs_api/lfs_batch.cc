// The Git LFS batch API (git-lfs/docs/api/batch.md) with the basic transfer, the Hub's multipart
// transfer and Xet for clients that offer it: which objects are missing, and where to send or get
// them.
#include <algorithm>

#include "base/error.h"
#include "server/inspector_api/quarantine.h"
#include "server/lfs_api/signed_link.h"
#include "server/route.h"
#include "server/write_access.h"
#include "server/xet_api/xet_tokens.h"

namespace hearth::server {
namespace {

constexpr char kLfsJson[] = "application/vnd.git-lfs+json";
constexpr size_t kMaxObjects = 1000;
constexpr uint64_t kMaxObjectBytes = 500'000'000'000;
// Above this an upload comes in parts: a lost connection then costs one part. Below, one request is
// quicker.
constexpr uint64_t kMultipartAbove = 64ull << 20;
constexpr uint64_t kMinPartBytes = 64ull << 20;
// A client that shows progress and resumes may ask for smaller parts ("part_bytes" in its request):
// then it also learns which parts an unfinished upload has already.
constexpr uint64_t kLeastPartBytes = 1ull << 20;
// The links of all parts are in one answer, 250 bytes each.
constexpr uint64_t kMaxParts = 1000;
// Of one answer: 250,000 links are 75 MB of text.
constexpr uint64_t kMaxPartsOfBatch = 250'000;

struct Wanted {
  Sha256 oid;
  uint64_t size_bytes = 0;
};

struct Batch {
  Context& context;
  bool multipart = false;  // the client offers it
  // git-lfs takes one transfer for all objects of an answer; the other clients look at each object.
  bool all_multipart = false;
  std::optional<uint64_t> part_bytes = std::nullopt;  // as the client wishes
  // What an upload by Xet needs to know; the same for all objects.
  std::optional<Json> xet_action = std::nullopt;
  int64_t now_seconds = 0;
};

Json ObjectJson(std::string oid, int64_t size) {
  return Json::Obj({{"oid", std::move(oid)}, {"size", size}});
}

Json ObjectError(std::string oid, int64_t size, int code, std::string message) {
  return ObjectJson(std::move(oid), size)
      .Set("error", Json::Obj({{"code", code}, {"message", std::move(message)}}));
}

SignedLink LinkFor(const Batch& batch, LinkPurpose purpose, const hub::RepoHandle& repo,
                   const Wanted& object) {
  auto lifetime = purpose == LinkPurpose::kDownload ? kDownloadLinkLifetime : kUploadLinkLifetime;
  SignedLink link;
  link.purpose = purpose;
  link.repo_id = repo.record().id;
  link.user_id = batch.context.actor.user_id;
  link.oid = object.oid;
  link.size_bytes = object.size_bytes;
  link.expires =
      batch.now_seconds + std::chrono::duration_cast<std::chrono::seconds>(lifetime).count();
  return link;
}

Json Action(const Batch& batch, const SignedLink& link, Json header = Json::Obj()) {
  return Json::Obj({{"href", batch.context.base_url + MakeLink(batch.context.hub, link)},
                    {"header", std::move(header)},
                    {"expires_in", link.expires - batch.now_seconds}});
}

uint64_t PartBytes(uint64_t size, uint64_t wished = kMinPartBytes) {
  constexpr uint64_t kMebibyte = 1 << 20;
  uint64_t needed = (size + kMaxParts - 1) / kMaxParts;
  needed = (needed + kMebibyte - 1) / kMebibyte * kMebibyte;
  return std::max(wished, needed);
}

Json MultipartAction(const Batch& batch, const hub::RepoHandle& repo, const Wanted& object) {
  hub::MultipartUpload upload = batch.context.hub.objects().Begin(
      repo, batch.context.actor.user_id, object.oid, object.size_bytes,
      PartBytes(object.size_bytes, batch.part_bytes.value_or(kMinPartBytes)));
  Json header = Json::Obj({{"chunk_size", std::to_string(upload.part_bytes)}});
  uint64_t parts = (upload.size_bytes + upload.part_bytes - 1) / upload.part_bytes;
  SignedLink link = LinkFor(batch, LinkPurpose::kPart, repo, object);
  for (uint64_t part = 1; part <= parts; ++part) {
    link.part = static_cast<int>(part);
    header.Set(std::to_string(part), batch.context.base_url + MakeLink(batch.context.hub, link));
  }
  Json action =
      Action(batch, LinkFor(batch, LinkPurpose::kComplete, repo, object), std::move(header));
  if (batch.part_bytes) {
    Json stored = Json::Obj();
    for (size_t i = 0; i < upload.stored_parts.size(); ++i)
      stored.Set(std::to_string(upload.stored_parts[i]), upload.etags[i]);
    action.Set("stored", std::move(stored));
  }
  return action;
}

Json UploadAnswer(const Batch& batch, const hub::RepoHandle& repo, const Wanted& object) {
  hub::Objects& objects = batch.context.hub.objects();
  std::string oid = object.oid.Hex();
  auto size = static_cast<int64_t>(object.size_bytes);
  std::optional<uint64_t> held = objects.Claim(repo.record(), object.oid);
  if (!held && objects.GrantFromReadable(batch.context.actor, repo, object.oid)) {
    held = objects.FindIn(repo.record(), object.oid);
  }
  if (held && *held != object.size_bytes) {
    return ObjectError(oid, size, 422,
                       "The object has " + std::to_string(*held) + " bytes, not " +
                           std::to_string(object.size_bytes));
  }
  Json answer = ObjectJson(oid, size).Set("authenticated", true);
  if (held) return answer;
  if (batch.xet_action) {
    answer.Set("actions", Json::Obj({{"upload", *batch.xet_action}}));
    return answer;
  }
  bool parts =
      object.size_bytes > 0 && batch.multipart &&
      (batch.all_multipart || object.size_bytes > batch.part_bytes.value_or(kMultipartAbove));
  Json upload = parts ? MultipartAction(batch, repo, object)
                      : Action(batch, LinkFor(batch, LinkPurpose::kUpload, repo, object));
  Json verify = Action(batch, LinkFor(batch, LinkPurpose::kVerify, repo, object));
  answer.Set("actions", Json::Obj({{"upload", std::move(upload)}, {"verify", std::move(verify)}}));
  return answer;
}

Json DownloadAnswer(const Batch& batch, const hub::RepoHandle& repo, const Wanted& object) {
  std::string oid = object.oid.Hex();
  std::optional<uint64_t> held = batch.context.hub.objects().FindIn(repo.record(), object.oid);
  if (!held) {
    return ObjectError(oid, static_cast<int64_t>(object.size_bytes), 404,
                       "The object does not exist");
  }
  if (batch.context.hub.safety().Blocks(object.oid)) {
    return ObjectError(oid, static_cast<int64_t>(object.size_bytes), 403,
                       UnsafeMessage("This object"));
  }
  Wanted actual{object.oid, *held};
  Json download = Action(batch, LinkFor(batch, LinkPurpose::kDownload, repo, actual));
  return ObjectJson(oid, static_cast<int64_t>(*held))
      .Set("authenticated", true)
      .Set("actions", Json::Obj({{"download", std::move(download)}}));
}

void CheckHashAlgorithm(const Json& body) {
  std::string algorithm = body.StringField("hash_algo").value_or("sha256");
  if (algorithm != "sha256" && algorithm != "sha_256") {
    throw Error(Code::kConflict, "hash_algo " + algorithm + " is not supported: use sha256");
  }
}

bool Offers(const Json& body, std::string_view transfer) {
  const Json* transfers = body.Find("transfers");
  const Json::Array* items = transfers ? transfers->AsArray() : nullptr;
  if (items == nullptr) return false;
  for (const Json& item : *items) {
    if (item.AsString() != nullptr && *item.AsString() == transfer) return true;
  }
  return false;
}

// -1 when there is none.
int64_t SizeOf(const Json& item) {
  const Json* size = item.Find("size");
  return size ? size->AsInt().value_or(-1) : -1;
}

// The branch that the objects are for: "main" from Python, "refs/heads/main" from git-lfs.
std::string RevisionOf(const Json& body) {
  constexpr std::string_view kHeads = "refs/heads/";
  const Json* ref = body.Find("ref");
  std::string name = ref ? ref->StringField("name").value_or("") : "";
  if (name.starts_with(kHeads)) name.erase(0, kHeads.size());
  return name.empty() ? "main" : name;
}

// git-xet takes the store's address and token from here, the other clients ask at the address.
Json XetAction(const Context& context, const hub::RepoRecord& repo, const std::string& revision) {
  XetAccess access = MakeXetAccess(
      context, MakeXetScope(context, hub::XetHolder::kRepo, repo.id, XetRight::kWrite));
  Json header = Json::Obj();
  for (const auto& [name, value] : XetAccessHeaders(access)) header.Set(name, value);
  header.Set("X-Xet-Session-Id", context.request.request_id);
  int64_t now = ToUnixMillis(context.hub.clock().Now()) / 1000;
  return Json::Obj(
      {{"href", context.base_url + "/api/" + std::string(hub::PluralName(repo.type)) + "/" +
                    repo.FullName() + "/xet-write-token/" + net::PercentEncode(revision)},
       {"header", std::move(header)},
       {"expires_in", access.expires - now}});
}

// One object of the answer; a bad object does not spoil the others.
Json AnswerObject(const Batch& batch, const hub::RepoHandle& repo, const Json& item, bool upload) {
  const Json* oid_field = item.Find("oid");
  if (oid_field == nullptr || item.Find("size") == nullptr) {
    throw Error(Code::kUnprocessable, "each of objects must have oid and size");
  }
  std::string text = oid_field->AsString() ? *oid_field->AsString() : "";
  int64_t size = SizeOf(item);
  std::optional<Sha256> oid = Sha256::FromHex(text);
  if (!oid) return ObjectError(text, size, 422, "oid must be a SHA-256 in lower-case hex");
  if (size < 0) return ObjectError(text, size, 422, "size must be a number of bytes");
  Wanted object{*oid, static_cast<uint64_t>(size)};
  if (!upload) return DownloadAnswer(batch, repo, object);
  if (object.size_bytes > kMaxObjectBytes) {
    return ObjectError(text, size, 422, "Files above 500 GB are not possible");
  }
  return UploadAnswer(batch, repo, object);
}

// A short list of huge objects would otherwise become an answer of hundreds of megabytes.
void CheckPartLinks(const Json::Array& objects, uint64_t part_bytes) {
  uint64_t links = 0;
  for (const Json& item : objects) {
    auto size = static_cast<uint64_t>(std::max<int64_t>(SizeOf(item), 0));
    if (size <= kMaxObjectBytes) {
      uint64_t part = PartBytes(size, part_bytes);
      links += (size + part - 1) / part;
    }
  }
  if (links > kMaxPartsOfBatch) {
    throw Error(Code::kTooLarge, "These objects have too many parts for one batch: ask for fewer");
  }
}

net::Response HandleBatch(Context& context) {
  Json body = context.JsonBody();
  std::string operation = body.RequireString("operation");
  bool upload = operation == "upload";
  if (!upload && operation != "download") {
    throw Error(Code::kUnprocessable, "operation must be upload or download");
  }
  CheckHashAlgorithm(body);
  const Json::Array& objects = body.RequireArray("objects");
  if (objects.size() > kMaxObjects) {
    throw Error(Code::kTooLarge,
                "at most " + std::to_string(kMaxObjects) + " objects in one batch");
  }
  hub::RepoHandle repo = upload ? OpenForWrite(context) : context.repo();
  Batch batch{context};
  if (upload && Offers(body, "xet")) {
    batch.xet_action = XetAction(context, repo.record(), RevisionOf(body));
  }
  batch.multipart = upload && !batch.xet_action && Offers(body, "multipart");
  if (std::optional<int64_t> wished = body.IntField("part_bytes"); wished && *wished > 0) {
    batch.part_bytes = std::clamp(static_cast<uint64_t>(*wished), kLeastPartBytes, kMinPartBytes);
  }
  batch.now_seconds = ToUnixMillis(context.hub.clock().Now()) / 1000;
  if (batch.multipart) CheckPartLinks(objects, batch.part_bytes.value_or(kMinPartBytes));
  bool large = false;
  for (const Json& item : objects) {
    large |= SizeOf(item) > static_cast<int64_t>(kMultipartAbove);
  }
  batch.all_multipart = large && context.request.headers.Get("User-Agent").starts_with("git-lfs/");
  Json answers = Json::Arr();
  for (const Json& item : objects) answers.Push(AnswerObject(batch, repo, item, upload));
  const char* transfer = batch.xet_action           ? "xet"
                         : batch.multipart && large ? "multipart"
                                                    : "basic";
  Json reply =
      Json::Obj({{"transfer", transfer}, {"objects", std::move(answers)}, {"hash_algo", "sha256"}});
  return net::Response::Bytes(200, kLfsJson, reply.Dump());
}

// Empty lists would be true too, but then git-lfs advises at every push to turn locking on; told
// that there is none, it is silent and does not ask again.
net::Response NoLocks(Context&) {
  throw Error(Code::kUnimplemented, "This hub does not lock files");
}

}  // namespace

void RegisterLfsBatch(RouteTable& table) {
  for (const char* suffix : {"", ".git"}) {
    std::string base = "/{P}{ns}/{name}" + std::string(suffix) + "/info/lfs/";
    auto add = [&](const char* methods, const char* path, Handler handle, const char* summary) {
      table.Add({.methods = methods,
                 .pattern = base + path,
                 .access = Access::kRepoContent,
                 .handle = std::move(handle),
                 .surface = Surface::kLfs,
                 .body = {.max_bytes = 2 << 20},
                 .summary = summary});
    };
    add("POST", "objects/batch", HandleBatch, "LFS: which objects to send or get, and where.");
    add("POST", "locks/verify", NoLocks, "LFS: locks are not offered.");
    add("GET,POST", "locks", NoLocks, "LFS: locks are not offered.");
    add("POST", "locks/{lock}/unlock", NoLocks, "LFS: locks are not offered.");
  }
}

}  // namespace hearth::server
