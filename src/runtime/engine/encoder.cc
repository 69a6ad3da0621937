#include "runtime/engine/encoder.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <numeric>

#include "base/error.h"

namespace hearth::runtime {
namespace {

using tensor::Batch;
using tensor::CpuSession;
using tensor::OutputRows;
using tensor::RowSpace;
using tensor::Segment;

// 256 rows of 1,536 fp32 values, the widest activations of a small encoder, are 1.5 MB: about an L2
// cache, while products with so many rows run at full speed already.
constexpr size_t kMicroRows = 256;

}  // namespace

struct Encoder::MicroBatch {
  std::vector<size_t> inputs;
  size_t rows = 0;
};

// A session of one thread.
struct Encoder::Member {
  explicit Member(std::shared_ptr<const tensor::CpuProgram> program)
      : team(1), session(std::move(program), team) {}
  tensor::ThreadTeam team;
  CpuSession session;
};

Encoder::Encoder(std::shared_ptr<const tensor::CpuProgram> program, uint32_t max_tokens,
                 int threads)
    : program_(std::move(program)),
      max_tokens_(max_tokens),
      team_(threads),
      shared_(program_, team_) {
  for (int i = 0; i < team_.threads(); ++i) members_.push_back(std::make_unique<Member>(program_));
}

Encoder::~Encoder() = default;

void Encoder::Compute(const MicroBatch& micro, std::span<const EncoderInput> inputs,
                      std::string_view output, const Visit& visit, CpuSession& session) {
  std::vector<uint32_t> ids, positions, types, outputs;
  std::vector<Segment> segments;
  std::vector<size_t> first_output;
  std::vector<const tensor::CpuAdapter*> adapters;
  for (size_t index : micro.inputs) {
    const EncoderInput& input = inputs[index];
    Segment segment;
    segment.first_row = static_cast<uint32_t>(ids.size());
    segment.rows = static_cast<uint32_t>(input.ids.size());
    if (input.adapter != nullptr) {
      const tensor::CpuAdapter* adapter = &input.adapter->For(*program_);
      auto found = std::find(adapters.begin(), adapters.end(), adapter);
      segment.adapter = static_cast<int32_t>(found - adapters.begin());
      if (found == adapters.end()) adapters.push_back(adapter);
    }
    segments.push_back(segment);
    ids.insert(ids.end(), input.ids.begin(), input.ids.end());
    if (input.types.empty()) {
      types.resize(ids.size());
    } else {
      types.insert(types.end(), input.types.begin(), input.types.end());
    }
    for (uint32_t i = 0; i < segment.rows; ++i) positions.push_back(i);
    first_output.push_back(outputs.size());
    for (uint32_t place : input.outputs) outputs.push_back(segment.first_row + place);
  }
  session.Run(Batch{ids, positions, types, segments, outputs}, nullptr, adapters);
  OutputRows all = session.Output(output);
  RowSpace space = RowSpace::kTokens;
  for (const tensor::CpuProgram::Output& each : program_->outputs()) {
    if (each.name == output) space = each.rows;
  }
  for (size_t i = 0; i < micro.inputs.size(); ++i) {
    OutputRows rows = all;
    uint64_t first = segments[i].first_row;
    rows.rows = segments[i].rows;
    if (space == RowSpace::kSegments) first = i, rows.rows = 1;
    if (space == RowSpace::kOutputs) {
      first = first_output[i];
      rows.rows = inputs[micro.inputs[i]].outputs.size();
    }
    rows.data = all.data + first * all.stride;
    visit(micro.inputs[i], rows);
  }
}

void Encoder::Run(std::span<const EncoderInput> inputs, std::string_view output,
                  const Visit& visit) {
  for (const EncoderInput& input : inputs) {
    if (input.ids.empty()) throw Error(Code::kUnprocessable, "a text has no tokens");
    if (input.ids.size() > max_tokens_) {
      throw Error(Code::kUnprocessable, "a text has " + std::to_string(input.ids.size()) +
                                            " tokens; this model takes at most " +
                                            std::to_string(max_tokens_));
    }
  }
  std::vector<size_t> order(inputs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return inputs[a].ids.size() > inputs[b].ids.size(); });
  std::vector<MicroBatch> batches;
  for (size_t index : order) {
    size_t rows = inputs[index].ids.size();
    if (batches.empty() || batches.back().rows + rows > kMicroRows) batches.emplace_back();
    batches.back().inputs.push_back(index);
    batches.back().rows += rows;
  }
  std::lock_guard lock(mutex_);
  if (batches.size() < static_cast<size_t>(team_.threads())) {
    for (const MicroBatch& batch : batches) Compute(batch, inputs, output, visit, shared_);
    return;
  }
  std::atomic<size_t> next{0};
  std::vector<std::exception_ptr> failures(members_.size());
  team_.Begin();
  team_.Run([&](int member) {
    try {
      for (size_t i = next.fetch_add(1); i < batches.size(); i = next.fetch_add(1)) {
        Compute(batches[i], inputs, output, visit, members_[member]->session);
      }
    } catch (...) {
      failures[member] = std::current_exception();
    }
  });
  team_.End();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace hearth::runtime
