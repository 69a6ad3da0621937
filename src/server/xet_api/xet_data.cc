// The bytes behind a reconstruction: ranges of a xorb, by signed link (see data_link.h).
#include "base/bytes.h"
#include "base/error.h"
#include "server/xet_api/cas_request.h"
#include "server/xet_api/data_link.h"

namespace hearth::server {
namespace {

constexpr std::string_view kUnit = "bytes=";

// The only header that chooses what is sent, in the form that was checked: conditions (If-Range,
// say) would make net send the whole xorb instead, which the link does not allow.
void KeepOnlyRange(net::Request* request, const std::vector<ByteSpan>& spans) {
  for (const char* name : {"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since",
                           "If-Unmodified-Since"}) {
    request->headers.Erase(name);
  }
  if (!spans.empty()) request->headers.Set("Range", std::string(kUnit) + WriteSpans(spans));
}

[[noreturn]] void NotAllowed() {
  throw Error(Code::kForbidden, "The range is not one that the link allows");
}

// What the request asks for; empty = everything. An open or suffix range is never what was signed.
std::vector<ByteSpan> WantedSpans(const net::Request& request) {
  const std::string* header = request.headers.Find("Range");
  if (header == nullptr) return {};
  if (!header->starts_with(kUnit)) NotAllowed();
  try {
    return ParseSpans(std::string_view(*header).substr(kUnit.size()));
  } catch (const Error&) {
    NotAllowed();
  }
}

net::Response SendRanges(Context& context) {
  CheckStore(context);
  const auto [xorb, allowed] =
      CheckDataLink(context.hub, context.request, HashCapture(context, "xorb"));
  storage::XorbStore& xorbs = context.hub.xet().index().xorbs();
  storage::XorbIndexPtr index = xorbs.FindIndex(xorb);
  if (index == nullptr) throw Error(Code::kNotFound, "The xorb is no longer stored");
  std::vector<ByteSpan> wanted = WantedSpans(context.request);
  std::vector<ByteSpan> whole = {{0, index->body_bytes}};
  if (!AllCovered(wanted.empty() ? whole : wanted, allowed)) NotAllowed();
  KeepOnlyRange(&context.request, wanted);

  net::Response response;
  response.headers.Set("Content-Type", "application/octet-stream");
  // A xorb never changes, and the link is as secret as its bytes.
  response.headers.Set("Cache-Control", "private, max-age=3600, immutable");
  response.headers.Set("X-Content-Type-Options", "nosniff");
  response.body = net::FileBody{xorbs.Open(xorb), 0, index->body_bytes};
  return response;
}

}  // namespace

void RegisterXetData(RouteTable& table) {
  AddCasRoute(table,
              {.methods = "GET,HEAD",
               .pattern = {},
               .access = Access::kSigned,
               .handle = SendRanges,
               .summary = "Xet: ranges of a xorb, by signed link."},
              {"/data/{xorb}"});
}

}  // namespace hearth::server
