#include "tensor/cpu/pack_weights.h"

#include <atomic>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/aligned_memory.h"
#include "base/error.h"
#include "tensor/kernels/matrix_packer.h"

namespace hearth::tensor {
namespace {

// Panels that a member takes at once: few enough to share out, enough to touch whole pages.
constexpr uint64_t kPanelsAtOnce = 4;

// By shapes alone: no weight is read.
MatrixPacker PackerOfShapes(const MatrixPlan& plan, const WeightSet& weights) {
  std::vector<WeightView> shapes;
  for (Weight part : plan.parts) shapes.push_back(weights.Shape(part));
  return MatrixPacker(shapes, plan.packing, plan.gated);
}

Sha256 KeyOf(std::span<const MatrixPlan> plans, std::span<const MatrixPacker> packers,
             const WeightSet& weights, const Sha256& identity) {
  Sha256Hasher hasher;
  auto number = [&](uint64_t value) {
    hasher.Update({reinterpret_cast<const char*>(&value), sizeof value});
  };
  hasher.Update({internal::kPackedMagic, sizeof internal::kPackedMagic});
  number(PackedFileLayout::kVersion);
  hasher.Update(identity.raw());
  for (size_t i = 0; i < plans.size(); ++i) {
    number(static_cast<uint64_t>(plans[i].packing) << 1 | (plans[i].gated ? 1 : 0));
    number(packers[i].inputs()), number(packers[i].outputs()), number(packers[i].bytes());
    for (Weight part : plans[i].parts) {
      const std::string& name = weights.Name(part);
      number(name.size());
      hasher.Update(name);
    }
  }
  return hasher.Finish();
}

void PackMatrix(const MatrixPacker& packer, ThreadTeam& team, uint8_t* out) {
  packer.WriteHead(out);
  std::atomic<uint64_t> next{0};
  std::vector<std::exception_ptr> failures(team.threads());
  team.Run([&](int member) {
    try {
      for (uint64_t begin = next.fetch_add(kPanelsAtOnce); begin < packer.panels();
           begin = next.fetch_add(kPanelsAtOnce)) {
        const uint64_t end = std::min(begin + kPanelsAtOnce, packer.panels());
        for (uint64_t panel = begin; panel < end; ++panel) packer.PackPanel(panel, out);
      }
    } catch (...) {
      failures[member] = std::current_exception();
    }
  });
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

void PackAll(std::span<const MatrixPlan> plans, const WeightSet& weights,
             const PackedFileLayout& layout, ThreadTeam& team, uint8_t* data) {
  struct Awake {
    explicit Awake(ThreadTeam& all) : team(all) { team.Begin(); }
    ~Awake() { team.End(); }
    ThreadTeam& team;
  } awake(team);
  for (size_t i = 0; i < plans.size(); ++i) {
    // Weights that are made when asked for are there while their matrix is packed, no longer.
    std::vector<WeightView> parts;
    for (Weight part : plans[i].parts) parts.push_back(weights.View(part));
    const MatrixPacker packer(parts, plans[i].packing, plans[i].gated);
    PackMatrix(packer, team, data + layout.offset(i));
  }
}

// What stands between matrices is part of the file.
void ClearGaps(const PackedFileLayout& layout, uint8_t* data) {
  for (size_t i = 0; i < layout.matrices(); ++i) {
    const uint64_t end = layout.offset(i) + layout.size(i);
    const uint64_t next = i + 1 < layout.matrices() ? layout.offset(i + 1) : layout.data_bytes();
    std::fill(data + end, data + next, uint8_t{0});
  }
}

std::vector<PackedMatrix> Matrices(const PackedFileLayout& layout, std::span<const uint8_t> data,
                                   Tier tier, const std::shared_ptr<const void>& owner) {
  std::vector<PackedMatrix> matrices;
  for (size_t i = 0; i < layout.matrices(); ++i) {
    matrices.push_back(
        PackedMatrix::FromBytes(data.subspan(layout.offset(i), layout.size(i)), tier, owner));
  }
  return matrices;
}

// Whether what was found is what was asked for: a file may hold anything.
bool AreAsPlanned(std::span<const PackedMatrix> matrices, std::span<const MatrixPacker> packers) {
  for (size_t i = 0; i < matrices.size(); ++i) {
    const PackedMatrix& matrix = matrices[i];
    const MatrixPacker& packer = packers[i];
    if (matrix.inputs() != packer.inputs() || matrix.outputs() != packer.outputs() ||
        matrix.packing() != packer.packing() || matrix.gated() != packer.gated()) {
      return false;
    }
  }
  return true;
}

std::optional<PackedWeights> FindKept(const PackOptions& options, const Sha256& key,
                                      const PackedFileLayout& layout,
                                      std::span<const MatrixPacker> packers, ThreadTeam& team) {
  auto found = options.store->Find(key, layout, team);
  if (!found) return std::nullopt;
  try {
    PackedWeights kept{Matrices(layout, found->data, options.tier, found->owner), true, nullptr};
    if (AreAsPlanned(kept.matrices, packers)) return kept;
  } catch (const Error&) {
  }
  return std::nullopt;
}

class Keeper {
 public:
  template <typename Work>
  explicit Keeper(Work work) : thread_(std::move(work)) {}
  ~Keeper() { thread_.join(); }
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

 private:
  std::thread thread_;
};

}  // namespace

PackedWeights PackWeights(std::span<const MatrixPlan> plans, const WeightSet& weights,
                          const PackOptions& options) {
  std::vector<MatrixPacker> packers;
  std::vector<uint64_t> sizes;
  for (const MatrixPlan& plan : plans) {
    packers.push_back(PackerOfShapes(plan, weights));
    sizes.push_back(packers.back().bytes());
  }
  std::optional<Sha256> identity;
  if (options.store != nullptr) identity = options.store->Identity();
  const Sha256 key = identity ? KeyOf(plans, packers, weights, *identity) : Sha256();
  const PackedFileLayout layout(key, sizes);
  ThreadTeam team(options.threads);
  if (identity) {
    if (auto kept = FindKept(options, key, layout, packers, team)) return *std::move(kept);
  }
  std::shared_ptr<uint8_t[]> memory = AllocateAligned(layout.data_bytes() + 64);
  PackAll(plans, weights, layout, team, memory.get());
  ClearGaps(layout, memory.get());
  const std::span<const uint8_t> data(memory.get(), layout.data_bytes());
  PackedWeights made{Matrices(layout, data, options.tier, memory), false, nullptr};
  if (identity) {
    made.keeper = std::make_shared<Keeper>([=, store = options.store, id = *identity] {
      store->Keep(key, id, layout, {memory.get(), layout.data_bytes()});
    });
  }
  return made;
}

}  // namespace hearth::tensor
