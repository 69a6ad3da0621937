#include "server/pages/error_page.h"

#include "server/fault.h"
#include "server/pages/site.h"

namespace hearth::server {

net::Response RenderErrorPage(const Error& error, const FaultSite& site, int status) {
  // A visitor gets one answer for missing and private alike (the API's 401 RepoNotFound), with a
  // way to sign in.
  if (error.wire_code() == "RepoNotFound") status = 404;
  if (error.code() == Code::kUnauthenticated && error.wire_code().empty() &&
      site.request->method == "GET") {
    return net::Response::Redirect(303,
                                   "/login?next=" + net::PercentEncode(site.request->raw_target));
  }
  Json data =
      Json::Obj({{"status", status}, {"message", error.message()}, {"signed_in", site.signed_in}});
  if (status >= 500) data.Set("request_id", site.request->request_id);
  // What clients of the API look for says less to people.
  constexpr std::string_view kUnknown = "Invalid rev id: ";
  if (error.message().starts_with(kUnknown))
    data.Set("message",
             "There is no branch, tag or commit " + error.message().substr(kUnknown.size()));
  if (error.wire_code() == "RepoNotFound")
    data.Set("message", "There is no such repository, or you may not see it.");
  return RenderBarePage("error.html", std::move(data), status);
}

}  // namespace hearth::server
