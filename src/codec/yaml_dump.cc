#include <charconv>
#include <cmath>

#include <simdjson.h>

#include "codec/internal/yaml_scalar.h"
#include "codec/yaml.h"

namespace hearth {
namespace {

// Readers look at most 1024 characters ahead for the colon that makes a key.
constexpr size_t kMaxSimpleKeyBytes = 1000;

// Characters that read differently or not at all when written as they are: control characters, the
// line separators beyond LF, the byte order mark, and non-characters. Returns the bytes used, or 0.
size_t SpecialLength(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char c = byte(0);
  if (c < 0x20 || c == 0x7F) return 1;
  if (c == 0xC2 && byte(1) <= 0x9F) return 2;  // C1 controls, NEL among them
  if (c == 0xE2 && byte(1) == 0x80 && (byte(2) == 0xA8 || byte(2) == 0xA9)) return 3;
  if (c == 0xEF && byte(1) == 0xBB && byte(2) == 0xBF) return 3;
  if (c == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE) return 3;
  return 0;
}

bool HasSpecial(std::string_view text, bool newline_is_special) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && !newline_is_special) continue;
    auto c = static_cast<unsigned char>(text[i]);
    bool is_lead = (c & 0xC0) != 0x80;
    if (is_lead && SpecialLength(text.substr(i)) > 0) return true;
  }
  return false;
}

std::string DoubleQuoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out = "\"";
  for (size_t i = 0; i < text.size();) {
    char c = text[i];
    auto byte = static_cast<unsigned char>(c);
    size_t special = (byte & 0xC0) == 0x80 ? 0 : SpecialLength(text.substr(i));
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (special == 1) {
      ((out += "\\x") += kHex[byte >> 4]) += kHex[byte & 15];
    } else if (special > 1) {
      unsigned value = special == 2 ? byte & 0x1F : byte & 0x0F;
      for (size_t k = 1; k < special; ++k) {
        value = (value << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3F);
      }
      out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(value >> shift) & 15];
    } else {
      out += c;
    }
    i += special > 1 ? special : 1;
  }
  return out + "\"";
}

bool IsPlainSafe(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  // '=' and '<' are caught by IsAmbiguous.
  if (std::string_view("-?:,[]{}#&*!|>'\"%@`\\").find(text.front()) != std::string_view::npos) {
    return false;
  }
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) {
    return false;
  }
  return !yaml::IsAmbiguous(text);
}

std::string Scalar(std::string_view text) {
  if (HasSpecial(text, /*newline_is_special=*/true)) return DoubleQuoted(text);
  if (IsPlainSafe(text)) return std::string(text);
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

// A literal block keeps text of several lines readable; only where every reader gives the same text
// back.
bool IsLiteralSafe(std::string_view text) {
  if (text.find('\n') == std::string_view::npos) return false;
  if (text.front() == ' ' || text.front() == '\n' || text.ends_with("\n\n")) return false;
  if (HasSpecial(text, /*newline_is_special=*/false)) return false;
  return text.find(" \n") == std::string_view::npos && text.back() != ' ';
}

std::string Number(const Json& value) {
  if (value.is_int() || value.is_unsigned()) return value.Dump();
  double number = *value.AsDouble();
  if (std::isnan(number)) return ".nan";
  if (std::isinf(number)) return number > 0 ? ".inf" : "-.inf";
  // Floats of YAML 1.1 need a dot.
  std::string text = value.Dump();
  size_t exponent = text.find('e');
  if (exponent != std::string::npos && text.find('.') == std::string::npos) {
    text.insert(exponent, ".0");
  }
  return text;
}

class Writer {
 public:
  std::string Take() { return std::move(out_); }

  // Writes what follows "key:" or "-"; collections start a new line where they must.
  void Value(const Json& value, size_t indent, bool after_dash) {
    if (const auto* members = value.AsObject(); members != nullptr && !members->empty()) {
      Map(*members, indent, after_dash);
    } else if (const auto* items = value.AsArray(); items != nullptr && !items->empty()) {
      // A list inside a map may stand at the map's own indentation, as PyYAML writes it.
      List(*items, after_dash ? indent : indent - (indent >= 2 ? 2 : 0), after_dash);
    } else {
      out_ += ' ';
      Leaf(value, indent);
      out_ += '\n';
    }
  }

  void Root(const Json& value) {
    if (value.size() == 0) {
      Leaf(value, 0, /*allow_literal=*/false);
      out_ += '\n';
    } else if (const auto* members = value.AsObject()) {
      Map(*members, 0, /*inline_first=*/true, /*space=*/false);
    } else {
      List(*value.AsArray(), 0, /*inline_first=*/true, /*space=*/false);
    }
  }

 private:
  void Leaf(const Json& value, size_t indent, bool allow_literal = true) {
    if (value.is_null()) {
      out_ += "null";
    } else if (value.is_bool()) {
      out_ += *value.AsBool() ? "true" : "false";
    } else if (value.is_number()) {
      out_ += Number(value);
    } else if (value.is_array()) {
      out_ += "[]";
    } else if (value.is_object()) {
      out_ += "{}";
    } else {
      Text(Clean(*value.AsString()), indent, allow_literal);
    }
  }

  // Json's own writer already replaces bytes that are not UTF-8; reuse its rule.
  static std::string Clean(const std::string& text) {
    if (simdjson::validate_utf8(text.data(), text.size())) return text;
    return *Json::Parse(Json(text).Dump()).AsString();
  }

  void Text(const std::string& text, size_t indent, bool allow_literal) {
    if (!allow_literal || !IsLiteralSafe(text)) {
      out_ += Scalar(text);
      return;
    }
    out_ += text.ends_with('\n') ? "|" : "|-";
    std::string_view rest = text;
    if (rest.ends_with('\n')) rest.remove_suffix(1);
    while (true) {
      size_t end = rest.find('\n');
      std::string_view line = rest.substr(0, end);
      out_ += '\n';
      if (!line.empty()) {
        out_.append(indent, ' ');
        out_ += line;
      }
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
  }

  // `inline_first`: the first entry continues the line of the dash before it.
  void Map(const Json::Object& members, size_t indent, bool inline_first, bool space = true) {
    StartBlock(inline_first, space);
    bool first = true;
    for (const auto& [key, value] : members) {
      if (!(first && inline_first)) out_.append(indent, ' ');
      first = false;
      std::string name = Scalar(Clean(key));
      if (name.size() > kMaxSimpleKeyBytes) {
        out_ += "? " + name + "\n";
        out_.append(indent, ' ');
        out_ += ':';
      } else {
        out_ += name + ":";
      }
      Value(value, indent + 2, /*after_dash=*/false);
    }
  }

  void List(const Json::Array& items, size_t indent, bool inline_first, bool space = true) {
    StartBlock(inline_first, space);
    bool first = true;
    for (const Json& item : items) {
      if (!(first && inline_first)) out_.append(indent, ' ');
      first = false;
      out_ += '-';
      Value(item, indent + 2, /*after_dash=*/true);
    }
  }

  void StartBlock(bool inline_first, bool space) {
    if (!inline_first) {
      out_ += '\n';
    } else if (space) {
      out_ += ' ';
    }
  }

  std::string out_;
};

}  // namespace

std::string DumpYaml(const Json& value) {
  Writer writer;
  writer.Root(value);
  return writer.Take();
}

}  // namespace hearth
