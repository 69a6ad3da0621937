#include "tokenizers/loaders/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "tokenizers/loaders/file_kind.h"

namespace hearth::tokenizers {
namespace {

// Owns the descriptor that FdSource borrows.
class OwnedFile : public ByteSource {
 public:
  explicit OwnedFile(int fd) : fd_(fd), source_(fd) {}
  ~OwnedFile() override { close(fd_); }
  OwnedFile(const OwnedFile&) = delete;
  OwnedFile& operator=(const OwnedFile&) = delete;
  uint64_t size_bytes() override { return source_.size_bytes(); }
  void ReadAt(uint64_t offset, char* out, size_t n) override { source_.ReadAt(offset, out, n); }

 private:
  int fd_;
  FdSource source_;
};

}  // namespace

std::optional<std::string> TokenizerFiles::Read(std::string_view name) const {
  std::unique_ptr<ByteSource> source = Open(name);
  if (!source) return std::nullopt;
  if (source->size_bytes() > kMaxBytes) {
    throw Error(Code::kTooLarge, std::string(name) + " is larger than a tokenizer file may be");
  }
  return source->Read(0, source->size_bytes());
}

std::optional<std::string> TokenizerFiles::FindBySuffix(std::string_view suffix) const {
  std::vector<std::string> names = Names();
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (name.ends_with(suffix)) return name;
  }
  return std::nullopt;
}

Json TokenizerFiles::Config() const {
  auto text = Read("tokenizer_config.json");
  if (!text) return Json::Obj();
  Json config = Json::Parse(*text);
  if (!config.is_object()) {
    throw Error(Code::kInvalidArgument, "tokenizer_config.json is not an object");
  }
  return config;
}

FolderFiles::FolderFiles(std::filesystem::path path) : folder_(std::move(path)) {
  if (std::filesystem::is_directory(folder_)) return;
  if (!std::filesystem::exists(folder_)) {
    throw Error(Code::kNotFound, folder_.string() + " does not exist");
  }
  only_ = folder_.filename().string();
  folder_ = folder_.parent_path();
  kind_ = only_;
  std::unique_ptr<ByteSource> source = Open(only_);
  if (source) kind_ = FindFileKind(only_, *source).value_or("");
}

std::unique_ptr<ByteSource> FolderFiles::Open(std::string_view name) const {
  if (!only_.empty() && name != kind_) return nullptr;
  if (name.find('/') != std::string_view::npos) return nullptr;
  std::filesystem::path path = folder_ / (only_.empty() ? name : only_);
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return nullptr;
  if (fd < 0) ThrowErrno("open " + path.string());
  return std::make_unique<OwnedFile>(fd);
}

std::vector<std::string> FolderFiles::Names() const {
  if (!only_.empty()) return {kind_};
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
  }
  return names;
}

std::unique_ptr<ByteSource> MemoryFiles::Open(std::string_view name) const {
  auto found = contents_.find(std::string(name));
  if (found == contents_.end()) return nullptr;
  return std::make_unique<MemorySource>(found->second);
}

std::vector<std::string> MemoryFiles::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, content] : contents_) names.push_back(name);
  return names;
}

}  // namespace hearth::tokenizers
