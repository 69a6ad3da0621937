// Object headers: the messages of a group or dataset, from all their pieces. Pure apart from reads;
// FailHdf5 for damage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/hdf5/internal/hdf5_messages.h"

namespace hearth {

struct Hdf5Message {
  // Those that are of interest here, by number of the specification.
  enum Kind {
    kSpace = 0x01,
    kLinkInfo = 0x02,
    kType = 0x03,
    kLink = 0x06,
    kExternalFiles = 0x07,
    kLayout = 0x08,
    kGroupInfo = 0x0A,
    kFilters = 0x0B,
    kAttribute = 0x0C,
    kSymbolTable = 0x11,
    kAttributeInfo = 0x15,
  };
  int kind = 0;
  bool shared = false;  // the body says where the message lies
  std::string body;
};

class Hdf5Object {
 public:
  Hdf5Object(Hdf5Bytes& bytes, uint64_t address);
  const std::vector<Hdf5Message>& messages() const { return messages_; }
  const Hdf5Message* Find(int kind) const;

 private:
  void ReadOld(uint64_t address);
  void ReadNew(uint64_t address);
  // One piece of messages; pieces that it names are put on `pieces_`.
  void Take(Hdf5Fields fields, bool old_form, bool ordered);

  Hdf5Bytes& bytes_;
  std::vector<Hdf5Message> messages_;
  std::vector<std::pair<uint64_t, uint64_t>> pieces_;  // address and length
};

// The body of a message, from the object that it is shared with where it is.
std::string ResolveHdf5Message(Hdf5Bytes& bytes, int kind, bool shared, std::string_view body);

// Name and value of an attribute message; null for a value that is neither text nor number.
std::pair<std::string, Json> ParseHdf5Attribute(Hdf5Bytes& bytes, std::string_view body);

}  // namespace hearth
