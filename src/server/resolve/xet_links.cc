#include "server/resolve/xet_links.h"

#include "base/bytes.h"
#include "codec/json.h"

namespace hearth::server {

XetLinks MakeXetLinks(const hub::RepoRecord& repo, std::string_view commit,
                      std::string_view store_id, const storage::XetHash& hash) {
  XetLinks links;
  links.hash = hash.Text();
  links.refresh_path = "/api/" + std::string(hub::PluralName(repo.type)) + "/" + repo.FullName() +
                       "/xet-read-token/" + std::string(commit);
  links.reconstruction_path = "/xet/" + std::string(store_id) + "/v1/reconstructions/" + links.hash;
  return links;
}

void AddXetHeaders(const XetLinks& links, std::string_view base_url, net::Headers* headers) {
  std::string link;
  link.reserve(2 * base_url.size() + links.bytes() + 64);
  link += '<';
  link += base_url;
  link += links.refresh_path;
  link += ">; rel=\"xet-auth\", <";
  link += base_url;
  link += links.reconstruction_path;
  link += ">; rel=\"xet-reconstruction-info\"";
  headers->Add("X-Xet-Hash", links.hash);
  headers->Add("Link", std::move(link));
}

bool WantsXetFileInfo(const net::Request& request) {
  const std::string* accept = request.headers.Find("Accept");
  return accept != nullptr && AsciiLower(*accept).find(kXetFileInfoType) != std::string::npos;
}

std::string XetFileInfo(const XetLinks& links, std::string_view base_url, std::string_view etag,
                        uint64_t size_bytes) {
  std::string base(base_url);
  return Json::Obj({{"hash", links.hash},
                    {"refreshUrl", base + links.refresh_path},
                    {"reconstructionUrl", base + links.reconstruction_path},
                    {"etag", "\"" + std::string(etag) + "\""},
                    {"size", size_bytes}})
      .Dump();
}

}  // namespace hearth::server
