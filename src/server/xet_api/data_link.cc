#include "server/xet_api/data_link.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::server {
namespace {

constexpr std::string_view kSignPurpose = "xet-data";

std::string Signature(const hub::Hub& hub, const storage::XetHash& xorb, std::string_view spans,
                      std::string_view expires) {
  // No field contains a space.
  return hub.Sign(kSignPurpose,
                  xorb.Text() + " " + std::string(spans) + " " + std::string(expires));
}

[[noreturn]] void BadLink() {
  throw Error(Code::kForbidden, "This link is not valid: ask for the reconstruction again");
}

int64_t Expiry(TimePoint now) {
  int64_t step = std::chrono::duration_cast<std::chrono::seconds>(kDataLinkRounding).count();
  int64_t least = ToUnixMillis(now + kDataLinkLifetime) / 1000;
  return (least + step - 1) / step * step;
}

}  // namespace

std::vector<ByteSpan> ParseSpans(std::string_view text) {
  std::vector<std::string_view> pieces = Split(text, ',');
  if (pieces.size() > kMaxLinkRanges) {
    throw Error(Code::kInvalidArgument, "Too many ranges in one request");
  }
  std::vector<ByteSpan> spans;
  for (std::string_view piece : pieces) {
    piece = TrimAscii(piece);
    size_t dash = piece.find('-');
    std::optional<uint64_t> first, last;
    if (dash != std::string_view::npos) {
      first = ParseUint(piece.substr(0, dash));
      last = ParseUint(piece.substr(dash + 1));
    }
    if (!first || !last || *last < *first || *last == UINT64_MAX) {
      throw Error(Code::kInvalidArgument, "Ranges must be first-last, separated by commas");
    }
    spans.push_back({*first, *last + 1});
  }
  return spans;
}

std::string WriteSpans(const std::vector<ByteSpan>& spans) {
  std::string text;
  for (const ByteSpan& span : spans) {
    if (!text.empty()) text += ',';
    text += std::to_string(span.start) + "-" + std::to_string(span.end - 1);
  }
  return text;
}

bool AllCovered(const std::vector<ByteSpan>& wanted, const std::vector<ByteSpan>& allowed) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const ByteSpan& want) {
    return std::any_of(allowed.begin(), allowed.end(), [&](const ByteSpan& may) {
      return may.start <= want.start && want.end <= may.end;
    });
  });
}

std::string MakeDataLink(hub::Hub& hub, std::string_view store, const storage::XetHash& xorb,
                         const std::vector<ByteSpan>& spans) {
  std::string ranges = WriteSpans(spans);
  std::string expires = std::to_string(Expiry(hub.clock().Now()));
  std::string link(store);
  link += "/data/" + xorb.Text() + "?r=" + ranges + "&exp=" + expires;
  return link + "&sig=" + Signature(hub, xorb, ranges, expires);
}

std::vector<ByteSpan> CheckDataLink(hub::Hub& hub, const net::Request& request,
                                    const storage::XetHash& xorb) {
  std::string spans = request.QueryParam("r").value_or("");
  std::string expires = request.QueryParam("exp").value_or("");
  std::string sent = request.QueryParam("sig").value_or("");
  if (!ConstantTimeEqual(sent, Signature(hub, xorb, spans, expires))) BadLink();
  std::optional<int64_t> end = ParseInt(expires);
  if (!end || ToUnixMillis(hub.clock().Now()) / 1000 > *end) BadLink();
  return ParseSpans(spans);
}

}  // namespace hearth::server
