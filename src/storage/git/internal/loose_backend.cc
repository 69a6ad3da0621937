#include "storage/git/internal/loose_backend.h"

#include <sys/stat.h>
#include <zlib.h>

#include <limits>
#include <memory>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "storage/git/internal/libgit2.h"

namespace hearth::storage::internal {
namespace {

// "commit 18446744073709551615\0" is 28 bytes.
constexpr size_t kMaxHeaderBytes = 64;
// Larger blobs belong into LFS; a lying header must not make us allocate more.
constexpr uint64_t kMaxObjectBytes = uint64_t{4} << 30;

struct LooseBackend {
  git_odb_backend base{};
  std::filesystem::path folder;
};

const std::filesystem::path& FolderOf(git_odb_backend* backend) {
  return reinterpret_cast<LooseBackend*>(backend)->folder;
}

std::filesystem::path PathOf(git_odb_backend* backend, const git_oid& oid) {
  std::string hex = FromGit(oid).Hex();
  return FolderOf(backend) / hex.substr(0, 2) / hex.substr(2);
}

class Inflater {
 public:
  explicit Inflater(std::string_view input) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = static_cast<uInt>(input.size());
    if (inflateInit(&stream_) != Z_OK) throw Error(Code::kInternal, "inflateInit");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Fills up to `size` bytes; fewer only at the end of a sound stream or of the input.
  size_t Read(char* out, size_t size) {
    size_t done = 0;
    while (done < size && !ended_) {
      size_t room = std::min<size_t>(size - done, std::numeric_limits<uInt>::max() / 2);
      stream_.next_out = reinterpret_cast<Bytef*>(out + done);
      stream_.avail_out = static_cast<uInt>(room);
      int result = inflate(&stream_, Z_SYNC_FLUSH);
      size_t got = room - stream_.avail_out;
      done += got;
      ended_ = result == Z_STREAM_END;
      if (result == Z_BUF_ERROR || (result == Z_OK && got == 0)) break;  // the input is used up
      if (!ended_ && result != Z_OK) throw Error(Code::kInternal, "damaged zlib stream");
    }
    return done;
  }
  // True when the stream ends here, checksum included.
  bool AtEnd() {
    char extra;
    return Read(&extra, 1) == 0 && ended_;
  }

 private:
  z_stream stream_{};
  bool ended_ = false;
};

struct Header {
  git_object_t type;
  uint64_t size_bytes;
  std::string rest;  // content that came with the header
};

Header ReadHeader(Inflater& inflater) {
  char buffer[kMaxHeaderBytes];
  std::string_view text(buffer, inflater.Read(buffer, sizeof buffer));
  size_t end = text.find('\0'), space = text.find(' ');
  if (end == std::string_view::npos || space > end) throw Error(Code::kInternal, "no header");
  git_object_t type = git_object_string2type(std::string(text.substr(0, space)).c_str());
  std::optional<uint64_t> size_bytes = ParseUint(text.substr(space + 1, end - space - 1));
  if (type == GIT_OBJECT_INVALID || !size_bytes || *size_bytes > kMaxObjectBytes) {
    throw Error(Code::kInternal, "wrong header");
  }
  return {type, *size_bytes, std::string(text.substr(end + 1))};
}

// Runs `body` with the bytes of the object's file; turns what it throws into libgit2's codes.
template <typename F>
int WithFile(git_odb_backend* backend, const git_oid& oid, F body) noexcept {
  try {
    std::filesystem::path path = PathOf(backend, oid);
    std::string packed;
    try {
      packed = ReadFile(path, kMaxObjectBytes);
    } catch (const Error& error) {
      if (error.code() == Code::kNotFound) return GIT_ENOTFOUND;
      throw;
    }
    return body(packed);
  } catch (const std::exception& error) {
    std::string reason = "loose object " + FromGit(oid).Hex() + ": " + error.what();
    git_error_set_str(GIT_ERROR_ODB, reason.c_str());
    return GIT_ERROR;
  }
}

int Read(void** data, size_t* size, git_object_t* type, git_odb_backend* backend,
         const git_oid* oid) {
  return WithFile(backend, *oid, [&](const std::string& packed) {
    Inflater inflater(packed);
    Header header = ReadHeader(inflater);
    if (header.rest.size() > header.size_bytes) throw Error(Code::kInternal, "wrong size");
    void* raw = git_odb_backend_data_alloc(backend, header.size_bytes + 1);
    if (raw == nullptr) throw std::bad_alloc();
    auto free_raw = [backend](void* memory) { git_odb_backend_data_free(backend, memory); };
    std::unique_ptr<void, decltype(free_raw)> memory(raw, free_raw);
    char* out = static_cast<char*>(raw);
    header.rest.copy(out, header.rest.size());
    size_t done = header.rest.size();
    done += inflater.Read(out + done, header.size_bytes - done);
    if (done != header.size_bytes || !inflater.AtEnd()) {
      throw Error(Code::kInternal, "truncated or damaged");
    }
    out[done] = '\0';
    *data = memory.release();
    *size = header.size_bytes;
    *type = header.type;
    return 0;
  });
}

int ReadHeaderOnly(size_t* size, git_object_t* type, git_odb_backend* backend, const git_oid* oid) {
  try {
    UniqueFd fd = OpenForRead(PathOf(backend, *oid));
    // A header is at the very start; the rest of a large blob is not read.
    std::string head(std::min<uint64_t>(FileSize(fd.get()), 4096), '\0');
    ReadExactAt(fd.get(), 0, head.data(), head.size());
    Inflater inflater(head);
    Header header = ReadHeader(inflater);
    *size = header.size_bytes;
    *type = header.type;
    return 0;
  } catch (const Error& error) {
    if (error.code() == Code::kNotFound) return GIT_ENOTFOUND;
    std::string reason = "loose object " + FromGit(*oid).Hex() + ": " + error.what();
    git_error_set_str(GIT_ERROR_ODB, reason.c_str());
    return GIT_ERROR;
  } catch (const std::exception& error) {
    git_error_set_str(GIT_ERROR_ODB, error.what());
    return GIT_ERROR;
  }
}

int Exists(git_odb_backend* backend, const git_oid* oid) {
  struct stat info {};
  return ::stat(PathOf(backend, *oid).c_str(), &info) == 0 ? 1 : 0;
}

// The one object whose hex id starts with the first `digits` of `prefix`.
int ExistsPrefix(git_oid* found, git_odb_backend* backend, const git_oid* prefix, size_t digits) {
  try {
    std::string hex = FromGit(*prefix).Hex().substr(0, digits);
    if (digits < 2) return GIT_EAMBIGUOUS;
    std::error_code error;
    std::filesystem::directory_iterator entries(FolderOf(backend) / hex.substr(0, 2), error);
    std::optional<GitOid> match;
    for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
      std::string name = hex.substr(0, 2) + entries->path().filename().string();
      std::optional<GitOid> oid = GitOid::FromHex(name);
      if (!oid || !name.starts_with(hex)) continue;
      if (match) return GIT_EAMBIGUOUS;
      match = oid;
    }
    if (!match) return GIT_ENOTFOUND;
    *found = ToGit(*match);
    return 0;
  } catch (const std::exception& error) {
    git_error_set_str(GIT_ERROR_ODB, error.what());
    return GIT_ERROR;
  }
}

int ReadPrefix(git_oid* found, void** data, size_t* size, git_object_t* type,
               git_odb_backend* backend, const git_oid* prefix, size_t digits) {
  int result = ExistsPrefix(found, backend, prefix, digits);
  return result < 0 ? result : Read(data, size, type, backend, found);
}

void Free(git_odb_backend* backend) { delete reinterpret_cast<LooseBackend*>(backend); }

}  // namespace

git_odb_backend* NewLooseBackend(const std::filesystem::path& objects_folder) {
  auto backend = std::make_unique<LooseBackend>();
  Check(git_odb_init_backend(&backend->base, GIT_ODB_BACKEND_VERSION), "make object backend");
  backend->folder = objects_folder;
  backend->base.read = Read;
  backend->base.read_header = ReadHeaderOnly;
  backend->base.read_prefix = ReadPrefix;
  backend->base.exists = Exists;
  backend->base.exists_prefix = ExistsPrefix;
  backend->base.free = Free;
  return &backend.release()->base;
}

}  // namespace hearth::storage::internal
