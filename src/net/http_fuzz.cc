// Whatever arrives: the head parser, the chunk decoder, ranges, conditions, forms and gzip bodies
// must neither crash nor throw anything but Error, and must not depend on how the bytes are cut
// into pieces.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/http.h"
#include "net/internal/body_sink.h"
#include "net/internal/chunk_decoder.h"
#include "net/internal/conditional.h"
#include "net/internal/head_parser.h"
#include "net/internal/trusted_proxies.h"

namespace hearth::net {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void FuzzHead(std::string_view bytes) {
  HeadLimits limits{4096, 20, 1000};
  size_t scanned = 0;
  size_t head_bytes = 0;
  auto whole = FindHeadEnd(bytes, limits, &scanned, &head_bytes);
  size_t step_scanned = 0;
  size_t step_head = 0;
  bool step_fault = false;
  for (size_t n = 1; n <= bytes.size() && step_head == 0 && !step_fault; ++n) {
    step_fault = FindHeadEnd(bytes.substr(0, n), limits, &step_scanned, &step_head).has_value();
  }
  Require(step_fault == whole.has_value());
  if (whole || head_bytes == 0) return;
  Require(step_head == head_bytes);
  auto parsed = ParseHead(bytes.substr(0, head_bytes), limits);
  auto* head = std::get_if<RequestHead>(&parsed);
  if (!head) return;
  Require(head->target.starts_with('/') || head->target == "*");
  for (const auto& [name, value] : head->headers.fields()) {
    Require(name.find_first_of(std::string_view("\r\n\0 :", 5)) == std::string::npos);
    Require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  }
  Request request;
  request.peer = "10.0.0.1";
  request.headers = head->headers;
  TrustedProxies({"10.0.0.0/8"}).Apply(&request);
  EvaluateConditions(head->headers, head->headers);
  IfRangeHolds(head->headers, head->headers);
}

void FuzzChunks(std::string_view bytes, size_t piece) {
  std::string bodies[2];
  bool bad[2] = {false, false};
  for (int round = 0; round < 2; ++round) {
    size_t size = round == 0 ? bytes.size() : piece;
    ChunkDecoder decoder;
    for (size_t at = 0; at < bytes.size();) {
      ChunkDecoder::Step step = decoder.Next(bytes.substr(at, size));
      at += step.consumed;
      bad[round] = step.status == ChunkDecoder::Status::kBad;
      if (step.status == ChunkDecoder::Status::kData) bodies[round] += step.data;
      if (bad[round] || step.status == ChunkDecoder::Status::kDone) break;
    }
  }
  Require(bodies[0] == bodies[1] && bad[0] == bad[1]);
}

void FuzzRange(std::string_view bytes, uint64_t size) {
  RangeSet set = ParseRange(bytes, size);
  Require(set.kind != RangeSet::Kind::kPartial || !set.ranges.empty());
  Require(set.ranges.size() <= kMaxRanges);
  for (const ByteRange& range : set.ranges) {
    Require(range.size_bytes > 0 && range.offset < size && range.size_bytes <= size - range.offset);
  }
}

void FuzzBody(std::string_view bytes) {
  BodyPolicy policy;
  policy.max_bytes = policy.memory_bytes = 1 << 20;
  policy.hash = true;
  try {
    BodySink sink(policy, std::filesystem::temp_directory_path(), BodySink::Coding::kGzip);
    size_t half = bytes.size() / 2;
    sink.Write(bytes.substr(0, half));
    sink.Write(bytes.substr(half));
    Require(sink.Finish().size_bytes() <= policy.max_bytes);
  } catch (const Error&) {
  }
}

void FuzzText(std::string_view bytes) {
  try {
    ParseForm(bytes);
  } catch (const Error&) {
  }
  try {
    Require(PercentDecodePath(PercentEncode(bytes)) == bytes);
  } catch (const Error&) {  // NUL
  }
}

}  // namespace
}  // namespace hearth::net

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth::net;
  if (size < 2) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  switch (data[0] % 5) {
    case 0:
      FuzzHead(bytes);
      break;
    case 1:
      FuzzChunks(bytes, 1 + data[1] % 16);
      break;
    case 2:
      FuzzRange(bytes, data[1] * 7);
      break;
    case 3:
      FuzzBody(bytes);
      break;
    default:
      FuzzText(bytes);
      break;
  }
  return 0;
}
