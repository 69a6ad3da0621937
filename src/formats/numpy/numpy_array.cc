#include "formats/numpy/numpy_array.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/archive/archive_decode.h"
#include "formats/archive/archive_zip.h"
#include "formats/numpy/internal/python_literal.h"
#include "formats/source/source_window.h"

namespace hearth {
namespace {

using Kind = PythonLiteral::Kind;

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr uint64_t kMaxHeaderBytes = 1 << 20;
constexpr size_t kMaxRank = 64;
constexpr uint64_t kMaxPrefixBytes =
    2 << 20;  // of a compressed member that are unpacked for its header

[[noreturn]] void Fail(const std::string& why) {
  throw Error(Code::kInvalidArgument, "invalid NumPy array: " + why);
}

// "<f4" and the like.
void ReadDescr(std::string_view descr, NumpyArray* array) {
  std::string_view rest = descr;
  char order = '|';
  if (!rest.empty() && std::string_view("<>=|").find(rest[0]) != std::string_view::npos) {
    order = rest[0];
    rest.remove_prefix(1);
  }
  if (rest.empty()) Fail("it has an empty dtype");
  char kind = rest[0];
  std::string_view tail = rest.substr(1);
  std::string unit;
  if ((kind == 'M' || kind == 'm') && tail.find('[') != std::string_view::npos) {
    unit = tail.substr(tail.find('['));
    tail = tail.substr(0, tail.find('['));
  }
  if (kind == 'O') {
    array->has_objects = true;
    array->dtype = "object";
    array->item_bytes = 8;
    return;
  }
  std::optional<uint64_t> size = ParseUint(tail);
  if (kind == '?') size = 1;
  if (!size || *size > 1 << 30)
    Fail("it has the unknown dtype \"" + std::string(descr.substr(0, 40)) + "\"");
  array->big_endian = order == '>';
  array->item_bytes = kind == 'U' ? 4 * *size : *size;
  std::string bits = std::to_string(8 * *size);
  auto check = [&](std::initializer_list<uint64_t> sizes) {
    if (std::find(sizes.begin(), sizes.end(), *size) == sizes.end()) {
      Fail("it has the unknown dtype \"" + std::string(descr.substr(0, 40)) + "\"");
    }
  };
  switch (kind) {
    case '?':
      array->dtype = "bool";
      return;
    case 'b':
      check({1});
      array->dtype = "bool";
      return;
    case 'i':
      check({1, 2, 4, 8});
      array->dtype = "int" + bits;
      return;
    case 'u':
      check({1, 2, 4, 8});
      array->dtype = "uint" + bits;
      return;
    case 'f':
      check({2, 4, 8, 12, 16});
      array->dtype = "float" + bits;
      return;
    case 'c':
      check({8, 16, 24, 32});
      array->dtype = "complex" + bits;
      return;
    case 'S':
    case 'a':
      array->dtype = "bytes" + bits;
      return;
    case 'U':
      array->dtype = "str" + std::to_string(32 * *size);
      return;
    case 'V':
      array->dtype = "void" + bits;
      return;
    case 'M':
      check({8});
      array->dtype = "datetime64" + unit;
      return;
    case 'm':
      check({8});
      array->dtype = "timedelta64" + unit;
      return;
    default:
      Fail("it has the unknown dtype \"" + std::string(descr.substr(0, 40)) + "\"");
  }
}

std::vector<uint64_t> ReadShape(const PythonLiteral& value) {
  std::vector<uint64_t> shape;
  if (value.kind == Kind::kInt) {
    if (value.number < 0) Fail("it has a negative size");
    return {static_cast<uint64_t>(value.number)};
  }
  if (value.kind != Kind::kTuple) Fail("its shape is not a tuple");
  if (value.items.size() > kMaxRank) Fail("it has more than 64 dimensions");
  for (const PythonLiteral& item : value.items) {
    if (item.kind != Kind::kInt || item.number < 0)
      Fail("its shape holds something that is no size");
    shape.push_back(static_cast<uint64_t>(item.number));
  }
  return shape;
}

uint64_t Multiply(uint64_t a, uint64_t b) {
  uint64_t product;
  if (__builtin_mul_overflow(a, b, &product)) Fail("it has an impossible size");
  return product;
}

void ReadType(const PythonLiteral& descr, NumpyArray* array, int depth);

void ReadRecord(const PythonLiteral& fields, NumpyArray* array, int depth) {
  array->dtype = "record";
  for (const PythonLiteral& row : fields.items) {
    if (row.kind != Kind::kTuple || row.items.size() < 2 || row.items.size() > 3)
      Fail("a field of its record is malformed");
    NumpyArray part;
    ReadType(row.items[1], &part, depth + 1);
    NumpyField field{.name = row.items[0].kind == Kind::kTuple && row.items[0].items.size() == 2
                                 ? row.items[0].items[1].text
                                 : row.items[0].text,
                     .dtype = part.dtype,
                     .shape = {}};
    uint64_t bytes = part.item_bytes;
    if (row.items.size() == 3) field.shape = ReadShape(row.items[2]);
    for (uint64_t dim : field.shape) bytes = Multiply(bytes, dim);
    if (__builtin_add_overflow(array->item_bytes, bytes, &array->item_bytes))
      Fail("it has an impossible size");
    array->has_objects = array->has_objects || part.has_objects;
    array->fields.push_back(std::move(field));
  }
}

void ReadType(const PythonLiteral& descr, NumpyArray* array, int depth) {
  if (depth > 8) Fail("its records nest too deep");
  if (descr.kind == Kind::kText) {
    array->descr = descr.text;
    return ReadDescr(descr.text, array);
  }
  if (descr.kind == Kind::kList) return ReadRecord(descr, array, depth);
  Fail("its dtype is neither a name nor a list of fields");
}

}  // namespace

bool LooksLikeNumpy(std::string_view first) { return first.substr(0, kMagic.size()) == kMagic; }

NumpyArray ReadNumpyHeader(ByteSource& source, bool allow_objects) {
  uint64_t size = source.size_bytes();
  if (size < 10) Fail("it is cut off");
  std::string head = source.Read(0, static_cast<size_t>(std::min<uint64_t>(size, 12)));
  if (!LooksLikeNumpy(head)) Fail("it does not start with the mark of one");
  NumpyArray array;
  array.version = static_cast<unsigned char>(head[6]);
  if (array.version < 1 || array.version > 3)
    Fail("it has the unknown version " + std::to_string(array.version));
  uint64_t begin = array.version == 1 ? 10 : 12;
  if (size < begin) Fail("it is cut off");
  uint64_t length = array.version == 1 ? Little16(head.data() + 8) : Little32(head.data() + 8);
  if (length > kMaxHeaderBytes)
    throw Error(Code::kTooLarge, "the NumPy array has a header of more than a megabyte");
  if (length > size - begin) Fail("its header is cut off");
  PythonLiteral header = ParsePythonLiteral(source.Read(begin, static_cast<size_t>(length)));
  const PythonLiteral* descr = header.Find("descr");
  const PythonLiteral* order = header.Find("fortran_order");
  const PythonLiteral* shape = header.Find("shape");
  if (header.items.size() != 6 || descr == nullptr || order == nullptr || shape == nullptr ||
      order->kind != Kind::kBool) {
    Fail("its header needs descr, fortran_order and shape");
  }
  ReadType(*descr, &array, 0);
  array.fortran_order = order->number != 0;
  array.shape = ReadShape(*shape);
  array.data_offset = begin + length;
  array.elements = 1;
  for (uint64_t dim : array.shape) array.elements = Multiply(array.elements, dim);
  array.bytes = Multiply(array.elements, array.item_bytes);
  if (array.has_objects) {
    if (!allow_objects) {
      throw Error(Code::kForbidden,
                  "the NumPy array holds Python objects, which are a pickle; it is not loaded");
    }
    array.bytes = size - array.data_offset;
  } else if (array.bytes > size - array.data_offset) {
    Fail("it has " + std::to_string(size - array.data_offset) + " bytes of data, " +
         std::to_string(array.bytes) + " are promised");
  }
  return array;
}

std::vector<NumpyArray> ReadNpz(ByteSource& source) {
  std::vector<NumpyArray> arrays;
  for (const ZipEntry& entry : ReadZip(source)) {
    if (!entry.name.ends_with(".npy"))
      Fail("\"" + entry.name.substr(0, 200) + "\" in the archive is no array");
    WindowSource window(source, entry.data_offset, entry.packed_bytes);
    NumpyArray array;
    if (entry.method == kZipStored) {
      array = ReadNumpyHeader(window);
      array.data_offset += entry.data_offset;
    } else if (entry.method == kZipDeflated) {
      // The header alone: what is missing of the data is known from the directory.
      WindowSource start(window, 0, kMaxPrefixBytes);
      Unpacked unpacked = Unpack(start, Packing::kDeflate, {.max_bytes = kMaxPrefixBytes});
      class Padded : public ByteSource {
       public:
        Padded(ByteSource& below, uint64_t size)
            : below_(below), size_(std::max(size, below.size_bytes())) {}
        uint64_t size_bytes() override { return size_; }
        void ReadAt(uint64_t offset, char* out, size_t n) override {
          if (offset + n > below_.size_bytes()) Fail("its header is cut off");
          below_.ReadAt(offset, out, n);
        }

       private:
        ByteSource& below_;
        uint64_t size_;
      } padded(*unpacked.source, entry.bytes);
      array = ReadNumpyHeader(padded);
      array.packed = true;
    } else {
      Fail("\"" + entry.name.substr(0, 200) + "\" has an unknown compression");
    }
    array.name = entry.name.substr(0, entry.name.size() - 4);
    arrays.push_back(std::move(array));
  }
  return arrays;
}

}  // namespace hearth
