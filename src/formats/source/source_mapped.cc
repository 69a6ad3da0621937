#include "formats/source/source_mapped.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace hearth {

MappedSource::MappedSource(const std::filesystem::path& path) : path_(path) {
  UniqueFd fd = OpenForRead(path);
  size_ = FileSize(fd.get());
  if (size_ == 0) return;  // an empty mapping is an error to the kernel
  void* data = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) ThrowErrno("map " + path.string());
  data_ = static_cast<const uint8_t*>(data);
}

MappedSource::MappedSource(MappedSource&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedSource& MappedSource::operator=(MappedSource&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedSource::~MappedSource() {
  if (data_ != nullptr) ::munmap(const_cast<uint8_t*>(data_), size_);
}

void MappedSource::Preload(std::span<const uint8_t> part) const {
  if (part.empty()) return;
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  auto begin = reinterpret_cast<uintptr_t>(part.data()) / page * page;
  auto end = reinterpret_cast<uintptr_t>(part.data() + part.size());
#ifdef MADV_POPULATE_READ
  if (::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_READ) == 0) return;
#endif
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_WILLNEED);
}

void MappedSource::ReadAt(uint64_t offset, char* out, size_t n) {
  if (offset > size_ || n > size_ - offset) {
    throw Error(Code::kInternal, "read past the end of the source");
  }
  if (n > 0) std::memcpy(out, data_ + offset, n);
}

}  // namespace hearth
