// Xorbs on disk: one file for each form (xorb_form.h), <root>/ab/cd/<hash> for the first and
// <hash>.<n> for further ones, the chunk records followed by a version 1 footer. The footer is the
// xorb's index, so a file describes itself; it is never served.
//
// Once Put returns the form is durable; it never changes: byte offsets of its records are handed
// out to clients. A body that is compressed otherwise becomes a form of its own, unless its sender
// knows one: that one then stays. The number of a form may be used again when its file is gone.
// Thread-safe. Errors: kInvalidArgument and kTooLarge for a bad body, kNotFound, kInternal for a
// damaged file, kConflict for more forms than there are numbers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "base/file.h"
#include "storage/xet/xorb.h"
#include "storage/xet/xorb_form.h"

namespace hearth::storage {

using XorbIndexPtr = std::shared_ptr<const XorbIndex>;

// Parses the version 1 footer at the end of a stored xorb file and checks it against itself and the
// file's size. Throws kInternal with `name` when it is damaged.
XorbIndex ReadXorbFooter(int fd, std::string_view name);

class XorbStore {
 public:
  virtual ~XorbStore() = default;
  static std::unique_ptr<XorbStore> OpenLocal(const std::filesystem::path& root);

  struct Put {
    XorbIndexPtr index;
    bool inserted = false;  // false: it was there already
    uint16_t form = 0;
    XorbForm Form() const { return {index->hash, form}; }
  };
  // The form that the sender knows, and that stays whatever the new body is like; nullopt: none, so
  // that what is told afterwards, and how long it takes, must not say that others have the xorb.
  using KnownForm = std::optional<uint16_t>;
  // Checks an uploaded body (every chunk decoded and hashed; an attached footer is cut off) and
  // stores it. Memory: about 1 MiB and 40 bytes per chunk. The temporary file must be in
  // temp_folder()'s file system.
  virtual Put PutUploaded(TempFile body, const XetHash& expected,
                          KnownForm known = std::nullopt) = 0;
  // The same for a body that an XorbValidator has seen whole already: `index` is what it found.
  virtual Put PutChecked(TempFile body, XorbIndex index, KnownForm known = std::nullopt) = 0;
  // Stores a xorb that this process built; the builder vouches for it.
  virtual Put PutBuilt(const XorbBuilder::Built& built) = 0;
  // nullptr when it is not stored. Recently used indexes are remembered (bounded by bytes).
  virtual XorbIndexPtr FindIndex(const XorbForm& xorb) = 0;
  // Throws kNotFound. The records are the first index->body_bytes bytes of the file. The
  // descriptor stays readable even if the xorb is removed meanwhile; recent ones are remembered.
  virtual std::shared_ptr<UniqueFd> Open(const XorbForm& xorb) = 0;
  // Moves the file out of the store, durably; false when it was not there. `target`'s folder
  // exists and is on the same file system.
  virtual bool MoveOut(const XorbForm& xorb, const std::filesystem::path& target) = 0;
  // Takes a file back that MoveOut gave away; its index. Throws kInternal when it is damaged.
  virtual XorbIndexPtr MoveIn(const std::filesystem::path& source, const XorbForm& xorb) = 0;
  virtual void ForEach(
      const std::function<void(const XorbForm&, uint64_t file_bytes)>& each) const = 0;
  virtual const std::filesystem::path& temp_folder() const = 0;
};

}  // namespace hearth::storage
