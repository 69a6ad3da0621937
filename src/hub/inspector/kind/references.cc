// A reader of code that knows words, strings and brackets, and nothing else: enough to find
// `from_pretrained("ns/name", revision="v1")` in Python and JavaScript alike, without running or
// fully understanding either. What it finds is inferred, never proved.
#include "hub/inspector/kind/references.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/bytes.h"

namespace hearth::inspector {
namespace {

constexpr size_t kMaxReferences = 200;
constexpr size_t kMaxTokens = 500'000;
constexpr size_t kMaxArguments = 60;     // tokens of one call that are looked at: 10 arguments
constexpr size_t kMaxStringBytes = 500;  // longer ones are texts

bool IsIdCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || (c & 0x80) != 0;
}

struct Token {
  enum class Kind { kName, kString, kOther } kind = Kind::kOther;
  std::string text;  // of a string: its content; of kOther: one character
  size_t line = 1;
  bool open = false;  // a string with holes: f"...", `${...}`
};

class Lexer {
 public:
  Lexer(std::string_view code, CodeLanguage language) : rest_(code), language_(language) {}

  std::vector<Token> Run() {
    std::vector<Token> tokens;
    while (!rest_.empty() && tokens.size() < kMaxTokens) {
      char c = rest_[0];
      if (c == '\n') ++line_;
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        rest_.remove_prefix(1);
      } else if (SkipComment()) {
        continue;
      } else if (c == '"' || c == '\'' || (c == '`' && language_ == CodeLanguage::kScript)) {
        tokens.push_back(String({}));
      } else if (IsNameCharacter(c)) {
        tokens.push_back(Name());
      } else {
        tokens.push_back({Token::Kind::kOther, std::string(1, c), line_, false});
        rest_.remove_prefix(1);
      }
    }
    return tokens;
  }

 private:
  void Skip(size_t bytes) {
    bytes = std::min(bytes, rest_.size());
    line_ += static_cast<size_t>(
        std::count(rest_.begin(), rest_.begin() + static_cast<ptrdiff_t>(bytes), '\n'));
    rest_.remove_prefix(bytes);
  }

  bool SkipComment() {
    if (language_ == CodeLanguage::kPython && rest_[0] == '#') {
      Skip(rest_.find('\n'));
      return true;
    }
    if (language_ != CodeLanguage::kScript) return false;
    if (rest_.starts_with("//")) {
      Skip(rest_.find('\n'));
    } else if (rest_.starts_with("/*")) {
      size_t end = rest_.find("*/", 2);
      Skip(end == std::string_view::npos ? end : end + 2);
    } else if (rest_.starts_with("<!--")) {
      size_t end = rest_.find("-->", 4);
      Skip(end == std::string_view::npos ? end : end + 3);
    } else {
      return false;
    }
    return true;
  }

  // A name, or the prefix of a string with it: f"...".
  Token Name() {
    size_t end = 0;
    while (end < rest_.size() && IsNameCharacter(rest_[end])) ++end;
    std::string name(rest_.substr(0, end));
    Token token{Token::Kind::kName, name, line_, false};
    rest_.remove_prefix(end);
    bool prefix = language_ == CodeLanguage::kPython && name.size() <= 2 && !rest_.empty() &&
                  (rest_[0] == '"' || rest_[0] == '\'') &&
                  name.find_first_not_of("rRbBuUfF") == std::string::npos;
    return prefix ? String(name) : token;
  }

  Token String(std::string_view prefix) {
    Token token{Token::Kind::kString, {}, line_, false};
    bool format = prefix.find_first_of("fF") != std::string_view::npos;
    char quote = rest_[0];
    std::string mark(1, quote);
    bool triple = language_ == CodeLanguage::kPython && rest_.starts_with(std::string(3, quote));
    if (triple) mark = std::string(3, quote);
    Skip(mark.size());
    size_t at = 0;
    while (at < rest_.size() && !rest_.substr(at).starts_with(mark)) {
      // Only strings of several lines go on behind the end of one.
      if (rest_[at] == '\n' && !triple && quote != '`') break;
      at += rest_[at] == '\\' ? 2 : 1;
    }
    at = std::min(at, rest_.size());
    token.text = std::string(rest_.substr(0, std::min(at, kMaxStringBytes)));
    token.open = at > kMaxStringBytes || (format && token.text.find('{') != std::string::npos) ||
                 (quote == '`' && token.text.find("${") != std::string::npos);
    bool closed = rest_.substr(at).starts_with(mark);
    Skip(at + (closed ? mark.size() : 0));
    return token;
  }

  std::string_view rest_;
  CodeLanguage language_;
  size_t line_ = 1;
};

// A call that loads: where the id stands in it, and of what type it is.
struct Loader {
  std::string_view name;
  std::string_view type;
  int position;           // of the id among the arguments without a name; -1 = named only
  std::string_view keys;  // names of the argument, separated by '|'
  bool one_part;          // takes names without an owner
};
constexpr Loader kLoaders[] = {
    {"from_pretrained", "model", 0,
     "pretrained_model_name_or_path|repo_id|model_id|model_name|pretrained_model_or_path", true},
    {"from_single_file", "model", 0, "pretrained_model_link_or_path", false},
    {"pipeline", "model", 1, "model", true},
    {"SentenceTransformer", "model", 0, "model_name_or_path", false},
    {"CrossEncoder", "model", 0, "model_name_or_path|model_name", false},
    {"SparseEncoder", "model", 0, "model_name_or_path", false},
    {"InferenceClient", "model", 0, "model", false},
    {"AsyncInferenceClient", "model", 0, "model", false},
    {"hf_hub_download", "model", 0, "repo_id", false},
    {"hf_hub_url", "model", 0, "repo_id", false},
    {"snapshot_download", "model", 0, "repo_id", false},
    {"load_dataset", "dataset", 0, "path", true},
    {"load_lora_weights", "model", 0, "pretrained_model_name_or_path_or_dict", false},
    {"load_adapter", "model", 0, "peft_model_id", false},
    {"load_ip_adapter", "model", 0, "", false},
    {"from_hub", "model", 0, "repo_id", false},
    {"load_from_hub", "model", 0, "repo_id", false},
    {"LLM", "model", 0, "model", false},
    {"WhisperModel", "model", 0, "model_size_or_path", false},
    {"Client", "space", 0, "src|space", false},
    {"load", "", 0, "name", false},  // gradio: models/ns/name
    {"chat_completion", "model", -1, "model", false},
    {"text_generation", "model", -1, "model", false},
    {"text_to_image", "model", -1, "model", false},
    {"create", "model", -1, "model", false},
};

const Loader* FindLoader(std::string_view name) {
  for (const Loader& loader : kLoaders) {
    if (loader.name == name) return &loader;
  }
  return nullptr;
}

// One argument: a name (or ""), and its value where that is one string or one name.
struct Argument {
  std::string key;
  const Token* value = nullptr;
};

class CodeScanner {
 public:
  CodeScanner(std::string_view code, CodeLanguage language, const std::string& file)
      : tokens_(Lexer(code, language).Run()), file_(file) {}

  std::vector<Reference> Run() {
    CollectNames();
    for (size_t at = 0; at + 1 < tokens_.size() && found_.size() < kMaxReferences; ++at) {
      if (tokens_[at].kind != Token::Kind::kName || !IsMark(at + 1, '(')) continue;
      if (const Loader* loader = FindLoader(tokens_[at].text)) Call(*loader, at);
    }
    return std::move(found_);
  }

 private:
  bool IsMark(size_t at, char mark) const {
    return at < tokens_.size() && tokens_[at].kind == Token::Kind::kOther &&
           tokens_[at].text[0] == mark;
  }

  // NAME = "text", also with const, an annotation, or os.getenv("X", "text") on the right.
  void CollectNames() {
    for (size_t at = 0; at + 2 < tokens_.size(); ++at) {
      if (tokens_[at].kind != Token::Kind::kName) continue;
      size_t equals = at + 1;
      if (IsMark(equals, ':') && tokens_[at + 2].kind == Token::Kind::kName) equals = at + 3;
      if (!IsMark(equals, '=') || equals + 1 >= tokens_.size()) continue;
      const Token* value = &tokens_[equals + 1];
      if (value->kind == Token::Kind::kName) value = Default(equals + 1);
      bool text = value != nullptr && value->kind == Token::Kind::kString && !value->open;
      // The first one stands at the top, where constants are.
      if (text) names_.emplace(tokens_[at].text, value);
    }
  }

  // os.getenv("X", "text"), os.environ.get("X", "text")
  const Token* Default(size_t at) const {
    if (tokens_[at].text != "os") return nullptr;
    size_t end = std::min(at + 12, tokens_.size());
    for (size_t i = at; i + 4 < end; ++i) {
      if (IsMark(i, '(') && tokens_[i + 1].kind == Token::Kind::kString && IsMark(i + 2, ',') &&
          tokens_[i + 3].kind == Token::Kind::kString && IsMark(i + 4, ')'))
        return &tokens_[i + 3];
    }
    return nullptr;
  }

  const Token* Value(const Token* token) const {
    if (token->kind == Token::Kind::kString) return token->open ? nullptr : token;
    auto named = names_.find(token->text);
    return named == names_.end() ? nullptr : named->second;
  }

  // The arguments of a call whose bracket is at `open`. Objects of JavaScript count as named ones.
  std::vector<Argument> Arguments(size_t open) const {
    std::vector<Argument> arguments;
    int depth = 0;
    size_t end = std::min(tokens_.size(), open + 1 + kMaxArguments);
    size_t begin = open + 1;
    for (size_t at = open; at < end; ++at) {
      const Token& token = tokens_[at];
      if (token.kind != Token::Kind::kOther) continue;
      char mark = token.text[0];
      // The braces of an object belong to the call.
      bool opens = mark == '(' || mark == '[';
      bool closes = mark == ')' || mark == ']';
      if (opens) ++depth;
      bool last = closes && --depth == 0;
      if ((mark == ',' && depth == 1) || last) {
        AddArgument(begin, at, &arguments);
        begin = at + 1;
      }
      if (last) break;
    }
    return arguments;
  }

  void AddArgument(size_t begin, size_t end, std::vector<Argument>* arguments) const {
    while (begin < end && (IsMark(begin, '{') || IsMark(begin, '}'))) ++begin;
    while (end > begin && IsMark(end - 1, '}')) --end;
    if (begin >= end) return;
    Argument argument;
    bool named = end - begin >= 3 && tokens_[begin].kind != Token::Kind::kOther &&
                 (IsMark(begin + 1, '=') || IsMark(begin + 1, ':'));
    if (named) {
      argument.key = tokens_[begin].text;
      begin += 2;
    }
    if (end - begin == 1 && tokens_[begin].kind != Token::Kind::kOther)
      argument.value = &tokens_[begin];
    arguments->push_back(std::move(argument));
  }

  static bool Lists(std::string_view keys, std::string_view key) {
    std::vector<std::string_view> names = Split(keys, '|');
    return !key.empty() && std::find(names.begin(), names.end(), key) != names.end();
  }

  void Call(const Loader& loader, size_t at) {
    // `def from_pretrained(` declares, it does not load.
    bool declares = at > 0 && tokens_[at - 1].kind == Token::Kind::kName &&
                    (tokens_[at - 1].text == "def" || tokens_[at - 1].text == "function" ||
                     tokens_[at - 1].text == "class");
    if (declares) return;
    const Token* id = nullptr;
    std::string revision, type(loader.type);
    int position = 0;
    for (const Argument& argument : Arguments(at + 1)) {
      const Token* value = argument.value == nullptr ? nullptr : Value(argument.value);
      if (argument.key.empty()) {
        // PeftModel.from_pretrained(base, "ns/adapter"): the model object comes first.
        bool second = loader.name == "from_pretrained" && position == 1 && id == nullptr;
        if (value != nullptr && (position == loader.position || second)) id = value;
        ++position;
      } else if (value != nullptr && Lists(loader.keys, argument.key)) {
        id = value;
      } else if (value != nullptr && argument.key == "revision") {
        revision = value->text;
      } else if (value != nullptr && (argument.key == "repo_type" || argument.key == "type")) {
        bool known = value->text == "dataset" || value->text == "space" || value->text == "model";
        if (known) type = value->text;
      }
    }
    if (id != nullptr) Add(loader, std::move(type), id->text, std::move(revision), at);
  }

  void Add(const Loader& loader, std::string type, std::string id, std::string revision,
           size_t at) {
    if (loader.name == "load") {
      if (!TakeGradioPrefix(&id, &type)) return;
    } else if (loader.name == "Client" && id.find("://") != std::string::npos) {
      return;
    }
    if (!IsRepoId(id, loader.one_part)) return;
    found_.push_back({.role = type,
                      .type = type,
                      .id = std::move(id),
                      .revision = std::move(revision),
                      .level = Level::kInferred,
                      .evidence = {.file = file_,
                                   .place = "line " + std::to_string(tokens_[at].line),
                                   .rule = "loaded by " + std::string(loader.name),
                                   .repo = ""}});
  }

  static bool TakeGradioPrefix(std::string* id, std::string* type) {
    for (auto [prefix, of] : {std::pair<std::string_view, const char*>{"models/", "model"},
                              {"huggingface/", "model"},
                              {"spaces/", "space"}}) {
      if (!id->starts_with(prefix)) continue;
      *id = id->substr(prefix.size());
      *type = of;
      return true;
    }
    return false;
  }

  std::vector<Token> tokens_;
  const std::string& file_;
  std::unordered_map<std::string, const Token*> names_;
  std::vector<Reference> found_;
};

// --- commands

// `hf download ns/name --revision v1 --repo-type dataset`, `git clone https://.../ns/name`.
class CommandScanner {
 public:
  CommandScanner(std::string_view code, const std::string& file) : code_(code), file_(file) {}

  std::vector<Reference> Run() {
    size_t line = 1;
    std::string joined;
    size_t first = 1;
    for (std::string_view text : Split(code_, '\n')) {
      if (joined.empty()) first = line;
      ++line;
      text = TrimAscii(text);
      if (text.starts_with("#")) continue;
      // A backslash goes on in the next line; commands are short.
      bool more = text.ends_with("\\") && joined.size() < 4096;
      joined += text.substr(0, text.size() - (more ? 1 : 0));
      joined += ' ';
      if (more) continue;
      Command(joined, first);
      joined.clear();
      if (found_.size() >= kMaxReferences) break;
    }
    return std::move(found_);
  }

 private:
  void Command(std::string_view text, size_t line) {
    std::vector<std::string_view> words;
    for (std::string_view word : Split(text, ' ')) {
      word = TrimAscii(word);
      while (!word.empty() && (word.front() == '"' || word.front() == '\'')) word.remove_prefix(1);
      while (!word.empty() && (word.back() == '"' || word.back() == '\'' || word.back() == ';'))
        word.remove_suffix(1);
      if (!word.empty()) words.push_back(word);
    }
    for (size_t at = 0; at + 1 < words.size(); ++at) {
      bool tool = words[at] == "hf" || words[at] == "huggingface-cli";
      if (tool && words[at + 1] == "download") Download(words, at + 2, line);
      if (words[at] == "git" && words[at + 1] == "clone") Clone(words, at + 2, line);
    }
  }

  void Download(const std::vector<std::string_view>& words, size_t at, size_t line) {
    std::string id, revision, type = "model";
    for (; at < words.size() && words[at] != "&&" && words[at] != "|"; ++at) {
      bool value = at + 1 < words.size();
      if (words[at] == "--revision" && value) {
        revision = std::string(words[++at]);
      } else if (words[at] == "--repo-type" && value) {
        type = std::string(words[++at]);
      } else if (words[at].starts_with("--")) {
        bool flag = words[at].find('=') != std::string_view::npos || words[at] == "--quiet";
        if (!flag && value) ++at;
      } else if (id.empty()) {
        id = std::string(words[at]);
      }
    }
    Add(std::move(type), std::move(id), std::move(revision), line);
  }

  void Clone(const std::vector<std::string_view>& words, size_t at, size_t line) {
    for (; at < words.size() && words[at] != "&&"; ++at) {
      for (std::string_view host : {"huggingface.co/", "hf.co/"}) {
        size_t found = words[at].find(host);
        if (found == std::string_view::npos) continue;
        std::string_view path = words[at].substr(found + host.size());
        std::string type = "model";
        if (path.starts_with("datasets/")) type = "dataset";
        if (path.starts_with("spaces/")) type = "space";
        if (type != "model") path.remove_prefix(path.find('/') + 1);
        if (path.ends_with(".git")) path.remove_suffix(4);
        Add(std::move(type), std::string(path), "", line);
        return;
      }
    }
  }

  void Add(std::string type, std::string id, std::string revision, size_t line) {
    bool known = type == "model" || type == "dataset" || type == "space";
    if (!known || !IsRepoId(id, false)) return;
    found_.push_back({.role = type,
                      .type = type,
                      .id = std::move(id),
                      .revision = std::move(revision),
                      .level = Level::kInferred,
                      .evidence = {.file = file_,
                                   .place = "line " + std::to_string(line),
                                   .rule = "fetched by a command",
                                   .repo = ""}});
  }

  std::string_view code_;
  const std::string& file_;
  std::vector<Reference> found_;
};

}  // namespace

std::string_view StateName(ReferenceState state) {
  switch (state) {
    case ReferenceState::kHere:
      return "here";
    case ReferenceState::kNotHere:
      return "not_here";
    case ReferenceState::kNoRevision:
      return "no_revision";
    case ReferenceState::kUnknown:
      break;
  }
  return "unknown";
}

std::vector<Reference> ScanCode(std::string_view code, CodeLanguage language,
                                const std::string& file) {
  if (language == CodeLanguage::kShell) return CommandScanner(code, file).Run();
  return CodeScanner(code, language, file).Run();
}

bool IsRepoId(std::string_view text, bool one_part) {
  if (text.empty() || text.size() > 193) return false;
  size_t slash = text.find('/');
  if (slash == std::string_view::npos && !one_part) return false;
  for (std::string_view part : Split(text, '/')) {
    bool sound = !part.empty() && part.size() <= 96 && part.front() != '.' && part.front() != '-' &&
                 part.back() != '.' && part.back() != '-' &&
                 std::all_of(part.begin(), part.end(), IsIdCharacter);
    if (!sound) return false;
  }
  // Files, and folders of a disk.
  for (std::string_view ending : {".py", ".json", ".safetensors", ".bin", ".pt", ".txt", ".csv"}) {
    if (text.ends_with(ending)) return false;
  }
  return std::count(text.begin(), text.end(), '/') <= 1 && !text.starts_with("./");
}

}  // namespace hearth::inspector
