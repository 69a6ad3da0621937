#include "server/object_body.h"

#include <memory>
#include <utility>

namespace hearth::server {

void SetObjectBody(hub::Hub& hub, const Sha256& oid, net::Response* response) {
  hub::ObjectContent content = hub.objects().OpenContent(oid);
  if (content.whole) {
    response->body = net::FileBody{std::move(content.whole), 0, content.size_bytes};
  } else {
    response->body = XetBody(hub, *content.file);
  }
}

net::SeekableBody XetBody(hub::Hub& hub, const hub::XetFile& file) {
  net::SeekableBody body;
  body.size_bytes = file.size_bytes;
  body.open = [&hub, file](uint64_t start, uint64_t end) -> net::SeekableBody::Puller {
    auto reader = std::make_shared<storage::XetReader>(hub.xet_index().Read(file, start, end));
    return [reader](std::string* chunk) { return reader->Next(chunk); };
  };
  return body;
}

}  // namespace hearth::server
