// Row kernels in bytes read and written per second, next to a copy of the same rows. Rows stay in
// the second-level cache, as between two layers of a model.
#include "tensor/kernels/row_kernels.h"

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstring>
#include <functional>

namespace hearth::tensor {
namespace {

constexpr uint32_t kRows = 32, kColumns = 1536;  // 192 KB in and 192 KB out

struct Rows {
  std::vector<float> in, other, out;

  Rows() : in(kRows * kColumns), other(in.size()), out(in.size()) {
    for (size_t i = 0; i < in.size(); ++i) {
      in[i] = 3 * std::sin(static_cast<float>(i * 7919 % 10007));
      other[i] = in[i] + 1;
    }
  }
};

using Kernel = std::function<void(const Rows& rows, const RowBlock& block)>;

// `matrices`: how many the kernel reads and writes.
void Time(benchmark::State& state, const Kernel& kernel, int matrices, Tier tier) {
  Rows rows;
  RowBlock block{rows.in.data(), kColumns, rows.out.data(), kColumns, kRows, kColumns, tier};
  for (auto _ : state) {
    kernel(rows, block);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * int64_t{kRows * kColumns * 4} * matrices);
}

int Register() {
  for (Tier tier : SupportedTiers()) {
    auto add = [&](const std::string& name, int matrices, const Kernel& kernel) {
      benchmark::RegisterBenchmark(
          (name + "/" + std::string(TierName(tier))).c_str(),
          [=](benchmark::State& state) { Time(state, kernel, matrices, tier); });
    };
    add("copy", 2, [](const Rows& rows, const RowBlock& b) {
      std::memcpy(b.out, rows.in.data(), rows.in.size() * sizeof(float));
    });
    add("add", 3, [](const Rows& r, const RowBlock& b) { AddRows(b, r.other.data(), kColumns); });
    for (auto [name, kind] :
         {std::pair{"layer_norm", NormKind::kLayer}, {"rms_norm", NormKind::kRms}}) {
      add(name, 2, [kind = kind](const Rows& rows, const RowBlock& b) {
        NormOptions options;
        options.kind = kind;
        NormRows(b, options, {rows.other.data(), kColumns}, {rows.other.data(), kColumns});
      });
    }
    for (auto [name, activation] : {std::pair{"gelu", Activation::kGelu},
                                    {"gelu_tanh", Activation::kGeluTanh},
                                    {"silu", Activation::kSilu},
                                    {"tanh", Activation::kTanh}}) {
      add(name, 2, [activation = activation](const Rows&, const RowBlock& b) {
        ActivateRows(b, activation);
      });
    }
    add("gate_silu", 3, [](const Rows& rows, const RowBlock& b) {
      GateRows(b, rows.other.data(), kColumns, Activation::kSilu);
    });
    add("softmax", 2, [](const Rows&, const RowBlock& b) { SoftmaxRows(b); });
    add("rope_64", 2, [](const Rows&, const RowBlock& b) {
      static RopeTable table(std::vector<float>(32, 0.1f), 1);
      table.Reserve(kRows);
      static const std::vector<uint32_t> positions(kRows, 7);
      RopeOptions options;
      options.head_dim = 64;
      RopeRows(b, options, table, positions);
    });
    add("pool_mean", 1, [](const Rows&, const RowBlock& b) { PoolRows(b, Pooling::kMean); });
    add("arg_max", 1, [](const Rows& rows, const RowBlock& b) {
      benchmark::DoNotOptimize(ArgMax(rows.in, b.tier));
    });
    add("log_sum_exp", 1, [](const Rows& rows, const RowBlock& b) {
      benchmark::DoNotOptimize(LogSumExp(rows.in, b.tier));
    });
  }
  return 0;
}

const int kRegistered = Register();

}  // namespace
}  // namespace hearth::tensor
