#include "server/xet_api/data_link.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth::server {
namespace {

constexpr std::string_view kSignPurpose = "xet-data";

constexpr std::string_view kFormPurpose = "xet-data-form";
constexpr size_t kFormIdDigits = 16;
constexpr size_t kFormNumberDigits = 4;

std::string Signature(const hub::Hub& hub, const storage::XetHash& xorb, std::string_view spans,
                      std::string_view expires, std::string_view form) {
  // No field contains a space.
  return hub.Sign(kSignPurpose, xorb.Text() + " " + std::string(spans) + " " +
                                    std::string(expires) + " " + std::string(form));
}

// What hides the number of a form, and reveals it again.
std::string NumberMask(const hub::Hub& hub, const storage::XetHash& xorb, std::string_view id) {
  return hub.Sign(kFormPurpose, xorb.Text() + " " + std::string(id)).substr(0, kFormNumberDigits);
}

std::string HexOf(uint16_t number) {
  std::string bytes{static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
  return HexEncode(bytes);
}

// 0 for what is no number: it is under the signature.
uint16_t NumberOf(std::string_view hex) {
  std::optional<std::string> bytes = HexDecode(hex);
  if (!bytes || bytes->size() != 2) return 0;
  return static_cast<uint16_t>(static_cast<uint8_t>((*bytes)[0]) << 8 |
                               static_cast<uint8_t>((*bytes)[1]));
}

// A keyed digest of the form, and its number masked by a keyed digest of that. The same for each
// link that ends at one time, so that answers repeat; another one later, as the number of a form
// that is gone is used again: who sent both would learn whether anybody else has the first.
std::string FormTag(const hub::Hub& hub, const storage::XorbForm& xorb, std::string_view expires) {
  std::string id = hub.Sign(kFormPurpose, xorb.hash.Text() + " = " + std::to_string(xorb.number) +
                                              " " + std::string(expires))
                       .substr(0, kFormIdDigits);
  uint16_t mask = NumberOf(NumberMask(hub, xorb.hash, id));
  return id + HexOf(static_cast<uint16_t>(xorb.number ^ mask));
}

storage::XorbForm FormOf(const hub::Hub& hub, const storage::XetHash& xorb, std::string_view tag) {
  std::string_view id = tag.substr(0, kFormIdDigits);
  uint16_t mask = NumberOf(NumberMask(hub, xorb, id));
  return {xorb, static_cast<uint16_t>(NumberOf(tag.substr(id.size())) ^ mask)};
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

std::string MakeDataLink(hub::Hub& hub, std::string_view store, const storage::XorbForm& xorb,
                         const std::vector<ByteSpan>& spans) {
  std::string ranges = WriteSpans(spans);
  std::string expires = std::to_string(Expiry(hub.clock().Now()));
  std::string link(store);
  std::string form = FormTag(hub, xorb, expires);
  link += "/data/" + xorb.hash.Text() + "?r=" + ranges + "&exp=" + expires + "&f=" + form;
  return link + "&sig=" + Signature(hub, xorb.hash, ranges, expires, form);
}

DataLink CheckDataLink(hub::Hub& hub, const net::Request& request, const storage::XetHash& xorb) {
  std::string spans = request.QueryParam("r").value_or("");
  std::string expires = request.QueryParam("exp").value_or("");
  std::string form = request.QueryParam("f").value_or("");
  std::string sent = request.QueryParam("sig").value_or("");
  if (!ConstantTimeEqual(sent, Signature(hub, xorb, spans, expires, form))) BadLink();
  std::optional<int64_t> end = ParseInt(expires);
  if (!end || ToUnixMillis(hub.clock().Now()) / 1000 > *end) BadLink();
  return {FormOf(hub, xorb, form), ParseSpans(spans)};
}

}  // namespace hearth::server
