#include "cli/hub_target.h"

#include <algorithm>

#include "base/error.h"
#include "cli/targets.h"
#include "client/hub_files.h"
#include "formats/source/source_window.h"
#include "net/http.h"

namespace hearth::cli {
namespace {

class AddressView : public inspector::RepoView {
 public:
  AddressView(client::HubAddress address, std::string commit, std::vector<client::HubFile> files)
      : address_(std::move(address)), commit_(std::move(commit)), listed_(std::move(files)) {
    std::sort(listed_.begin(), listed_.end(),
              [](const client::HubFile& a, const client::HubFile& b) { return a.path < b.path; });
    for (const client::HubFile& file : listed_)
      files_.push_back({.path = file.path, .size_bytes = file.bytes});
  }

  std::string type() const override { return address_.kind.substr(0, address_.kind.size() - 1); }
  std::string id() const override { return address_.repository; }
  std::string commit() const override { return commit_; }
  const std::vector<inspector::RepoFile>& files() const override { return files_; }
  std::unique_ptr<ByteSource> Open(std::string_view path) const override {
    for (const client::HubFile& file : listed_) {
      if (file.path != path) continue;
      // No range of an empty file can be asked for.
      if (file.bytes == 0) return std::make_unique<OwnedSource>("");
      return OpenAddress(file.address);
    }
    throw Error(Code::kNotFound, "There is no file " + std::string(path) + ".");
  }

 private:
  client::HubAddress address_;
  std::string commit_;  // "" where the hub does not say
  std::vector<client::HubFile> listed_;
  std::vector<inspector::RepoFile> files_;
};

std::string AddressAt(const client::HubAddress& address, const std::string& commit) {
  std::string page = address.origin + "/" + (address.kind == "models" ? "" : address.kind + "/") +
                     address.repository + "/tree/" + commit;
  return address.folder.empty() ? page : page + "/" + net::PercentEncode(address.folder, "/");
}

}  // namespace

std::unique_ptr<inspector::RepoView> OpenRepoTarget(const std::string& target) {
  if (!IsAddress(target)) return inspector::OpenFolder(target);
  std::optional<client::HubAddress> address = client::ParseHubAddress(target);
  std::string commit = address ? FindCommitOf(*address).value_or("") : "";
  // A branch may move while it is read: all files are those of one commit.
  std::optional<std::vector<client::HubFile>> files =
      ListRepository(commit.empty() ? target : AddressAt(*address, commit));
  if (!address || !files)
    throw Error(Code::kInvalidArgument, target + " is not the address of a repository");
  return std::make_unique<AddressView>(*std::move(address), std::move(commit), *std::move(files));
}

}  // namespace hearth::cli
