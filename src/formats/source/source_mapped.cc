#include "formats/source/source_mapped.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

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

namespace {

// Entering a page into the page tables takes a tenth of a microsecond, a thread some fifty: from
// here on a thread pays, and so much per thread.
constexpr uintptr_t kBytesPerThread = uintptr_t{64} << 20;
constexpr uintptr_t kMostThreads = 4;  // the kernel's locks let no more through

void Populate(uintptr_t begin, uintptr_t end) {
#ifdef MADV_POPULATE_READ
  if (::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_READ) == 0) return;
#endif
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_WILLNEED);
}

}  // namespace

void MappedSource::Preload(std::span<const uint8_t> part) const {
  if (part.empty()) return;
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  auto begin = reinterpret_cast<uintptr_t>(part.data()) / page * page;
  auto end = reinterpret_cast<uintptr_t>(part.data() + part.size());
  const uintptr_t cores = std::max(1u, std::thread::hardware_concurrency());
  const uintptr_t threads =
      std::clamp<uintptr_t>((end - begin) / kBytesPerThread, 1, std::min(cores, kMostThreads));
  const uintptr_t share = (end - begin) / threads / page * page;
  std::vector<std::jthread> helpers;
  try {
    for (; helpers.size() + 1 < threads; begin += share) {
      helpers.emplace_back(Populate, begin, begin + share);
    }
  } catch (const std::system_error&) {
    // No more threads to be had: the rest is done here.
  }
  Populate(begin, end);
}

void MappedSource::ReadAt(uint64_t offset, char* out, size_t n) {
  if (offset > size_ || n > size_ - offset) {
    throw Error(Code::kInternal, "read past the end of the source");
  }
  if (n > 0) std::memcpy(out, data_ + offset, n);
}

}  // namespace hearth
