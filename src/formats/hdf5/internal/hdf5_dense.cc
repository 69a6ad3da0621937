// Links and attributes of the dense form: a B-tree of version 2 orders identifiers of objects that
// lie in a fractal heap.
//
// The heap is one address space, cut into blocks whose sizes double row by row ("doubling table"):
// rows 0 and 1 of a table have blocks of the starting size, each next row twice that. Rows up to
// the largest direct size hold data; further rows hold tables of the same kind.
#include <bit>
#include <set>

#include "base/error.h"
#include "formats/hdf5/internal/hdf5_links.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxObjectBytes = 1 << 20;
constexpr int kMaxTables = 16;  // tables in tables; each at least doubles the size
constexpr size_t kMaxNodeBytes = 16 << 20;

int Log2(uint64_t power) { return std::bit_width(power) - 1; }

class FractalHeap {
 public:
  FractalHeap(Hdf5Bytes& bytes, uint64_t address) : bytes_(bytes) {
    size_t length = static_cast<size_t>(bytes.length_bytes());
    size_t offset = static_cast<size_t>(bytes.offset_bytes());
    std::string head = bytes.ReadSigned(address, 22 + 12 * length + 3 * offset, "FRHP");
    Hdf5Fields fields = bytes.Fields(head);
    fields.Skip(5);
    id_bytes_ = static_cast<size_t>(fields.Uint(2));
    filtered_ = fields.Uint(2) != 0;
    fields.Skip(1);
    max_managed_ = fields.Uint(4);
    fields.Skip(length + offset + length + offset + 8 * length);
    width_ = fields.Uint(2);
    start_ = fields.Length();
    max_direct_ = fields.Length();
    heap_bits_ = static_cast<int>(fields.Uint(2));
    fields.Skip(2);
    root_ = fields.Offset();
    root_rows_ = fields.Uint(2);
    Check();
    block_head_ = 5 + offset + static_cast<size_t>(heap_bits_ + 7) / 8;
  }

  size_t id_bytes() const { return id_bytes_; }

  std::string Object(std::string_view id) {
    Hdf5Fields fields = bytes_.Fields(id);
    int head = fields.Byte();
    if ((head & 0xC0) != 0) FailHdf5("an identifier of an unknown version");
    switch (head >> 4) {
      case 0: {
        uint64_t offset = fields.Uint((heap_bits_ + 7) / 8);
        return Managed(offset, fields.Uint(LengthBytes()));
      }
      case 2:
        return std::string(fields.Text(static_cast<size_t>(head & 0x0F) + 1));
      default:
        throw Error(Code::kUnimplemented, "a huge object of a fractal heap is not read");
    }
  }

 private:
  void Check() const {
    bool sizes = std::has_single_bit(start_) && std::has_single_bit(max_direct_) &&
                 start_ <= max_direct_ && max_direct_ <= (uint64_t{1} << 32);
    bool table = width_ > 0 && std::has_single_bit(width_) && width_ <= 1024;
    if (!sizes || !table || heap_bits_ < 1 || heap_bits_ > 64 || id_bytes_ < 3 || id_bytes_ > 4096)
      FailHdf5("a fractal heap has odd sizes");
    if (filtered_) throw Error(Code::kUnimplemented, "a packed fractal heap is not read");
  }

  int LengthBytes() const {
    int block = (Log2(max_direct_) + 7) / 8;
    return std::min(block, BytesFor(max_managed_));
  }

  uint64_t RowBytes(uint64_t row) const { return row == 0 ? start_ : start_ << (row - 1); }

  std::string Managed(uint64_t offset, uint64_t n) {
    if (n > kMaxObjectBytes)
      throw Error(Code::kTooLarge, "an object of a fractal heap is too large");
    uint64_t block = root_;
    uint64_t size = start_;
    if (root_rows_ > 0) FindBlock(root_, root_rows_, &offset, &block, &size);
    if (offset > size || n > size - offset || bytes_.IsNowhere(block))
      FailHdf5("an object lies outside of its fractal heap");
    return bytes_.Read(block + offset, n);
  }

  // Goes down the tables to the direct block that holds *offset, which becomes relative to it.
  void FindBlock(uint64_t table, uint64_t rows, uint64_t* offset, uint64_t* block, uint64_t* size) {
    uint64_t direct_rows = static_cast<uint64_t>(Log2(max_direct_) - Log2(start_)) + 2;
    for (int level = 0; level < kMaxTables; ++level) {
      // A row begins where all before it end: start * width, doubled from row 1 on.
      uint64_t unit = start_ * width_;
      uint64_t row = *offset < unit ? 0 : static_cast<uint64_t>(std::bit_width(*offset / unit));
      if (row >= rows || row > 62) FailHdf5("an object lies outside of its fractal heap");
      uint64_t begin = row == 0 ? 0 : unit << (row - 1);
      uint64_t bytes = RowBytes(row);
      uint64_t column = (*offset - begin) / bytes;
      *offset -= begin + column * bytes;
      uint64_t entry = row * width_ + column;
      uint64_t width = static_cast<uint64_t>(bytes_.offset_bytes());
      bytes_.ReadSigned(table, 4, "FHIB");
      std::string address = bytes_.Read(table + block_head_ + entry * width, width);
      *block = bytes_.Fields(address).Offset();
      *size = bytes;
      if (row < direct_rows) return;
      table = *block;
      rows = static_cast<uint64_t>(Log2(bytes) - Log2(unit)) + 1;
    }
    FailHdf5("tables of a fractal heap nest too deep");
  }

  Hdf5Bytes& bytes_;
  size_t id_bytes_ = 0;
  bool filtered_ = false;
  uint64_t max_managed_ = 0;
  uint64_t width_ = 0;
  uint64_t start_ = 0;
  uint64_t max_direct_ = 0;
  int heap_bits_ = 0;
  uint64_t root_ = 0;
  uint64_t root_rows_ = 0;
  size_t block_head_ = 0;
};

class NameTree {
 public:
  NameTree(Hdf5Bytes& bytes, uint64_t address) : bytes_(bytes) {
    size_t head_bytes = 22 + static_cast<size_t>(bytes.offset_bytes() + bytes.length_bytes());
    std::string head = bytes.ReadSigned(address, head_bytes, "BTHD");
    Hdf5Fields fields = bytes.Fields(head);
    fields.Skip(5);
    type_ = fields.Byte();
    node_bytes_ = static_cast<size_t>(fields.Uint(4));
    record_bytes_ = static_cast<size_t>(fields.Uint(2));
    depth_ = static_cast<int>(fields.Uint(2));
    fields.Skip(2);
    root_ = fields.Offset();
    root_records_ = fields.Uint(2);
    bool sizes = record_bytes_ > 0 && node_bytes_ <= kMaxNodeBytes &&
                 node_bytes_ >= kNodeBytes + record_bytes_ && depth_ <= 16;
    if (!sizes) FailHdf5("a tree has odd sizes");
    Measure();
  }

  // Where the heap's identifier lies in a record: after the hash for links by name, first for
  // attributes by name.
  size_t IdPlace() const {
    if (type_ == 5) return 4;
    if (type_ == 8) return 0;
    FailHdf5("a tree of another kind than names");
  }
  size_t record_bytes() const { return record_bytes_; }

  void Visit(const std::function<void(std::string_view)>& take) {
    if (!bytes_.IsNowhere(root_) && root_records_ > 0) Visit(root_, root_records_, depth_, take);
  }

 private:
  static constexpr size_t kNodeBytes = 10;  // signature, version, type and checksum

  // The width of a child's counts follows from how many records can lie below it.
  void Measure() {
    uint64_t below = (node_bytes_ - kNodeBytes) / record_bytes_;
    count_bytes_ = BytesFor(below);
    total_bytes_.push_back(0);
    for (int level = 1; level <= depth_; ++level) {
      size_t child = ChildBytes(level);
      if (node_bytes_ < kNodeBytes + child + record_bytes_) FailHdf5("a tree has odd sizes");
      uint64_t here = (node_bytes_ - kNodeBytes - child) / (record_bytes_ + child);
      bool fits = below < (uint64_t{1} << 62) / (here + 1);
      if (!fits) FailHdf5("a tree is too large");
      below = (here + 1) * below + here;
      total_bytes_.push_back(BytesFor(below));
    }
  }
  size_t ChildBytes(int level) const {
    return static_cast<size_t>(bytes_.offset_bytes() + count_bytes_ +
                               total_bytes_[static_cast<size_t>(level - 1)]);
  }

  void Visit(uint64_t address, uint64_t count, int level,
             const std::function<void(std::string_view)>& take) {
    if (!seen_.insert(address).second) FailHdf5("a tree has a cycle");
    records_ += count;
    if (records_ > bytes_.limits().max_links)
      throw Error(Code::kTooLarge, "the HDF5 file has too many links");
    size_t child_bytes = level > 0 ? ChildBytes(level) : 0;
    size_t need = 6 + static_cast<size_t>(count) * record_bytes_ +
                  (level > 0 ? static_cast<size_t>(count + 1) * child_bytes : 0);
    if (need > node_bytes_) FailHdf5("a node of a tree is over-full");
    std::string node = bytes_.ReadSigned(address, need, level > 0 ? "BTIN" : "BTLF");
    Hdf5Fields fields = bytes_.Fields(node);
    fields.Skip(6);
    std::vector<std::string_view> records;
    for (uint64_t i = 0; i < count; ++i) records.push_back(fields.Text(record_bytes_));
    for (uint64_t i = 0; i <= count; ++i) {
      if (level > 0) {
        uint64_t child = fields.Offset();
        uint64_t child_count = fields.Uint(count_bytes_);
        fields.Uint(total_bytes_[static_cast<size_t>(level - 1)]);
        Visit(child, child_count, level - 1, take);
      }
      if (i < count) take(records[static_cast<size_t>(i)]);
    }
  }

  Hdf5Bytes& bytes_;
  int type_ = 0;
  size_t node_bytes_ = 0;
  size_t record_bytes_ = 0;
  int depth_ = 0;
  uint64_t root_ = 0;
  uint64_t root_records_ = 0;
  int count_bytes_ = 1;
  std::vector<int> total_bytes_;  // by level
  std::set<uint64_t> seen_;
  uint64_t records_ = 0;
};

}  // namespace

Hdf5Link ParseHdf5Link(const Hdf5Bytes&, Hdf5Fields fields) {
  Hdf5Link link;
  if (fields.Byte() != 1) FailHdf5("a link of an unknown version");
  int flags = fields.Byte();
  int kind = (flags & 8) != 0 ? fields.Byte() : 0;
  if ((flags & 4) != 0) fields.Skip(8);   // order of creation
  if ((flags & 16) != 0) fields.Skip(1);  // character set
  uint64_t name_bytes = fields.Uint(1 << (flags & 3));
  if (name_bytes > fields.left()) FailHdf5("a link's name is too long");
  link.name = fields.Text(static_cast<size_t>(name_bytes));
  if (kind == 0) {
    link.address = fields.Offset();
    return link;
  }
  link.kind = kind == 1 ? Hdf5Link::kSoft : Hdf5Link::kExternal;
  std::string_view target = fields.Text(static_cast<size_t>(fields.Uint(2)));
  if (kind == 1) {
    link.target = target;
  } else if (target.size() > 1) {  // flags, then a file and a path, each with a NUL
    Hdf5Fields parts(target.substr(1), 8, 8);
    link.target = parts.TextToNul();
    if (parts.left() > 0) link.target += ":" + std::string(parts.TextToNul());
  }
  return link;
}

void ReadHdf5Dense(Hdf5Bytes& bytes, uint64_t tree, uint64_t heap,
                   const std::function<void(std::string_view)>& take) {
  FractalHeap objects(bytes, heap);
  NameTree names(bytes, tree);
  size_t place = names.IdPlace();
  if (names.record_bytes() < place + objects.id_bytes()) FailHdf5("a tree has odd sizes");
  names.Visit([&](std::string_view record) {
    take(objects.Object(record.substr(place, objects.id_bytes())));
  });
}

}  // namespace hearth
