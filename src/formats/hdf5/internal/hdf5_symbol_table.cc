// Groups of the old form, and the global heap.
#include <algorithm>
#include <set>

#include "base/error.h"
#include "formats/hdf5/internal/hdf5_links.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxHeapBytes = 64 << 20;
constexpr int kMaxLevels = 32;

class SymbolTable {
 public:
  SymbolTable(Hdf5Bytes& bytes, uint64_t heap) : bytes_(bytes) { ReadHeap(heap); }

  void Visit(uint64_t address, int level_limit) {
    if (level_limit == 0) FailHdf5("a tree of names is too deep");
    if (!seen_.insert(address).second) FailHdf5("a tree of names has a cycle");
    size_t width = static_cast<size_t>(bytes_.offset_bytes());
    size_t head_bytes = 8 + 2 * width;
    std::string head = bytes_.ReadSigned(address, head_bytes, "TREE");
    Hdf5Fields fields = bytes_.Fields(head);
    fields.Skip(4);
    if (fields.Byte() != 0) FailHdf5("a tree of names holds something else");
    int level = fields.Byte();
    uint64_t count = fields.Uint(2);
    // A key before each child: the offset of a name, which the symbol nodes repeat.
    size_t row = static_cast<size_t>(bytes_.length_bytes()) + width;
    std::string rows = bytes_.Read(address + head_bytes, count * row);
    Hdf5Fields children = bytes_.Fields(rows);
    for (uint64_t i = 0; i < count; ++i) {
      children.Length();
      uint64_t child = children.Offset();
      if (level > 0) {
        Visit(child, level_limit - 1);
      } else {
        VisitNode(child);
      }
    }
  }
  std::vector<Hdf5Link> Take() { return std::move(links_); }

 private:
  void ReadHeap(uint64_t address) {
    size_t head_bytes = 8 + 2 * static_cast<size_t>(bytes_.length_bytes()) +
                        static_cast<size_t>(bytes_.offset_bytes());
    std::string head = bytes_.ReadSigned(address, head_bytes, "HEAP");
    Hdf5Fields fields = bytes_.Fields(head);
    fields.Skip(8);
    uint64_t size = fields.Length();
    fields.Length();  // the free list
    if (size > kMaxHeapBytes) throw Error(Code::kTooLarge, "a heap of names is too large");
    names_ = bytes_.Read(fields.Offset(), size);
  }

  std::string NameAt(uint64_t offset) const {
    if (offset >= names_.size()) FailHdf5("a name lies outside of its heap");
    Hdf5Fields fields = bytes_.Fields(std::string_view(names_).substr(static_cast<size_t>(offset)));
    return std::string(fields.TextToNul());
  }

  void VisitNode(uint64_t address) {
    std::string head = bytes_.ReadSigned(address, 8, "SNOD");
    Hdf5Fields head_fields = bytes_.Fields(head);
    head_fields.Skip(6);
    uint64_t count = head_fields.Uint(2);
    if (links_.size() + count > bytes_.limits().max_links)
      throw Error(Code::kTooLarge, "the HDF5 file has too many links");
    size_t row = 2 * static_cast<size_t>(bytes_.offset_bytes()) + 24;
    std::string rows = bytes_.Read(address + 8, count * row);
    Hdf5Fields fields = bytes_.Fields(rows);
    for (uint64_t i = 0; i < count; ++i) {
      Hdf5Link link;
      link.name = NameAt(fields.Offset());
      link.address = fields.Offset();
      uint64_t cached = fields.Uint(4);
      fields.Skip(4);
      Hdf5Fields scratch = fields.Part(16);
      if (cached == 2) {  // a soft link: the offset of its path
        link.kind = Hdf5Link::kSoft;
        link.target = NameAt(scratch.Uint(4));
      }
      links_.push_back(std::move(link));
    }
  }

  Hdf5Bytes& bytes_;
  std::string names_;
  std::set<uint64_t> seen_;
  std::vector<Hdf5Link> links_;
};

}  // namespace

std::vector<Hdf5Link> ReadHdf5SymbolTable(Hdf5Bytes& bytes, uint64_t tree, uint64_t heap) {
  SymbolTable table(bytes, heap);
  table.Visit(tree, kMaxLevels);
  return table.Take();
}

std::string ReadHdf5GlobalHeap(Hdf5Bytes& bytes, uint64_t address, uint64_t index, uint64_t n) {
  size_t head_bytes = 8 + static_cast<size_t>(bytes.length_bytes());
  std::string head = bytes.ReadSigned(address, head_bytes, "GCOL");
  Hdf5Fields head_fields = bytes.Fields(head);
  head_fields.Skip(8);
  uint64_t end = head_fields.Length();
  size_t row = 8 + static_cast<size_t>(bytes.length_bytes());
  for (uint64_t at = head_bytes; at <= end && end - at >= row;) {
    std::string entry = bytes.Read(address + at, row);
    Hdf5Fields fields = bytes.Fields(entry);
    uint64_t number = fields.Uint(2);
    fields.Skip(6);
    uint64_t size = fields.Length();
    if (number == 0) break;  // free space: the end
    if (size > end - at - row) FailHdf5("an object goes past its heap");
    if (number == index) return bytes.Read(address + at + row, std::min(n, size));
    at += row + (size + 7) / 8 * 8;
  }
  FailHdf5("a text is not in its heap");
}

}  // namespace hearth
