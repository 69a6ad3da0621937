// The one place where an Error becomes an HTTP answer (table 0.3 of docs/protocols/hub-api.md).
#pragma once

#include <string>

#include "base/error.h"
#include "net/http.h"
#include "server/route.h"

namespace hearth::server {

struct FaultSite {
  Surface surface = Surface::kApi;
  const net::Request* request = nullptr;
  bool signed_in = false;
  std::string base_url;
};

net::Response FaultResponse(const Error& error, const FaultSite& site);
// "text" as a value for X-Error-Message: one line of printable ASCII, at most 1000 characters.
std::string HeaderSafe(std::string_view text);

}  // namespace hearth::server
