#include "formats/archive/internal/decoders.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "base/error.h"

namespace hearth {
namespace {

// Memory that one stream may ask for; xz -9 needs 65 MiB, zstd --ultra 128 MiB.
constexpr uint64_t kMaxMemory = 256 << 20;

[[noreturn]] void NoMemory() { throw Error(Code::kInternal, "no memory for a decompressor"); }

class ZlibDecoder : public StreamDecoder {
 public:
  // Window bits as inflateInit2 takes them: -15 raw, 15 zlib, 31 gzip.
  explicit ZlibDecoder(int window) {
    if (inflateInit2(&stream_, window) != Z_OK) NoMemory();
  }
  ~ZlibDecoder() override { inflateEnd(&stream_); }
  State Decode(std::string_view* in, char* out, size_t* n) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in->data()));
    stream_.avail_in = static_cast<uInt>(in->size());
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(*n);
    int status = inflate(&stream_, Z_NO_FLUSH);
    in->remove_prefix(in->size() - stream_.avail_in);
    *n -= stream_.avail_out;
    if (status == Z_STREAM_END) return State::kDone;
    return status == Z_OK || status == Z_BUF_ERROR ? State::kMore : State::kBroken;
  }

 private:
  z_stream stream_{};
};

class BzipDecoder : public StreamDecoder {
 public:
  BzipDecoder() {
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) NoMemory();
  }
  ~BzipDecoder() override { BZ2_bzDecompressEnd(&stream_); }
  State Decode(std::string_view* in, char* out, size_t* n) override {
    stream_.next_in = const_cast<char*>(in->data());
    stream_.avail_in = static_cast<unsigned>(in->size());
    stream_.next_out = out;
    stream_.avail_out = static_cast<unsigned>(*n);
    int status = BZ2_bzDecompress(&stream_);
    in->remove_prefix(in->size() - stream_.avail_in);
    *n -= stream_.avail_out;
    if (status == BZ_STREAM_END) return State::kDone;
    return status == BZ_OK ? State::kMore : State::kBroken;
  }

 private:
  bz_stream stream_{};
};

class LzmaDecoder : public StreamDecoder {
 public:
  // In a zip archive the properties come after four bytes of version and length, without the size
  // that .lzma has.
  explicit LzmaDecoder(bool in_zip) : in_zip_(in_zip) {
    if (!in_zip && lzma_auto_decoder(&stream_, kMaxMemory, LZMA_CONCATENATED) != LZMA_OK)
      NoMemory();
  }
  ~LzmaDecoder() override { lzma_end(&stream_); }
  State Decode(std::string_view* in, char* out, size_t* n) override {
    if (in_zip_ && !started_ && !StartInZip(in)) {
      *n = 0;
      return in->empty() ? State::kMore : State::kBroken;
    }
    stream_.next_in = reinterpret_cast<const uint8_t*>(in->data());
    stream_.avail_in = in->size();
    stream_.next_out = reinterpret_cast<uint8_t*>(out);
    stream_.avail_out = *n;
    lzma_ret status = lzma_code(&stream_, LZMA_RUN);
    in->remove_prefix(in->size() - stream_.avail_in);
    *n -= stream_.avail_out;
    if (status == LZMA_STREAM_END) return State::kDone;
    return status == LZMA_OK || status == LZMA_BUF_ERROR ? State::kMore : State::kBroken;
  }

 private:
  bool StartInZip(std::string_view* in) {
    size_t take = std::min<size_t>(9 - head_.size(), in->size());
    head_.append(in->substr(0, take));
    in->remove_prefix(take);
    if (head_.size() < 9) return false;
    lzma_filter filters[2] = {{LZMA_FILTER_LZMA1, nullptr}, {LZMA_VLI_UNKNOWN, nullptr}};
    auto* properties = reinterpret_cast<const uint8_t*>(head_.data()) + 4;
    if (lzma_properties_decode(&filters[0], nullptr, properties, 5) != LZMA_OK) return false;
    auto* options = static_cast<lzma_options_lzma*>(filters[0].options);
    started_ = options->dict_size <= kMaxMemory && lzma_raw_decoder(&stream_, filters) == LZMA_OK;
    free(filters[0].options);
    return started_;
  }

  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool in_zip_;
  bool started_ = false;
  std::string head_;
};

class ZstdDecoder : public StreamDecoder {
 public:
  ZstdDecoder() : stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) NoMemory();
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, 27);
  }
  ~ZstdDecoder() override { ZSTD_freeDStream(stream_); }
  State Decode(std::string_view* in, char* out, size_t* n) override {
    ZSTD_inBuffer input{in->data(), in->size(), 0};
    ZSTD_outBuffer output{out, *n, 0};
    size_t status = ZSTD_decompressStream(stream_, &output, &input);
    in->remove_prefix(input.pos);
    *n = output.pos;
    if (ZSTD_isError(status)) return State::kBroken;
    return status == 0 ? State::kDone : State::kMore;
  }

 private:
  ZSTD_DStream* stream_;
};

class Lz4Decoder : public StreamDecoder {
 public:
  Lz4Decoder() {
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION))) NoMemory();
  }
  ~Lz4Decoder() override { LZ4F_freeDecompressionContext(context_); }
  State Decode(std::string_view* in, char* out, size_t* n) override {
    size_t used = in->size();
    size_t status = LZ4F_decompress(context_, out, n, in->data(), &used, nullptr);
    if (LZ4F_isError(status)) {
      *n = 0;
      return State::kBroken;
    }
    in->remove_prefix(used);
    return status == 0 ? State::kDone : State::kMore;
  }

 private:
  LZ4F_dctx* context_ = nullptr;
};

}  // namespace

std::unique_ptr<StreamDecoder> MakeDecoder(Packing packing) {
  switch (packing) {
    case Packing::kStored:
      return nullptr;
    case Packing::kDeflate:
      return std::make_unique<ZlibDecoder>(-15);
    case Packing::kZlib:
      return std::make_unique<ZlibDecoder>(15);
    case Packing::kGzip:
      return std::make_unique<ZlibDecoder>(31);
    case Packing::kBzip2:
      return std::make_unique<BzipDecoder>();
    case Packing::kXz:
      return std::make_unique<LzmaDecoder>(false);
    case Packing::kZipLzma:
      return std::make_unique<LzmaDecoder>(true);
    case Packing::kZstd:
      return std::make_unique<ZstdDecoder>();
    case Packing::kLz4:
      return std::make_unique<Lz4Decoder>();
  }
  return nullptr;
}

}  // namespace hearth
