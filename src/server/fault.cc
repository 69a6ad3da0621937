#include "server/fault.h"

#include "base/bytes.h"
#include "server/pages/error_page.h"

namespace hearth::server {
namespace {

// The repository's new name in place of the old one; relative, because old clients follow only
// relative redirects.
std::string MovedLocation(const net::Request& request, std::string_view to) {
  std::string old_id(request.RawCapture("ns"));
  old_id += '/';
  old_id += request.RawCapture("name");
  std::string target = request.raw_target;
  size_t at = target.find("/" + old_id);
  if (at != std::string::npos) target.replace(at + 1, old_id.size(), to);
  return target;
}

void AddChallenge(net::Response* response, Surface surface) {
  if (surface == Surface::kGit) response->headers.Set("WWW-Authenticate", "Basic realm=\"Hearth\"");
  if (surface == Surface::kLfs) {
    response->headers.Set("LFS-Authenticate", "Basic realm=\"Hearth\"");
    response->headers.Set("WWW-Authenticate", "Basic realm=\"Hearth\"");
  }
}

net::Response Body(const Error& error, const std::string& message, const FaultSite& site,
                   int status) {
  switch (site.surface) {
    case Surface::kGit:
      return net::Response::Text(status, message + "\n");
    case Surface::kLfs: {
      Json body = Json::Obj({{"message", message}});
      body.Set("request_id", site.request->request_id);
      return net::Response::Bytes(status, "application/vnd.git-lfs+json", body.Dump());
    }
    case Surface::kPage:
      return RenderErrorPage(error, site, status);
    case Surface::kApi:
      break;
  }
  Json body = Json::Obj({{"error", message}});
  for (const auto& [key, value] : error.details()) body.Set(key, value);
  return net::Response::Bytes(status, "application/json; charset=utf-8", body.Dump());
}

// The domain knows neither the hub's own address nor the route: what clients compare word by word
// is finished here.
std::string WireMessage(const Error& error, const FaultSite& site) {
  std::string message = error.message();
  if (error.wire_code() == "GatedRepo") {
    size_t at = message.find("Visit /");
    if (at != std::string::npos) message.insert(at + 6, site.base_url);
  }
  // A file's route answers nobody like a bad login, an API route like a missing repository.
  bool file_route = site.surface == Surface::kApi && !site.request->raw_target.starts_with("/api/");
  if (file_route && error.code() == Code::kUnauthenticated && error.wire_code() == "RepoNotFound") {
    message = "Invalid username or password.";
  }
  return message;
}

}  // namespace

std::string HeaderSafe(std::string_view text) {
  std::string out;
  for (unsigned char c : text.substr(0, 1000))
    out += c >= 0x20 && c < 0x7f ? static_cast<char>(c) : ' ';
  return out;
}

net::Response FaultResponse(const Error& error, const FaultSite& site) {
  if (error.code() == Code::kMoved) {
    std::string to;
    for (const auto& [key, value] : error.details()) {
      if (key == "to") to = value;
    }
    net::Response response = net::Response::Redirect(307, MovedLocation(*site.request, to));
    response.headers.Set("X-Error-Message", HeaderSafe(error.message()));
    return response;
  }
  int status = HttpStatus(error.code());
  std::string message = WireMessage(error, site);
  net::Response response = Body(error, message, site, status);
  if (!error.wire_code().empty()) response.headers.Set("X-Error-Code", error.wire_code());
  response.headers.Set("X-Error-Message", HeaderSafe(message));
  if (status == 401) AddChallenge(&response, site.surface);
  for (const auto& [name, value] : error.headers()) response.headers.Set(name, value);
  return response;
}

}  // namespace hearth::server
