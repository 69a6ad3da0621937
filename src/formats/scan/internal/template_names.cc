// Which names of attributes a template makes while it runs. A variable counts as harmless when each
// thing that is ever bound to its name is.
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <span>

#include "formats/scan/internal/template_code.h"

namespace hearth {
namespace {

using Kind = TemplateToken::Kind;
using Tokens = std::span<const TemplateToken>;

constexpr size_t kMaxFindings = 20;
constexpr size_t kMaxShown = 100;
constexpr int kMaxSteps = 40;             // from one variable to the next
constexpr int64_t kMaxWork = 20'000'000;  // tokens that are looked at again

bool Opens(const TemplateToken& token) { return token.Is("(") || token.Is("[") || token.Is("{"); }
bool Closes(const TemplateToken& token) { return token.Is(")") || token.Is("]") || token.Is("}"); }

// The place of the bracket that closes the one at tokens[open], or the end.
size_t Closing(Tokens tokens, size_t open) {
  int depth = 0;
  for (size_t i = open; i < tokens.size(); ++i) {
    if (Opens(tokens[i])) ++depth;
    if (Closes(tokens[i]) && --depth <= 0) return i;
  }
  return tokens.size();
}

// The first token outside of brackets for which `wanted` holds, or the end.
template <typename Wanted>
size_t FindOutside(Tokens tokens, const Wanted& wanted, size_t begin = 0) {
  int depth = 0;
  for (size_t i = begin; i < tokens.size(); ++i) {
    if (depth == 0 && wanted(tokens[i])) return i;
    if (Opens(tokens[i])) ++depth;
    if (Closes(tokens[i]) && depth > 0) --depth;
  }
  return tokens.size();
}

std::vector<Tokens> SplitOutside(Tokens tokens, std::string_view punct) {
  std::vector<Tokens> all;
  size_t begin = 0;
  auto is_it = [&](const TemplateToken& token) { return token.Is(punct); };
  while (true) {
    size_t end = FindOutside(tokens, is_it, begin);
    all.push_back(tokens.subspan(begin, end - begin));
    if (end == tokens.size()) return all;
    begin = end + 1;
  }
}

Tokens WithoutParentheses(Tokens tokens) {
  size_t opened = 0;
  while (opened < tokens.size() && tokens[opened].Is("(")) ++opened;
  // Where each of the first parentheses closes, found in one pass.
  std::vector<size_t> closing(opened, tokens.size());
  size_t depth = 0;
  for (size_t i = 0; i < tokens.size() && opened > 0; ++i) {
    if (Opens(tokens[i])) ++depth;
    if (!Closes(tokens[i]) || depth == 0) continue;
    if (--depth < opened) closing[opened = depth] = i;
  }
  size_t peeled = 0;
  while (tokens.size() > 2 * peeled + 2 && peeled < closing.size() &&
         closing[peeled] == tokens.size() - 1 - peeled) {
    ++peeled;
  }
  return tokens.subspan(peeled, tokens.size() - 2 * peeled);
}

bool IsSame(Tokens a, Tokens b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const TemplateToken& x, const TemplateToken& y) {
                      return x.kind == y.kind && x.text == y.text;
                    });
}

std::string Show(Tokens tokens) {
  std::string text;
  for (const TemplateToken& token : tokens) {
    if (text.size() > kMaxShown) return text + "...";
    bool words = !text.empty() && token.kind != Kind::kPunct && text.back() != '.' &&
                 text.back() != '[' && text.back() != '(';
    if (words) text += " ";
    text += token.kind == Kind::kString ? "'" + token.text + "'" : token.text;
  }
  return text;
}

bool IsKeyword(const TemplateToken& token) {
  static const std::set<std::string_view> kWords = {"in",  "if",  "else", "elif",     "or",
                                                    "and", "not", "is",   "recursive"};
  return token.kind == Kind::kName && kWords.count(token.text) > 0;
}

// Is the word an operator here? Jinja takes any word as a variable where a value is due.
bool IsOperatorWord(Tokens tokens, size_t at, bool statement) {
  if (at == 0) return statement || tokens[0].IsName("not");
  if (!IsKeyword(tokens[at]) || tokens[at - 1].Is(".")) return false;
  return tokens[at].IsName("not") || tokens[at - 1].kind != Kind::kPunct || Closes(tokens[at - 1]);
}

bool IsConstant(const TemplateToken& token) {
  return token.kind == Kind::kNumber || token.IsName("true") || token.IsName("false") ||
         token.IsName("none") || token.IsName("True") || token.IsName("False") ||
         token.IsName("None") ||
         (token.kind == Kind::kString && token.text.find("__") == std::string::npos);
}

// Literals within brackets, nothing else.
bool IsTableOfLiterals(Tokens tokens) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    const TemplateToken& token = tokens[i];
    bool plain = IsConstant(token) || Opens(token) || Closes(token) || token.Is(",") ||
                 token.Is(":") || token.Is("-");
    // 'a' 'b' are one literal, so their pieces do not count by themselves.
    bool joined = i > 0 && token.kind == Kind::kString && tokens[i - 1].kind == Kind::kString;
    // ['a', 'b']['c'] is a subscript.
    bool subscript = i > 0 && Opens(token) && (Closes(tokens[i - 1]) || IsConstant(tokens[i - 1]));
    if (!plain || joined || subscript) return false;
  }
  return !tokens.empty();
}

struct Binding {
  enum class How { kValue, kLoop, kParameter, kUnknown };
  How how = How::kUnknown;
  Tokens value;       // what is assigned, or what the loop goes through
  size_t target = 0;  // of several names of a loop; the place of a parameter
  size_t targets = 1;
  std::string macro;
  size_t order = 0;  // the place of the statement in the template
};

class Names {
 public:
  explicit Names(const std::vector<TemplatePart>& parts) : parts_(parts) {
    for (const TemplatePart& part : parts_) {
      ++order_;
      if (part.statement) ReadStatement(part.tokens);
      ReadNamespaces(part.tokens);
    }
  }

  std::vector<std::string> Find() {
    for (const TemplatePart& part : parts_) {
      Tokens tokens(part.tokens);
      if (part.odd) Add("a raw block that ends in an odd way");
      for (size_t i = 0; i < tokens.size() && found_.size() < kMaxFindings; ++i) {
        if (work_ > kMaxWork) {
          Add("more code than can be followed");
          return std::move(found_);
        }
        if (tokens[i].Is("[")) CheckSubscript(tokens, i, part.statement);
        if (tokens[i].kind == Kind::kName) CheckName(tokens, i);
        if (tokens[i].Is("|") && i + 1 < tokens.size()) CheckFilter(tokens, i + 1);
      }
    }
    return std::move(found_);
  }

 private:
  // --- what is bound to which name ------------------------------------------------------------

  void ReadStatement(Tokens tokens) {
    if (tokens.empty()) return;
    Tokens rest = tokens.subspan(1);
    if (tokens[0].IsName("set")) ReadSet(rest);
    if (tokens[0].IsName("for")) ReadFor(rest);
    if (tokens[0].IsName("macro") && rest.size() > 1) ReadMacro(rest[0].text, rest.subspan(1));
    bool other = tokens[0].IsName("with") || tokens[0].IsName("call") ||
                 tokens[0].IsName("import") || tokens[0].IsName("from") ||
                 tokens[0].IsName("trans");
    for (const TemplateToken& token : rest) {
      if (other && token.kind == Kind::kName) names_[token.text].push_back({});
    }
  }

  void ReadSet(Tokens tokens) {
    size_t equals = FindOutside(tokens, [](const TemplateToken& t) { return t.Is("="); });
    Tokens target = WithoutParentheses(tokens.subspan(0, equals));
    Binding value;
    if (equals < tokens.size()) {
      value.how = Binding::How::kValue;
      value.value = tokens.subspan(equals + 1);
      value.order = order_;
    }
    if (target.size() == 3 && target[1].Is(".")) {
      attributes_[target[2].text].push_back(value);
    } else if (equals == tokens.size() && !target.empty()) {
      names_[target[0].text].push_back({});  // a block, maybe with filters
    } else if (target.size() == 1) {
      names_[target[0].text].push_back(value);
    } else {
      for (const TemplateToken& token : target) names_[token.text].push_back({});
    }
  }

  void ReadFor(Tokens tokens) {
    size_t in = FindOutside(tokens, [](const TemplateToken& t) { return t.IsName("in"); });
    if (in == tokens.size()) return;
    Tokens iterated = tokens.subspan(in + 1);
    size_t end = FindOutside(
        iterated, [](const TemplateToken& t) { return t.IsName("if") || t.IsName("recursive"); });
    // loop(other) of a recursive loop goes through other things.
    bool again = std::any_of(iterated.begin(), iterated.end(),
                             [](const TemplateToken& t) { return t.IsName("recursive"); });
    iterated = iterated.subspan(0, end);
    std::vector<Tokens> targets = SplitOutside(WithoutParentheses(tokens.subspan(0, in)), ",");
    for (size_t i = 0; i < targets.size(); ++i) {
      if (targets[i].size() == 1 && !again) {
        names_[targets[i][0].text].push_back(
            {Binding::How::kLoop, iterated, i, targets.size(), "", order_});
      } else {
        for (const TemplateToken& token : targets[i]) names_[token.text].push_back({});
      }
    }
  }

  void ReadMacro(const std::string& name, Tokens tokens) {
    macros_.insert(name);
    if (!tokens[0].Is("(")) return;
    std::vector<Tokens> parameters = SplitOutside(tokens.subspan(1, Closing(tokens, 0) - 1), ",");
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (parameters[i].empty()) continue;
      names_[parameters[i][0].text].push_back(
          {Binding::How::kParameter, parameters[i].subspan(1), i, 1, name, order_});
    }
  }

  // namespace(a=1): what its attributes start with.
  void ReadNamespaces(Tokens tokens) {
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      if (!tokens[i].IsName("namespace") || !tokens[i + 1].Is("(")) continue;
      size_t end = Closing(tokens, i + 1);
      work_ += static_cast<int64_t>(end - i);
      if (work_ > kMaxWork) return;
      for (Tokens argument : SplitOutside(tokens.subspan(i + 2, end - i - 2), ",")) {
        if (argument.size() > 2 && argument[1].Is("=")) {
          attributes_[argument[0].text].push_back(
              {Binding::How::kValue, argument.subspan(2), 0, 1, "", order_});
        } else if (!argument.empty()) {
          odd_namespace_ = true;
        }
      }
    }
  }

  // Does each thing that is bound pass? What is looked at counts as work.
  template <typename Passes>
  bool AllOf(const std::vector<Binding>& bindings, const Passes& passes) {
    for (const Binding& binding : bindings) {
      work_ += static_cast<int64_t>(binding.value.size()) + 1;
      if (work_ > kMaxWork || !passes(binding)) return false;
    }
    return true;
  }

  // --- values that are no names of attributes ---------------------------------------------------

  bool IsHarmless(const Binding& binding, int steps) {
    if (steps > kMaxSteps) return false;
    if (binding.how == Binding::How::kValue) return IsHarmlessValue(binding.value, steps);
    if (binding.how != Binding::How::kLoop) return false;
    Tokens loop = binding.value;
    if (IsTableOfLiterals(loop)) return true;
    return binding.targets == 1 && loop.size() > 2 && loop[0].IsName("range") &&
           names_.count("range") == 0 && loop[1].Is("(") && Closing(loop, 1) == loop.size() - 1;
  }

  bool IsHarmlessName(const std::string& name, int steps) {
    auto found = names_.find(name);
    if (found == names_.end()) return false;
    if (!visiting_.insert(name).second) return true;
    bool all = AllOf(found->second, [&](const Binding& b) { return IsHarmless(b, steps + 1); });
    visiting_.erase(name);
    return all;
  }

  // state.index, where state is always a namespace and index always a number or a literal.
  bool IsHarmlessAttribute(const std::string& object, const std::string& name, int steps) {
    auto found = attributes_.find(name);
    if (found == attributes_.end() || odd_namespace_ || !IsNamespace(object)) return false;
    if (!visiting_.insert("." + name).second) return true;
    bool all = AllOf(found->second, [&](const Binding& b) { return IsHarmless(b, steps + 1); });
    visiting_.erase("." + name);
    return all;
  }

  bool IsNamespace(const std::string& object) {
    auto found = names_.find(object);
    if (found == names_.end() || names_.count("namespace") > 0) return false;
    bool made = false;
    bool all = AllOf(found->second, [&](const Binding& binding) {
      Tokens value = binding.value;
      bool makes = binding.how == Binding::How::kValue && value.size() > 2 &&
                   value[0].IsName("namespace") && Closing(value, 1) == value.size() - 1;
      made = made || makes;
      bool passed = binding.how == Binding::How::kParameter && value.empty() &&
                    IsAlwaysPassed(binding.macro, binding.target, object);
      return makes || passed;
    });
    return made && all;
  }

  // Does every call of the macro give the variable of this name as this argument?
  bool IsAlwaysPassed(const std::string& macro, size_t place, const std::string& object) {
    if (names_.count(macro) > 0) return false;
    for (const TemplatePart& part : parts_) {
      Tokens tokens(part.tokens);
      work_ += static_cast<int64_t>(tokens.size());
      if (work_ > kMaxWork) return false;
      for (size_t i = 0; i < tokens.size(); ++i) {
        if (!tokens[i].IsName(macro)) continue;
        if (i > 0 && tokens[i - 1].IsName("macro") && part.statement) continue;
        if (i + 1 == tokens.size() || !tokens[i + 1].Is("(")) return false;
        size_t end = Closing(tokens, i + 1);
        std::vector<Tokens> arguments = SplitOutside(tokens.subspan(i + 2, end - i - 2), ",");
        bool given = place < arguments.size() && arguments[place].size() == 1 &&
                     arguments[place][0].IsName(object);
        if (!given) return false;
      }
    }
    return true;
  }

  bool IsHarmlessValue(Tokens value, int steps) {
    work_ += static_cast<int64_t>(value.size()) + 10;
    if (steps > kMaxSteps || work_ > kMaxWork) return false;
    value = WithoutParentheses(value);
    if (value.size() == 1 && IsConstant(value[0])) return true;
    if (IsNumber(value, steps)) return true;
    if (value.size() == 1 && value[0].kind == Kind::kName)
      return IsHarmlessName(value[0].text, steps + 1);
    if (IsNoText(value)) return true;
    // a if condition else b
    size_t condition = FindOutside(value, [](const TemplateToken& t) { return t.IsName("if"); });
    size_t other = FindOutside(value, [](const TemplateToken& t) { return t.IsName("else"); });
    return condition < other && other < value.size() &&
           IsHarmlessValue(value.subspan(0, condition), steps + 1) &&
           IsHarmlessValue(value.subspan(other + 1), steps + 1);
  }

  // Sums, products and differences of numbers.
  bool IsNumber(Tokens value, int steps) {
    work_ += static_cast<int64_t>(value.size()) + 10;
    if (steps > kMaxSteps || work_ > kMaxWork) return false;
    value = WithoutParentheses(value);
    auto is_operator = [](const TemplateToken& t) {
      return t.Is("+") || t.Is("-") || t.Is("*") || t.Is("//") || t.Is("%") || t.Is("**");
    };
    size_t at = FindOutside(value, is_operator);
    if (at < value.size()) {
      bool sign = at == 0 && (value[0].Is("-") || value[0].Is("+"));
      return (sign || IsNumber(value.subspan(0, at), steps + 1)) &&
             IsNumber(value.subspan(at + 1), steps + 1);
    }
    if (value.empty()) return false;
    // a|length
    if (value.size() > 2 && value[value.size() - 2].Is("|")) {
      const TemplateToken& filter = value.back();
      return (filter.IsName("length") || filter.IsName("count") || filter.IsName("int")) &&
             FindOutside(value, [](const TemplateToken& t) {
               return IsKeyword(t) || t.Is("~") || t.Is("=");
             }) == value.size();
    }
    if (value.size() == 1 && value[0].kind == Kind::kNumber) return true;
    if (value.size() == 1 && value[0].kind == Kind::kName)
      return IsNumberName(names_, value[0].text, steps);
    if (value.size() != 3 || !value[1].Is(".")) return false;
    if (value[0].IsName("loop") && names_.count("loop") == 0) {
      static const std::set<std::string_view> kCounts = {
          "index", "index0", "revindex", "revindex0", "length", "depth", "depth0"};
      return kCounts.count(value[2].text) > 0;
    }
    return !odd_namespace_ && IsNamespace(value[0].text) &&
           IsNumberName(attributes_, value[2].text, steps);
  }

  using Table = std::map<std::string, std::vector<Binding>, std::less<>>;

  bool IsNumberName(const Table& table, const std::string& name, int steps) {
    auto found = table.find(name);
    if (found == table.end()) return false;
    std::string key = (&table == &attributes_ ? "#." : "#") + name;
    if (!visiting_.insert(key).second) return true;
    bool all = AllOf(found->second, [&](const Binding& binding) {
      if (binding.how == Binding::How::kValue) return IsNumber(binding.value, steps + 1);
      bool range = binding.how == Binding::How::kLoop && !binding.value.empty() &&
                   binding.value[0].IsName("range");
      return range && IsHarmless(binding, steps + 1);
    });
    visiting_.erase(key);
    return all;
  }

  // A difference, or a sum with a number: Python makes no text of these.
  static bool IsNoText(Tokens value) {
    bool sure = false;
    int depth = 0;
    for (size_t i = 0; i < value.size(); ++i) {
      const TemplateToken& token = value[i];
      if (depth == 0) {
        bool other = IsKeyword(token) || token.Is("~") || token.Is("*") || token.Is("/") ||
                     token.Is("//") || token.Is("%") || token.Is("**") || token.Is("=");
        if (other) return false;
        bool number_behind =
            i + 1 < value.size() && value[i + 1].kind == Kind::kNumber &&
            (i + 2 == value.size() || value[i + 2].Is("+") || value[i + 2].Is("-"));
        sure = sure || token.Is("-") || (token.Is("+") && number_behind);
      }
      if (Opens(token)) ++depth;
      if (Closes(token)) --depth;
    }
    return sure;
  }

  // --- subscripts -------------------------------------------------------------------------------

  // Where the dotted name before the bracket begins; the bracket's place when there is none.
  static size_t BaseOf(Tokens tokens, size_t open) {
    size_t begin = open;
    while (begin > 0 && tokens[begin - 1].kind == Kind::kName && !IsKeyword(tokens[begin - 1])) {
      --begin;
      if (begin == 0 || !tokens[begin - 1].Is(".")) return begin;
      --begin;
    }
    return open;
  }

  void CheckSubscript(Tokens tokens, size_t open, bool statement) {
    if (open == 0) return;
    const TemplateToken& before = tokens[open - 1];
    bool subscript = (before.kind == Kind::kName && !IsOperatorWord(tokens, open - 1, statement)) ||
                     Closes(before) || before.kind == Kind::kString;
    if (!subscript) return;
    size_t close = Closing(tokens, open);
    work_ += static_cast<int64_t>(close - open);
    Tokens key = tokens.subspan(open + 1, close - open - 1);
    auto follows = [&](std::string_view punct) {
      return close + 1 < tokens.size() && tokens[close + 1].Is(punct);
    };
    if (IsLiteralKey(key)) {
      bool formats = key.size() == 1 && follows("(") &&
                     (key[0].text == "format" || key[0].text == "format_map");
      if (formats) Add("format() by a subscript");
      return;
    }
    auto is_slice = [](const TemplateToken& t) { return t.Is(":") || t.Is(","); };
    if (FindOutside(key, is_slice) < key.size() || IsHarmlessValue(key, 0)) return;
    if (key.size() == 3 && key[1].Is(".") && IsHarmlessAttribute(key[0].text, key[2].text, 0)) {
      return;
    }
    size_t base = BaseOf(tokens, open);
    Tokens object = tokens.subspan(base, open - base);
    bool ends = !follows("(") && !follows("[") && !follows(".");
    if (!object.empty() && !follows("(")) {
      if (key.size() == 1 && IsKeyOf(key[0].text, object)) return;
      if (ends && object.size() == 1 && IsTable(object[0].text)) return;
      Tokens behind = tokens.subspan(std::min(close + 1, tokens.size()));
      if (ends && object.size() == 1 && IsGuarded(behind, key, object)) return;
    }
    Add("a subscript whose name is computed: [" + Show(key) + "]");
  }

  // Literals side by side are one.
  static bool IsLiteralKey(Tokens key) {
    std::string text;
    for (const TemplateToken& token : key) {
      if (token.kind != Kind::kString) return false;
      text += token.text;
    }
    return key.empty() || key.size() == 1 || text.find("__") == std::string::npos;
  }

  // for key in object, for key, value in object.items(): the item is there, so no attribute is
  // looked for.
  bool IsKeyOf(const std::string& name, Tokens object) {
    auto found = names_.find(name);
    auto root = names_.find(object[0].text);
    if (found == names_.end() || (root != names_.end() && root->second.size() > 1)) return false;
    for (size_t i = 2; i < object.size(); i += 2) {
      if (attributes_.count(object[i].text) > 0) return false;  // set in between, maybe
    }
    // The object is bound before the loop or never, so it is the same one within the loop.
    auto is_same = [&](const Binding& loop) {
      return root == names_.end() ||
             (root->second[0].order > 0 && root->second[0].order < loop.order);
    };
    return AllOf(found->second, [&](const Binding& binding) {
      if (binding.how != Binding::How::kLoop) return IsHarmless(binding, 0);
      Tokens loop = binding.value;
      if (loop.size() < object.size() || !IsSame(loop.subspan(0, object.size()), object))
        return IsHarmless(binding, 0);
      if (!is_same(binding)) return false;
      Tokens rest = loop.subspan(object.size());
      if (rest.empty()) return binding.targets == 1;
      if (rest.size() < 2 || binding.target != 0) return false;
      bool call = rest[0].Is(".") && rest.size() == 4 && rest[2].Is("(");
      bool pairs = (call && rest[1].IsName("items")) ||
                   (rest[0].Is("|") && (rest[1].IsName("items") || rest[1].IsName("dictsort")));
      if (pairs) return binding.targets == 2;
      bool keys =
          (call && rest[1].IsName("keys")) || (rest[0].Is("|") && rest.size() == 2 &&
                                               (rest[1].IsName("list") || rest[1].IsName("sort")));
      return keys && binding.targets == 1;
    });
  }

  // A dictionary of the template's own literals.
  bool IsTable(const std::string& name) {
    auto found = names_.find(name);
    return found != names_.end() && AllOf(found->second, [](const Binding& binding) {
             return binding.how == Binding::How::kValue && !binding.value.empty() &&
                    binding.value[0].Is("{") && IsTableOfLiterals(binding.value);
           });
  }

  // object[key] if key in object, where the object is one of the conversation.
  bool IsGuarded(Tokens behind, Tokens key, Tokens object) {
    if (behind.size() < key.size() + 3 || !behind[0].IsName("if")) return false;
    if (!IsSame(behind.subspan(1, key.size()), key) || !behind[key.size() + 1].IsName("in") ||
        !IsSame(behind.subspan(key.size() + 2, 1), object)) {
      return false;
    }
    size_t next = key.size() + 3;
    bool more = next < behind.size() && behind[next].kind == Kind::kPunct &&
                !Closes(behind[next]) && !behind[next].Is(",");
    auto found = names_.find(object[0].text);
    return !more && found != names_.end() && AllOf(found->second, [](const Binding& binding) {
      return binding.how == Binding::How::kValue &&
             std::all_of(binding.value.begin(), binding.value.end(),
                         [](const TemplateToken& token) {
                           return token.kind == Kind::kName || token.Is("{") || token.Is("}");
                         });
    });
  }

  // --- filters and methods ----------------------------------------------------------------------

  void CheckName(Tokens tokens, size_t at) {
    const std::string& name = tokens[at].text;
    bool called = at + 1 < tokens.size() && tokens[at + 1].Is("(");
    bool method = at > 0 && tokens[at - 1].Is(".");
    if (name == "mro" && method) Add("the bases of a class: mro");
    if (name.starts_with("__")) Add("a name of Python's insides: " + name.substr(0, kMaxShown));
    if (method && (name == "format" || name == "format_map")) {
      const TemplateToken* receiver = at > 1 ? &tokens[at - 2] : nullptr;
      bool literal = receiver != nullptr && receiver->kind == Kind::kString && called;
      if (!literal) {
        Add("format() of a text that is computed");
      } else if (ReachesInto(receiver->text)) {
        Add("format() that reaches into a value: '" + receiver->text.substr(0, kMaxShown) + "'");
      }
    }
    bool other = at > 0 && (tokens[at - 1].Is("|") || tokens[at - 1].IsName("is") ||
                            tokens[at - 1].IsName("not") || tokens[at - 1].IsName("macro") ||
                            tokens[at - 1].IsName("filter"));
    auto found = names_.find(name);
    if (called && !method && !other && found != names_.end() && macros_.count(name) == 0) {
      bool assigned =
          !AllOf(found->second, [](const Binding& b) { return b.how != Binding::How::kValue; });
      if (assigned) Add("calls what a variable holds: " + name.substr(0, kMaxShown));
    }
    bool filter = at > 0 && tokens[at - 1].IsName("filter") && at == 1;
    if (filter) CheckFilter(tokens, at);
  }

  // "{0.name}" and "{0[name]}".
  static bool ReachesInto(std::string_view format) {
    bool field = false;
    for (char c : format) {
      if (c == '{') field = true;
      if (c == '}' || c == ':' || c == '!') field = false;
      if (field && (c == '.' || c == '[')) return true;
    }
    return false;
  }

  void CheckFilter(Tokens tokens, size_t at) {
    const std::string& name = tokens[at].text;
    if (name == "attr") return Add("the filter attr(), which reaches for attributes by name");
    static const std::set<std::string_view> kReach = {
        "map", "selectattr", "rejectattr", "groupby", "sort",
        "sum", "min",        "max",        "unique",  "join"};
    if (kReach.count(name) == 0 || at + 1 >= tokens.size() || !tokens[at + 1].Is("(")) return;
    size_t end = Closing(tokens, at + 1);
    work_ += static_cast<int64_t>(end - at);
    std::vector<Tokens> arguments = SplitOutside(tokens.subspan(at + 2, end - at - 2), ",");
    bool first_only = name == "map" || name == "selectattr" || name == "rejectattr";
    for (size_t i = 0; i < arguments.size(); ++i) {
      Tokens argument = arguments[i];
      if (argument.empty()) continue;
      bool named = argument.size() > 1 && argument[1].Is("=");
      bool reaches = named ? argument[0].IsName("attribute") : (i == 0 || !first_only);
      if (name == "join" && i == 0 && !named) reaches = false;  // what stands in between
      if (argument[0].Is("*") || argument[0].Is("**")) reaches = true;
      if (named) argument = argument.subspan(2);
      if (!reaches) continue;
      bool literal = argument.size() == 1 && IsConstant(argument[0]);
      if (!literal) Add(name + "() of an attribute whose name is computed");
      if (literal && name == "map" && argument[0].text == "attr" && !named)
        Add("the filter attr(), which reaches for attributes by name");
    }
  }

  void Add(std::string what) {
    if (std::find(found_.begin(), found_.end(), what) == found_.end())
      found_.push_back(std::move(what));
  }

  const std::vector<TemplatePart>& parts_;
  Table names_;
  Table attributes_;  // of namespaces, whichever
  std::set<std::string, std::less<>> macros_;
  bool odd_namespace_ = false;  // one starts with more than named literals
  size_t order_ = 0;
  std::set<std::string> visiting_;
  int64_t work_ = 0;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> FindComputedNames(const std::vector<TemplatePart>& parts) {
  return Names(parts).Find();
}

}  // namespace hearth
