#include "tensor/cpu/cpu_executor.h"

#include <utility>
#include <vector>

#include "tensor/cpu/session.h"

namespace hearth::tensor {
namespace {

struct CpuForm : ProgramAdapter {
  std::shared_ptr<const CpuAdapter> adapter;
};

struct CpuCache : SequenceCache {
  CpuCache(const KvShape& shape, uint32_t pages) : cache(shape, pages) {}
  void CopyPage(uint32_t from, uint32_t to) override { cache.CopyPage(from, to); }
  KvCache cache;
};

class Runner : public Session {
 public:
  Runner(std::shared_ptr<const CpuProgram> program, ThreadTeam& team)
      : session_(std::move(program), team) {}

  void Run(const Batch& batch, SequenceCache* cache,
           std::span<const ProgramAdapter* const> adapters) override {
    forms_.clear();
    for (const ProgramAdapter* adapter : adapters) {
      forms_.push_back(static_cast<const CpuForm*>(adapter)->adapter.get());
    }
    session_.Run(batch, cache != nullptr ? &static_cast<CpuCache*>(cache)->cache : nullptr, forms_);
  }
  OutputRows Output(std::string_view name) const override { return session_.Output(name); }

 private:
  CpuSession session_;
  std::vector<const CpuAdapter*> forms_;
};

class CpuExecutable : public Program {
 public:
  explicit CpuExecutable(std::shared_ptr<const CpuProgram> program)
      : program_(std::move(program)) {}

  const Graph& graph() const override { return program_->graph(); }
  std::unique_ptr<Session> NewSession(ThreadTeam& team) const override {
    return std::make_unique<Runner>(program_, team);
  }
  std::shared_ptr<const ProgramAdapter> MakeAdapter(std::span<const LowRank> pairs) const override {
    auto form = std::make_shared<CpuForm>();
    form->adapter = CpuAdapter::Make(*program_, pairs);
    return form;
  }
  uint64_t CachePageBytes(const KvShape& shape) const override { return KvCache::PageBytes(shape); }
  std::unique_ptr<SequenceCache> NewCache(const KvShape& shape, uint32_t pages) const override {
    return std::make_unique<CpuCache>(shape, pages);
  }
  bool is_from_store() const override { return program_->is_from_store(); }

 private:
  std::shared_ptr<const CpuProgram> program_;
};

}  // namespace

std::shared_ptr<const Program> CompileForCpu(Graph graph, const WeightSet& weights,
                                             const CompileOptions& options) {
  return std::make_shared<CpuExecutable>(CpuProgram::Compile(std::move(graph), weights, options));
}

}  // namespace hearth::tensor
