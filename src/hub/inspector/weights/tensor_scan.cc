#include "hub/inspector/weights/tensor_scan.h"

#include <algorithm>

#include "base/error.h"

namespace hearth::inspector {
namespace {

// A quarter of a second-level cache: what was hashed is still there when its values are read.
constexpr uint64_t kPieceBytes = 256u << 10;
// Fewer values than this are equal in unrelated models now and then (norms of ones, buffers).
constexpr uint64_t kTellingValues = 1024;
// Parts of the names of tables that are computed and not learnt.
constexpr std::string_view kComputed[] = {
    "inv_freq",       "position_ids",   "rope_freqs",     "masked_bias",
    "attn.bias",      "attention.bias", "causal_mask",    "relative_position_index",
    "token_type_ids", "rope_factors",   "embed_positions"};

class Scan {
 public:
  Scan(TensorFile& file, const ScanHooks& hooks) : file_(file), hooks_(hooks) {}

  TensorRecord Run(size_t index) {
    TensorRecord record{.info = file_.tensors()[index], .hash = {}, .stats = {}};
    bool valued = file_.HasValues(index);
    TensorFile::Block block = file_.BlockOf(index);
    uint64_t step = std::max<uint64_t>(1, kPieceBytes / block.bytes) * block.bytes;
    hasher_.Reset();
    StatsCollector stats;
    for (uint64_t at = 0; at < record.info.bytes; at += step) {
      if (hooks_.stop != nullptr && hooks_.stop->load())
        throw Error(Code::kUnavailable, "The scan was stopped.");
      piece_.resize(std::min(step, record.info.bytes - at));
      file_.ReadBytes(index, at, piece_);
      hasher_.Update({reinterpret_cast<const char*>(piece_.data()), piece_.size()});
      if (valued) AddValues(index, block, &stats);
      if (hooks_.progress) hooks_.progress(piece_.size());
    }
    if (record.info.bytes > 0) record.hash = hasher_.Finish();
    if (valued) record.stats = stats.Finish();
    return record;
  }

 private:
  // Of the piece, by groups that stay in the first-level cache.
  void AddValues(size_t index, TensorFile::Block block, StatsCollector* stats) {
    uint64_t blocks_a_group = std::max<uint64_t>(1, kStatsGroup / block.elements);
    uint64_t group_bytes = blocks_a_group * block.bytes;
    for (size_t at = 0; at < piece_.size(); at += group_bytes) {
      size_t size = std::min<size_t>(group_bytes, piece_.size() - at);
      values_.resize(size / block.bytes * block.elements);
      file_.Decode(index,
                   std::span(piece_).subspan(at, values_.size() / block.elements * block.bytes),
                   values_);
      stats->Add(values_);
    }
  }

  TensorFile& file_;
  const ScanHooks& hooks_;
  TensorHasher hasher_;
  std::vector<uint8_t> piece_;
  std::vector<float> values_;
};

}  // namespace

bool TensorRecord::IsTelling() const {
  if (info.elements < kTellingValues || info.bytes == 0) return false;
  if (stats && (stats->deviation == 0 || stats->not_finite == stats->values)) return false;
  return std::none_of(std::begin(kComputed), std::end(kComputed), [this](std::string_view part) {
    return info.name.find(part) != std::string::npos;
  });
}

FileRecords ScanTensors(std::unique_ptr<ByteSource> source, std::string_view path,
                        const ScanHooks& hooks) {
  FileRecords records;
  try {
    std::unique_ptr<TensorFile> file = OpenTensorFile(std::move(source), path);
    records.format = file->format();
    Scan scan(*file, hooks);
    for (size_t i = 0; i < file->tensors().size(); ++i) records.tensors.push_back(scan.Run(i));
  } catch (const Error& error) {
    if (error.code() == Code::kUnavailable || error.code() == Code::kInternal) throw;
    records.fault = error.message();
  }
  return records;
}

}  // namespace hearth::inspector
