// Runs a CpuProgram: the memory of one run and the threads that share it.
//
// Sessions are cheap beside programs; several may run one program at the same time, each with its
// own thread team. Used by one thread at a time. Memory grows to the largest batch and is kept.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/aligned_memory.h"
#include "tensor/batch.h"
#include "tensor/cpu/adapter.h"
#include "tensor/cpu/program.h"
#include "tensor/executor.h"
#include "tensor/kernels/attention.h"
#include "tensor/kernels/kv_cache.h"
#include "tensor/thread_team.h"

namespace hearth::tensor {

class CpuSession {
 public:
  // Borrows the team.
  CpuSession(std::shared_ptr<const CpuProgram> program, ThreadTeam& team);
  ~CpuSession();

  // `cache` may be null: every sequence is then whole in its segment. Throws kInvalidArgument for a
  // batch that CheckBatch refuses or a token outside of a table; nothing has been computed then.
  // Segment::adapter is a place in `adapters`, which were made for the session's program.
  void Run(const Batch& batch, KvCache* cache, std::span<const CpuAdapter* const> adapters = {});
  // Throws kNotFound for a name that the model does not give.
  OutputRows Output(std::string_view name) const;
  bool HasOutput(std::string_view name) const;

  const CpuProgram& program() const { return *program_; }

 private:
  struct Rope;
  // Rows of one adapter and their narrow products.
  struct AdaptedPart {
    uint64_t begin, end;
    const CpuAdapter::Pair* pair;
    PackedRows narrow;  // x A^T
  };
  // A member's part of a product.
  struct Tile {
    uint64_t row_begin = 0, row_end = 0;
    uint32_t begin = 0, end = 0;  // of the matrix' outputs
    bool is_empty() const { return row_begin >= row_end || begin >= end; }
  };

  float* At(const View& view) const;
  uint64_t Stride(const View& view) const;
  void CheckIds(const Batch& batch) const;
  void Prepare(const Batch& batch);
  RowBlock Block(const Step& step, uint64_t begin, uint64_t end) const;
  AttentionCall Call(const Step& step);
  void RunRows(const Phase& phase, int member);
  void RunStep(const Step& step, uint64_t begin, uint64_t end);
  void RunNorm(const Step& step, uint64_t begin, uint64_t end);
  void RunEmbed(const Step& step, uint64_t begin, uint64_t end);
  void RunFeatures(const Step& step, uint64_t begin, uint64_t end);
  void RunRope(const Step& step, uint64_t begin, uint64_t end);
  void RunSelect(const Step& step, uint64_t begin, uint64_t end);
  void RunPool(const Step& step, uint64_t begin, uint64_t end);
  // `next`: as Multiply takes it.
  void RunProduct(const Step& step, int member, const uint8_t* next = nullptr);
  const uint8_t* NextPanels(const Phase& phase, int member) const;
  const PackedRows& RowsOf(const Step& step, PackedRows* borrowed) const;
  Epilogue EpilogueOf(const Step& step) const;
  Tile TileOf(const Step& step, int member) const;
  // In session_adapters.cc.
  std::vector<AdaptedPart> AdaptedParts(const Step& step) const;
  void RunAdapted(const Step& step, std::vector<AdaptedPart>& parts);
  void NarrowRows(const Step& step, std::vector<AdaptedPart>& parts, uint32_t stride, int member);
  void AddToTile(const Step& step, const std::vector<AdaptedPart>& parts, const Tile& tile);
  void ComputeTile(const Step& step, const std::vector<AdaptedPart>& parts, const Tile& tile);
  void ComputeRows(const Step& step, const AdaptedPart& part, const Tile& tile,
                   std::vector<float>* raw);
  void RunAttentionItems(const Step& step);

  std::shared_ptr<const CpuProgram> program_;
  ThreadTeam& team_;
  const Batch* batch_ = nullptr;
  KvCache* cache_ = nullptr;
  ScratchMemory arenas_[3];
  uint64_t rows_[3] = {};
  std::vector<PackedRows> packed_;
  std::vector<AdaptedRows> adapted_[3];  // by row space
  PackedRows float_rows_;                // inputs of the product that an adapter adds to
  std::vector<float> narrow_;            // their narrow products
  std::vector<std::unique_ptr<Rope>> ropes_;
  std::vector<int32_t> rope_of_step_;
  std::vector<AttentionItem> items_;
  AttentionPartials partials_;  // of one attention at a time
  std::atomic<uint32_t> next_item_{0};
};

}  // namespace hearth::tensor
