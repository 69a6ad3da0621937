// Rebuilding. Records are read in batches straight to where they are needed: the payload of a
// chunk that is stored uncompressed goes from the page cache into the output, everything else into
// a scratch buffer from which it is decoded into the output. The index only says how long a record
// is, so the guess "8 bytes longer than its chunk: stored" is checked against the record's header.
// Reading ahead is left to the kernel: it sees the sequential reads and fills the page cache with
// large folios, while asking for ranges (POSIX_FADV_WILLNEED) fills it page by page, which costs
// more processor time now and at every later read.
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/error.h"
#include "storage/xet/internal/term_cursor.h"
#include "storage/xet/reconstruction.h"

namespace hearth::storage {
namespace {

// One system call per batch; with the output it stays inside a core's caches.
constexpr size_t kBatchRecordBytes = 256 << 10;
// Two vectors for each chunk at most, below the system's limit of 1024.
constexpr size_t kBatchChunks = 500;

// Fills all vectors from `offset` on.
void ReadVectorsAt(int fd, uint64_t offset, std::vector<iovec>& vectors) {
  size_t first = 0;
  while (first < vectors.size()) {
    ssize_t got = ::preadv(fd, vectors.data() + first, static_cast<int>(vectors.size() - first),
                           static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) ThrowErrno("read xorb");
    if (got == 0) throw Error(Code::kInternal, "a xorb file ended before its last record");
    offset += static_cast<uint64_t>(got);
    auto left = static_cast<size_t>(got);
    while (first < vectors.size() && left >= vectors[first].iov_len) {
      left -= vectors[first++].iov_len;
    }
    if (left > 0) {
      vectors[first].iov_base = static_cast<char*>(vectors[first].iov_base) + left;
      vectors[first].iov_len -= left;
    }
  }
}

}  // namespace

struct XetReader::State {
  State(XorbStore& store, std::shared_ptr<const TermSource> terms, uint64_t start,
        uint64_t range_end)
      : xorbs(store), source(std::move(terms)), at(start), end(range_end) {}

  void OpenTerm();
  // The end of the next batch of chunks, which gives about `wanted` bytes.
  uint32_t ChooseBatch(size_t wanted) const;
  // Appends the wanted bytes of chunks [chunk, batch_end) of the open term and moves behind them.
  void ReadBatch(uint32_t batch_end, std::string& out);
  // The bytes of chunk `number` that go to the output.
  size_t Delivered(uint32_t number) const {
    return index->chunks[number].unpacked_bytes - (number == chunk ? at - chunk_start : 0);
  }
  // Reads the records: payloads of stored chunks to their place in `out`, the rest to `scratch`.
  void ReadRecords(uint32_t batch_end, char* out);
  // Decodes what is not in its place yet.
  void DecodeRecords(uint32_t batch_end, char* out);
  // Checks them against the index, and decodes all but the whole ones, which become `unpackings`.
  void CheckRecords(uint32_t batch_end, char* out);
  // A chunk of which only the end is wanted.
  void DecodeEnd(uint32_t number, const XorbChunkHeader& header, std::string_view payload,
                 char* out);

  uint64_t RecordStart(uint32_t number) const {
    return number == 0 ? 0 : index->chunks[number - 1].record_end;
  }
  size_t RecordBytes(uint32_t number) const {
    return index->chunks[number].record_end - RecordStart(number);
  }
  // Whether the whole chunk is wanted and its record has the length of a chunk stored as it is.
  bool GoesStraight(uint32_t number) const {
    uint32_t bytes = index->chunks[number].unpacked_bytes;
    return RecordBytes(number) == kXorbHeaderBytes + bytes && Delivered(number) == bytes;
  }
  [[noreturn]] void Damaged(const std::string& what) const {
    throw Error(Code::kInternal, "xorb " + index->hash.Text() + " is damaged: " + what);
  }

  XorbStore& xorbs;
  std::shared_ptr<const TermSource> source;
  uint64_t at;   // the next byte of the file to deliver
  uint64_t end;  // of the range
  std::optional<internal::TermCursor> cursor;
  // The open term: chunk `chunk` of `index` starts at file offset `chunk_start` <= at.
  XorbIndexPtr index;
  std::shared_ptr<UniqueFd> file;
  uint32_t chunk = 0;
  uint32_t term_end = 0;
  uint64_t chunk_start = 0;
  std::string scratch;      // records as stored
  std::string chunk_bytes;  // a chunk on its way
  std::vector<iovec> vectors;
  std::vector<XorbChunkUnpacking> unpackings;
};

void XetReader::State::OpenTerm() {
  if (!cursor) {
    cursor.emplace(*source, at);
  } else {
    cursor->Advance();
  }
  const XetTerm& term = cursor->term();
  if (!index || index->hash != term.xorb) {
    index = xorbs.FindIndex(term.Form());
    try {
      if (index) file = xorbs.Open(term.Form());
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound) throw;
      index = nullptr;
    }
    if (!index) throw Error(Code::kInternal, "xorb " + term.xorb.Text() + " is missing");
  }
  if (term.chunk_start >= term.chunk_end || term.chunk_end > index->chunks.size()) {
    Damaged("a file refers to chunks that it does not have");
  }
  uint64_t bytes = 0;
  for (uint32_t i = term.chunk_start; i < term.chunk_end; ++i) {
    bytes += index->chunks[i].unpacked_bytes;
  }
  if (bytes != term.unpacked_bytes) Damaged("the chunks of a file's term have another length");
  chunk = term.chunk_start;
  term_end = term.chunk_end;
  chunk_start = cursor->start();
  while (chunk_start + index->chunks[chunk].unpacked_bytes <= at) {
    chunk_start += index->chunks[chunk++].unpacked_bytes;
  }
}

uint32_t XetReader::State::ChooseBatch(size_t wanted) const {
  uint32_t to = chunk;
  uint64_t goal = std::min<uint64_t>(at + wanted, end);
  uint64_t reached = chunk_start;
  while (to < term_end && to - chunk < kBatchChunks && reached < goal) {
    if (to > chunk && index->chunks[to].record_end - RecordStart(chunk) > kBatchRecordBytes) break;
    reached += index->chunks[to++].unpacked_bytes;
  }
  return to;
}

void XetReader::State::ReadRecords(uint32_t batch_end, char* out) {
  size_t scratch_bytes = 0;
  for (uint32_t i = chunk; i < batch_end; ++i) {
    scratch_bytes += GoesStraight(i) ? kXorbHeaderBytes : RecordBytes(i);
  }
  if (scratch.size() < scratch_bytes) scratch.resize(scratch_bytes);
  vectors.clear();
  char* record = scratch.data();
  bool joins = false;  // the last vector ends where this record's part in `scratch` starts
  for (uint32_t i = chunk; i < batch_end; ++i) {
    bool straight = GoesStraight(i);
    size_t bytes = straight ? kXorbHeaderBytes : RecordBytes(i);
    if (joins) {
      vectors.back().iov_len += bytes;
    } else {
      vectors.push_back({record, bytes});
    }
    record += bytes;
    if (straight) vectors.push_back({out, Delivered(i)});
    out += Delivered(i);
    joins = !straight;
  }
  ReadVectorsAt(file->get(), RecordStart(chunk), vectors);
}

void XetReader::State::DecodeRecords(uint32_t batch_end, char* out) {
  unpackings.clear();
  try {
    CheckRecords(batch_end, out);
    UnpackXorbChunks(unpackings);
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw;
    Damaged(error.message());
  }
}

void XetReader::State::CheckRecords(uint32_t batch_end, char* out) {
  const char* record = scratch.data();
  for (uint32_t i = chunk; i < batch_end; ++i) {
    bool straight = GoesStraight(i);
    size_t bytes = straight ? kXorbHeaderBytes : RecordBytes(i);
    XorbChunkHeader header = ParseXorbChunkHeader({record, bytes});
    if (header.unpacked_bytes != index->chunks[i].unpacked_bytes ||
        kXorbHeaderBytes + header.payload_bytes != RecordBytes(i)) {
      Damaged("a record differs from the index");
    }
    if (straight) {
      // As long as its chunk and compressed all the same: some sender's odd choice.
      if (header.scheme != XorbScheme::kNone) {
        UnpackXorbChunk(header, std::string(out, header.payload_bytes), out);
      }
    } else {
      std::string_view payload(record + kXorbHeaderBytes, header.payload_bytes);
      if (Delivered(i) == header.unpacked_bytes) {
        unpackings.push_back({header, payload, out});
      } else {
        DecodeEnd(i, header, payload, out);
      }
    }
    record += bytes;
    out += Delivered(i);
  }
}

void XetReader::State::DecodeEnd(uint32_t number, const XorbChunkHeader& header,
                                 std::string_view payload, char* out) {
  size_t delivered = Delivered(number);
  UnpackXorbChunk(header, payload, chunk_bytes);
  chunk_bytes.copy(out, delivered, chunk_bytes.size() - delivered);
}

void XetReader::State::ReadBatch(uint32_t batch_end, std::string& out) {
  size_t start = out.size();
  uint64_t next = chunk_start;
  for (uint32_t i = chunk; i < batch_end; ++i) next += index->chunks[i].unpacked_bytes;
  // The last chunk is decoded whole and cut afterwards. Clearing memory that is then written would
  // cost a tenth of the decoding. (The library may offer the call more room than was asked for.)
  size_t size = start + (next - at);
  out.resize_and_overwrite(size, [size](char*, size_t) { return size; });
  ReadRecords(batch_end, out.data() + start);
  DecodeRecords(batch_end, out.data() + start);
  if (next > end) out.resize(out.size() - (next - end));
  at = std::min(next, end);
  chunk = batch_end;
  chunk_start = next;
}

XetReader::XetReader(XorbStore& xorbs, std::shared_ptr<const TermSource> terms, uint64_t start,
                     uint64_t end) {
  if (start > end || end > terms->size_bytes()) {
    throw Error(Code::kInternal, "the range to rebuild is not inside the file");
  }
  state_ = std::make_unique<State>(xorbs, std::move(terms), start, end);
}

XetReader::~XetReader() = default;
XetReader::XetReader(XetReader&&) noexcept = default;

bool XetReader::Next(std::string* out, size_t wanted) {
  State& state = *state_;
  if (state.at == state.end) return false;
  size_t before = out->size();
  size_t goal = before + std::max<size_t>(wanted, 1);
  try {
    while (out->size() < goal && state.at < state.end) {
      if (state.chunk == state.term_end) state.OpenTerm();
      state.ReadBatch(state.ChooseBatch(goal - out->size()), *out);
    }
  } catch (...) {
    out->resize(before);
    throw;
  }
  return true;
}

}  // namespace hearth::storage
