// .gitattributes and .gitignore, as far as the hub must know them (gitattributes(5), gitignore(5)).
//
// Repositories of images carry one literal line per file, so ten thousand rules times ten thousand
// files is an ordinary case: literal paths, literal names and "*.ext" patterns are hash lookups,
// and only true globs are walked.
#include <map>
#include <unordered_map>

#include "base/bytes.h"
#include "hub/commits.h"
#include "hub/internal/wildmatch.h"

namespace hearth::hub {
namespace {

// Far above any real file; what lies beyond is not read, so a hostile file costs bounded time.
constexpr size_t kMaxAttributesBytes = 8u << 20;
constexpr size_t kMaxGlobs = 1000;
constexpr size_t kMaxPatternBytes = 1024;

bool HasGlob(std::string_view pattern) {
  return pattern.find_first_of("*?[\\") != std::string_view::npos;
}

std::string_view BaseName(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// Undoes C-style quotes ("a b.bin", with \" \\ \t \ooo). Returns the pattern and moves *line after.
std::string TakePattern(std::string_view* line) {
  std::string pattern;
  if (line->empty() || line->front() != '"') {
    size_t end = line->find_first_of(" \t\r");
    pattern = std::string(line->substr(0, end));
    *line = end == std::string_view::npos ? std::string_view() : line->substr(end);
    return pattern;
  }
  size_t i = 1;
  for (; i < line->size() && (*line)[i] != '"'; ++i) {
    char c = (*line)[i];
    if (c != '\\' || i + 1 == line->size()) {
      pattern += c;
      continue;
    }
    c = (*line)[++i];
    if (c >= '0' && c <= '3' && i + 2 < line->size()) {
      pattern += static_cast<char>(((c - '0') << 6) | (((*line)[i + 1] - '0') << 3) |
                                   ((*line)[i + 2] - '0'));
      i += 2;
    } else {
      constexpr std::string_view kFrom = "abfnrtv";
      constexpr std::string_view kTo = "\a\b\f\n\r\t\v";
      size_t known = kFrom.find(c);
      pattern += known == std::string_view::npos ? c : kTo[known];
    }
  }
  *line = i < line->size() ? line->substr(i + 1) : std::string_view();
  return pattern;
}

}  // namespace

struct GitAttributes::Rules {
  struct Said {
    size_t order = 0;  // 1 = first line; 0 = nothing
    Lfs lfs = Lfs::kUnsaid;
  };
  struct Glob {
    WildPattern pattern;
    bool by_name;  // match the last part only
    Said said;
  };
  std::unordered_map<std::string, Said> paths;     // "dir/file.bin", "/file.bin"
  std::unordered_map<std::string, Said> names;     // "file.bin" in any folder
  std::unordered_map<std::string, Said> suffixes;  // ".bin" of "*.bin"
  std::vector<Glob> globs;
  std::map<std::string, Lfs, std::less<>> macros;

  void AddLine(std::string_view line, size_t order);
  void AddPattern(std::string pattern, Said said);
  std::optional<Lfs> Judge(std::string_view attributes) const;
};

// What the attributes after a pattern say about LFS; nullopt = nothing.
std::optional<GitAttributes::Lfs> GitAttributes::Rules::Judge(std::string_view attributes) const {
  std::optional<Lfs> said;
  while (true) {
    attributes = TrimAscii(attributes);
    if (attributes.empty()) return said;
    size_t end = attributes.find_first_of(" \t\r");
    std::string_view word = attributes.substr(0, end);
    attributes = end == std::string_view::npos ? std::string_view() : attributes.substr(end);
    if (word == "filter=lfs") {
      said = Lfs::kLfs;
    } else if (word == "-filter" || word == "!filter" || word == "filter" ||
               word.starts_with("filter=")) {
      said = Lfs::kNotLfs;
    } else if (auto macro = macros.find(word); macro != macros.end()) {
      said = macro->second;
    }
  }
}

void GitAttributes::Rules::AddPattern(std::string pattern, Said said) {
  bool anchored = pattern.find('/') != std::string::npos;
  if (pattern.starts_with('/')) pattern.erase(0, 1);
  if (!HasGlob(pattern)) {
    (anchored ? paths : names)[pattern] = said;
  } else if (!anchored && pattern.starts_with("*.") && !HasGlob(pattern.substr(1))) {
    suffixes[pattern.substr(1)] = said;
  } else if (globs.size() < kMaxGlobs) {
    globs.push_back({WildPattern(pattern), !anchored, said});
  }
}

void GitAttributes::Rules::AddLine(std::string_view line, size_t order) {
  line = TrimAscii(line);
  if (line.empty() || line.front() == '#' || line.front() == '!') return;
  if (line.starts_with("[attr]")) {
    line.remove_prefix(6);
    std::string name = TakePattern(&line);
    if (std::optional<Lfs> said = Judge(line)) macros[name] = *said;
    return;
  }
  std::string pattern = TakePattern(&line);
  // A pattern for folders says nothing about the files in them.
  if (pattern.empty() || pattern.size() > kMaxPatternBytes || pattern.ends_with('/')) return;
  if (std::optional<Lfs> said = Judge(line)) AddPattern(std::move(pattern), {order, *said});
}

GitAttributes GitAttributes::Parse(std::string_view text) {
  auto rules = std::make_shared<Rules>();
  text = text.substr(0, kMaxAttributesBytes);
  size_t order = 0;
  for (std::string_view line : Split(text, '\n')) rules->AddLine(line, ++order);
  GitAttributes attributes;
  attributes.rules_ = std::move(rules);
  return attributes;
}

GitAttributes::Lfs GitAttributes::LfsFor(std::string_view path) const {
  if (!rules_) return Lfs::kUnsaid;
  std::string_view name = BaseName(path);
  Rules::Said best;
  auto consider = [&](const Rules::Said& said) {
    if (said.order > best.order) best = said;
  };
  auto look_up = [&](const std::unordered_map<std::string, Rules::Said>& map,
                     std::string_view key) {
    if (map.empty()) return;
    if (auto found = map.find(std::string(key)); found != map.end()) consider(found->second);
  };
  look_up(rules_->paths, path);
  look_up(rules_->names, name);
  for (size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
    look_up(rules_->suffixes, name.substr(dot));
  }
  for (auto glob = rules_->globs.rbegin(); glob != rules_->globs.rend(); ++glob) {
    if (glob->said.order < best.order) break;  // globs are in line order
    if (glob->pattern.Matches(glob->by_name ? name : path)) {
      consider(glob->said);
      break;
    }
  }
  return best.lfs;
}

struct GitIgnore::Rules {
  struct Rule {
    WildPattern pattern;
    bool by_name, negated, folder_only;
  };
  std::vector<Rule> rules;

  // Does the last matching line ignore this very path (not its parents)?
  bool IgnoresExactly(std::string_view path, bool is_folder) const {
    for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
      if (rule->folder_only && !is_folder) continue;
      if (rule->pattern.Matches(rule->by_name ? BaseName(path) : path)) return !rule->negated;
    }
    return false;
  }
};

GitIgnore GitIgnore::Parse(std::string_view text) {
  auto rules = std::make_shared<Rules>();
  for (std::string_view line : Split(text.substr(0, kMaxAttributesBytes), '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
    if (line.empty() || line.front() == '#' || line.size() > kMaxPatternBytes) continue;
    if (rules->rules.size() >= kMaxGlobs) break;
    bool negated = line.front() == '!';
    if (negated) line.remove_prefix(1);
    bool folder_only = line.ends_with('/');
    if (folder_only) line.remove_suffix(1);
    bool anchored = line.find('/') != std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    if (line.empty()) continue;
    rules->rules.push_back({WildPattern(line), !anchored, negated, folder_only});
  }
  GitIgnore ignore;
  ignore.rules_ = std::move(rules);
  return ignore;
}

bool GitIgnore::Ignores(std::string_view path) const {
  if (!rules_ || rules_->rules.empty()) return false;
  // A file under an ignored folder cannot be taken back by a later '!' line.
  for (size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    if (rules_->IgnoresExactly(path.substr(0, slash), true)) return true;
  }
  return rules_->IgnoresExactly(path, false);
}

namespace {

// The lists of the wire reference, section 4.3, in its order.
constexpr std::string_view kCommonPatterns =
    "*.7z *.arrow *.bin *.bz2 *.ckpt *.ftz *.gz *.h5 *.joblib *.lfs.* *.mlmodel *.model *.msgpack "
    "*.npy *.npz *.onnx *.ot *.parquet *.pb *.pickle *.pkl *.pt *.pth *.rar *.safetensors "
    "saved_model/**/* *.tar.* *.tar *.tflite *.tgz *.wasm *.xz *.zip *.zst *tfevents*";
constexpr std::string_view kDatasetPatterns =
    " *.lz4 *.mds *.pcm *.sam *.raw *.aac *.flac *.mp3 *.ogg *.wav *.bmp *.gif *.png *.tiff *.jpg "
    "*.jpeg *.webp *.mp4 *.webm";
constexpr std::string_view kLfsAttributes = " filter=lfs diff=lfs merge=lfs -text";

std::string MakeAttributes(std::string_view patterns) {
  std::string text;
  for (std::string_view pattern : Split(patterns, ' ')) {
    text += pattern;
    text += kLfsAttributes;
    text += '\n';
  }
  return text;
}

}  // namespace

std::string_view DefaultGitAttributes(RepoType type) {
  static const std::string common = MakeAttributes(kCommonPatterns);
  static const std::string dataset =
      MakeAttributes(std::string(kCommonPatterns) + std::string(kDatasetPatterns));
  return type == RepoType::kDataset ? dataset : common;
}

std::string LfsAttributesLine(std::string_view path) {
  std::string pattern;
  bool quote = path.starts_with('"') || path.starts_with('#') || path.starts_with('!') ||
               path.starts_with("[attr]");
  for (char c : path) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') pattern += '\\';
    if (c == ' ' || c == '\t') quote = true;
    pattern += c;
  }
  // A quoted pattern may still not start with '!' (git forbids negative ones).
  if (path.starts_with('!') || path.starts_with('#')) pattern.insert(0, "\\");
  if (quote) {
    std::string quoted = "\"";
    for (char c : pattern) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    pattern = quoted + '"';
  }
  return pattern + std::string(kLfsAttributes);
}

}  // namespace hearth::hub
