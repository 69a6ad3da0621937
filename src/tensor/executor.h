// What every executor looks like to whoever runs models: a Program made from a recorded graph, and
// Sessions that run it.
//
// There are three (executors.h makes programs by their names): cpu, the fast one; reference, plain
// loops to compare with; torch, which hands the operations to libtorch (torch/torch_plugin.h).
// These are interfaces without code of their own, so that a plugin can implement them.
//
// A program is immutable and may be shared by threads; sessions, caches and forms of adapters
// belong to the program that made them and keep it alive. A session is used by one thread at a
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "tensor/batch.h"
#include "tensor/graph.h"
#include "tensor/kernels/kv_cache.h"

namespace hearth::tensor {

class ThreadTeam;

// Rows of an output; good until the session's next run.
struct OutputRows {
  const float* data = nullptr;
  uint64_t stride = 0;  // floats
  uint64_t rows = 0;
  uint32_t columns = 0;
  std::span<const float> Row(uint64_t row) const { return {data + row * stride, columns}; }
};

// A low-rank addition to a linear layer: y += scale * (x A^T) B^T.
struct LowRank {
  Weight weight;
  std::span<const float> a;  // [rank, inputs]
  std::span<const float> b;  // [outputs, rank]
  uint32_t rank = 0;
  float scale = 1;
};

// Low-rank additions in the form of a program.
class ProgramAdapter {
 public:
  virtual ~ProgramAdapter() = default;
};

// Keys and values of sequences in pages of kPageTokens tokens; Segment::pages names them.
class SequenceCache {
 public:
  virtual ~SequenceCache() = default;
  virtual void CopyPage(uint32_t from, uint32_t to) = 0;
};

class Session {
 public:
  virtual ~Session() = default;
  // `cache` may be null: every sequence is then whole in its segment. Segment::adapter is a place
  // in `adapters`. Throws kInvalidArgument for a batch that CheckBatch refuses, a token outside of
  // a table, an adapter that is not there; nothing has been computed then.
  virtual void Run(const Batch& batch, SequenceCache* cache,
                   std::span<const ProgramAdapter* const> adapters) = 0;
  // Throws kNotFound for a name that the model does not give.
  virtual OutputRows Output(std::string_view name) const = 0;
};

class Program {
 public:
  virtual ~Program() = default;
  virtual const Graph& graph() const = 0;
  // Borrows the team; executors with threads of their own take as many.
  virtual std::unique_ptr<Session> NewSession(ThreadTeam& team) const = 0;
  // Pairs of weights that the program has no product with are left out. Throws kInvalidArgument
  // for a pair of another shape than its weight.
  virtual std::shared_ptr<const ProgramAdapter> MakeAdapter(
      std::span<const LowRank> pairs) const = 0;
  // `shape.type` is a wish: what values are kept as is the executor's choice.
  virtual uint64_t CachePageBytes(const KvShape& shape) const = 0;
  // Errors: those of KvCache.
  virtual std::unique_ptr<SequenceCache> NewCache(const KvShape& shape, uint32_t pages) const = 0;
  // Whether the weights came packed from CompileOptions::store.
  virtual bool is_from_store() const { return false; }

  // Of an output by its name; nothing for a name that the model does not give.
  std::optional<ValueShape> FindOutput(std::string_view name) const {
    for (const auto& [known, node] : graph().outputs) {
      if (known == name) return graph().nodes[node].shape;
    }
    return std::nullopt;
  }
};

}  // namespace hearth::tensor
