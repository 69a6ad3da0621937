#include "formats/hdf5/internal/hdf5_object.h"

#include "base/error.h"

namespace hearth {
namespace {

constexpr int kContinuation = 0x10;
constexpr size_t kMaxPieces = 4096;
constexpr size_t kMaxMessages = 65'536;
constexpr uint64_t kMaxPieceBytes = 64 << 20;

}  // namespace

Hdf5Object::Hdf5Object(Hdf5Bytes& bytes, uint64_t address) : bytes_(bytes) {
  std::string start = bytes.ReadUpTo(address, 4);
  if (start == "OHDR") {
    ReadNew(address);
  } else {
    ReadOld(address);
  }
}

const Hdf5Message* Hdf5Object::Find(int kind) const {
  for (const Hdf5Message& message : messages_) {
    if (message.kind == kind) return &message;
  }
  return nullptr;
}

void Hdf5Object::ReadOld(uint64_t address) {
  constexpr size_t kHeadBytes = 16;  // with the padding
  std::string head = bytes_.Read(address, kHeadBytes);
  Hdf5Fields fields = bytes_.Fields(head);
  if (fields.Byte() != 1) FailHdf5("an object of an unknown version");
  fields.Skip(7);
  pieces_.emplace_back(address + kHeadBytes, fields.Uint(4));
  for (size_t i = 0; i < pieces_.size(); ++i) {
    auto [at, n] = pieces_[i];
    if (n > kMaxPieceBytes) throw Error(Code::kTooLarge, "an object's header is too large");
    std::string piece = bytes_.Read(at, n);
    Take(bytes_.Fields(piece), true, false);
  }
}

void Hdf5Object::ReadNew(uint64_t address) {
  constexpr size_t kMostHeadBytes = 34;
  std::string head = bytes_.ReadUpTo(address, kMostHeadBytes);
  Hdf5Fields fields = bytes_.Fields(head);
  fields.Skip(4);
  if (fields.Byte() != 2) FailHdf5("an object of an unknown version");
  int flags = fields.Byte();
  if ((flags & 0x20) != 0) fields.Skip(16);  // times
  if ((flags & 0x10) != 0) fields.Skip(4);   // when attributes become dense
  uint64_t n = fields.Uint(1 << (flags & 3));
  bool ordered = (flags & 4) != 0;
  if (n > kMaxPieceBytes) throw Error(Code::kTooLarge, "an object's header is too large");
  std::string first = bytes_.Read(address + fields.position(), n);
  Take(bytes_.Fields(first), false, ordered);
  for (size_t i = 0; i < pieces_.size(); ++i) {
    auto [at, bytes] = pieces_[i];
    if (bytes > kMaxPieceBytes) throw Error(Code::kTooLarge, "an object's header is too large");
    if (bytes < 8) FailHdf5("a piece of a header is too short");
    std::string piece = bytes_.ReadSigned(at, bytes, "OCHK");
    Take(bytes_.Fields(std::string_view(piece).substr(4, piece.size() - 8)), false, ordered);
  }
}

void Hdf5Object::Take(Hdf5Fields fields, bool old_form, bool ordered) {
  size_t head_bytes = old_form ? 8 : ordered ? 6 : 4;
  // Less than a head is a gap.
  while (fields.left() >= head_bytes) {
    Hdf5Message message;
    message.kind = static_cast<int>(fields.Uint(old_form ? 2 : 1));
    uint64_t n = fields.Uint(2);
    int flags = fields.Byte();
    fields.Skip(old_form ? 3 : ordered ? 2 : 0);
    message.shared = (flags & 2) != 0;
    message.body = fields.Text(static_cast<size_t>(n));
    if (message.kind == kContinuation) {
      Hdf5Fields next = bytes_.Fields(message.body);
      uint64_t address = next.Offset();
      pieces_.emplace_back(address, next.Length());
      if (pieces_.size() > kMaxPieces)
        throw Error(Code::kTooLarge, "an object has too many pieces");
    } else if (message.kind != 0) {
      messages_.push_back(std::move(message));
      if (messages_.size() > kMaxMessages)
        throw Error(Code::kTooLarge, "an object has too many messages");
    }
  }
}

std::string ResolveHdf5Message(Hdf5Bytes& bytes, int kind, bool shared, std::string_view body) {
  if (!shared) return std::string(body);
  Hdf5Fields fields = bytes.Fields(body);
  int version = fields.Byte();
  int where = fields.Byte();
  if (version == 1) fields.Skip(6);
  if (version == 3 && where == 1)
    throw Error(Code::kUnimplemented, "a message in the file's own heap is not read");
  Hdf5Object owner(bytes, fields.Offset());
  const Hdf5Message* message = owner.Find(kind);
  if (message == nullptr || message->shared) FailHdf5("a shared message is not there");
  return message->body;
}

}  // namespace hearth
