// The files that a command line names: one file, or all below a folder. Not thread-safe.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/hub_files.h"
#include "formats/source/source.h"

namespace hearth::cli {

struct TargetFile {
  std::filesystem::path path;
  std::string name;         // as shown: relative to the folder that was named
  std::string unread = {};  // why it cannot be read as a file; else empty
};

// A file gives itself, a folder all regular files below it, sorted, without .git. Links to files
// are followed, because caches of models consist of them; links to folders are not, since they may
// lead in circles. What a folder holds besides (links to folders elsewhere, pipes, devices, folders
// that cannot be read) comes along with the reason why it is not read. Throws kNotFound, and
// kInvalidArgument for a pipe or a device that is named itself: its bytes come only once.
std::vector<TargetFile> ListTarget(const std::string& target);

// Reads a file; owns its descriptor.
std::unique_ptr<ByteSource> OpenTarget(const std::filesystem::path& path);

// Addresses of files: http:// and https://.
bool IsAddress(const std::string& target);
// Reads by ranges. HF_TOKEN goes along only where HF_ENDPOINT (or the default hub, when that is not
// set) is the origin.
std::unique_ptr<ByteSource> OpenAddress(const std::string& address);
// The files of the repository that an address names, or nullopt where it names a file. Asks the
// hub. Same rule for the token; shows how far it is on a terminal.
std::optional<std::vector<client::HubFile>> ListRepository(const std::string& address);
// The commit that the revision of a repository's address is at; nullopt where the hub does not say.
std::optional<std::string> FindCommitOf(const client::HubAddress& address);
// The last part of the path, without query.
std::string AddressFileName(const std::string& address);

// Is standard output a terminal that wants colours? NO_COLOR switches them off (no-color.org).
bool WantsColour();

}  // namespace hearth::cli
