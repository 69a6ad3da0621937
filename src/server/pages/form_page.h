// What pages with forms share: showing a form again with what was wrong, and going on after it.
#pragma once

#include <functional>
#include <string_view>

#include "base/error.h"
#include "server/pages/form.h"
#include "server/pages/site.h"

namespace hearth::server {

// Runs `work`. When it throws a fault that the person can mend (a bad value, a taken name), answers
// with what `again` renders instead, given the sentence; with the status of the fault.
net::Response OrAgain(const std::function<net::Response()>& work,
                      const std::function<Json(const Error& fault)>& again, Context& context,
                      std::string_view template_name);

// 303 to a path of this site, with `?said=what`: the next page then says that it is done.
net::Response GoTo(const std::string& path, std::string_view said = "");
// A page, or the target of its form: at most 64 KiB of fields.
struct FormRoute {
  const char* methods;
  const char* pattern;
  Access access;
  Handler handle;
  const char* summary;
};
void AddFormRoute(RouteTable& table, FormRoute route);
// For routes of a session's owner alone: a token must not change the account or make tokens.
void RequireSession(const Context& context);

}  // namespace hearth::server
