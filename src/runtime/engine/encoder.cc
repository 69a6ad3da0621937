#include "runtime/engine/encoder.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>

#include "base/error.h"

namespace hearth::runtime {
namespace {

using tensor::Batch;
using tensor::OutputRows;
using tensor::RowSpace;
using tensor::Segment;
using tensor::Session;

// 256 rows of 1,536 fp32 values, the widest activations of a small encoder, are 1.5 MB: about an L2
// cache, while products with so many rows run at full speed already.
constexpr size_t kMicroRows = 256;

// A round takes calls up to so many rows: enough for any number of threads to be busy.
constexpr size_t kRoundRows = 16384;

}  // namespace

// One Run, on the caller's stack until it returns.
struct Encoder::Call {
  std::span<const EncoderInput> inputs;
  std::string_view output;
  const Visit& visit;
  const std::stop_token& left;
  std::condition_variable wake{};
  bool leads = false, done = false;  // under the encoder's mutex
  std::mutex failure_mutex{};
  std::exception_ptr failure{};

  size_t rows() const {
    size_t rows = 0;
    for (const EncoderInput& input : inputs) rows += input.rows();
    return rows;
  }
  void Fail(std::exception_ptr error) {
    std::lock_guard lock(failure_mutex);
    if (!failure) failure = std::move(error);
  }
};

struct Encoder::Text {
  Call* call;
  size_t index;
  const EncoderInput& input() const { return call->inputs[index]; }
};

struct Encoder::MicroBatch {
  std::vector<Text> texts;
  size_t rows = 0;
};

// A session of one thread.
struct Encoder::Member {
  explicit Member(const tensor::Program& program) : team(1), session(program.NewSession(team)) {}
  tensor::ThreadTeam team;
  std::unique_ptr<Session> session;
};

Encoder::Encoder(std::shared_ptr<const tensor::Program> program, uint32_t max_tokens, int threads)
    : program_(std::move(program)),
      max_tokens_(max_tokens),
      team_(threads),
      shared_(program_->NewSession(team_)) {
  for (int i = 0; i < team_.threads(); ++i) members_.push_back(std::make_unique<Member>(*program_));
}

Encoder::~Encoder() = default;

// What one text needs of a batch's outputs.
void Encoder::Deliver(const MicroBatch& micro, std::span<const Segment> segments,
                      const Session& session) const {
  uint64_t first_output = 0;
  for (size_t i = 0; i < micro.texts.size(); ++i) {
    const Text& text = micro.texts[i];
    uint64_t outputs = text.input().outputs.size();
    try {
      OutputRows rows = session.Output(text.call->output);
      RowSpace space = program_->FindOutput(text.call->output)->rows;
      uint64_t first = segments[i].first_row;
      rows.rows = segments[i].rows;
      if (space == RowSpace::kSegments) first = i, rows.rows = 1;
      if (space == RowSpace::kOutputs) first = first_output, rows.rows = outputs;
      rows.data += first * rows.stride;
      text.call->visit(text.index, rows);
    } catch (...) {
      text.call->Fail(std::current_exception());
    }
    first_output += outputs;
  }
}

// Failures go to the calls that they belong to: a batch of several that the model refuses is taken
// text by text.
void Encoder::Compute(const MicroBatch& whole, Session& session) {
  MicroBatch micro;
  for (const Text& text : whole.texts) {
    if (!text.call->left.stop_requested()) micro.texts.push_back(text);
  }
  if (micro.texts.empty()) return;
  try {
    std::vector<uint32_t> ids, positions, types, outputs;
    std::vector<float> features;
    std::vector<Segment> segments;
    std::vector<const tensor::ProgramAdapter*> adapters;
    for (const Text& text : micro.texts) {
      const EncoderInput& input = text.input();
      Segment segment;
      segment.first_row = static_cast<uint32_t>(ids.size());
      segment.rows = static_cast<uint32_t>(input.rows());
      if (input.adapter != nullptr) {
        const tensor::ProgramAdapter* adapter = &input.adapter->For(*program_);
        auto found = std::find(adapters.begin(), adapters.end(), adapter);
        segment.adapter = static_cast<int32_t>(found - adapters.begin());
        if (found == adapters.end()) adapters.push_back(adapter);
      }
      segments.push_back(segment);
      ids.insert(ids.end(), input.ids.begin(), input.ids.end());
      ids.resize(segment.first_row + segment.rows);
      features.insert(features.end(), input.features.begin(), input.features.end());
      types.insert(types.end(), input.types.begin(), input.types.end());
      types.resize(ids.size());
      for (uint32_t i = 0; i < segment.rows; ++i) positions.push_back(i);
      for (uint32_t place : input.outputs) outputs.push_back(segment.first_row + place);
    }
    session.Run(Batch{ids, positions, types, segments, outputs, features}, nullptr, adapters);
    Deliver(micro, segments, session);
  } catch (...) {
    if (micro.texts.size() == 1) {
      micro.texts.front().call->Fail(std::current_exception());
      return;
    }
    for (const Text& text : micro.texts) Compute({{text}, text.input().rows()}, session);
  }
}

void Encoder::CheckLengths(std::span<const EncoderInput> inputs) const {
  for (const EncoderInput& input : inputs) {
    if (input.rows() == 0) throw Error(Code::kUnprocessable, "a text has no tokens");
    if (input.rows() > max_tokens_) {
      throw Error(Code::kUnprocessable, "a text has " + std::to_string(input.rows()) +
                                            " tokens; this model takes at most " +
                                            std::to_string(max_tokens_));
    }
  }
}

// The first that waits, who leads, and those behind it.
std::vector<Encoder::Call*> Encoder::TakeRound() {
  std::vector<Call*> round;
  size_t rows = 0;
  while (!waiting_.empty()) {
    rows += waiting_.front()->rows();
    if (!round.empty() && rows > kRoundRows) break;
    round.push_back(waiting_.front());
    waiting_.pop_front();
  }
  return round;
}

void Encoder::RunRound(std::span<Call* const> round) {
  std::vector<Text> texts;
  for (Call* call : round) {
    for (size_t i = 0; i < call->inputs.size(); ++i) texts.push_back({call, i});
  }
  std::stable_sort(texts.begin(), texts.end(), [](const Text& a, const Text& b) {
    return a.input().rows() > b.input().rows();
  });
  std::vector<MicroBatch> batches;
  for (const Text& text : texts) {
    size_t rows = text.input().rows();
    if (batches.empty() || batches.back().rows + rows > kMicroRows) batches.emplace_back();
    batches.back().texts.push_back(text);
    batches.back().rows += rows;
  }
  if (batches.size() < static_cast<size_t>(team_.threads())) {
    for (const MicroBatch& batch : batches) Compute(batch, *shared_);
    return;
  }
  std::atomic<size_t> next{0};
  team_.Begin();
  team_.Run([&](int member) {
    for (size_t i = next.fetch_add(1); i < batches.size(); i = next.fetch_add(1)) {
      Compute(batches[i], *members_[member]->session);
    }
  });
  team_.End();
}

// Whoever finds nobody computing leads: it computes for all that wait and then wakes the first of
// those that came meanwhile to lead on.
void Encoder::Run(std::span<const EncoderInput> inputs, std::string_view output, const Visit& visit,
                  const std::stop_token& left) {
  CheckLengths(inputs);
  Call call{inputs, output, visit, left};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&call);
  if (busy_) {
    call.wake.wait(lock, [&] { return call.done || call.leads; });
  } else {
    busy_ = call.leads = true;
  }
  if (call.leads) {
    std::vector<Call*> round = TakeRound();
    lock.unlock();
    try {
      RunRound(round);
    } catch (...) {
      for (Call* each : round) each->Fail(std::current_exception());
    }
    lock.lock();
    for (Call* each : round) {
      each->done = true;
      each->wake.notify_one();
    }
    busy_ = !waiting_.empty();
    if (busy_) {
      waiting_.front()->leads = true;
      waiting_.front()->wake.notify_one();
    }
  }
  lock.unlock();
  if (call.failure) std::rethrow_exception(call.failure);
  // Whether anything was left out is not known, and nobody asks.
  if (left.stop_requested()) throw Error(Code::kUnavailable, "the caller has left");
}

}  // namespace hearth::runtime
