// An object's content as the body of a response: its file by sendfile, or rebuilt from a Xet file
// while it is sent. The network layer applies conditions and ranges to either.
#pragma once

#include "base/hash.h"
#include "hub/hub.h"
#include "net/http.h"

namespace hearth::server {

// The caller has checked that the object may be read. Throws kNotFound when its bytes are missing.
void SetObjectBody(hub::Hub& hub, const Sha256& oid, net::Response* response);

// The content of a file of the Xet store.
net::SeekableBody XetBody(hub::Hub& hub, const hub::XetFile& file);

}  // namespace hearth::server
