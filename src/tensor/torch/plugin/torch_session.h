// Runs a TorchProgram: each node of the graph is one to a few ATen calls; for the plugin's own
// files.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tensor/torch/plugin/torch_program.h"

namespace hearth::tensor {

// What attention of one run shares among its layers: which segments are computed by one call, and
// where their rows and keys lie.
class AttentionPlan {
 public:
  // `pages` of the cache, or nothing: keys and values are those of the run.
  AttentionPlan(const Batch& batch, std::optional<uint32_t> pages, c10::Device device);

  // Segments of equally many rows.
  struct Group {
    int64_t segments = 0, rows = 0, length = 0;  // keys of the longest
    bool is_even = true;                         // all have as many keys
    at::Tensor tokens;                           // [segments * rows]: rows of the batch
    at::Tensor keys;     // [segments * length]: places in the cache, or rows of the batch
    at::Tensor past;     // [segments, 1]: tokens before the first row
    at::Tensor lengths;  // [segments, 1]
    std::map<std::tuple<bool, uint32_t>, at::Tensor> allowed{};  // by (causal, window)
    std::map<const AttentionOptions*, at::Tensor> biases{};
  };
  std::vector<Group>& groups() { return groups_; }
  const at::Tensor& stores() const { return stores_; }  // [tokens]: places in the cache

 private:
  void AddGroup(const Batch& batch, const std::vector<size_t>& members, bool is_cached,
                c10::Device device);

  std::vector<Group> groups_;
  at::Tensor stores_;
};

class TorchSession : public Session {
 public:
  TorchSession(std::shared_ptr<const TorchProgram> program, int threads)
      : program_(std::move(program)), threads_(threads) {}

  void Run(const Batch& batch, SequenceCache* cache,
           std::span<const ProgramAdapter* const> adapters) override;
  OutputRows Output(std::string_view name) const override;

 private:
  friend struct TorchCall;
  // Rows of one adapter in a row space.
  struct AdaptedRows {
    int64_t begin, count;
    const TorchForm* form;
  };

  void Check(const Batch& batch, std::span<const ProgramAdapter* const> adapters) const;
  std::vector<AdaptedRows> FindAdaptedRows(RowSpace space) const;
  at::Tensor Numbers(std::span<const uint32_t> numbers, uint32_t offset) const;
  at::Tensor Embed(const EmbedNode& node) const;
  at::Tensor Features(uint32_t columns) const;
  at::Tensor Linear(const LinearNode& node, const at::Tensor& x, RowSpace space) const;
  at::Tensor Norm(const NormOptions& options, const at::Tensor& x) const;
  at::Tensor Rope(const RopeOptions& options, int32_t angles_of, const at::Tensor& x);
  at::Tensor Pool(Pooling pooling, const at::Tensor& x) const;
  at::Tensor Select(const at::Tensor& x) const;
  // In torch_attention.cc.
  at::Tensor Attend(const AttentionOptions& options, const at::Tensor& q, const at::Tensor& k,
                    const at::Tensor& v);
  at::Tensor Bias(const AttentionOptions& options, AttentionPlan::Group& group) const;
  at::Tensor Mix(const AttentionOptions& options, AttentionPlan::Group& group, const at::Tensor& q,
                 const at::Tensor& k, const at::Tensor& v) const;

  std::shared_ptr<const TorchProgram> program_;
  int threads_;
  // Of the run.
  const Batch* batch_ = nullptr;
  TorchCache* cache_ = nullptr;
  std::span<const ProgramAdapter* const> adapters_;
  std::vector<AdaptedRows> adapted_[3];                          // by row space
  std::map<int32_t, std::pair<at::Tensor, at::Tensor>> angles_;  // cosines and sines of all rows
  std::unique_ptr<AttentionPlan> cached_plan_, plain_plan_;
  std::map<std::string, at::Tensor, std::less<>> outputs_;  // fp32 on the CPU
};

}  // namespace hearth::tensor
