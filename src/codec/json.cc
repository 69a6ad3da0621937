#include "codec/json.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/bytes.h"
#include "base/error.h"
#include "base/utf8.h"

namespace hearth {
namespace {

// Depth of nesting that a request or a config file may have; real ones stay under 30.
constexpr size_t kMaxDepth = 200;

Json Convert(const simdjson::dom::element& element) {
  switch (element.type()) {
    case simdjson::dom::element_type::ARRAY: {
      Json::Array items;
      for (simdjson::dom::element item : simdjson::dom::array(element))
        items.push_back(Convert(item));
      return Json(std::move(items));
    }
    case simdjson::dom::element_type::OBJECT: {
      Json::Object members;
      for (simdjson::dom::key_value_pair field : simdjson::dom::object(element)) {
        members.emplace_back(std::string(field.key), Convert(field.value));
      }
      return Json(std::move(members));
    }
    case simdjson::dom::element_type::INT64:
      return Json(int64_t(element));
    case simdjson::dom::element_type::UINT64:
      return Json(uint64_t(element));
    case simdjson::dom::element_type::DOUBLE:
      return Json(double(element));
    case simdjson::dom::element_type::STRING:
      return Json(std::string_view(element));
    case simdjson::dom::element_type::BOOL:
      return Json(bool(element));
    case simdjson::dom::element_type::NULL_VALUE:
      return Json();
  }
  return Json();
}

void AppendString(std::string* out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  *out += '"';
  size_t i = 0;
  while (i < text.size()) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
      size_t end = i + 1;
      while (end < text.size()) {
        auto d = static_cast<unsigned char>(text[end]);
        if (d < 0x20 || d >= 0x80 || d == '"' || d == '\\') break;
        ++end;
      }
      out->append(text, i, end - i);
      i = end;
      continue;
    }
    if (c >= 0x80) {
      size_t length = Utf8Length(text.substr(i));
      if (length == 0) {
        *out += "\xEF\xBF\xBD";
        ++i;
      } else {
        out->append(text, i, length);
        i += length;
      }
      continue;
    }
    switch (c) {
      case '"':
        *out += "\\\"";
        break;
      case '\\':
        *out += "\\\\";
        break;
      case '\n':
        *out += "\\n";
        break;
      case '\r':
        *out += "\\r";
        break;
      case '\t':
        *out += "\\t";
        break;
      default:
        *out += "\\u00";
        *out += kHex[c >> 4];
        *out += kHex[c & 15];
    }
    ++i;
  }
  *out += '"';
}

void NewLine(std::string* out, int indent, int depth) {
  if (indent <= 0) return;
  *out += '\n';
  out->append(static_cast<size_t>(indent) * static_cast<size_t>(depth), ' ');
}

template <typename T>
void AppendNumber(std::string* out, T value) {
  char text[40];
  auto result = std::to_chars(text, text + sizeof text, value);
  out->append(text, static_cast<size_t>(result.ptr - text));
}

void AppendDouble(std::string* out, double value) {
  if (!std::isfinite(value)) {
    *out += "null";
    return;
  }
  size_t before = out->size();
  AppendNumber(out, value);
  // Keep the type visible: 20.0 stays a float for clients that look.
  if (out->find_first_of(".e", before) == std::string::npos) *out += ".0";
}

void Write(std::string* out, const Json& value, int indent, int depth) {
  if (const auto* text = value.AsString()) return AppendString(out, *text);
  if (const auto* items = value.AsArray()) {
    *out += '[';
    bool first = true;
    for (const Json& item : *items) {
      if (!first) *out += ',';
      first = false;
      NewLine(out, indent, depth + 1);
      Write(out, item, indent, depth + 1);
    }
    if (!first) NewLine(out, indent, depth);
    *out += ']';
    return;
  }
  if (const auto* members = value.AsObject()) {
    *out += '{';
    bool first = true;
    for (const auto& [key, member] : *members) {
      if (!first) *out += ',';
      first = false;
      NewLine(out, indent, depth + 1);
      AppendString(out, key);
      *out += indent > 0 ? ": " : ":";
      Write(out, member, indent, depth + 1);
    }
    if (!first) NewLine(out, indent, depth);
    *out += '}';
    return;
  }
  if (value.is_null()) {
    *out += "null";
  } else if (value.is_bool()) {
    *out += *value.AsBool() ? "true" : "false";
  } else if (value.is_int()) {
    AppendNumber(out, *value.AsInt());
  } else if (value.is_unsigned()) {
    AppendNumber(out, *value.AsUint());
  } else {
    AppendDouble(out, *value.AsDouble());
  }
}

[[noreturn]] void WrongType(std::string_view key, std::string_view expected) {
  throw Error(Code::kInvalidArgument,
              "\"" + std::string(key) + "\" must be " + std::string(expected));
}

}  // namespace

Json::Value Json::FromUnsigned(uint64_t value) {
  if (value <= static_cast<uint64_t>(INT64_MAX)) return static_cast<int64_t>(value);
  return value;
}

Json::Json(const std::vector<std::string>& values) : value_(Array(values.begin(), values.end())) {}

Json Json::Obj(std::initializer_list<Member> members) { return Json(Object(members)); }
Json Json::Arr(std::initializer_list<Json> items) { return Json(Array(items)); }

std::optional<bool> Json::AsBool() const {
  if (const bool* value = std::get_if<bool>(&value_)) return *value;
  return std::nullopt;
}

std::optional<int64_t> Json::AsInt() const {
  if (const int64_t* value = std::get_if<int64_t>(&value_)) return *value;
  if (const double* value = std::get_if<double>(&value_)) {
    if (std::trunc(*value) == *value && std::fabs(*value) < 9.0e15)
      return static_cast<int64_t>(*value);
  }
  return std::nullopt;
}

std::optional<uint64_t> Json::AsUint() const {
  if (const uint64_t* value = std::get_if<uint64_t>(&value_)) return *value;
  std::optional<int64_t> value = AsInt();
  if (value && *value >= 0) return static_cast<uint64_t>(*value);
  return std::nullopt;
}

std::optional<double> Json::AsDouble() const {
  if (const double* value = std::get_if<double>(&value_)) return *value;
  if (const int64_t* value = std::get_if<int64_t>(&value_)) return static_cast<double>(*value);
  if (const uint64_t* value = std::get_if<uint64_t>(&value_)) return static_cast<double>(*value);
  return std::nullopt;
}

const Json* Json::Find(std::string_view key) const {
  const Object* members = AsObject();
  if (members == nullptr) return nullptr;
  for (const auto& [name, value] : *members) {
    if (name == key) return &value;
  }
  return nullptr;
}

Json* Json::Find(std::string_view key) { return const_cast<Json*>(std::as_const(*this).Find(key)); }

Json& Json::Set(std::string key, Json value) {
  if (is_null()) value_ = Object{};
  if (Json* member = Find(key)) {
    *member = std::move(value);
  } else if (Object* members = AsObject()) {
    members->emplace_back(std::move(key), std::move(value));
  }
  return *this;
}

bool Json::Erase(std::string_view key) {
  Object* members = AsObject();
  if (members == nullptr) return false;
  return std::erase_if(*members, [&](const Member& member) { return member.first == key; }) > 0;
}

Json& Json::Push(Json value) {
  if (is_null()) value_ = Array{};
  if (Array* items = AsArray()) items->push_back(std::move(value));
  return *this;
}

size_t Json::size() const {
  if (const Array* items = AsArray()) return items->size();
  if (const Object* members = AsObject()) return members->size();
  return 0;
}

std::optional<std::string> Json::StringField(std::string_view key) const {
  const Json* field = Find(key);
  if (field == nullptr || field->is_null()) return std::nullopt;
  const std::string* text = field->AsString();
  if (text == nullptr) WrongType(key, "a string");
  return *text;
}

std::optional<bool> Json::BoolField(std::string_view key) const {
  const Json* field = Find(key);
  if (field == nullptr || field->is_null()) return std::nullopt;
  if (!field->AsBool()) WrongType(key, "true or false");
  return field->AsBool();
}

std::optional<int64_t> Json::IntField(std::string_view key) const {
  const Json* field = Find(key);
  if (field == nullptr || field->is_null()) return std::nullopt;
  if (!field->AsInt()) WrongType(key, "an integer");
  return field->AsInt();
}

std::string Json::RequireString(std::string_view key) const {
  std::optional<std::string> text = StringField(key);
  if (!text) throw Error(Code::kInvalidArgument, "\"" + std::string(key) + "\" is required");
  return *std::move(text);
}

const Json::Array& Json::RequireArray(std::string_view key) const {
  const Json* field = Find(key);
  if (field == nullptr)
    throw Error(Code::kInvalidArgument, "\"" + std::string(key) + "\" is required");
  const Array* items = field->AsArray();
  if (items == nullptr) WrongType(key, "a list");
  return *items;
}

std::string Json::Dump(int indent) const {
  std::string out;
  Write(&out, *this, indent, 0);
  return out;
}

namespace {

bool FitsNoInteger(std::string_view digits) {
  int64_t low = 0;
  uint64_t high = 0;
  const char* end = digits.data() + digits.size();
  auto result = digits[0] == '-' ? std::from_chars(digits.data(), end, low)
                                 : std::from_chars(digits.data(), end, high);
  return result.ec == std::errc::result_out_of_range;
}

// The same text with integers beyond 64 bits as reals. Such are in most tokenizer_config.json files
// ("model_max_length": int(1e30)).
std::string WithLargeIntegersAsReals(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789", kReal = ".eE";
  std::string out;
  bool in_string = false;
  for (size_t at = 0; at < text.size();) {
    char c = text[at];
    bool begins = !in_string && (c == '-' || (c >= '0' && c <= '9'));
    size_t end = at + 1;
    if (begins) {
      end = std::min(text.find_first_not_of(kDigits, at + 1), text.size());
      // A real is taken whole, so that its exponent is no number of its own.
      bool is_real = end < text.size() && kReal.find(text[end]) != std::string_view::npos;
      if (is_real) end = std::min(text.find_first_not_of("0123456789.eE+-", end), text.size());
      out += text.substr(at, end - at);
      if (!is_real && FitsNoInteger(text.substr(at, end - at))) out += "e0";
    } else {
      if (in_string && c == '\\') end = std::min(at + 2, text.size());
      if (c == '"') in_string = !in_string;
      out += text.substr(at, end - at);
    }
    at = end;
  }
  return out;
}

}  // namespace

Json Json::Parse(std::string_view text) {
  simdjson::dom::parser parser;
  if (parser.allocate(text.size() + 1, kMaxDepth)) {
    throw Error(Code::kTooLarge, "JSON text is too large");
  }
  simdjson::padded_string padded(text);
  simdjson::dom::element root;
  auto error = parser.parse(padded).get(root);
  if (error == simdjson::NUMBER_ERROR) {
    padded = simdjson::padded_string(WithLargeIntegersAsReals(text));
    if (parser.allocate(padded.size() + 1, kMaxDepth)) {
      throw Error(Code::kTooLarge, "JSON text is too large");
    }
    error = parser.parse(padded).get(root);
  }
  if (error) {
    throw Error(Code::kInvalidArgument,
                std::string("invalid JSON: ") + simdjson::error_message(error));
  }
  return Convert(root);
}

bool Json::operator==(const Json& other) const {
  if (is_number() && other.is_number()) {
    if (value_.index() == other.value_.index()) return value_ == other.value_;
    if (is_unsigned() || other.is_unsigned()) return AsUint() && AsUint() == other.AsUint();
    return *AsDouble() == *other.AsDouble();
  }
  return value_ == other.value_;
}

}  // namespace hearth
