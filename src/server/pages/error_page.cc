#include "server/pages/error_page.h"

#include "server/fault.h"

namespace hearth::server {
namespace {

std::string Escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace

net::Response RenderErrorPage(const Error& error, const FaultSite& site, int status) {
  // A person without a session gets one answer for missing and private alike, and a way to sign in.
  std::string message = Escape(error.message());
  std::string body = "<!doctype html><meta charset=utf-8><title>" + std::to_string(status) +
                     "</title><h1>" + std::to_string(status) + "</h1><p>" + message + "</p>";
  if (!site.signed_in) body += "<p><a href=\"/login\">Sign in</a></p>";
  return net::Response::Bytes(status, "text/html; charset=utf-8", body);
}

}  // namespace hearth::server
