// Pictures of accounts: initials on a colour that follows from the name. Drawn for any legal name,
// so that the answer does not tell which accounts exist.
#include <cstdio>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "server/route.h"

namespace hearth::server {
namespace {

bool IsAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// First characters of the first two words: "big-science" -> "BS", "alice" -> "A".
std::string Initials(std::string_view name) {
  std::string initials;
  bool at_start = true;
  for (char c : name) {
    if (!IsAlnum(c)) {
      at_start = true;
      continue;
    }
    if (at_start && initials.size() < 2)
      initials += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    at_start = false;
  }
  return initials;
}

net::Response Avatar(Context& context) {
  std::string name = context.request.Capture("account");
  try {
    hub::CheckNamePart(name, "account name");
  } catch (const Error&) {
    throw Error(Code::kNotFound, "There is no such picture");
  }
  Sha256 digest = Sha256Of(AsciiLower(name));
  int hue = (digest.data()[0] * 256 + digest.data()[1]) % 360;
  char svg[700];
  // 45 % lightness keeps white letters readable on every hue.
  int length = std::snprintf(
      svg, sizeof svg,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"128\" height=\"128\" "
      "viewBox=\"0 0 128 128\" role=\"img\"><rect width=\"128\" height=\"128\" "
      "fill=\"hsl(%d,45%%,45%%)\"/><text x=\"64\" y=\"66\" fill=\"#fff\" font-size=\"56\" "
      "font-family=\"sans-serif\" text-anchor=\"middle\" dominant-baseline=\"central\">%s</text>"
      "</svg>\n",
      hue, Initials(name).c_str());
  net::Response response =
      net::Response::Bytes(200, "image/svg+xml", std::string(svg, static_cast<size_t>(length)));
  response.headers.Set("Cache-Control", "public, max-age=86400");
  return response;
}

}  // namespace

void RegisterAvatars(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/avatars/{account}.svg",
             .access = Access::kPublic,
             .handle = Avatar,
             .summary = "A picture for an account, made from its name."});
}

}  // namespace hearth::server
