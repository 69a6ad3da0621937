// A folder on a disk as a repository.
#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "formats/source/file_source.h"
#include "hub/inspector/repo_view.h"

namespace hearth::inspector {
namespace {

namespace fs = std::filesystem;

class FolderView : public RepoView {
 public:
  explicit FolderView(const fs::path& root) : root_(root) {
    std::error_code fault;
    if (!fs::is_directory(root, fault))
      throw Error(Code::kNotFound, root.string() + " is not a folder.");
    fs::recursive_directory_iterator at(root, fs::directory_options::skip_permission_denied, fault),
        end;
    while (!fault && at != end) {
      std::error_code ignored;
      if (at->path().filename() == ".git") {
        at.disable_recursion_pending();
      } else if (at->is_regular_file(ignored)) {
        uint64_t size = at->file_size(ignored);
        files_.push_back({.path = at->path().lexically_relative(root).generic_string(),
                          .size_bytes = ignored ? 0 : size});
      }
      at.increment(fault);
    }
    std::sort(files_.begin(), files_.end(),
              [](const RepoFile& a, const RepoFile& b) { return a.path < b.path; });
  }

  std::string type() const override { return ""; }
  std::string id() const override {
    fs::path absolute = fs::absolute(root_).lexically_normal();
    return absolute.has_filename() ? absolute.filename().string()
                                   : absolute.parent_path().filename().string();
  }
  std::string commit() const override { return ""; }
  const std::vector<RepoFile>& files() const override { return files_; }
  std::unique_ptr<ByteSource> Open(std::string_view path) const override {
    // Only what was listed: a path cannot lead out of the folder.
    if (Find(path) == nullptr)
      throw Error(Code::kNotFound, "There is no file " + std::string(path) + ".");
    return std::make_unique<FileSource>(root_ / fs::path(path));
  }

 private:
  fs::path root_;
  std::vector<RepoFile> files_;
};

}  // namespace

std::unique_ptr<RepoView> OpenFolder(const std::string& folder) {
  return std::make_unique<FolderView>(fs::path(folder));
}

}  // namespace hearth::inspector
