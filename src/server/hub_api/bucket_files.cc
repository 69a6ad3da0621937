// The files of buckets: listings, batches, content (wire reference, section 5.3).
#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/base64.h"
#include "server/hub_api/bucket_batch.h"
#include "server/hub_api/duplicate_files.h"
#include "server/object_body.h"
#include "server/resolve/content_type.h"
#include "server/resolve/xet_links.h"
#include "server/route.h"

namespace hearth::server {
namespace {

using hub::Right;

constexpr size_t kPageSize = 1000;
constexpr size_t kMaxPageSize = 5000;
constexpr size_t kMaxPaths = 2000;
// 2000 paths of 1024 bytes, each byte escaped at worst.
constexpr uint64_t kMaxPathsBytes = 8u << 20;
// 10,000 operations with long paths; clients send a tenth of that at a time.
constexpr uint64_t kMaxBatchBytes = 32u << 20;
// Text in a browser tab, but never a page with rights on this host.
constexpr char kPolicy[] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

Json FileJson(const hub::BucketFile& file) {
  Json json = Json::Obj({{"type", "file"},
                         {"path", file.path},
                         {"size", file.file.size_bytes},
                         {"xetHash", file.file.hash.Text()},
                         {"mtime", FormatIso8601(file.modified_at)},
                         {"uploadedAt", FormatIso8601(file.uploaded_at)}});
  if (!file.content_type.empty()) json.Set("contentType", file.content_type);
  return json;
}

Json EntryJson(const hub::BucketEntry& entry) {
  if (!entry.is_folder) return FileJson(entry.file);
  return Json::Obj({{"type", "directory"},
                    {"path", entry.file.path},
                    {"uploadedAt", FormatIso8601(entry.file.uploaded_at)}});
}

hub::Buckets::TreeOptions ReadTreeOptions(const net::Request& request) {
  hub::Buckets::TreeOptions options;
  options.recursive = request.QueryFlag("recursive", true);
  options.limit = kPageSize;
  if (std::optional<std::string> text = request.QueryParam("limit")) {
    std::optional<uint64_t> limit = ParseUint(*text);
    if (!limit || *limit == 0 || *limit > kMaxPageSize) {
      throw Error(Code::kInvalidArgument, "limit must be a number from 1 to 5000");
    }
    options.limit = *limit;
  }
  if (std::optional<std::string> cursor = request.QueryParam("cursor")) {
    std::optional<std::string> start = Base64UrlDecode(*cursor);
    if (!start) throw Error(Code::kInvalidArgument, "Invalid cursor");
    options.start = *std::move(start);
  }
  std::string sort = request.QueryParam("sort").value_or("path");
  std::string direction = request.QueryParam("direction").value_or("asc");
  if (sort != "path" || direction != "asc") {
    throw Error(Code::kUnimplemented, "This hub lists buckets by path, ascending, only");
  }
  return options;
}

net::Response ListTree(Context& context) {
  hub::Buckets::TreeOptions options = ReadTreeOptions(context.request);
  hub::Buckets::TreePage page =
      context.hub.buckets().Tree(context.bucket(), context.request.Capture("prefix"), options);
  Json::Array list;
  list.reserve(page.entries.size());
  for (const hub::BucketEntry& entry : page.entries) list.push_back(EntryJson(entry));
  net::Response response = JsonResponse(Json(std::move(list)));
  if (!page.next.empty()) AddNextLink(&response, context, Base64UrlEncode(page.next));
  return response;
}

// Only files are found: clients take what this names for one.
net::Response PathsInfo(Context& context) {
  Json body = context.JsonBody();
  std::vector<std::string> paths;
  const Json* field = body.Find("paths");
  if (field != nullptr && field->is_string()) {
    paths.push_back(*field->AsString());
  } else {
    for (const Json& path : body.RequireArray("paths")) {
      const std::string* text = path.AsString();
      if (text == nullptr) throw Error(Code::kInvalidArgument, "paths must be strings");
      paths.push_back(*text);
    }
  }
  if (paths.size() > kMaxPaths) {
    throw Error(Code::kInvalidArgument, "At most 2000 paths can be asked for at once");
  }
  Json::Array list;
  for (const hub::BucketFile& file : context.hub.buckets().FindFiles(context.bucket(), paths)) {
    list.push_back(FileJson(file));
  }
  return JsonResponse(Json(std::move(list)));
}

net::Response Batch(Context& context) {
  std::vector<hub::BucketOperation> batch = ParseBucketBatch(context.request.body.ReadAll());
  hub::BucketBatchResult result =
      context.hub.buckets().Apply(context.actor, context.bucket(), batch);
  Json::Array failed;
  for (const auto& failure : result.failed) {
    failed.push_back(Json::Obj({{"path", failure.path}, {"error", failure.reason}}));
  }
  bool nothing_done = !batch.empty() && failed.size() == batch.size();
  Json answer = Json::Obj({{"success", failed.empty()},
                           {"processed", result.processed},
                           {"succeeded", result.processed - failed.size()}});
  answer.Set("failed", Json(std::move(failed)));
  return JsonResponse(answer, nothing_done ? 422 : 200);
}

// --- to a repository

net::Response GiveFiles(Context& context) {
  return DuplicateFiles(
      context, [&](const hub::RepoHandle& target, const storage::XetHash& hash, const Sha256& oid) {
        return context.hub.buckets().GrantTo(context.actor, context.bucket(), target, hash, oid);
      });
}

// --- content

void SetFileHeaders(const Context& context, const std::string& path, net::Headers* headers) {
  headers->Set("Content-Type", std::string(ContentTypeOf(path, std::nullopt)));
  headers->Set("X-Content-Type-Options", "nosniff");
  headers->Set("Content-Security-Policy", kPolicy);
  if (context.request.QueryFlag("noContentDisposition", false)) return;
  bool attach = context.request.QueryFlag("download", false);
  headers->Set("Content-Disposition", ContentDisposition(attach ? "attachment" : "inline", path));
}

net::Response Resolve(Context& context) {
  std::string path = context.request.Capture("path");
  std::optional<hub::BucketFile> found = context.hub.buckets().FindFile(context.bucket(), path);
  if (!found) throw Error(Code::kNotFound, "Entry not found").WithWireCode("EntryNotFound");
  const hub::XetFile& file = found->file;
  if (context.hub.xet_index().IsRotten(file.id)) {
    throw Error(Code::kNotFound, "The content of this file is missing on the hub")
        .WithWireCode("EntryNotFound");
  }
  XetLinks links = MakeXetLinks(context.bucket().record(), context.hub.xet().store_id(), file.hash);
  net::Response response;
  AddXetHeaders(links, context.base_url, &response.headers);
  response.headers.Set("X-Linked-Size", std::to_string(file.size_bytes));
  response.headers.Set("X-Linked-ETag", "\"" + links.hash + "\"");
  response.headers.Set("Vary", "Accept");
  response.headers.Set("Cache-Control",
                       context.bucket().record().is_private ? "private, no-cache" : "no-cache");
  bool head = context.request.method == "HEAD";
  if (!head && WantsXetFileInfo(context.request)) {
    response.headers.Set("Content-Type", std::string(kXetFileInfoType));
    response.body = XetFileInfo(links, context.base_url, links.hash, file.size_bytes);
    return response;
  }
  response.headers.Set("ETag", "\"" + links.hash + "\"");
  SetFileHeaders(context, path, &response.headers);
  if (head) {
    // The network layer takes the length from here and evaluates conditions.
    response.headers.Set("Content-Length", std::to_string(file.size_bytes));
    response.allow_ranges = true;
  } else {
    response.body = XetBody(context.hub, file);
  }
  return response;
}

}  // namespace

void RegisterBucketFiles(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/buckets/{ns}/{name}/tree/{prefix...?}",
             .access = Access::kBucketRead,
             .handle = ListTree,
             .summary = "Lists the files of a bucket whose path begins with a prefix."});
  table.Add({.methods = "POST",
             .pattern = "/api/buckets/{ns}/{name}/paths-info",
             .access = Access::kBucketRead,
             .handle = PathsInfo,
             .body = {.max_bytes = kMaxPathsBytes},
             .summary = "Describes given files of a bucket."});
  table.Add({.methods = "POST",
             .pattern = "/api/buckets/{ns}/{name}/batch",
             .access = Access::kBucketWrite,
             .handle = Batch,
             .body = {.max_bytes = kMaxBatchBytes},
             .summary = "Adds, copies and deletes files of a bucket."});
  table.Add({.methods = "POST",
             .pattern = "/api/buckets/{ns}/{name}/lfs-files/duplicate",
             .access = Access::kBucketRead,
             .handle = GiveFiles,
             .summary = "Gives files of a bucket to a repository, for a commit that names them."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/buckets/{ns}/{name}/resolve/{path...}",
             .access = Access::kBucketRead,
             .handle = Resolve,
             .summary = "A file's content, with what a Xet client needs to fetch it itself."});
}

}  // namespace hearth::server
