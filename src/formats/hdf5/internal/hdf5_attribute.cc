#include <bit>
#include <cstring>

#include "base/error.h"
#include "formats/hdf5/internal/hdf5_links.h"
#include "formats/hdf5/internal/hdf5_object.h"

namespace hearth {
namespace {

constexpr uint64_t kShownElements = 16;

Json NumberOf(const Hdf5Type& type, std::string_view raw) {
  uint64_t bits = 0;
  for (size_t i = 0; i < raw.size(); ++i) {
    size_t at = type.big_endian ? i : raw.size() - 1 - i;
    bits = bits << 8 | static_cast<uint8_t>(raw[at]);
  }
  if (type.kind == Hdf5Type::kFloat) {
    if (raw.size() == 8) return std::bit_cast<double>(bits);
    if (raw.size() == 4) return double{std::bit_cast<float>(static_cast<uint32_t>(bits))};
    return nullptr;
  }
  if (!type.is_signed) return bits;
  unsigned unused = 64 - 8 * static_cast<unsigned>(raw.size());
  return static_cast<int64_t>(bits << unused) >> unused;
}

Json ValueOf(Hdf5Bytes& bytes, const Hdf5Type& type, Hdf5Fields* fields) {
  switch (type.kind) {
    case Hdf5Type::kInteger:
    case Hdf5Type::kFloat:
      if (type.bytes < 1 || type.bytes > 8) return nullptr;
      return NumberOf(type, fields->Text(static_cast<size_t>(type.bytes)));
    case Hdf5Type::kText: {
      std::string_view text = fields->Text(static_cast<size_t>(type.bytes));
      return std::string(text.substr(0, text.find('\0')));
    }
    case Hdf5Type::kVariableText: {
      uint64_t n = fields->Uint(4);
      uint64_t address = fields->Offset();
      uint64_t index = fields->Uint(4);
      if (n == 0) return std::string();
      if (n > bytes.limits().max_text_bytes)
        throw Error(Code::kTooLarge, "an attribute's text is too large");
      return ReadHdf5GlobalHeap(bytes, address, index, n);
    }
    case Hdf5Type::kOther:
      return nullptr;
  }
  return nullptr;
}

}  // namespace

std::pair<std::string, Json> ParseHdf5Attribute(Hdf5Bytes& bytes, std::string_view body) {
  Hdf5Fields fields = bytes.Fields(body);
  int version = fields.Byte();
  if (version < 1 || version > 3) FailHdf5("an attribute of an unknown version");
  int flags = fields.Byte();
  size_t name_bytes = static_cast<size_t>(fields.Uint(2));
  size_t type_bytes = static_cast<size_t>(fields.Uint(2));
  size_t space_bytes = static_cast<size_t>(fields.Uint(2));
  if (version == 3) fields.Skip(1);  // character set
  auto padded = [version](size_t n) { return version == 1 ? (n + 7) / 8 * 8 : n; };
  std::string_view name = fields.Text(padded(name_bytes)).substr(0, name_bytes);
  std::string_view type_body = fields.Text(padded(type_bytes));
  std::string_view space_body = fields.Text(padded(space_bytes));
  bool shared_type = version > 1 && (flags & 1) != 0;
  bool shared_space = version > 1 && (flags & 2) != 0;
  std::string type_text = ResolveHdf5Message(bytes, Hdf5Message::kType, shared_type, type_body);
  std::string space_text = ResolveHdf5Message(bytes, Hdf5Message::kSpace, shared_space, space_body);
  Hdf5Fields type_fields = bytes.Fields(type_text);
  Hdf5Type type = ParseHdf5Type(&type_fields);
  Hdf5Space space = ParseHdf5Space(bytes.Fields(space_text));

  std::pair<std::string, Json> attribute(name.substr(0, name.find('\0')), nullptr);
  bool readable = type.kind != Hdf5Type::kOther && !space.none;
  if (!readable || space.elements > kShownElements) {
    attribute.second = type.name + " of " + std::to_string(space.elements);
  } else if (space.dims.empty()) {
    attribute.second = ValueOf(bytes, type, &fields);
  } else {
    attribute.second = Json::Arr();
    for (uint64_t i = 0; i < space.elements; ++i)
      attribute.second.Push(ValueOf(bytes, type, &fields));
  }
  return attribute;
}

}  // namespace hearth
