#include "client/internal/model_info.h"

#include "base/bytes.h"
#include "base/error.h"
#include "client/model_id.h"
#include "codec/json.h"

namespace hearth::client {
namespace {

[[noreturn]] void OddAnswer(const std::string& what) {
  throw Error(Code::kInvalidArgument, "the hub's answer about the model " + what);
}

RemoteFile ReadFileEntry(const Json& entry) {
  RemoteFile file;
  const Json* lfs = entry.Find("lfs");
  file.large = lfs != nullptr && lfs->is_object();
  const Json* path = entry.Find("rfilename");
  const Json* etag = file.large ? lfs->Find("sha256") : entry.Find("blobId");
  const Json* size = entry.Find("size");
  if (path == nullptr || path->AsString() == nullptr) OddAnswer("lists a file without a name");
  file.path = *path->AsString();
  if (!IsPlainPath(file.path)) OddAnswer("lists the odd path " + file.path);
  if (etag == nullptr || etag->AsString() == nullptr || size == nullptr || !size->AsUint()) {
    OddAnswer("says too little of " + file.path);
  }
  file.etag = *etag->AsString();
  file.bytes = *size->AsUint();
  if (file.etag.size() != (file.large ? 64u : 40u) || !IsLowerHex(file.etag)) {
    OddAnswer("has no identity of " + file.path);
  }
  return file;
}

}  // namespace

RemoteModel ReadModelInfo(std::string_view text) {
  Json info = Json::Parse(text);
  RemoteModel model;
  model.commit = info.RequireString("sha");
  if (!IsCommit(model.commit)) OddAnswer("names no commit");
  for (const Json& entry : info.RequireArray("siblings")) {
    model.files.push_back(ReadFileEntry(entry));
  }
  return model;
}

}  // namespace hearth::client
