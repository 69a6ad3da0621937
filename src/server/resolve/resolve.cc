// Files of a repository by revision and path: /resolve (LFS content), /raw (blobs as git stores
// them) and /api/resolve-cache. HEAD and GET carry the same headers (wire reference, section 1).
#include "base/bytes.h"
#include "base/error.h"
#include "server/inspector_api/quarantine.h"
#include "server/object_body.h"
#include "server/resolve/content_type.h"
#include "server/resolve/file_cache.h"
#include "server/route.h"

namespace hearth::server {
namespace {

// Blobs up to here are kept with the cache entry: configs, cards and tokenizer files.
constexpr uint64_t kCachedBlobBytes = 64 << 10;
// Regular files are at most 10 MiB; older histories may hold larger ones.
constexpr uint64_t kMaxBlobBytes = 1ull << 30;
// Text in a browser tab, but never a page with rights on this host.
constexpr char kPolicy[] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

using FilePtr = std::shared_ptr<const RepoFile>;

[[noreturn]] void NotFound(const std::string& commit, std::string text = "Entry not found") {
  throw Error(Code::kNotFound, std::move(text))
      .WithWireCode("EntryNotFound")
      .WithHeader("X-Repo-Commit", commit);
}

class Files {
 public:
  // `rev_path` as in the URL.
  FilePtr Find(Context& context, std::string_view rev_path);
  // Only what is remembered; nullptr otherwise.
  FilePtr Peek(const Context& context, std::string_view rev_path);

 private:
  static std::string Key(const hub::RepoRecord& record, std::string_view rev_path);
  FilePtr Load(Context& context, const std::string& revision, const std::string& path) const;
  FileCache cache_;
};

// The version changes with everything that could change the answer. A path in two encodings is
// remembered twice, and the usual one found without decoding it.
std::string Files::Key(const hub::RepoRecord& record, std::string_view rev_path) {
  uint64_t numbers[2] = {static_cast<uint64_t>(record.id), record.version};
  std::string key;
  key.reserve(sizeof numbers + rev_path.size());
  key.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
  key.append(rev_path);
  return key;
}

FilePtr Files::Peek(const Context& context, std::string_view rev_path) {
  return cache_.Find(Key(context.repo().record(), rev_path));
}

FilePtr Files::Find(Context& context, std::string_view rev_path) {
  std::string key = Key(context.repo().record(), rev_path);
  if (FilePtr file = cache_.Find(key)) return file;
  RevisionAndPath where = SplitRevisionPath(rev_path);
  FilePtr file = Load(context, where.revision, where.path);
  cache_.Put(key, file);
  return file;
}

FilePtr Files::Load(Context& context, const std::string& revision, const std::string& path) const {
  const hub::RepoHandle& repo = context.repo();
  storage::GitRepository git = storage::GitRepository::Open(repo.git_folder());
  GitOid commit = hub::Commits::ResolveRevision(git, revision);
  auto file = std::make_shared<RepoFile>();
  file->commit = commit.Hex();
  std::optional<storage::TreeEntry> entry;
  if (!path.empty()) entry = git.FindEntry(commit, path);
  if (!entry || entry->kind == storage::EntryKind::kFolder ||
      entry->kind == storage::EntryKind::kSubmodule) {
    return file;
  }
  file->kind = entry->kind == storage::EntryKind::kSymlink ? RepoFile::Kind::kSymlink
                                                           : RepoFile::Kind::kRegular;
  file->blob = entry->oid;
  file->blob_bytes = entry->size_bytes;
  if (entry->size_bytes <= kCachedBlobBytes) {
    file->content = std::make_shared<const std::string>(git.ReadBlob(entry->oid));
  }
  if (file->kind == RepoFile::Kind::kRegular && entry->size_bytes <= storage::kMaxPointerBytes) {
    if (auto pointer = storage::ParseLfsPointer(*file->content)) {
      file->kind = RepoFile::Kind::kLfs;
      file->lfs_oid = pointer->oid;
      std::optional<uint64_t> held = context.hub.objects().FindIn(repo.record(), pointer->oid);
      if (!held) {
        throw Error(Code::kNotFound, "The content of this file is missing on the hub")
            .WithWireCode("EntryNotFound")
            .WithHeader("X-Repo-Commit", file->commit);
      }
      file->lfs_bytes = *held;
      auto shown = context.hub.objects().XetHashesIn(repo.record(), {&pointer->oid, 1});
      if (auto xet = shown.find(pointer->oid); xet != shown.end()) {
        file->xet =
            MakeXetLinks(repo.record(), file->commit, context.hub.xet().store_id(), xet->second);
      }
    }
  }
  std::optional<std::string_view> sample;
  if (file->kind != RepoFile::Kind::kLfs && file->content) sample = *file->content;
  file->content_type = ContentTypeOf(path, sample);
  file->disposition = ContentDisposition("inline", path);
  return file;
}

void SetCommonHeaders(const Context& context, const RepoFile& file, const std::string& path,
                      net::Response* response) {
  net::Headers& headers = response->headers;
  headers.Add("X-Repo-Commit", file.commit);
  headers.Add("X-Content-Type-Options", "nosniff");
  headers.Add("Content-Security-Policy", kPolicy);
  headers.Add("Cache-Control",
              context.repo().record().is_private ? "private, no-cache" : "no-cache");
  if (context.request.raw_query.empty()) {
    headers.Add("Content-Disposition", file.disposition);
    return;
  }
  if (context.request.QueryFlag("noContentDisposition", false)) return;
  headers.Add("Content-Disposition", context.request.QueryFlag("download", false)
                                         ? ContentDisposition("attachment", path)
                                         : file.disposition);
}

// For HEAD: no body is made; the network layer takes the length from here and evaluates conditions.
void SetLengthOnly(uint64_t size_bytes, net::Response* response) {
  response->headers.Add("Content-Length", std::to_string(size_bytes));
  response->allow_ranges = true;
}

void SetBlobBody(const Context& context, const RepoFile& file, net::Response* response) {
  response->headers.Add("ETag", "\"" + file.blob.Hex() + "\"");
  response->allow_ranges = true;
  if (context.request.method == "HEAD") {
    SetLengthOnly(file.blob_bytes, response);
  } else if (file.content) {
    response->body = *file.content;
  } else {
    storage::GitRepository git = storage::GitRepository::Open(context.repo().git_folder());
    response->body = git.ReadBlob(file.blob, kMaxBlobBytes);
  }
}

void SetLfsBody(const Context& context, const RepoFile& file, net::Response* response) {
  std::string etag = "\"" + file.lfs_oid.Hex() + "\"";
  response->headers.Add("X-Linked-Size", std::to_string(file.lfs_bytes));
  response->headers.Add("X-Linked-ETag", etag);
  if (file.xet) AddXetHeaders(*file.xet, context.base_url, &response->headers);
  bool head = context.request.method == "HEAD";
  if (!head && file.xet && WantsXetFileInfo(context.request)) {
    response->headers.Set("Content-Type", std::string(kXetFileInfoType));
    response->headers.Add("Vary", "Accept");
    response->body = XetFileInfo(*file.xet, context.base_url, file.lfs_oid.Hex(), file.lfs_bytes);
    return;
  }
  response->headers.Add("ETag", std::move(etag));
  if (head) {
    SetLengthOnly(file.lfs_bytes, response);
  } else {
    SetObjectBody(context.hub, file.lfs_oid, response);
  }
}

bool StartsAtZero(const net::Request& request) {
  const std::string* range = request.headers.Find("Range");
  return range == nullptr || range->starts_with("bytes=0-");
}

bool IsWeightFile(std::string_view path) {
  for (std::string_view extension : {".safetensors", ".gguf", ".bin", ".onnx", ".pt", ".h5"}) {
    if (path.ends_with(extension)) return true;
  }
  return false;
}

// Downloads are counted by one file per use of a repository, not by every file of it: a model by
// its config.json, or by its weights at the top when it has no config; a data set by its README.md,
// or by any file when it has none. HEAD, continued downloads and ranges inside do not count.
bool CountsAsDownload(Context& context, Files& files, const RepoFile& file,
                      const std::string& path) {
  if (context.request.method != "GET" || !StartsAtZero(context.request)) return false;
  std::string marker;
  switch (context.repo().record().type) {
    case hub::RepoType::kModel:
      marker = "config.json";
      break;
    case hub::RepoType::kDataset:
      marker = "README.md";
      break;
    case hub::RepoType::kSpace:
      return false;
  }
  if (path == marker) return true;
  bool candidate = context.repo().record().type == hub::RepoType::kDataset ||
                   (IsWeightFile(path) && path.find('/') == std::string::npos);
  return candidate &&
         files.Find(context, file.commit + "/" + marker)->kind == RepoFile::Kind::kMissing;
}

// A pointer harms nobody: it is what it points to that is judged.
bool IsBlocked(const Context& context, const RepoFile& file, bool raw) {
  if (file.kind == RepoFile::Kind::kMissing) return false;
  if (file.kind != RepoFile::Kind::kLfs) return context.hub.safety().Blocks(file.blob);
  return !raw && context.hub.safety().Blocks(file.lfs_oid);
}

net::Response Serve(Context& context, Files& files, const FilePtr& file, const std::string& path,
                    bool raw) {
  bool hidden = file->kind == RepoFile::Kind::kSymlink && !raw;
  if (file->kind == RepoFile::Kind::kMissing || hidden) NotFound(file->commit);
  if (IsBlocked(context, *file, raw)) RefuseUnsafe(context, path);
  net::Response response;
  response.headers.Add("Content-Type", raw && file->kind == RepoFile::Kind::kLfs
                                           ? "text/plain; charset=utf-8"
                                           : std::string(file->content_type));
  SetCommonHeaders(context, *file, path, &response);
  if (file->kind == RepoFile::Kind::kLfs && !raw) {
    SetLfsBody(context, *file, &response);
  } else {
    SetBlobBody(context, *file, &response);
  }
  if (!raw && CountsAsDownload(context, files, *file, path)) {
    context.hub.repos().CountDownload(context.repo().record().id);
  }
  return response;
}

// HEAD of a file that was asked for before: half of what a client sends. One without a query and
// conditions is answered with what the last such one got.
std::optional<net::Response> ServeFromMemory(Context& context, Files& files, ReadyHead::Form form) {
  const net::Request& request = context.request;
  if (request.method != "HEAD") return std::nullopt;
  std::string_view rev_path = request.RawCapture("rev_path");
  FilePtr file = files.Peek(context, rev_path);
  if (file == nullptr) return std::nullopt;
  bool raw = form == ReadyHead::Form::kRaw;
  if (IsBlocked(context, *file, raw)) return std::nullopt;  // the pool refuses, or asks for rights
  bool plain = request.raw_query.empty() && !request.HasConditions();
  if (!plain) return Serve(context, files, file, SplitRevisionPath(rev_path).path, raw);
  std::shared_ptr<const std::string> lines = file->ready_head.Find(form, context.base_url);
  if (lines == nullptr) {
    lines = std::make_shared<const std::string>(
        net::RenderForHead(Serve(context, files, file, SplitRevisionPath(rev_path).path, raw)));
    file->ready_head.Put(form, context.base_url, lines);
  }
  net::Response response;
  response.rendered = std::move(lines);
  return response;
}

}  // namespace

void RegisterResolve(RouteTable& table) {
  auto files = std::make_shared<Files>();
  auto add = [&](const char* pattern, ReadyHead::Form form, const char* summary) {
    bool raw = form == ReadyHead::Form::kRaw;
    table.Add(
        {.methods = "GET,HEAD",
         .pattern = pattern,
         .access = Access::kRepoContent,
         .handle =
             [files, raw](Context& context) {
               std::string_view rev_path = context.request.RawCapture("rev_path");
               FilePtr file = files->Find(context, rev_path);
               std::string path = SplitRevisionPath(rev_path).path;
               return Serve(context, *files, file, path, raw);
             },
         .from_memory = [files,
                         form](Context& context) { return ServeFromMemory(context, *files, form); },
         .summary = summary});
  };
  add("/{P}{ns}/{name}/resolve/{rev_path...}", ReadyHead::Form::kContent, "A file's content.");
  add("/{P}{ns}/{name}/raw/{rev_path...}", ReadyHead::Form::kRaw,
      "A file as git stores it (LFS: the pointer).");
  add("/api/resolve-cache/{T}/{ns}/{name}/{rev_path...}", ReadyHead::Form::kContent,
      "A file's content.");
}

}  // namespace hearth::server
