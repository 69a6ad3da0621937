// Records of a file as bytes: a version, then numbers as LEB128, texts with their length, digests
// and fp64 as they are, little-endian.
#include <bit>
#include <cstring>

#include "base/error.h"
#include "hub/inspector/weights/tensor_scan.h"

namespace hearth::inspector {
namespace {

constexpr char kForm = 1;
constexpr uint64_t kMaxTensors = 2'000'000;
constexpr uint64_t kMaxDimensions = 64;

class Writer {
 public:
  void Number(uint64_t value) {
    for (; value >= 128; value >>= 7) bytes_ += static_cast<char>(value | 128);
    bytes_ += static_cast<char>(value);
  }
  void Text(std::string_view text) {
    Number(text.size());
    bytes_ += text;
  }
  void Raw(std::string_view raw) { bytes_ += raw; }
  void Real(double value) {
    uint64_t bits = std::bit_cast<uint64_t>(value);
    for (int i = 0; i < 8; ++i) bytes_ += static_cast<char>(bits >> (8 * i));
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  uint64_t Number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      auto byte = static_cast<uint8_t>(Raw(1)[0]);
      value |= static_cast<uint64_t>(byte & 127) << shift;
      if (byte < 128) return value;
    }
    Broken();
  }
  uint64_t Count(uint64_t limit) {
    uint64_t count = Number();
    if (count > limit || count > left_.size()) Broken();
    return count;
  }
  std::string Text() { return std::string(Raw(Count(left_.size()))); }
  std::string_view Raw(size_t n) {
    if (n > left_.size()) Broken();
    std::string_view raw = left_.substr(0, n);
    left_.remove_prefix(n);
    return raw;
  }
  double Real() {
    uint64_t bits = 0;
    std::string_view raw = Raw(8);
    for (size_t i = 0; i < 8; ++i)
      bits |= static_cast<uint64_t>(static_cast<uint8_t>(raw[i])) << (8 * i);
    return std::bit_cast<double>(bits);
  }
  void End() const {
    if (!left_.empty()) Broken();
  }

 private:
  [[noreturn]] static void Broken() {
    throw Error(Code::kInvalidArgument, "These are no records of tensors.");
  }

  std::string_view left_;
};

void Pack(const TensorRecord& record, Writer* out) {
  const TensorInfo& info = record.info;
  out->Text(info.name);
  out->Text(info.dtype);
  out->Number(info.shape.size());
  for (uint64_t size : info.shape) out->Number(size);
  for (uint64_t number : {info.begin, info.end, info.elements, info.bytes}) out->Number(number);
  out->Text(info.same_as);
  out->Raw(record.hash.raw());
  out->Number(record.stats ? 1 : 0);
  if (!record.stats) return;
  const ValueStats& stats = *record.stats;
  for (uint64_t number : {stats.values, stats.zeros, stats.not_finite}) out->Number(number);
  for (double number : {stats.mean, stats.deviation, stats.absmax}) out->Real(number);
}

TensorRecord Unpack(Reader* in) {
  TensorRecord record;
  TensorInfo& info = record.info;
  info.name = in->Text();
  info.dtype = in->Text();
  info.shape.resize(in->Count(kMaxDimensions));
  for (uint64_t& size : info.shape) size = in->Number();
  for (uint64_t* number : {&info.begin, &info.end, &info.elements, &info.bytes})
    *number = in->Number();
  info.same_as = in->Text();
  record.hash = TensorHash(in->Raw(TensorHash::kBytes));
  if (in->Number() == 0) return record;
  ValueStats stats;
  for (uint64_t* number : {&stats.values, &stats.zeros, &stats.not_finite}) *number = in->Number();
  for (double* number : {&stats.mean, &stats.deviation, &stats.absmax}) *number = in->Real();
  record.stats = stats;
  return record;
}

}  // namespace

std::string PackRecords(const FileRecords& records) {
  Writer out;
  out.Raw({&kForm, 1});
  out.Text(records.format);
  out.Text(records.fault);
  out.Number(records.tensors.size());
  for (const TensorRecord& record : records.tensors) Pack(record, &out);
  return out.Take();
}

FileRecords UnpackRecords(std::string_view bytes) {
  Reader in(bytes);
  if (in.Raw(1)[0] != kForm)
    throw Error(Code::kInvalidArgument, "Records of tensors in an unknown form.");
  FileRecords records;
  records.format = in.Text();
  records.fault = in.Text();
  records.tensors.resize(in.Count(kMaxTensors));
  for (TensorRecord& record : records.tensors) record = Unpack(&in);
  in.End();
  return records;
}

}  // namespace hearth::inspector
