#include "tokenizers/internal/compiled_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace hearth::tokenizers::internal {
namespace {

constexpr char kMagic[8] = {'H', 'T', 'O', 'K', 'C', 1, '\r', '\n'};
constexpr size_t kAlignment = 64;
constexpr uint32_t kMaxSections = 32;

struct Header {
  char magic[8];
  uint64_t checksum;  // of the header and the list of sections, with zero in its place
  uint32_t version;
  uint32_t sections;
  uint64_t file_bytes;
  char made_of[32];
};

struct Entry {
  uint32_t kind;
  uint32_t reserved;
  uint64_t offset, bytes, checksum;
};
static_assert(std::is_trivially_copyable_v<Header> && sizeof(Header) % 8 == 0);
static_assert(sizeof(Entry) == 32);

// Four lanes of folded 64x64 multiplication, 64 bytes a step: nearly as fast as memory is read.
uint64_t Checksum(std::string_view bytes) {
  auto fold = [](uint64_t a, uint64_t b) {
    auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  uint64_t lanes[4] = {1, 2, 3, 4};
  auto add = [&](const char* from) {
    uint64_t words[8];
    std::memcpy(words, from, sizeof(words));
    for (int k = 0; k < 4; ++k) {
      lanes[k] = fold(words[2 * k] ^ 0x9E3779B97F4A7C15u, words[2 * k + 1] ^ lanes[k]);
    }
  };
  size_t i = 0;
  for (; i + 64 <= bytes.size(); i += 64) add(bytes.data() + i);
  char tail[64] = {};
  if (i < bytes.size()) std::memcpy(tail, bytes.data() + i, bytes.size() - i);
  add(tail);
  uint64_t sum = bytes.size();
  for (uint64_t lane : lanes) sum = fold(sum ^ lane, 0xD6E8FEB86659FD93u) + lane;
  return sum ^ sum >> 32;
}

size_t Aligned(size_t at) { return (at + kAlignment - 1) / kAlignment * kAlignment; }

std::string MakeHead(const Sha256& made_of, std::span<const CompiledFile::Section> sections) {
  std::string head(sizeof(Header) + sections.size() * sizeof(Entry), '\0');
  size_t at = Aligned(head.size());
  for (size_t i = 0; i < sections.size(); ++i) {
    std::string_view bytes = sections[i].bytes;
    Entry entry = {sections[i].kind, 0, at, bytes.size(), Checksum(bytes)};
    std::memcpy(head.data() + sizeof(Header) + i * sizeof(Entry), &entry, sizeof(entry));
    at = Aligned(at + bytes.size());
  }
  Header header = {};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.version = CompiledFile::kVersion;
  header.sections = static_cast<uint32_t>(sections.size());
  header.file_bytes = at;
  std::memcpy(header.made_of, made_of.data(), sizeof(header.made_of));
  std::memcpy(head.data(), &header, sizeof(header));
  header.checksum = Checksum(head);
  std::memcpy(head.data(), &header, sizeof(header));
  return head;
}

}  // namespace

void CompiledFile::Write(const std::filesystem::path& path, const Sha256& made_of,
                         std::span<const Section> sections) {
  TempFile file(path.parent_path());
  static constexpr char kZeros[kAlignment] = {};
  auto append = [&file](std::string_view bytes) {
    file.Append(bytes);
    file.Append({kZeros, Aligned(file.size()) - file.size()});
  };
  append(MakeHead(made_of, sections));
  for (const Section& section : sections) append(section.bytes);
  file.CommitTo(path);
}

std::shared_ptr<const CompiledFile> CompiledFile::Map(const std::filesystem::path& path,
                                                      const Sha256& made_of) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (!fd.valid() || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_uid != geteuid() || static_cast<uint64_t>(status.st_size) < sizeof(Header)) {
    return nullptr;
  }
  std::shared_ptr<CompiledFile> file(new CompiledFile);
  auto size = static_cast<size_t>(status.st_size);
  void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (memory == MAP_FAILED) return nullptr;
  file->memory_ = static_cast<const char*>(memory);
  file->size_ = size;
  if (!file->Check(made_of)) return nullptr;
  return file;
}

CompiledFile::~CompiledFile() {
  if (memory_ != nullptr) munmap(const_cast<char*>(memory_), size_);
}

bool CompiledFile::Check(const Sha256& made_of) {
  Header header;
  std::memcpy(&header, memory_, sizeof(header));
  if (std::memcmp(header.magic, kMagic, sizeof(kMagic)) != 0 || header.version != kVersion ||
      header.sections > kMaxSections || header.file_bytes != size_ ||
      std::string_view(header.made_of, sizeof(header.made_of)) != made_of.raw()) {
    return false;
  }
  size_t head_bytes = sizeof(Header) + header.sections * sizeof(Entry);
  if (head_bytes > size_) return false;
  std::string head(memory_, head_bytes);
  uint64_t checksum = std::exchange(header.checksum, 0);
  std::memcpy(head.data(), &header, sizeof(header));
  if (Checksum(head) != checksum) return false;
  for (uint32_t i = 0; i < header.sections; ++i) {
    Entry entry;
    std::memcpy(&entry, memory_ + sizeof(Header) + i * sizeof(Entry), sizeof(entry));
    if (entry.offset % kAlignment != 0 || entry.offset > size_ ||
        entry.bytes > size_ - entry.offset) {
      return false;
    }
  }
  return true;
}

std::optional<std::string_view> CompiledFile::Find(uint32_t kind) const {
  Header header;
  std::memcpy(&header, memory_, sizeof(header));
  for (uint32_t i = 0; i < header.sections; ++i) {
    Entry entry;
    std::memcpy(&entry, memory_ + sizeof(Header) + i * sizeof(Entry), sizeof(entry));
    if (entry.kind != kind) continue;
    std::string_view bytes(memory_ + entry.offset, entry.bytes);
    if (Checksum(bytes) != entry.checksum) return std::nullopt;
    return bytes;
  }
  return std::nullopt;
}

}  // namespace hearth::tokenizers::internal
