#include <lz4frame.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "storage/xet/chunker.h"
#include "storage/xet/internal/lz4_frame.h"
#include "storage/xet/xorb.h"

namespace {

using hearth::storage::UnpackXorbChunk;
using hearth::storage::XorbChunkHeader;
using hearth::storage::XorbScheme;
using hearth::storage::internal::DecodePlainFrames;
using hearth::storage::internal::FrameResult;
using hearth::storage::internal::PlainFrame;

// In memory of exactly that size, so that a sanitizer sees each byte too many.
using Buffer = std::unique_ptr<char[]>;

// What the library makes of the frame; empty unless it is one that fills `bytes` exactly.
std::string ByLibrary(std::string_view payload, size_t bytes) {
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))) abort();
  std::string out(bytes, '\0');
  size_t produced = bytes, taken = payload.size();
  size_t hint = LZ4F_decompress(context, out.data(), &produced, payload.data(), &taken, nullptr);
  LZ4F_freeDecompressionContext(context);
  return hint == 0 && produced == bytes && taken == payload.size() ? out : "";
}

void Decode(XorbScheme scheme, uint32_t bytes, std::string_view payload) {
  XorbChunkHeader header{scheme, static_cast<uint32_t>(payload.size()), bytes};
  Buffer out(new char[bytes]);
  try {
    UnpackXorbChunk(header, payload, out.get());
  } catch (const hearth::Error&) {
  }
  PlainFrame frame{payload, out.get(), bytes};
  DecodePlainFrames({&frame, 1});
  if (frame.result != FrameResult::kDecoded) return;
  if (ByLibrary(payload, bytes) != std::string_view(out.get(), bytes)) abort();
}

// What is packed comes out again, whatever the scheme.
void RoundTrip(XorbScheme scheme, std::string_view chunk) {
  if (chunk.empty() || chunk.size() > hearth::storage::kXetMaxChunkBytes) return;
  std::string record;
  hearth::storage::PackXorbChunk(chunk, scheme, record);
  XorbChunkHeader header = hearth::storage::ParseXorbChunkHeader(record);
  Buffer out(new char[header.unpacked_bytes]);
  UnpackXorbChunk(header, std::string_view(record).substr(hearth::storage::kXorbHeaderBytes),
                  out.get());
  if (std::string_view(out.get(), header.unpacked_bytes) != chunk) abort();
}

}  // namespace

// One payload under each scheme, announced as any length; and one chunk packed.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  std::string_view payload(reinterpret_cast<const char*>(data + 3), size - 3);
  auto scheme = static_cast<XorbScheme>(data[0] % 3);
  uint32_t bytes = 1 + (data[1] | data[2] << 8) % hearth::storage::kXetMaxChunkBytes;
  if (!payload.empty()) Decode(scheme, bytes, payload);
  RoundTrip(scheme, payload);
  return 0;
}
