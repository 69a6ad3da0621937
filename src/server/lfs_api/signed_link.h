// Links that carry their own permission: upload and download addresses that the LFS batch hands
// out. Clients follow them without credentials, so everything that matters is in the link and
// signed with the hub's secret: what may be done, to which repository and object, by whom, until
// when.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "hub/hub.h"
#include "net/http.h"

namespace hearth::server {

enum class LinkPurpose { kUpload, kPart, kComplete, kVerify, kDownload };

// Long enough for the largest file over a slow line; short enough that a leaked log line ages.
inline constexpr std::chrono::hours kUploadLinkLifetime{24};
inline constexpr std::chrono::hours kDownloadLinkLifetime{6};

struct SignedLink {
  LinkPurpose purpose = LinkPurpose::kDownload;
  int64_t repo_id = 0;
  int64_t user_id = 0;
  Sha256 oid;
  uint64_t size_bytes = 0;
  int part = 0;         // kPart only
  int64_t expires = 0;  // seconds since 1970
};

// The route pattern of a purpose: "/api/lfs/upload/{oid}", "/api/lfs/part/{oid}/{part}", ...
std::string LinkPattern(LinkPurpose purpose);
// Path and query, to be put behind the base URL.
std::string MakeLink(const hub::Hub& hub, const SignedLink& link);
// Reads the link from a request on the purpose's route. Throws kForbidden when it was altered or
// has expired.
SignedLink CheckLink(const hub::Hub& hub, const net::Request& request, LinkPurpose purpose,
                     TimePoint now);

}  // namespace hearth::server
