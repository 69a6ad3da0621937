// What HEAD and GET of a file with a Xet form say about it, so that a client can fetch it from the
// content store instead (wire reference, section 1). Rendered once per remembered file: only the
// address under which the caller knows this hub is added per request.
#pragma once

#include <string>
#include <string_view>

#include "hub/repo_record.h"
#include "net/http.h"
#include "storage/xet/xet_hash.h"

namespace hearth::server {

struct XetLinks {
  std::string hash;                 // text form
  std::string refresh_path;         // "/api/models/ns/name/xet-read-token/<commit>"
  std::string reconstruction_path;  // "/xet/<store>/v1/reconstructions/<hash>"

  size_t bytes() const { return hash.size() + refresh_path.size() + reconstruction_path.size(); }
};

XetLinks MakeXetLinks(const hub::RepoRecord& repo, std::string_view commit,
                      std::string_view store_id, const storage::XetHash& hash);
// X-Xet-Hash and Link.
void AddXetHeaders(const XetLinks& links, std::string_view base_url, net::Headers* headers);

// The JavaScript client names this type in Accept; the answer takes the place of the content.
constexpr std::string_view kXetFileInfoType = "application/vnd.xet-fileinfo+json";
bool WantsXetFileInfo(const net::Request& request);
// `etag` without quotes.
std::string XetFileInfo(const XetLinks& links, std::string_view base_url, std::string_view etag,
                        uint64_t size_bytes);

}  // namespace hearth::server
