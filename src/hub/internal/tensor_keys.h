// How the index of tensors names contents and digests. Pure.
#pragma once

#include <string>

#include "hub/inspector/repo_view.h"
#include "hub/inspector/weights/tensor_hash.h"

namespace hearth::hub {

// Where the content stands, which reader its name asks for, and its digest: the same bytes under
// another ending give other records.
inline std::string ContentKey(const inspector::RepoFile& file) {
  std::string_view path = file.path;
  char reader = path.ends_with(".safetensors") ? 's' : path.ends_with(".gguf") ? 'g' : 'p';
  std::string key = {file.sha256 ? 'L' : 'G', reader};
  key += file.sha256 ? file.sha256->raw() : std::string_view(file.blob);
  return key;
}

// Half of a digest finds candidates; whole ones in the records decide.
inline std::string JoinKey(const inspector::TensorHash& hash) {
  return std::string(hash.raw().substr(0, 16));
}

}  // namespace hearth::hub
