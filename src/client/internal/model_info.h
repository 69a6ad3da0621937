// What a hub says of a model's revision (GET /api/models/{id}/revision/{revision}?blobs=true): its
// commit and files. Names and identities become paths, so odd ones are refused. Pure. Errors:
// kInvalidArgument.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::client {

struct RemoteFile {
  std::string path;
  uint64_t bytes = 0;
  std::string etag;
  bool large = false;  // the ETag is a SHA-256, else a git blob id
};

struct RemoteModel {
  std::string commit;
  std::vector<RemoteFile> files;
};

RemoteModel ReadModelInfo(std::string_view text);

}  // namespace hearth::client
