#include "server/pages/form_page.h"

#include "base/error.h"

namespace hearth::server {
namespace {

bool Mendable(const Error& fault) {
  switch (fault.code()) {
    case Code::kInvalidArgument:
    case Code::kConflict:
    case Code::kUnprocessable:
    case Code::kTooLarge:
    case Code::kPreconditionFailed:
    case Code::kTooManyRequests:
    case Code::kUnauthenticated:
      return true;
    case Code::kNotFound:
    case Code::kForbidden:
      // Of what the form names; a repository that must not show keeps its own answer.
      return fault.wire_code().empty();
    default:
      return false;
  }
}

}  // namespace

net::Response OrAgain(const std::function<net::Response()>& work,
                      const std::function<Json(const Error& fault)>& again, Context& context,
                      std::string_view template_name) {
  try {
    return work();
  } catch (const Error& fault) {
    if (!Mendable(fault)) throw;
    Json data = again(fault);
    data.Set("fault", fault.message());
    net::Response response =
        RenderPage(context, template_name, std::move(data), HttpStatus(fault.code()));
    for (const auto& [name, value] : fault.headers()) response.headers.Set(name, value);
    response.headers.Set("Cache-Control", "no-store");
    return response;
  }
}

net::Response GoTo(const std::string& path, std::string_view said) {
  return net::Response::Redirect(303,
                                 said.empty() ? path : path + "?said=" + net::PercentEncode(said));
}

void AddFormRoute(RouteTable& table, FormRoute route) {
  table.Add({.methods = route.methods,
             .pattern = route.pattern,
             .access = route.access,
             .handle = std::move(route.handle),
             .surface = Surface::kPage,
             .body = {.max_bytes = 64 << 10},
             .summary = route.summary});
}

void RequireSession(const Context& context) {
  if (context.actor.via != hub::Actor::Via::kSession) {
    throw Error(Code::kForbidden, "Sign in with your password to do this");
  }
}

}  // namespace hearth::server
