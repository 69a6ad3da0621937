// How the hub tells a client where the content store is and with which token to go there; shared
// by the token routes of repositories and buckets and by the LFS batch. The caller has checked the
// rights that the scope names.
#pragma once

#include <cstdint>
#include <string>

#include "codec/json.h"
#include "hub/xet.h"
#include "net/http.h"
#include "server/route.h"

namespace hearth::server {

struct XetAccess {
  std::string cas_url;  // "{base}/xet/{store}"
  std::string token;
  int64_t expires = 0;  // seconds since 1970
};

enum class XetRight { kRead, kWrite };

// The scope of the request's caller on a holder; without reach beyond it for anonymous callers and
// fine-grained tokens.
hub::XetScope MakeXetScope(const Context& context, hub::XetHolder holder, int64_t holder_id,
                           XetRight right);
XetAccess MakeXetAccess(const Context& context, const hub::XetScope& scope);
// X-Xet-Cas-Url, X-Xet-Access-Token, X-Xet-Token-Expiration: for a response or an LFS action.
std::vector<std::pair<std::string, std::string>> XetAccessHeaders(const XetAccess& access);
// {"casUrl", "accessToken", "exp"}
Json XetAccessJson(const XetAccess& access);
// A token route's whole answer: Python reads the headers, hf_xet and JavaScript the body.
net::Response XetTokenAnswer(const Context& context, const hub::XetScope& scope);

}  // namespace hearth::server
