// Chat templates are Jinja. Engines run them in a sandbox, and sandboxes have had holes: what an
// honest template never needs is a way from a value to Python's classes and modules.
#include <algorithm>

#include "base/bytes.h"
#include "formats/scan/internal/scan_context.h"
#include "formats/scan/internal/template_code.h"

namespace hearth {
namespace {

constexpr std::string_view kAdvice =
    "chat templates do not need this: render it only in a sandbox, or not at all";

// The parts between {{ }} and {% %} by their marks alone, as laxer engines find them.
std::string CodeParts(std::string_view text) {
  std::string code;
  for (size_t at = 0; at < text.size();) {
    size_t open = text.find('{', at);
    if (open == std::string_view::npos || open + 1 >= text.size()) break;
    if (text[open + 1] != '{' && text[open + 1] != '%') {
      at = open + 1;
      continue;
    }
    size_t close = text.find(text[open + 1] == '{' ? "}}" : "%}", open + 2);
    if (close == std::string_view::npos) close = text.size();
    code.append(text.substr(open + 2, close - open - 2)).push_back('\n');
    at = close;
  }
  return code;
}

struct Pattern {
  std::string_view text;
  Severity severity;
  std::string_view what;
};

constexpr Pattern kPatterns[] = {
    {"__class__", Severity::kDangerous, "reaches for the class of a value"},
    {"__mro__", Severity::kDangerous, "reaches for the bases of a class"},
    {"__bases__", Severity::kDangerous, "reaches for the bases of a class"},
    {"__base__", Severity::kDangerous, "reaches for the base of a class"},
    {"__subclasses__", Severity::kDangerous, "lists the classes of the process"},
    {"__globals__", Severity::kDangerous, "reaches for a function's globals"},
    {"__builtins__", Severity::kDangerous, "reaches for Python's built-in functions"},
    {"__import__", Severity::kDangerous, "imports a module"},
    {"__init__", Severity::kDangerous, "reaches for a constructor"},
    {"__code__", Severity::kDangerous, "reaches for a function's code"},
    {"__dict__", Severity::kDangerous, "reaches for the attributes of a value"},
    {"__getattribute__", Severity::kDangerous, "reaches for attributes by name"},
    {"__getitem__", Severity::kDangerous, "reaches for items by a method"},
    {"__reduce", Severity::kDangerous, "reaches for the pickle of a value"},
    {"__self__", Severity::kDangerous, "reaches for the object of a method"},
    {"_TemplateReference__context", Severity::kDangerous, "reaches for the template's context"},
    {"func_globals", Severity::kDangerous, "reaches for a function's globals"},
    {"gi_frame", Severity::kDangerous, "reaches for a frame"},
    {"gi_code", Severity::kDangerous, "reaches for code"},
    {"f_globals", Severity::kDangerous, "reaches for a frame's globals"},
    {"popen", Severity::kDangerous, "starts a process"},
    {"os.system", Severity::kDangerous, "starts a process"},
    {"subprocess", Severity::kDangerous, "starts a process"},
    {"lipsum", Severity::kDangerous, "uses a global that leads to Python's modules"},
    {"cycler", Severity::kSuspicious, "uses a global that leads to Python's modules"},
    {"joiner", Severity::kSuspicious, "uses a global that leads to Python's modules"},
    {"request.application", Severity::kDangerous, "reaches for a web framework"},
    {"get_flashed_messages", Severity::kDangerous, "reaches for a web framework"},
    {"url_for", Severity::kDangerous, "reaches for a web framework"},
    {".mro(", Severity::kDangerous, "reaches for the bases of a class"},
};

// Underscores that wait to be joined: '_'*2, "__" ~ name.
bool HasLoneUnderscores(std::string_view code) {
  for (std::string_view literal :
       {"'__'", "\"__\"", "'_'*2", "\"_\"*2", "'_' * 2", "\"_\" * 2", "'_'~'_'", "\"_\"~\"_\"",
        "'_' ~ '_'", "\"_\" ~ \"_\"", "'_'+'_'", "'_' + '_'"}) {
    if (code.find(literal) != std::string_view::npos) return true;
  }
  return false;
}

// replace('@', '_'): a text without underscores becomes a name of Python's insides.
bool MakesUnderscores(std::string_view code) {
  constexpr size_t kFurthest = 200;
  for (size_t at = code.find("replace("); at != std::string_view::npos;
       at = code.find("replace(", at + 1)) {
    std::string_view arguments = code.substr(at + 8, kFurthest);
    size_t comma = arguments.find_first_of(",)");
    // A comma or a bracket may itself be what is replaced.
    if (comma < 2) comma = arguments.find(',', comma + 1);
    if (comma == std::string_view::npos || arguments[comma] != ',') continue;
    std::string_view with = arguments.substr(comma + 1);
    while (with.starts_with(' ')) with.remove_prefix(1);
    if (!with.starts_with('\'') && !with.starts_with('"')) continue;
    size_t end = with.find_first_not_of('_', 1);
    if (end != std::string_view::npos && end > 1 && with[end] == with[0]) return true;
  }
  return false;
}

bool IsNameByte(char c) {
  return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

// Half a name of Python's insides as a name: dict(__cla=1, ss__=1)|join.
bool HasHalfName(std::string_view code) {
  for (size_t begin = 0; begin < code.size();) {
    if (!IsNameByte(code[begin])) {
      ++begin;
      continue;
    }
    size_t end = begin;
    while (end < code.size() && IsNameByte(code[end])) ++end;
    std::string_view name = code.substr(begin, end - begin);
    if (name.size() > 2 && name.starts_with("__") != name.ends_with("__")) return true;
    begin = end;
  }
  return false;
}

// A statement word at the start of a {% %} part.
bool HasStatement(std::string_view code, std::string_view word) {
  for (std::string_view line : Split(code, '\n')) {
    while (!line.empty() && (line[0] == '-' || line[0] == '+' || line[0] == ' '))
      line.remove_prefix(1);
    if (line.substr(0, word.size()) == word &&
        (line.size() == word.size() || line[word.size()] == ' '))
      return true;
  }
  return false;
}

}  // namespace

std::vector<ScanFinding> ScanTemplate(std::string_view text, std::string_view path) {
  std::vector<ScanFinding> findings;
  auto add = [&](Severity severity, std::string evidence, uint64_t offset) {
    findings.push_back({severity, "template", std::string(path), offset, std::move(evidence),
                        std::string(kAdvice)});
  };
  std::vector<TemplatePart> parts = ReadTemplateParts(text);
  std::string code = CodeParts(text);
  for (const TemplatePart& part : parts) code.append(part.source).push_back('\n');
  std::string decoded = DecodeTemplateEscapes(code);
  // Adjacent literals joined: '__cla' ~ 'ss__', '__cla' 'ss__', '__cla' + 'ss__'.
  std::string joined;
  for (char c : decoded) {
    bool glue = c == '\'' || c == '"' || c == '~' || c == '+' || c == ' ' || c == '(' || c == ')' ||
                c == '[' || c == ']' || c == ',';
    if (!glue) joined.push_back(c);
  }
  for (const Pattern& pattern : kPatterns) {
    bool plain = code.find(pattern.text) != std::string::npos;
    bool hidden = !plain && (decoded.find(pattern.text) != std::string::npos ||
                             (pattern.text.size() > 6 && pattern.text[0] == '_' &&
                              joined.find(pattern.text) != std::string::npos));
    if (!plain && !hidden) continue;
    size_t at = text.find(pattern.text);
    add(hidden ? Severity::kDangerous : pattern.severity,
        "\"" + std::string(pattern.text) + "\"" + (hidden ? " in pieces or escapes" : "") + ": " +
            std::string(pattern.what),
        at == std::string_view::npos ? 0 : at);
  }
  if (!findings.empty() && findings[0].severity == Severity::kDangerous) return findings;
  for (std::string& name : FindComputedNames(parts)) add(Severity::kSuspicious, std::move(name), 0);
  if (code.find("\\N{") != std::string::npos)
    add(Severity::kSuspicious, "a character by its name", text.find("\\N{"));
  for (std::string_view word :
       {"subclasses", "globals", "builtins", "%c", "'__", "\"__", "__'", "__\""}) {
    if (decoded.find(word) == std::string::npos) continue;
    add(Severity::kSuspicious, "\"" + std::string(word) + "\": parts of names of Python's insides",
        0);
    break;
  }
  if (HasLoneUnderscores(decoded))
    add(Severity::kSuspicious, "underscores that are joined to names", 0);
  if (MakesUnderscores(decoded))
    add(Severity::kSuspicious, "replace() that makes underscores", text.find("replace("));
  if (HasHalfName(decoded)) add(Severity::kSuspicious, "half a name of Python's insides", 0);
  for (std::string_view word : {"import", "include", "extends", "from"}) {
    if (HasStatement(code, word))
      add(Severity::kSuspicious, "loads another template: " + std::string(word), 0);
  }
  return findings;
}

}  // namespace hearth
