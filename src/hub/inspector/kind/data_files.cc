#include "hub/inspector/kind/data_files.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::inspector {
namespace {

constexpr size_t kHeadBytes = 64u << 10;

// Settings that are no rows, whatever their ending.
bool IsSettings(std::string_view name) {
  static constexpr std::string_view kNames[] = {"dataset_infos.json",
                                                "dataset_info.json",
                                                "dataset_dict.json",
                                                "state.json",
                                                "package.json",
                                                "config.json",
                                                "tsconfig.json",
                                                "requirements.txt",
                                                "croissant.json",
                                                "license.txt",
                                                "licence.txt",
                                                "readme.txt",
                                                "package-lock.json",
                                                "tokenizer.json",
                                                "vocab.json",
                                                "robots.txt",
                                                "citation.txt",
                                                "packages.txt",
                                                "cmakelists.txt",
                                                "adapter_config.json",
                                                "model_index.json",
                                                "modules.json",
                                                "vocab.txt",
                                                "merges.txt",
                                                "all_results.json",
                                                "train_results.json",
                                                "eval_results.json",
                                                "trainer_state.json",
                                                "generation_config.json",
                                                "tokenizer_config.json",
                                                "special_tokens_map.json",
                                                "added_tokens.json",
                                                "preprocessor_config.json",
                                                "processor_config.json",
                                                "chat_template.json",
                                                "quantize_config.json"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames) ||
         name.starts_with(".");
}

bool EndsWithAny(std::string_view text, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [text](std::string_view ending) { return text.ends_with(ending); });
}

bool IsPacked(std::string_view name) { return EndsWithAny(name, {".gz", ".zst", ".bz2", ".xz"}); }

std::string_view WithoutPacking(std::string_view name) {
  return IsPacked(name) ? name.substr(0, name.rfind('.')) : name;
}

// A word of the path between separators.
bool HasWord(std::string_view path, std::string_view word) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  for (size_t at = path.find(word); at != std::string_view::npos; at = path.find(word, at + 1)) {
    bool begins = at == 0 || !letter(path[at - 1]);
    size_t end = at + word.size();
    if (begins && (end >= path.size() || !letter(path[end]))) return true;
  }
  return false;
}

std::string CheckText(std::string_view head, DataFormat format) {
  if (head.find('\0') != std::string_view::npos) return "it is not text";
  std::string_view trimmed = TrimAscii(head);
  if (trimmed.starts_with("\xEF\xBB\xBF")) trimmed.remove_prefix(3);
  if (trimmed.empty()) return "it is empty";
  std::string_view line = trimmed.substr(0, trimmed.find('\n'));
  if (format == DataFormat::kJsonLines) {
    // A row longer than the head cannot be judged by it.
    if (line.size() + 1 >= head.size() && head.size() == kHeadBytes) return {};
    try {
      Json::Parse(TrimAscii(line));
      return {};
    } catch (const Error&) {
      return "its first line is not JSON";
    }
  }
  if (format == DataFormat::kJson)
    return trimmed[0] == '[' || trimmed[0] == '{' ? "" : "it is not JSON";
  if (format == DataFormat::kCsv) {
    bool html = trimmed.starts_with("<");
    bool rows = trimmed.find('\n') != std::string_view::npos;
    return html || !rows ? "it has no rows" : "";
  }
  return {};
}

bool StartsAny(std::string_view head, std::initializer_list<std::string_view> marks) {
  return std::any_of(marks.begin(), marks.end(),
                     [head](std::string_view mark) { return head.starts_with(mark); });
}

std::string CheckMedia(std::string_view head) {
  using namespace std::string_view_literals;
  bool known = StartsAny(head, {"\x89PNG"sv, "\xFF\xD8\xFF"sv, "GIF8"sv, "RIFF"sv, "ID3"sv,
                                "fLaC"sv, "OggS"sv, "BM"sv, "\xFF\xFB"sv, "\xFF\xF3"sv, "II*\0"sv,
                                "MM\0*"sv, "\x1A\x45\xDF\xA3"sv}) ||
               (head.size() > 8 && head.substr(4, 4) == "ftyp");
  return known ? "" : "it is no image, sound or film";
}

}  // namespace

DataFormat DataFormatOf(std::string_view path) {
  std::string lower = AsciiLower(path);
  std::string_view name = BaseName(lower);
  if (IsSettings(name)) return DataFormat::kNone;
  name = WithoutPacking(name);
  if (name.ends_with(".parquet")) return DataFormat::kParquet;
  if (EndsWithAny(name, {".csv", ".tsv"})) return DataFormat::kCsv;
  if (EndsWithAny(name, {".jsonl", ".ndjson"})) return DataFormat::kJsonLines;
  if (name.ends_with(".json")) return DataFormat::kJson;
  if (EndsWithAny(name, {".arrow", ".feather"})) return DataFormat::kArrow;
  if (name.ends_with(".txt")) return DataFormat::kText;
  if (EndsWithAny(name, {".tar", ".zip"})) return DataFormat::kTar;
  // Pictures of a card lie on top; those of a data set in folders.
  bool media = EndsWithAny(name, {".jpg", ".jpeg", ".png", ".webp", ".wav", ".mp3", ".flac", ".ogg",
                                  ".mp4", ".tif", ".tiff", ".bmp"});
  bool folder = lower.find('/') != std::string::npos && !lower.starts_with("assets/") &&
                !lower.starts_with("images/") && !lower.starts_with("img/") &&
                !lower.starts_with("figures/") && !lower.starts_with("docs/");
  return media && folder ? DataFormat::kMedia : DataFormat::kNone;
}

std::string DataFormatName(DataFormat format) {
  constexpr const char* kNames[] = {"none",  "parquet", "csv", "json lines", "json",
                                    "arrow", "text",    "tar", "media"};
  return kNames[static_cast<size_t>(format)];
}

std::string SplitOf(std::string_view path) {
  std::string lower = AsciiLower(path);
  for (std::string_view word : {"validation", "valid", "val", "dev"}) {
    if (HasWord(lower, word)) return "validation";
  }
  for (std::string_view word : {"test", "testing", "eval", "evaluation"}) {
    if (HasWord(lower, word)) return "test";
  }
  return "train";
}

std::string CheckDataFile(const Survey& survey, const std::string& path, DataFormat format) {
  std::string head = survey.Head(path, kHeadBytes);
  if (head.empty()) return "it is empty or cannot be read";
  if (IsPacked(path)) {
    bool packed = StartsAny(head, {"\x1F\x8B", "\x28\xB5\x2F\xFD", "BZh",
                                   "\xFD"
                                   "7zXZ"});
    return packed ? "" : "it is not packed as its name says";
  }
  switch (format) {
    case DataFormat::kParquet: {
      // "PAR1" at both ends: https://parquet.apache.org/docs/file-format/
      if (!head.starts_with("PAR1")) return "it is not parquet";
      std::unique_ptr<ByteSource> source = survey.repo().Open(path);
      uint64_t size = source->size_bytes();
      return size >= 12 && source->Read(size - 4, 4) == "PAR1" ? "" : "its end is missing";
    }
    case DataFormat::kArrow:
      return StartsAny(head, {"ARROW1", "\xFF\xFF\xFF\xFF", "FEA1"}) ? "" : "it is not Arrow";
    case DataFormat::kTar:
      return head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06") ||
                     (head.size() > 262 && head.substr(257, 5) == "ustar")
                 ? ""
                 : "it is no archive";
    case DataFormat::kMedia:
      return CheckMedia(head);
    default:
      return CheckText(head, format);
  }
}

namespace {

// One pattern without braces; "**" crosses folders, "*" and "?" do not. Iterative, so that stars
// cannot multiply: remembered per pattern position, which positions of the path are reachable.
bool GlobMatchesPlain(std::string_view pattern, std::string_view path) {
  std::vector<char> reached(path.size() + 1, 0), next(path.size() + 1, 0);
  reached[0] = 1;
  for (size_t i = 0; i < pattern.size(); ++i) {
    std::fill(next.begin(), next.end(), 0);
    if (pattern[i] == '*') {
      bool deep = i + 1 < pattern.size() && pattern[i + 1] == '*';
      // "**/" also stands for no folder at all.
      bool skips = deep && i + 2 < pattern.size() && pattern[i + 2] == '/';
      char open = 0;
      for (size_t at = 0; at <= path.size(); ++at) {
        if (at > 0 && path[at - 1] == '/' && !deep) open = 0;
        if (reached[at]) open = 1;
        bool border = at == 0 || path[at - 1] == '/';
        next[at] = skips ? static_cast<char>((open && border) || reached[at]) : open;
      }
      i += skips ? 2 : deep ? 1 : 0;
    } else {
      for (size_t at = 0; at < path.size(); ++at) {
        bool fits = pattern[i] == '?' ? path[at] != '/' : pattern[i] == path[at];
        if (reached[at] && fits) next[at + 1] = 1;
      }
    }
    std::swap(reached, next);
  }
  return reached[path.size()] != 0;
}

}  // namespace

bool GlobMatches(std::string_view pattern, std::string_view path) {
  if (pattern.size() > 1000 || path.size() > 4096) return false;
  if (pattern.starts_with("./")) pattern.remove_prefix(2);
  size_t open = pattern.find('{');
  size_t close = pattern.find('}', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) {
    // A folder stands for all that is below it.
    if (!pattern.empty() && pattern.find('*') == std::string_view::npos &&
        path.starts_with(pattern) &&
        (pattern.back() == '/' || path.substr(pattern.size()).starts_with("/")))
      return true;
    return GlobMatchesPlain(pattern, path);
  }
  // One group; a second one is taken as it is written.
  std::string_view inside = pattern.substr(open + 1, close - open - 1);
  for (std::string_view choice : Split(inside, ',')) {
    std::string whole(pattern.substr(0, open));
    whole += choice;
    whole += pattern.substr(close + 1);
    if (GlobMatchesPlain(whole, path)) return true;
  }
  return false;
}

}  // namespace hearth::inspector
