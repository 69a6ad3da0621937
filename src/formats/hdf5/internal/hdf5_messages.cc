#include "formats/hdf5/internal/hdf5_messages.h"

#include <algorithm>
#include <limits>

namespace hearth {
namespace {

constexpr int kMaxTypeDepth = 16;
constexpr size_t kMaxRank = 32;  // H5S_MAX_RANK

// Names of members are padded with NULs to a multiple of eight in the old versions.
std::string_view MemberName(Hdf5Fields* fields, int version) {
  size_t begin = fields->position();
  std::string_view name = fields->TextToNul();
  if (version < 3) {
    size_t used = fields->position() - begin;
    fields->Skip((8 - used % 8) % 8);
  }
  return name;
}

std::string FloatName(uint64_t bytes, int exponent_bits, int mantissa_bits) {
  if (bytes == 2 && exponent_bits == 8 && mantissa_bits == 7) return "bfloat16";
  if (bytes == 1 && exponent_bits == 4 && mantissa_bits == 3) return "float8_e4m3";
  if (bytes == 1 && exponent_bits == 5 && mantissa_bits == 2) return "float8_e5m2";
  return "float" + std::to_string(8 * bytes);
}

void ParseFloat(Hdf5Fields* fields, Hdf5Type* type) {
  fields->Skip(5);  // bit offset, precision, place of the exponent
  int exponent_bits = fields->Byte();
  fields->Skip(1);
  int mantissa_bits = fields->Byte();
  fields->Skip(4);  // bias
  type->kind = Hdf5Type::kFloat;
  type->name = FloatName(type->bytes, exponent_bits, mantissa_bits);
}

// Complex numbers are compounds of r and i, as h5py writes them.
void ParseCompound(Hdf5Fields* fields, int version, size_t members, int depth, Hdf5Type* type) {
  std::vector<std::string> names;
  std::string first;
  for (size_t i = 0; i < members; ++i) {
    names.emplace_back(MemberName(fields, version));
    fields->Skip(version < 3 ? 4 : static_cast<size_t>(BytesFor(type->bytes)));
    if (version == 1) fields->Skip(28);  // dimensions of an array, in the member itself
    Hdf5Type member = ParseHdf5Type(fields, depth + 1);
    if (i == 0) first = member.name;
  }
  bool complex = names == std::vector<std::string>{"r", "i"} && first.starts_with("float");
  type->name = complex ? "complex" + std::to_string(8 * type->bytes)
                       : "compound[" + std::to_string(members) + "]";
}

// Truth values are enumerations of FALSE and TRUE, as h5py writes them.
void ParseEnum(Hdf5Fields* fields, int version, size_t members, int depth, Hdf5Type* type) {
  Hdf5Type base = ParseHdf5Type(fields, depth + 1);
  std::vector<std::string> names;
  for (size_t i = 0; i < members; ++i) names.emplace_back(MemberName(fields, version));
  fields->Skip(members * static_cast<size_t>(std::min<uint64_t>(base.bytes, 1 << 16)));
  bool truth = names == std::vector<std::string>{"FALSE", "TRUE"};
  type->name = truth ? "bool" : "enum " + base.name;
}

void ParseArray(Hdf5Fields* fields, int version, int depth, Hdf5Type* type) {
  size_t rank = fields->Byte();
  if (version < 3) fields->Skip(3);
  std::string dims;
  for (size_t i = 0; i < rank; ++i) dims += (i > 0 ? "," : "") + std::to_string(fields->Uint(4));
  if (version < 3) fields->Skip(4 * rank);
  type->name = ParseHdf5Type(fields, depth + 1).name + "[" + dims + "]";
}

}  // namespace

Hdf5Type ParseHdf5Type(Hdf5Fields* fields, int depth) {
  if (depth > kMaxTypeDepth) FailHdf5("types nest too deep");
  int head = fields->Byte();
  int version = head >> 4;
  uint64_t bits = fields->Uint(3);
  Hdf5Type type;
  type.bytes = fields->Uint(4);
  type.big_endian = (bits & 1) != 0;
  std::string order = type.big_endian && type.bytes > 1 ? "_be" : "";
  switch (head & 0x0F) {
    case 0:
      fields->Skip(4);  // bit offset and precision
      type.kind = Hdf5Type::kInteger;
      type.is_signed = (bits & 8) != 0;
      type.name = (type.is_signed ? "int" : "uint") + std::to_string(8 * type.bytes) + order;
      break;
    case 1:
      ParseFloat(fields, &type);
      type.name += order;
      break;
    case 2:
      fields->Skip(2);
      type.name = "time";
      break;
    case 3:
      type.kind = Hdf5Type::kText;
      type.name = "string[" + std::to_string(type.bytes) + "]";
      break;
    case 4:
      fields->Skip(4);
      type.name = "bits" + std::to_string(8 * type.bytes);
      break;
    case 5:
      fields->Skip(static_cast<size_t>(bits & 0xFF));  // the tag
      type.name = "opaque[" + std::to_string(type.bytes) + "]";
      break;
    case 6:
      ParseCompound(fields, version, static_cast<size_t>(bits & 0xFFFF), depth, &type);
      break;
    case 7:
      type.name = "reference";
      break;
    case 8:
      ParseEnum(fields, version, static_cast<size_t>(bits & 0xFFFF), depth, &type);
      break;
    case 9: {
      Hdf5Type base = ParseHdf5Type(fields, depth + 1);
      bool text = (bits & 0x0F) == 1;
      type.kind = text ? Hdf5Type::kVariableText : Hdf5Type::kOther;
      type.name = text ? "string" : "list of " + base.name;
      break;
    }
    case 10:
      ParseArray(fields, version, depth, &type);
      break;
    case 11:
      ParseHdf5Type(fields, depth + 1);
      type.name = "complex" + std::to_string(8 * type.bytes) + order;
      break;
    default:
      FailHdf5("a type of an unknown class");
  }
  return type;
}

Hdf5Space ParseHdf5Space(Hdf5Fields fields) {
  Hdf5Space space;
  int version = fields.Byte();
  size_t rank = fields.Byte();
  int flags = fields.Byte();
  int kind = fields.Byte();
  if (version != 1 && version != 2) FailHdf5("a dataspace of an unknown version");
  if (rank > kMaxRank) FailHdf5("more than 32 dimensions");
  if (version == 1) fields.Skip(4);
  (void)flags;  // largest dimensions follow or not: the present ones come first
  space.none = version == 2 && kind == 2;
  if (space.none) space.elements = 0;
  for (size_t i = 0; i < rank; ++i) {
    uint64_t dim = fields.Length();
    if (dim != 0 && space.elements > std::numeric_limits<uint64_t>::max() / dim)
      FailHdf5("a shape with too many elements");
    space.elements *= dim;
    space.dims.push_back(dim);
  }
  return space;
}

Hdf5Layout ParseHdf5Layout(const Hdf5Bytes& bytes, Hdf5Fields fields) {
  static constexpr const char* kNames[] = {"compact", "contiguous", "chunked", "virtual"};
  Hdf5Layout layout;
  int version = fields.Byte();
  if (version < 1 || version > 5) FailHdf5("a layout of an unknown version");
  if (version < 3) fields.Skip(1);  // the rank
  int kind = fields.Byte();
  if (kind > 3) FailHdf5("a layout of an unknown class");
  layout.name = kNames[kind];
  if (kind != 1) return layout;
  if (version < 3) fields.Skip(5);
  layout.address = fields.Offset();
  layout.has_address = !bytes.IsNowhere(layout.address);
  if (!layout.has_address) layout.name = "not written";
  return layout;
}

std::vector<std::string> ParseHdf5Filters(Hdf5Fields fields) {
  struct Filter {
    uint64_t id;
    const char* name;
  };
  // The library's own, and those that the registry of the HDF Group gives to others.
  static constexpr Filter kFilters[] = {
      {1, "deflate"},     {2, "shuffle"},  {3, "fletcher32"}, {4, "szip"},    {5, "nbit"},
      {6, "scaleoffset"}, {32000, "lzf"},  {32001, "blosc"},  {32004, "lz4"}, {32008, "bitshuffle"},
      {32013, "zfp"},     {32015, "zstd"}, {32026, "blosc2"}};
  std::vector<std::string> names;
  int version = fields.Byte();
  if (version != 1 && version != 2) FailHdf5("filters of an unknown version");
  size_t count = fields.Byte();
  if (version == 1) fields.Skip(6);
  for (size_t i = 0; i < count; ++i) {
    uint64_t id = fields.Uint(2);
    bool named = version == 1 || id >= 256;
    size_t name_bytes = named ? static_cast<size_t>(fields.Uint(2)) : 0;
    fields.Skip(2);  // flags
    size_t values = static_cast<size_t>(fields.Uint(2));
    if (version == 1) name_bytes = (name_bytes + 7) / 8 * 8;
    fields.Skip(name_bytes + 4 * values);
    if (version == 1 && values % 2 != 0) fields.Skip(4);
    auto known = std::find_if(std::begin(kFilters), std::end(kFilters),
                              [id](const Filter& filter) { return filter.id == id; });
    names.push_back(known != std::end(kFilters) ? known->name : "filter " + std::to_string(id));
  }
  return names;
}

}  // namespace hearth
