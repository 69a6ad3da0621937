#include "server/hub_api/bucket_batch.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/json.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxContentTypeBytes = 255;
// What fits into a date of four digits; clients have clocks and file systems of all kinds.
constexpr double kLatestMillis = 253402300799999.0;

storage::XetHash HashField(const Json& line) {
  std::string text = AsciiLower(line.RequireString("xetHash"));
  std::optional<storage::XetHash> hash = storage::XetHash::FromText(text);
  if (!hash) throw Error(Code::kInvalidArgument, "xetHash must be 64 hex digits");
  return *hash;
}

// Milliseconds since 1970, perhaps with a fraction.
std::optional<TimePoint> TimeField(const Json& line) {
  const Json* field = line.Find("mtime");
  if (field == nullptr || field->is_null()) return std::nullopt;
  std::optional<double> millis = field->AsDouble();
  if (!millis && field->AsInt()) millis = static_cast<double>(*field->AsInt());
  if (!millis) throw Error(Code::kInvalidArgument, "mtime must be a number");
  return FromUnixMillis(static_cast<int64_t>(std::clamp(*millis, 0.0, kLatestMillis)));
}

std::string ContentTypeField(const Json& line) {
  std::string type = line.StringField("contentType").value_or("");
  bool printable =
      std::all_of(type.begin(), type.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7F; });
  if (!printable || type.size() > kMaxContentTypeBytes) {
    throw Error(Code::kInvalidArgument, "contentType must be at most 255 printable characters");
  }
  return type;
}

hub::BucketAdd ParseAdd(const Json& line) {
  return {line.RequireString("path"), HashField(line), TimeField(line), ContentTypeField(line)};
}

hub::BucketOperation ParseLine(std::string_view text) {
  Json line = Json::Parse(text);
  if (!line.is_object()) throw Error(Code::kInvalidArgument, "an operation must be a JSON object");
  std::string type = line.RequireString("type");
  if (type == "addFile") return ParseAdd(line);
  if (type == "copyFile") {
    return hub::BucketCopy{ParseAdd(line), line.RequireString("sourceRepoType"),
                           line.RequireString("sourceRepoId")};
  }
  if (type == "deleteFile") return hub::BucketDelete{line.RequireString("path")};
  throw Error(Code::kInvalidArgument, "unknown type '" + type.substr(0, 100) + "'");
}

}  // namespace

std::vector<hub::BucketOperation> ParseBucketBatch(std::string_view body) {
  std::vector<hub::BucketOperation> batch;
  size_t number = 0;
  while (!body.empty()) {
    size_t end = std::min(body.find('\n'), body.size());
    std::string_view text = TrimAscii(body.substr(0, end));
    body.remove_prefix(std::min(end + 1, body.size()));
    ++number;
    if (text.empty()) continue;
    if (batch.size() == kMaxBucketOperations) {
      throw Error(Code::kTooLarge, "A batch may have at most " +
                                       std::to_string(kMaxBucketOperations) + " operations");
    }
    try {
      batch.push_back(ParseLine(text));
    } catch (const Error& error) {
      if (error.code() != Code::kInvalidArgument) throw;
      throw Error(Code::kInvalidArgument,
                  "Invalid batch, line " + std::to_string(number) + ": " + error.message());
    }
  }
  return batch;
}

}  // namespace hearth::server
