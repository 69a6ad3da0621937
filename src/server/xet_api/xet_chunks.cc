// Deduplication queries, and small addresses that clients call beside the store's work.
#include "base/error.h"
#include "server/xet_api/cas_request.h"
#include "server/xet_api/xet_token.h"

namespace hearth::server {
namespace {

constexpr uint64_t kMaxTelemetryBytes = 256 << 10;

// The usual answer, ten thousand times in an upload: no exception, no text to build.
net::Response NoSuchChunk() {
  return net::Response::Bytes(404, "application/json; charset=utf-8",
                              R"({"error":"Chunk not found"})");
}

// The scope's right has ended: answered as by MissFromMemory, which does not look at rights, or the
// difference would tell that somebody has the chunk.
std::optional<hub::XetScope> FindScope(const Context& context) {
  try {
    return RequireScope(context);
  } catch (const Error& error) {
    if (error.code() != Code::kForbidden) throw;
    return std::nullopt;
  }
}

net::Response FindChunk(Context& context) {
  std::optional<hub::XetScope> scope = FindScope(context);
  CheckPrefix(context);
  storage::XetHash chunk = HashCapture(context, "chunk");
  if (!scope) return NoSuchChunk();
  if (scope->may_write) context.hub.xet().NoteAsked(chunk);
  std::optional<std::string> shard = context.hub.xet().FindChunk(*scope, chunk);
  if (!shard) return NoSuchChunk();
  net::Response response = net::Response::Bytes(200, "application/octet-stream", *std::move(shard));
  response.headers.Set("Cache-Control", "no-store");
  return response;
}

// A chunk that no stored file has is a "no" for every scope, so the caller's rights need not be
// judged (that may ask the database); only that a token of this hub is there and in time.
std::optional<net::Response> MissFromMemory(Context& context) {
  CheckStore(context);
  CheckPrefix(context);
  storage::XetHash chunk = HashCapture(context, "chunk");
  if (context.hub.xet().MayHaveChunk(chunk)) return std::nullopt;
  if (RequireValidToken(context).may_write) context.hub.xet().NoteAsked(chunk);
  return NoSuchChunk();
}

// Chunk hashes prove possession of content; this hub does not list them. Clients then upload the
// file whole instead of editing a range of it.
net::Response NoChunkHashes(Context& context) {
  RequireScope(context);
  HashCapture(context, "file");
  throw Error(Code::kNotFound, "This hub does not list the chunks of a file");
}

// Clients report speeds and failures here, whoever they are. Nothing is kept.
net::Response Telemetry(Context&) { return JsonResponse(Json::Obj()); }

}  // namespace

void RegisterXetChunks(RouteTable& table) {
  AddCasRoute(
      table,
      {.methods = "GET,HEAD",
       .pattern = {},
       .access = Access::kSigned,
       .handle = FindChunk,
       .from_memory = MissFromMemory,
       .summary = "Xet: a stored xorb that has this chunk."},
      {"/v1/chunks/{prefix}/{chunk}", "/chunks/{prefix}/{chunk}", "/chunk/{prefix}/{chunk}"});
  AddCasRoute(table,
              {.methods = "GET,HEAD",
               .pattern = {},
               .access = Access::kSigned,
               .handle = NoChunkHashes,
               .summary = "Xet: a file's chunks (never listed)."},
              {"/v2/file-chunk-hashes/{file}"});
  table.Add({.methods = "POST",
             .pattern = "/v1/telemetry",
             .access = Access::kPublic,
             .handle = Telemetry,
             .body = {.max_bytes = kMaxTelemetryBytes, .memory_bytes = kMaxTelemetryBytes},
             .summary = "Takes clients' transfer reports and forgets them."});
}

}  // namespace hearth::server
