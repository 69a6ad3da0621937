// Content-defined chunking with a gear hash, as the Xet protocol fixes it.
//
// A rolling hash h = 2h + T[byte] looks at the last 64 bytes; a chunk ends where its top 16 bits
// are zero, so that an insertion moves only the cuts near it. Chunks have 8 KiB to 128 KiB (the
// last one of a file at least 1 byte) and about 64 KiB on average. Identical bytes must give
// identical cuts on client and server, or nothing is ever deduplicated: table, mask and limits are
// wire format. Format: https://huggingface.co/docs/xet/chunking Thread rule: one Chunker belongs to
// one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace hearth::storage {

constexpr size_t kXetMinChunkBytes = 8 * 1024;
constexpr size_t kXetMaxChunkBytes = 128 * 1024;

class Chunker {
 public:
  // Receives each chunk once, in order; the view is valid during the call.
  using Sink = std::function<void(std::string_view chunk)>;

  // Any split of the input over calls gives the same chunks. Chunks that lie whole inside `bytes`
  // are not copied; at most one chunk waits in memory. What the sink throws passes
  // through, and the chunker is then spent.
  void Feed(std::string_view bytes, const Sink& sink);
  // Hands out the last chunk, if any, and makes the chunker ready for another file.
  void Finish(const Sink& sink);

 private:
  // Bytes of `bytes` up to and including the next cut; bytes.size() without a cut when none is
  // found.
  struct Scan {
    size_t bytes;
    bool is_cut;
  };
  Scan FindCut(std::string_view bytes);

  uint64_t gear_ = 0;
  size_t chunk_bytes_ = 0;  // of the current chunk, seen so far
  std::string carried_;     // those of them that came with earlier calls
};

}  // namespace hearth::storage
