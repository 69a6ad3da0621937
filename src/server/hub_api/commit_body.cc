#include "server/hub_api/commit_body.h"

#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/base64.h"
#include "codec/json.h"

namespace hearth::server {
namespace {

constexpr size_t kReadBytes = 256u << 10;

struct Line {
  std::string text;
  uint64_t offset = 0;  // in the body
  uint64_t number = 0;  // from 1
};

class LineReader {
 public:
  LineReader(const net::RequestBody& body, uint64_t max_line_bytes)
      : body_(body), max_line_bytes_(max_line_bytes) {}

  // The next line that is not blank, without its end; false at the end of the body.
  bool Next(Line* line) {
    while (NextRaw(line)) {
      if (!TrimAscii(line->text).empty()) return true;
    }
    return false;
  }

 private:
  bool NextRaw(Line* line) {
    line->text.clear();
    line->offset = offset_;
    line->number = ++number_;
    bool any = false;
    for (;;) {
      if (at_ == buffer_.size() && !Fill()) return any;
      any = true;
      const char* start = buffer_.data() + at_;
      size_t left = buffer_.size() - at_;
      const void* end = std::memchr(start, '\n', left);
      size_t take =
          end != nullptr ? static_cast<size_t>(static_cast<const char*>(end) - start) : left;
      if (line->text.size() + take > max_line_bytes_) {
        throw Error(Code::kInvalidArgument,
                    "Your push was rejected because it contains files larger than 10 MiB. Please "
                    "use https://git-lfs.github.com/ to store large files.\nOffending files:\n - "
                    "line " +
                        std::to_string(number_) + " of the request");
      }
      line->text.append(start, take);
      at_ += take + (end != nullptr ? 1 : 0);
      offset_ += take + (end != nullptr ? 1 : 0);
      if (end != nullptr) return true;
    }
  }

  bool Fill() {
    buffer_.resize(kReadBytes);
    size_t got = body_.ReadAt(offset_, buffer_.data(), buffer_.size());
    buffer_.resize(got);
    at_ = 0;
    return got > 0;
  }

  const net::RequestBody& body_;
  const uint64_t max_line_bytes_;
  std::string buffer_;
  size_t at_ = 0;
  uint64_t offset_ = 0;
  uint64_t number_ = 0;
};

std::string DecodeContent(const Json& file) {
  std::string encoding = file.StringField("encoding").value_or("utf-8");
  std::string content = file.RequireString("content");
  if (encoding == "utf-8") return content;
  if (encoding != "base64") {
    throw Error(Code::kInvalidArgument, "encoding must be 'base64' or 'utf-8'");
  }
  std::optional<std::string> decoded = Base64Decode(content);
  if (!decoded) throw Error(Code::kInvalidArgument, "content is not valid base64");
  return *std::move(decoded);
}

// Clients write the path of a folder that they delete with a slash at its end.
std::string FolderField(const Json& value) {
  std::string path = value.RequireString("path");
  while (path.ends_with('/')) path.pop_back();
  return path;
}

// One more operation, with the rules that both forms share.
class Collector {
 public:
  Collector(hub::CommitRequest* request, const CommitBodyLimits& limits)
      : request_(request), limits_(limits) {}

  void Header(const Json& value) {
    request_->summary = value.RequireString("summary");
    request_->description = value.StringField("description").value_or("");
    request_->parent_commit = value.StringField("parentCommit");
    if (request_->parent_commit && request_->parent_commit->empty()) {
      request_->parent_commit.reset();
    }
  }

  // `reload` gives the decoded content once more; empty = the content must be kept.
  void File(const Json& value, std::function<std::string()> reload) {
    Rename(value);
    hub::CommitFile file;
    file.path = value.RequireString("path");
    std::string content = DecodeContent(value);
    bool special = file.path == "README.md" || file.path == ".gitattributes";
    if (reload && !special && kept_bytes_ + content.size() > limits_.memory_budget_bytes) {
      file.size_bytes = content.size();
      file.sample = content.substr(0, storage::kMaxPointerBytes);
      file.load = std::move(reload);
    } else {
      kept_bytes_ += content.size();
      file.content = std::move(content);
    }
    Add(std::move(file));
  }

  void LfsFile(const Json& value) {
    Rename(value);
    if (value.StringField("algo").value_or("sha256") != "sha256") {
      throw Error(Code::kInvalidArgument, "algo must be 'sha256'");
    }
    std::optional<Sha256> oid = Sha256::FromHex(value.RequireString("oid"));
    if (!oid) throw Error(Code::kInvalidArgument, "oid must be 64 lower-case hex digits");
    std::optional<int64_t> size = value.IntField("size");
    if (size && *size < 0) throw Error(Code::kInvalidArgument, "size must not be negative");
    hub::CommitLfsFile file{value.RequireString("path"), *oid, {}};
    if (size) file.size_bytes = static_cast<uint64_t>(*size);
    Add(std::move(file));
  }

  void Delete(const Json& value, hub::CommitDelete::Kind kind) {
    Add(hub::CommitDelete{FolderField(value), kind});
  }

 private:
  void Rename(const Json& value) {
    std::optional<std::string> old_path = value.StringField("oldPath");
    if (!old_path || old_path->empty() || *old_path == value.RequireString("path")) return;
    Add(hub::CommitDelete{*old_path, hub::CommitDelete::Kind::kFile});
  }

  void Add(hub::CommitOperation operation) {
    if (request_->operations.size() >= limits_.max_operations) {
      throw Error(Code::kTooLarge, "A commit may have at most " +
                                       std::to_string(limits_.max_operations) + " operations");
    }
    request_->operations.push_back(std::move(operation));
  }

  hub::CommitRequest* request_;
  const CommitBodyLimits& limits_;
  uint64_t kept_bytes_ = 0;
};

std::string ReloadLine(const net::RequestBody& body, uint64_t offset, size_t size) {
  std::string text(size, '\0');
  size_t done = 0;
  while (done < size) {
    size_t got = body.ReadAt(offset + done, text.data() + done, size - done);
    if (got == 0) throw Error(Code::kInternal, "the spooled request became shorter");
    done += got;
  }
  return DecodeContent(*Json::Parse(text).Find("value"));
}

void CollectLine(const net::RequestBody& body, const Line& line, Collector* collector) {
  Json json = Json::Parse(line.text);
  std::string key = json.RequireString("key");
  const Json* value = json.Find("value");
  if (value == nullptr || !value->is_object()) {
    throw Error(Code::kInvalidArgument, "value must be an object");
  }
  if ((key == "header") != (line.number == 1)) {
    throw Error(Code::kInvalidArgument, "the header must be the first line, once");
  }
  if (key == "header") {
    collector->Header(*value);
  } else if (key == "file") {
    collector->File(*value, [&body, offset = line.offset, size = line.text.size()] {
      return ReloadLine(body, offset, size);
    });
  } else if (key == "lfsFile") {
    collector->LfsFile(*value);
  } else if (key == "deletedFile") {
    collector->Delete(*value, hub::CommitDelete::Kind::kFile);
  } else if (key == "deletedFolder") {
    collector->Delete(*value, hub::CommitDelete::Kind::kFolder);
  } else if (key == "deletedEntry") {
    collector->Delete(*value, hub::CommitDelete::Kind::kEither);
  } else {
    throw Error(Code::kInvalidArgument, "unknown key '" + key.substr(0, 100) + "'");
  }
}

template <typename F>
void ForEachIn(const Json& body, std::string_view key, F each) {
  const Json* list = body.Find(key);
  if (list == nullptr || list->is_null()) return;
  for (const Json& item : body.RequireArray(key)) each(item);
}

}  // namespace

hub::CommitRequest ParseCommitLines(const net::RequestBody& body, const CommitBodyLimits& limits) {
  hub::CommitRequest request;
  Collector collector(&request, limits);
  LineReader reader(body, limits.max_line_bytes);
  Line line;
  bool any = false;
  while (reader.Next(&line)) {
    any = true;
    try {
      CollectLine(body, line, &collector);
    } catch (const Error& error) {
      if (error.code() != Code::kInvalidArgument) throw;
      throw Error(Code::kInvalidArgument,
                  "Invalid commit, line " + std::to_string(line.number) + ": " + error.message());
    }
  }
  if (!any) throw Error(Code::kInvalidArgument, "Invalid commit, line 1: the header is missing");
  return request;
}

hub::CommitRequest ParseCommitJson(const net::RequestBody& body, const CommitBodyLimits& limits) {
  if (body.size_bytes() > limits.max_json_bytes) {
    throw Error(Code::kTooLarge,
                "A commit of this size must be sent as application/x-ndjson, one operation a line");
  }
  Json json = Json::Parse(body.ReadAll());
  if (!json.is_object()) throw Error(Code::kInvalidArgument, "The commit must be a JSON object");
  hub::CommitRequest request;
  Collector collector(&request, limits);
  collector.Header(json);
  using Kind = hub::CommitDelete::Kind;
  ForEachIn(json, "files", [&](const Json& file) { collector.File(file, {}); });
  ForEachIn(json, "lfsFiles", [&](const Json& file) { collector.LfsFile(file); });
  ForEachIn(json, "deletedFiles", [&](const Json& item) { collector.Delete(item, Kind::kFile); });
  ForEachIn(json, "deletedFolders",
            [&](const Json& item) { collector.Delete(item, Kind::kFolder); });
  ForEachIn(json, "deletedEntries",
            [&](const Json& item) { collector.Delete(item, Kind::kEither); });
  return request;
}

}  // namespace hearth::server
