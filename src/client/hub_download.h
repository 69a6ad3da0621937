// Models by their id: what they need of a repository is fetched into the cache that huggingface_hub
// shares, or taken from it.
//
// The hub is asked once for the revision's commit and the files' sizes and identities. Missing
// blobs are fetched in turn; a broken transfer goes on where it ended, also in another process
// (<etag>.incomplete). Bytes count when they have the identity that the hub's list gives them: the
// SHA-256 of large files, the git blob id of others, which are also their ETags. When the hub
// cannot be reached, or must not be (HF_HUB_OFFLINE), the cached snapshot serves, and a note says
// so. The token rule is that of HttpSource: it goes to the endpoint's origin alone.
//
// Functions; any number of threads and processes. Errors: kInvalidArgument (an id or an answer that
// cannot be), kNotFound (no repository, no model in it, nothing cached), kUnauthenticated,
// kForbidden, kUnavailable, kTimeout, kInsufficientStorage, and those of HubCache.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "client/hub_cache.h"
#include "client/model_files.h"
#include "client/model_id.h"

namespace hearth::client {

struct HubSettings {
  std::string endpoint;  // "http://host:port"; empty: only the cache
  std::string token;     // empty: none
  bool offline = false;  // ask nobody
  HubCache cache;

  // HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and the variables of HubCache.
  static HubSettings FromEnvironment();
};

struct DownloadState {
  std::string file;         // that is fetched at the moment
  size_t number = 0;        // of it, from 1
  size_t files = 0;         // that are fetched in all
  uint64_t done_bytes = 0;  // of all files
  uint64_t total_bytes = 0;
};

// What people may want to see; called on the calling thread. Either may be empty.
struct DownloadEvents {
  std::function<void(const DownloadState&)> progress;
  std::function<void(const std::string&)> note;
};

// The folder of the model's snapshot, or the .gguf file in it that the id names.
std::filesystem::path FetchModel(const ModelId& id, ModelParts parts, HubSettings settings,
                                 const DownloadEvents& events = {});
// What a person calls a model: a folder or file that exists, else an id. Throws kNotFound that says
// what was looked for.
std::filesystem::path LocateModel(const std::string& model, ModelParts parts,
                                  const HubSettings& settings, const DownloadEvents& events = {});

}  // namespace hearth::client
