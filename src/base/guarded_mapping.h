// Files read through memory whose disk may fail or whose tail may be cut off meanwhile. The kernel
// tells of a page that it cannot give by SIGBUS, which ends a process that is not prepared. With
// the first mapping a handler for the whole process is installed: where the address lies inside a
// GuardedMapping, it puts zeros in the place of that page and of those behind it, marks the
// mapping as broken, and the reading goes on. Every other SIGBUS goes to whoever handled it before.
// (A process must not replace the handler afterwards without passing on what it does not know.)
//
// What was read is good only if broken() is false after the reading. It says nothing of the part
// of the last page that lies behind the file's end: that reads as zeros without a signal, so
// whoever cannot rule out that a file shrinks compares its size as well, after the reading too.
//
// Thread rule: any number of threads may read one mapping; it is unmapped when it is destroyed.
// System calls that are given such memory fail with EFAULT instead of raising a signal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hearth {

class GuardedMapping {
 public:
  // Maps bytes [offset, offset + size) of the file, read only and shared; size > 0. valid() is
  // false where the system refuses, as some file systems do: then read the file instead.
  GuardedMapping(int fd, uint64_t offset, size_t size);
  ~GuardedMapping();
  GuardedMapping(const GuardedMapping&) = delete;
  GuardedMapping& operator=(const GuardedMapping&) = delete;

  bool valid() const { return base_ != nullptr; }
  // The file's bytes [offset, offset + size). Precondition, here and below: valid().
  std::string_view bytes() const { return {base_ + skipped_, mapped_ - skipped_}; }
  // Prepares for one reading from front to back: the disk is read in large pieces, and the pages
  // are entered at once instead of one by one. Blocks.
  void Populate();
  // Whether something could not be read so far. Once true it stays so.
  bool broken() const;

 private:
  char* base_ = nullptr;  // of the pages
  size_t mapped_ = 0;     // from base_ to the last byte asked for
  size_t skipped_ = 0;    // from base_ to the first one
  size_t slot_ = 0;
};

}  // namespace hearth
