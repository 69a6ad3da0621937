// The files of a repository that a worker reads, as a folder of their own.
//
// A plan names them at one commit; two commits with the same plan key need no new worker. Only
// plain files of known names and places are taken, each at a path that the rules of repositories
// allow, so that nothing of a repository can lie outside its folder. Functions block; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "hub/hub.h"

namespace hearth::inference {

struct SnapshotFile {
  std::string path;
  uint64_t size_bytes = 0;
  GitOid blob;
  std::optional<Sha256> object;  // its content is a large object
};

struct SnapshotPlan {
  int64_t repo_id = 0;
  std::string model;  // "owner/name"
  GitOid commit;
  std::string key;  // equal for equal files
  std::vector<SnapshotFile> files;
  uint64_t total_bytes = 0;
  uint64_t weight_bytes = 0;
  // Why there is nothing to run; empty when there is.
  std::string fault;
};

// The main revision's. `repo` must have a head.
SnapshotPlan PlanSnapshot(hub::Hub& hub, const hub::RepoHandle& repo);

// A sentence when the hub's scan judged one of the plan's files unsafe and its policy is to block
// those; else empty. Answers from memory, at any time after the plan was made.
std::string BlockedFault(const hub::Hub& hub, const SnapshotPlan& plan);

// Of all paths of a repository those that a worker reads. Of several checkpoints one is taken:
// safetensors before pytorch_model.bin before GGUF, of several GGUF files `gguf`, or without that
// the best that is common on CPUs. Pure.
std::vector<std::string> ChooseModelFiles(const std::vector<std::string>& paths,
                                          std::string_view gguf = "");
bool IsWeightFile(std::string_view path);

// Lays the files out in `root`/<repo id>-<commit>. A folder that is there already is complete and
// taken as it is. Large objects that are stored whole are hard links. `progress` gets the bytes
// that are there and may throw to stop. Throws kNotFound when content is missing.
std::filesystem::path MakeSnapshot(hub::Hub& hub, const SnapshotPlan& plan,
                                   const std::filesystem::path& root,
                                   const std::function<void(uint64_t bytes)>& progress);
std::filesystem::path SnapshotFolder(const std::filesystem::path& root, const SnapshotPlan& plan);
// All folders of the repository.
void RemoveSnapshots(const std::filesystem::path& root, int64_t repo_id);
// When nothing runs: removes what is unfinished, and what is not of the main revision of a
// repository that exists.
void RemoveStaleSnapshots(hub::Hub& hub, const std::filesystem::path& root);

}  // namespace hearth::inference
