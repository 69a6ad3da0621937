#include "server/resolve/content_type.h"

#include <algorithm>
#include <iterator>

#include "base/bytes.h"
#include "hub/commits.h"
#include "net/http.h"

namespace hearth::server {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kBytes = "application/octet-stream";

struct Extension {
  std::string_view name;
  std::string_view type;
};

// Sorted by name. Types that a browser shows without running anything in them.
constexpr Extension kExtensions[] = {
    {"aac", "audio/aac"},
    {"arrow", kBytes},
    {"avif", "image/avif"},
    {"bin", kBytes},
    {"bmp", "image/bmp"},
    {"bz2", "application/x-bzip2"},
    {"c", kText},
    {"cc", kText},
    {"cfg", kText},
    {"cpp", kText},
    {"css", kText},
    {"csv", kText},
    {"flac", "audio/flac"},
    {"gguf", kBytes},
    {"gif", "image/gif"},
    {"gitattributes", kText},
    {"gitignore", kText},
    {"gz", "application/gzip"},
    {"h", kText},
    {"h5", kBytes},
    {"htm", kText},
    {"html", kText},
    {"ico", "image/x-icon"},
    {"ini", kText},
    {"ipynb", kText},
    {"java", kText},
    {"jinja", kText},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", kText},
    {"json", kText},
    {"jsonl", kText},
    {"log", kText},
    {"m4a", "audio/mp4"},
    {"md", kText},
    {"mjs", kText},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"msgpack", kBytes},
    {"npy", kBytes},
    {"npz", kBytes},
    {"ogg", "audio/ogg"},
    {"onnx", kBytes},
    {"parquet", kBytes},
    {"pdf", "application/pdf"},
    {"pkl", kBytes},
    {"png", "image/png"},
    {"pt", kBytes},
    {"pth", kBytes},
    {"py", kText},
    {"rs", kText},
    {"rst", kText},
    {"safetensors", kBytes},
    {"sh", kText},
    {"svg", kText},
    {"tar", "application/x-tar"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"toml", kText},
    {"ts", kText},
    {"tsv", kText},
    {"txt", kText},
    {"wav", "audio/wav"},
    {"webm", "video/webm"},
    {"webp", "image/webp"},
    {"xhtml", kText},
    {"xml", kText},
    {"yaml", kText},
    {"yml", kText},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
};
static_assert(std::is_sorted(std::begin(kExtensions), std::end(kExtensions),
                             [](const Extension& a, const Extension& b) {
                               return a.name < b.name;
                             }));

std::string_view FileName(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

std::optional<std::string_view> ContentTypeByName(std::string_view path) {
  std::string_view name = FileName(path);
  size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  std::string extension = AsciiLower(name.substr(dot + 1));
  auto found = std::lower_bound(
      std::begin(kExtensions), std::end(kExtensions), extension,
      [](const Extension& entry, const std::string& wanted) { return entry.name < wanted; });
  if (found == std::end(kExtensions) || found->name != extension) return std::nullopt;
  return found->type;
}

std::string_view ContentTypeOf(std::string_view path, std::optional<std::string_view> sample) {
  if (std::optional<std::string_view> type = ContentTypeByName(path)) return *type;
  if (sample && !hub::LooksBinary(sample->substr(0, 8000))) return kText;
  return kBytes;
}

std::string ContentDisposition(std::string_view kind, std::string_view path) {
  std::string_view name = FileName(path);
  std::string plain;
  for (unsigned char c : name) {
    bool safe = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
    plain += safe ? static_cast<char>(c) : '_';
  }
  return std::string(kind) + "; filename*=UTF-8''" + net::PercentEncode(name) + "; filename=\"" +
         plain + "\";";
}

}  // namespace hearth::server
