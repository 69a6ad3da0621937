#include "formats/hdf5/hdf5_file.h"

#include <map>

#include "base/error.h"
#include "formats/hdf5/internal/hdf5_links.h"
#include "formats/hdf5/internal/hdf5_object.h"

namespace hearth {
namespace {

constexpr std::string_view kMagic = "\x89HDF\r\n\x1a\n";
// Damage may show at thousands of places; the first ones say it.
constexpr size_t kMaxWarnings = 20;

std::string Join(const std::string& group, const std::string& name) {
  return group.empty() ? name : group + "/" + name;
}

class Reader {
 public:
  Reader(ByteSource& source, const Hdf5Limits& limits) : source_(source), bytes_(source, limits) {}

  Hdf5File Read() {
    uint64_t root = ReadSuperblock();
    Hdf5Object object(bytes_, root);
    seen_.emplace(root, "/");
    ReadAttributes(object);
    VisitGroup(object, "", 0);
    return std::move(file_);
  }

 private:
  // The superblock stands at 0, or at 512 or a larger power of two behind a block of the user's.
  uint64_t FindSuperblock() {
    uint64_t size = source_.size_bytes();
    for (uint64_t at = 0; at + 24 <= size; at = at == 0 ? 512 : 2 * at) {
      if (source_.Read(at, kMagic.size()) == kMagic) return at;
    }
    throw Error(Code::kInvalidArgument, "no HDF5 superblock");
  }

  uint64_t ReadSuperblock() {
    uint64_t at = FindSuperblock();
    file_.superblock_offset = at;
    std::string head = bytes_.ReadUpTo(at, 128);
    Hdf5Fields fixed(head, 8, 8);
    fixed.Skip(8);
    file_.superblock_version = fixed.Byte();
    if (file_.superblock_version > 3)
      throw Error(Code::kUnimplemented,
                  "an HDF5 superblock of version " + std::to_string(file_.superblock_version));
    bool old_form = file_.superblock_version < 2;
    if (old_form) fixed.Skip(4);
    int offset_bytes = fixed.Byte();
    int length_bytes = fixed.Byte();
    fixed.Skip(1);
    if (old_form) fixed.Skip(file_.superblock_version == 1 ? 12 : 8);
    bytes_.SetShape(offset_bytes, length_bytes, 0);
    Hdf5Fields fields = bytes_.Fields(std::string_view(head).substr(fixed.position()));
    // Addresses count from the superblock, whatever base a file that was moved still names.
    fields.Offset();
    fields.Offset();  // free space, or the superblock's extension
    fields.Offset();  // the end of the file
    if (old_form) {
      fields.Offset();  // the driver's information
      fields.Offset();  // the root's name
    }
    uint64_t root = fields.Offset();
    bytes_.SetShape(offset_bytes, length_bytes, at);
    return root;
  }

  void Warn(const std::string& text) {
    if (file_.warnings.size() < kMaxWarnings) file_.warnings.push_back(text);
  }

  // Damage of one object leaves the others to be listed.
  template <typename Work>
  void Guard(const std::string& name, const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      bool content = error.code() == Code::kInvalidArgument || error.code() == Code::kUnimplemented;
      if (!content) throw;
      Warn((name.empty() ? "/" : name) + ": " + error.message());
    }
  }

  void ReadAttributes(const Hdf5Object& object) {
    auto take = [this](std::string_view body) {
      Guard("an attribute of the root",
            [&] { file_.attributes.push_back(ParseHdf5Attribute(bytes_, body)); });
    };
    for (const Hdf5Message& message : object.messages()) {
      if (message.kind == Hdf5Message::kAttribute && !message.shared) take(message.body);
      if (message.kind != Hdf5Message::kAttributeInfo) continue;
      Hdf5Fields fields = bytes_.Fields(message.body);
      fields.Skip(1);
      if ((fields.Byte() & 1) != 0) fields.Skip(2);
      uint64_t heap = fields.Offset();
      uint64_t tree = fields.Offset();
      if (bytes_.IsNowhere(heap) || bytes_.IsNowhere(tree)) continue;
      Guard("attributes of the root", [&] { ReadHdf5Dense(bytes_, tree, heap, take); });
    }
  }

  void VisitGroup(const Hdf5Object& object, const std::string& path, int depth) {
    if (depth > bytes_.limits().max_depth)
      throw Error(Code::kTooLarge, "groups of the HDF5 file nest too deep");
    ++file_.groups;
    for (const Hdf5Message& message : object.messages()) {
      Guard(path, [&] { VisitLinks(message, path, depth); });
    }
  }

  void VisitLinks(const Hdf5Message& message, const std::string& path, int depth) {
    Hdf5Fields fields = bytes_.Fields(message.body);
    if (message.kind == Hdf5Message::kLink) {
      Follow(ParseHdf5Link(bytes_, fields), path, depth);
    } else if (message.kind == Hdf5Message::kSymbolTable) {
      uint64_t tree = fields.Offset();
      for (const Hdf5Link& link : ReadHdf5SymbolTable(bytes_, tree, fields.Offset()))
        Follow(link, path, depth);
    } else if (message.kind == Hdf5Message::kLinkInfo) {
      fields.Skip(1);
      if ((fields.Byte() & 1) != 0) fields.Skip(8);
      uint64_t heap = fields.Offset();
      uint64_t tree = fields.Offset();
      if (bytes_.IsNowhere(heap) || bytes_.IsNowhere(tree)) return;
      std::vector<Hdf5Link> links;
      ReadHdf5Dense(bytes_, tree, heap, [&](std::string_view body) {
        links.push_back(ParseHdf5Link(bytes_, bytes_.Fields(body)));
      });
      for (const Hdf5Link& link : links) Follow(link, path, depth);
    }
  }

  void Follow(const Hdf5Link& link, const std::string& group, int depth) {
    const Hdf5Limits& limits = bytes_.limits();
    if (++links_ > limits.max_links)
      throw Error(Code::kTooLarge, "the HDF5 file has too many links");
    std::string path = Join(group, link.name);
    if (path.size() > limits.max_name_bytes)
      throw Error(Code::kTooLarge, "a name in the HDF5 file is too long");
    if (link.kind == Hdf5Link::kExternal)
      return Warn(path + ": a link to another file, " + link.target);
    if (link.kind == Hdf5Link::kSoft) return;  // another name of something in this file
    auto [first, is_new] = seen_.emplace(link.address, path);
    if (!is_new) return AddName(path, first->second);
    if (seen_.size() > limits.max_objects)
      throw Error(Code::kTooLarge, "the HDF5 file has too many objects");
    Guard(path, [&] {
      Hdf5Object object(bytes_, link.address);
      if (object.Find(Hdf5Message::kLayout) != nullptr) {
        AddDataset(object, path);
      } else if (IsGroup(object)) {
        VisitGroup(object, path, depth + 1);
      }
    });
  }

  static bool IsGroup(const Hdf5Object& object) {
    for (int kind : {Hdf5Message::kSymbolTable, Hdf5Message::kLinkInfo, Hdf5Message::kLink,
                     Hdf5Message::kGroupInfo}) {
      if (object.Find(kind) != nullptr) return true;
    }
    return false;
  }

  // Another hard link to a dataset that is listed already.
  void AddName(const std::string& path, const std::string& first) {
    auto row = rows_.find(first);
    if (row == rows_.end()) return;
    Hdf5Dataset copy = file_.datasets[row->second];
    copy.name = path;
    copy.same_as = first;
    file_.datasets.push_back(std::move(copy));
  }

  std::string Body(const Hdf5Object& object, int kind) {
    const Hdf5Message* message = object.Find(kind);
    if (message == nullptr) FailHdf5("a dataset without shape or type");
    return ResolveHdf5Message(bytes_, kind, message->shared, message->body);
  }

  void AddDataset(const Hdf5Object& object, const std::string& path) {
    Hdf5Dataset row;
    row.name = path;
    std::string type_body = Body(object, Hdf5Message::kType);
    Hdf5Fields type_fields = bytes_.Fields(type_body);
    Hdf5Type type = ParseHdf5Type(&type_fields);
    std::string space_body = Body(object, Hdf5Message::kSpace);
    Hdf5Space space = ParseHdf5Space(bytes_.Fields(space_body));
    row.dtype = type.name;
    row.shape = space.dims;
    row.elements = space.elements;
    if (__builtin_mul_overflow(space.elements, type.bytes, &row.bytes))
      FailHdf5("a shape with too many bytes");
    Hdf5Layout layout = ParseHdf5Layout(bytes_, bytes_.Fields(Body(object, Hdf5Message::kLayout)));
    row.layout = layout.name;
    if (object.Find(Hdf5Message::kFilters) != nullptr) {
      std::string filters = Body(object, Hdf5Message::kFilters);
      row.filters = ParseHdf5Filters(bytes_.Fields(filters));
    }
    if (object.Find(Hdf5Message::kExternalFiles) != nullptr) {
      row.layout = "external";
      Warn(path + ": its data lies in another file");
    } else if (layout.has_address && row.bytes > 0) {
      Place(layout, &row);
    }
    rows_.emplace(path, file_.datasets.size());
    file_.datasets.push_back(std::move(row));
  }

  void Place(const Hdf5Layout& layout, Hdf5Dataset* row) {
    uint64_t size = bytes_.size_bytes();
    uint64_t base = bytes_.base();
    bool inside =
        base <= size && layout.address <= size - base && row->bytes <= size - base - layout.address;
    if (!inside) FailHdf5("the data goes past the end of the file");
    row->offset = base + layout.address;
  }

  ByteSource& source_;
  Hdf5Bytes bytes_;
  Hdf5File file_;
  std::map<uint64_t, std::string> seen_;  // objects by address: the first name
  std::map<std::string, size_t> rows_;    // datasets by name
  size_t links_ = 0;
};

}  // namespace

bool LooksLikeHdf5(std::string_view first) {
  for (size_t at = 0; at + kMagic.size() <= first.size(); at = at == 0 ? 512 : 2 * at) {
    if (first.substr(at, kMagic.size()) == kMagic) return true;
  }
  return false;
}

Hdf5File ReadHdf5(ByteSource& source, const Hdf5Limits& limits) {
  return Reader(source, limits).Read();
}

}  // namespace hearth
