// How a file is rebuilt: reconstruction queries of both versions, several files at once, sizes.
#include <set>

#include "base/bytes.h"
#include "base/error.h"
#include "server/inspector_api/quarantine.h"
#include "server/xet_api/cas_request.h"
#include "server/xet_api/data_link.h"
#include "server/xet_api/reconstruction_json.h"

namespace hearth::server {
namespace {

// Small-file lists of a client come in hundreds; one answer is held in memory.
constexpr size_t kMaxBatchFiles = 256;
constexpr size_t kMaxBatchTerms = 200'000;
constexpr uint64_t kMaxBatchBodyBytes = 64 << 10;

LinkMaker LinksFor(const Context& context) {
  std::string store = context.base_url + "/xet/" + context.hub.xet().store_id();
  return [&hub = context.hub, store](const storage::XorbForm& xorb,
                                     const std::vector<storage::XorbRange>& ranges) {
    std::vector<ByteSpan> spans;
    spans.reserve(ranges.size());
    for (const storage::XorbRange& range : ranges) {
      spans.push_back({range.byte_start, range.byte_end});
    }
    return MakeDataLink(hub, store, xorb, spans);
  };
}

hub::XetFile FindFile(const Context& context, const hub::XetScope& scope,
                      const storage::XetHash& hash) {
  std::optional<hub::XetFile> file = context.hub.xet().FindFile(scope, hash);
  // Also for a file that is there but not for this scope.
  if (!file) throw Error(Code::kNotFound, "File not found");
  if (context.hub.safety().BlocksXetFile(file->id))
    throw Error(Code::kForbidden, UnsafeMessage("This file"));
  if (context.hub.xet_index().IsRotten(file->id)) {
    throw Error(Code::kNotFound, "The content of this file is missing on the hub");
  }
  return *file;
}

net::Response JsonText(std::string body) {
  net::Response response =
      net::Response::Bytes(200, "application/json; charset=utf-8", std::move(body));
  response.headers.Set("Cache-Control", "no-store");  // the links in it
  return response;
}

storage::Reconstruction PlanOf(const Context& context) {
  hub::XetScope scope = RequireScope(context);
  hub::XetFile file = FindFile(context, scope, HashCapture(context, "file"));
  FileRange range = ParseFileRange(context.request.headers.Find("Range"), file.size_bytes);
  return context.hub.xet().Plan(file, range.start, range.end);
}

net::Response QueryV1(Context& context) {
  return JsonText(ReconstructionV1(PlanOf(context), LinksFor(context)));
}

net::Response QueryV2(Context& context) {
  return JsonText(ReconstructionV2(PlanOf(context), LinksFor(context)));
}

// Files that the scope does not have are left out, as documented for the batch form.
net::Response Batch(const Context& context, const std::vector<std::string>& ids) {
  hub::XetScope scope = RequireScope(context);
  if (ids.size() > kMaxBatchFiles) {
    throw Error(Code::kTooLarge,
                "At most " + std::to_string(kMaxBatchFiles) + " files in one query");
  }
  std::set<storage::XetHash> seen;
  FilePlans plans;
  size_t terms = 0;
  for (const std::string& id : ids) {
    std::optional<storage::XetHash> hash = storage::XetHash::FromText(id);
    if (!hash) throw Error(Code::kInvalidArgument, "file_id must be 64 lower-case hex digits");
    if (!seen.insert(*hash).second) continue;
    std::optional<hub::XetFile> file = context.hub.xet().FindFile(scope, *hash);
    if (!file || context.hub.safety().BlocksXetFile(file->id) ||
        context.hub.xet_index().IsRotten(file->id)) {
      continue;
    }
    plans.emplace_back(*hash, context.hub.xet().Plan(*file, 0, file->size_bytes));
    terms += plans.back().second.terms.size();
    if (terms > kMaxBatchTerms) {
      throw Error(Code::kTooLarge, "These files are too large for one query: ask for each");
    }
  }
  return JsonText(ReconstructionBatch(plans, LinksFor(context)));
}

net::Response BatchByQuery(Context& context) {
  return Batch(context, context.request.QueryParams("file_id"));
}

// The body is a list of hashes, alone or as "file_ids".
net::Response BatchByBody(Context& context) {
  RequireScope(context);
  Json body = Json::Parse(context.request.body.ReadAll());
  const Json* list = body.is_array() ? &body : body.Find("file_ids");
  if (list == nullptr || !list->is_array()) {
    throw Error(Code::kInvalidArgument, "The body must be a list of file hashes");
  }
  std::vector<std::string> ids;
  for (const Json& item : *list->AsArray()) {
    const std::string* text = item.AsString();
    if (text == nullptr) throw Error(Code::kInvalidArgument, "A file hash must be a string");
    ids.push_back(*text);
  }
  return Batch(context, ids);
}

net::Response FileSize(Context& context) {
  hub::XetScope scope = RequireScope(context);
  hub::XetFile file = FindFile(context, scope, HashCapture(context, "file"));
  net::Response response = net::Response::Empty(200);
  response.headers.Set("Content-Length", std::to_string(file.size_bytes));
  return response;
}

}  // namespace

void RegisterXetReconstructions(RouteTable& table) {
  AddCasRoute(table,
              {.methods = "GET,HEAD",
               .pattern = {},
               .access = Access::kSigned,
               .handle = QueryV2,
               .summary = "Xet: how a file, or a range of it, is rebuilt."},
              {"/v2/reconstructions/{file}"});
  AddCasRoute(table,
              {.methods = "GET,HEAD",
               .pattern = {},
               .access = Access::kSigned,
               .handle = QueryV1,
               .summary = "Xet: how a file is rebuilt, in the older form."},
              {"/v1/reconstructions/{file}", "/reconstructions/{file}", "/reconstruction/{file}"});
  AddCasRoute(table,
              {.methods = "GET,HEAD",
               .pattern = {},
               .access = Access::kSigned,
               .handle = BatchByQuery,
               .summary = "Xet: how several files are rebuilt."},
              {"/v1/reconstructions", "/reconstructions"});
  AddCasRoute(table,
              {.methods = "POST",
               .pattern = {},
               .access = Access::kSigned,
               .handle = BatchByBody,
               .body = {.max_bytes = kMaxBatchBodyBytes, .memory_bytes = kMaxBatchBodyBytes},
               .summary = "Xet: how several files are rebuilt."},
              {"/v1/reconstructions", "/reconstructions"});
  AddCasRoute(table,
              {.methods = "HEAD",
               .pattern = {},
               .access = Access::kSigned,
               .handle = FileSize,
               .summary = "Xet: the size of a file."},
              {"/v1/files/{file}", "/files/{file}"});
}

}  // namespace hearth::server
