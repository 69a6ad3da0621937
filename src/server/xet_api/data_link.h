// Links to ranges of a xorb's bytes. Data requests carry no credentials, so a link names what may
// be read and until when, under the hub's signature. A reconstruction hands out one link for many
// ranges of a xorb; clients ask for them one by one or several in one request, so any part of what
// is signed may be read.
//
// A xorb may be stored in several forms. The link says which one it means, in a way that only the
// hub can read: neither whether there are others nor which came first.
// Form: {base}/xet/{store}/data/{xorb}?r=a-b,c-d&exp=...&f=...&sig=..., byte positions inclusive.
// Pure functions, thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "hub/hub.h"
#include "net/http.h"
#include "storage/xet/xorb_form.h"

namespace hearth::server {

// net serves at most 64 ranges in one answer, and clients ask for all ranges of a link at once; it
// also keeps a link far below what proxies take as an address (8 KiB).
inline constexpr size_t kMaxLinkRanges = 64;
// A link lives an hour at least. Its end is rounded up, so that the same question has the same
// answer for some minutes and caches in between can help.
inline constexpr std::chrono::minutes kDataLinkLifetime{60};
inline constexpr std::chrono::minutes kDataLinkRounding{10};

// Bytes [start, end) of a xorb's records.
struct ByteSpan {
  uint64_t start = 0;
  uint64_t end = 0;

  bool operator==(const ByteSpan&) const = default;
};

// "a-b,c-d" with a <= b and at most kMaxLinkRanges of them. Throws kInvalidArgument.
std::vector<ByteSpan> ParseSpans(std::string_view text);
std::string WriteSpans(const std::vector<ByteSpan>& spans);
// Every wanted span lies within one of the allowed.
bool AllCovered(const std::vector<ByteSpan>& wanted, const std::vector<ByteSpan>& allowed);

// `store` = "{base}/xet/{store id}".
std::string MakeDataLink(hub::Hub& hub, std::string_view store, const storage::XorbForm& xorb,
                         const std::vector<ByteSpan>& spans);
struct DataLink {
  storage::XorbForm xorb;
  std::vector<ByteSpan> spans;  // all that may be read
};
// What a request's link allows. Throws kForbidden when it was altered or is over: clients then ask
// for the reconstruction again.
DataLink CheckDataLink(hub::Hub& hub, const net::Request& request, const storage::XetHash& xorb);

}  // namespace hearth::server
