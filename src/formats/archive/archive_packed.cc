#include "formats/archive/archive_packed.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>

#include "base/error.h"
#include "formats/archive/internal/rar_headers.h"
#include "formats/archive/internal/spool.h"

namespace hearth {
namespace {

constexpr size_t kBlockBytes = 256 << 10;
constexpr int kMaxRetries = 100;  // of one member

// The source as libarchive reads it. Exceptions must not cross its C code: they wait here.
struct Input {
  ByteSource& source;
  uint64_t at = 0;
  std::string block;
  std::exception_ptr fault;

  static la_ssize_t Read(archive* reader, void* self, const void** out) {
    auto* input = static_cast<Input*>(self);
    uint64_t left = input->source.size_bytes() - input->at;
    try {
      input->block =
          input->source.Read(input->at, static_cast<size_t>(std::min<uint64_t>(kBlockBytes, left)));
    } catch (...) {
      input->fault = std::current_exception();
      archive_set_error(reader, EIO, "the file cannot be read");
      return ARCHIVE_FATAL;
    }
    input->at += input->block.size();
    *out = input->block.data();
    return static_cast<la_ssize_t>(input->block.size());
  }

  static la_int64_t Skip(archive*, void* self, la_int64_t n) {
    auto* input = static_cast<Input*>(self);
    uint64_t left = input->source.size_bytes() - input->at;
    uint64_t step = n < 0 ? 0 : std::min(static_cast<uint64_t>(n), left);
    input->at += step;
    return static_cast<la_int64_t>(step);
  }

  static la_int64_t Seek(archive*, void* self, la_int64_t offset, int whence) {
    auto* input = static_cast<Input*>(self);
    auto size = static_cast<la_int64_t>(input->source.size_bytes());
    la_int64_t base = whence == SEEK_SET   ? 0
                      : whence == SEEK_CUR ? static_cast<la_int64_t>(input->at)
                                           : size;
    if (offset < -base || offset > size - base) return ARCHIVE_FATAL;
    input->at = static_cast<uint64_t>(base + offset);
    return base + offset;
  }
};

struct Reader {
  Reader() : handle(archive_read_new()) {
    if (handle == nullptr) throw Error(Code::kInternal, "no memory for an archive");
    archive_read_support_format_7zip(handle);
    archive_read_support_format_rar(handle);
    archive_read_support_format_rar5(handle);
  }
  ~Reader() { archive_read_free(handle); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  std::string Problem() const {
    const char* text = archive_error_string(handle);
    return text == nullptr ? "the archive is damaged" : text;
  }
  archive* handle;
};

std::string Text(const char* text) { return text == nullptr ? std::string() : text; }

class Walk {
 public:
  Walk(ByteSource& source, const UnpackLimits& limits)
      : input_{source, 0, {}, {}}, limits_(limits) {}

  PackedWalk Run(const std::function<bool(PackedMember&)>& take) {
    archive* handle = reader_.handle;
    archive_read_set_callback_data(handle, &input_);
    archive_read_set_read_callback(handle, Input::Read);
    archive_read_set_skip_callback(handle, Input::Skip);
    archive_read_set_seek_callback(handle, Input::Seek);
    int status = archive_read_open1(handle);
    bool opened = status >= ARCHIVE_WARN;
    while (status >= ARCHIVE_WARN) {
      archive_entry* entry = nullptr;
      status = archive_read_next_header(handle, &entry);
      CheckFault();
      if (status == ARCHIVE_EOF) return std::move(walk_);
      if (status < ARCHIVE_WARN) break;
      PackedMember member = Member(entry);
      // Damage inside of a member may end the archive: the next header says so.
      if (!take(member)) return std::move(walk_);
      if (member.bomb) break;
    }
    if (walk_.problem.empty()) walk_.problem = reader_.Problem();
    // libarchive answers this from a format past its table when it has found none.
    walk_.encrypted = (opened && archive_read_has_encrypted_entries(handle) > 0) ||
                      walk_.problem.find("ncrypt") != std::string::npos;
    return std::move(walk_);
  }

 private:
  void CheckFault() const {
    if (input_.fault) std::rethrow_exception(input_.fault);
  }

  PackedMember Member(archive_entry* entry) {
    PackedMember member;
    member.name = Text(archive_entry_pathname(entry));
    if (member.name.empty()) member.name = Text(archive_entry_pathname_utf8(entry));
    member.folder = archive_entry_filetype(entry) == AE_IFDIR;
    member.link = Text(archive_entry_symlink(entry));
    if (member.link.empty()) member.link = Text(archive_entry_hardlink(entry));
    member.encrypted = archive_entry_is_encrypted(entry) != 0;
    Spool spool;
    if (!member.folder) Unpack(&member, &spool);
    member.source = spool.Finish();
    return member;
  }

  void Unpack(PackedMember* member, Spool* spool) {
    std::string block(kBlockBytes, '\0');
    int retries = 0;
    for (;;) {
      la_ssize_t n = archive_read_data(reader_.handle, block.data(), block.size());
      CheckFault();
      bool passing = n == ARCHIVE_WARN || n == ARCHIVE_RETRY;
      if (passing && ++retries < kMaxRetries) continue;
      if (n < 0) {
        member->problem = reader_.Problem();
        member->encrypted |= member->problem.find("ncrypt") != std::string::npos;
        return;
      }
      if (n == 0) return;
      spool->Append({block.data(), static_cast<size_t>(n)});
      walk_.unpacked_bytes += static_cast<uint64_t>(n);
      uint64_t packed = std::max<uint64_t>(1, input_.source.size_bytes());
      bool over = walk_.unpacked_bytes > limits_.max_bytes ||
                  (walk_.unpacked_bytes > Spool::kMemoryBytes &&
                   walk_.unpacked_bytes / limits_.max_ratio > packed);
      if (over) {
        member->bomb = true;
        member->problem = walk_.problem = "unpacks to more than the limits allow";
        return;
      }
    }
  }

  Input input_;
  Reader reader_;  // freed before the input that it reads
  const UnpackLimits& limits_;
  PackedWalk walk_;
};

}  // namespace

std::string_view SniffPackedArchive(std::string_view first) {
  if (first.starts_with("7z\xBC\xAF\x27\x1C")) return "7z";
  if (first.starts_with("Rar!\x1A\x07")) return "rar";
  return {};
}

PackedWalk WalkPackedArchive(ByteSource& source, const UnpackLimits& limits,
                             const std::function<bool(PackedMember&)>& take) {
  RarMarks marks;
  if (SniffPackedArchive(
          source.Read(0, static_cast<size_t>(std::min<uint64_t>(8, source.size_bytes())))) == "rar")
    marks = ReadRarMarks(source);
  PackedWalk walk = Walk(source, limits).Run(take);
  walk.encrypted |= marks.encrypted;
  walk.volume = marks.volume;
  return walk;
}

}  // namespace hearth
