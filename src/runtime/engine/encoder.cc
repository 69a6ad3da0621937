#include "runtime/engine/encoder.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/wake_up.h"

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

// A micro-batch that is fuller than this is not worth waiting for more: what each of them costs
// whatever it holds, mostly the weights on their way through the caches, is a twelfth of a full
// one.
constexpr size_t kFullRows = kMicroRows * 7 / 8;

}  // namespace

// One Run or one job. Shared: a caller may find its own done while those who set that still look.
struct Encoder::Call {
  Call(std::span<const EncoderInput> given, std::string_view name, const Visit& visitor,
       const std::stop_token& gone)
      : inputs(given), output(name), visit(&visitor), left(gone) {}
  explicit Call(EncoderJob given)
      : job(std::move(given)),
        inputs(job->inputs),
        output(job->output),
        visit(&job->visit),
        left(job->left) {}

  std::optional<EncoderJob> job;  // what the rest refers to; none: a caller waits
  std::span<const EncoderInput> inputs;
  std::string_view output;
  const Visit* visit;
  std::stop_token left;
  std::condition_variable wake{};
  bool leads = false, done = false;         // under the encoder's mutex
  bool put_off = false;                     // under it until the call is in a round
  std::atomic<size_t> open{inputs.size()};  // texts that are not through yet
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
  // Once it is done, by whom it is for: then nobody else holds the exception any more.
  std::exception_ptr TakeOutcome() {
    if (failure || !left.stop_requested()) return std::exchange(failure, nullptr);
    // Whether anything was left out is not known, and nobody asks.
    return std::make_exception_ptr(Error(Code::kUnavailable, "the caller has left"));
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

// Texts of like lengths beside each other; those that have waited longest before all others.
std::vector<Encoder::MicroBatch> Encoder::Cut(std::span<const std::shared_ptr<Call>> round) {
  std::vector<Text> texts;
  for (const auto& call : round) {
    for (size_t i = 0; i < call->inputs.size(); ++i) texts.push_back({call.get(), i});
  }
  std::stable_sort(texts.begin(), texts.end(), [](const Text& a, const Text& b) {
    if (a.call->put_off != b.call->put_off) return a.call->put_off;
    return a.input().rows() > b.input().rows();
  });
  std::vector<MicroBatch> batches;
  for (const Text& text : texts) {
    size_t rows = text.input().rows();
    if (batches.empty() || batches.back().rows + rows > kMicroRows) batches.emplace_back();
    batches.back().texts.push_back(text);
    batches.back().rows += rows;
  }
  return batches;
}

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

Encoder::~Encoder() {
  {
    std::lock_guard lock(mutex_);
    ends_ = true;
  }
  jobs_wait_.notify_one();
  if (server_.joinable()) server_.join();
}

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
      (*text.call->visit)(text.index, rows);
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
  left_texts_ += whole.texts.size() - micro.texts.size();
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
      segment.unpooled = std::min(input.unpooled, segment.rows - 1);
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
    texts_ += micro.texts.size();
    tokens_ += ids.size();
    Deliver(micro, segments, session);
  } catch (...) {
    if (micro.texts.size() == 1) {
      micro.texts.front().call->Fail(std::current_exception());
      return;
    }
    for (const Text& text : micro.texts) Compute({{text}, text.input().rows()}, session);
  }
}

uint32_t Encoder::columns(std::string_view output) const {
  auto shape = program_->FindOutput(output);
  if (!shape) throw Error(Code::kInternal, "no such output: " + std::string(output));
  return shape->columns;
}

EncoderState Encoder::state() const {
  std::lock_guard lock(mutex_);
  return {texts_, tokens_, left_texts_, waiting_.size()};
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
std::vector<std::shared_ptr<Encoder::Call>> Encoder::TakeRound() {
  std::vector<std::shared_ptr<Call>> round;
  size_t rows = 0;
  while (!waiting_.empty()) {
    rows += waiting_.front()->rows();
    if (!round.empty() && rows > kRoundRows) break;
    round.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  PutOffRemainder(&round);
  return round;
}

// What does not fill a micro-batch goes back to the front, once: by the time that the others are
// computed the clients that they belong to will have asked again. Only jobs of a text each, which
// are many clients', and never so many that a thread would have nothing to do.
void Encoder::PutOffRemainder(std::vector<std::shared_ptr<Call>>* round) {
  std::vector<MicroBatch> batches = Cut(*round);
  if (batches.size() <= static_cast<size_t>(team_.threads())) return;
  const MicroBatch& last = batches.back();
  bool may_wait = last.rows < kFullRows &&
                  std::all_of(last.texts.begin(), last.texts.end(), [&](const Text& text) {
                    return text.call->job && text.call->inputs.size() == 1 && !text.call->put_off &&
                           text.call != round->front().get();
                  });
  if (!may_wait) return;
  for (const Text& text : last.texts) text.call->put_off = true;
  auto rest = std::stable_partition(round->begin(), round->end(), [&](const auto& call) {
    return std::none_of(last.texts.begin(), last.texts.end(),
                        [&](const Text& text) { return text.call == call.get(); });
  });
  waiting_.insert(waiting_.begin(), std::make_move_iterator(rest),
                  std::make_move_iterator(round->end()));
  round->erase(rest, round->end());
}

void Encoder::RunRound(std::span<const std::shared_ptr<Call>> round) {
  std::vector<MicroBatch> batches = Cut(round);
  if (batches.size() < static_cast<size_t>(team_.threads())) {
    for (const MicroBatch& batch : batches) {
      Compute(batch, *shared_);
      Settle(batch);
    }
    return;
  }
  std::atomic<size_t> next{0};
  team_.Begin();
  team_.Run([&](int member) {
    for (size_t i = next.fetch_add(1); i < batches.size(); i = next.fetch_add(1)) {
      Compute(batches[i], *members_[member]->session);
      Settle(batches[i]);
    }
  });
  team_.End();
}

void Encoder::Settle(const MicroBatch& batch) {
  std::vector<Call*> through;
  for (const Text& text : batch.texts) {
    if (text.call->open.fetch_sub(1) == 1) through.push_back(text.call);
  }
  Finish(through);
}

// Those who wait are woken without the lock: a thread that runs at once would only wait for it.
void Encoder::Finish(std::span<Call* const> calls) {
  {
    std::lock_guard lock(mutex_);
    for (Call* call : calls) call->done = true;
  }
  HeldWakeUps held;
  for (Call* call : calls) {
    if (call->job) {
      call->job->done(call->TakeOutcome());
    } else {
      call->wake.notify_one();
    }
  }
}

// Computes a round and then wakes the first of those that came meanwhile to lead on.
void Encoder::Lead(std::span<const std::shared_ptr<Call>> round) {
  std::exception_ptr failure;
  try {
    RunRound(round);
  } catch (...) {
    failure = std::current_exception();
  }
  std::vector<Call*> rest;
  {
    std::lock_guard lock(mutex_);
    for (const auto& each : round) {
      if (!each->done) rest.push_back(each.get());
    }
  }
  for (Call* each : rest) {
    if (failure) each->Fail(failure);
  }
  Finish(rest);
  std::shared_ptr<Call> next;
  {
    std::lock_guard lock(mutex_);
    busy_ = !waiting_.empty();
    if (!busy_) return;
    next = waiting_.front();
    (next->job ? serves_ : next->leads) = true;
  }
  (next->job ? jobs_wait_ : next->wake).notify_one();
}

// Whoever finds nobody computing leads: it computes for all that wait.
void Encoder::Run(std::span<const EncoderInput> inputs, std::string_view output, const Visit& visit,
                  const std::stop_token& left) {
  CheckLengths(inputs);
  auto call = std::make_shared<Call>(inputs, output, visit, left);
  std::vector<std::shared_ptr<Call>> round;
  {
    std::unique_lock lock(mutex_);
    waiting_.push_back(call);
    if (busy_) {
      call->wake.wait(lock, [&] { return call->done || call->leads; });
    } else {
      busy_ = call->leads = true;
    }
    if (call->leads) round = TakeRound();
  }
  if (!round.empty()) Lead(round);
  if (std::exception_ptr failure = call->TakeOutcome()) std::rethrow_exception(failure);
}

void Encoder::Start(EncoderJob job) {
  try {
    CheckLengths(job.inputs);
  } catch (...) {
    return job.done(std::current_exception());
  }
  auto call = std::make_shared<Call>(std::move(job));
  {
    std::lock_guard lock(mutex_);
    if (!server_.joinable()) server_ = std::thread([this] { ServeJobs(); });
    waiting_.push_back(std::move(call));
    if (std::exchange(busy_, true)) return;
    serves_ = true;
  }
  jobs_wait_.notify_one();
}

// Leads where nobody waits for the first call.
void Encoder::ServeJobs() {
  ::pthread_setname_np(::pthread_self(), "encoder");
  std::unique_lock lock(mutex_);
  while (true) {
    jobs_wait_.wait(lock, [&] { return serves_ || ends_; });
    if (!std::exchange(serves_, false)) return;
    std::vector<std::shared_ptr<Call>> round = TakeRound();
    lock.unlock();
    Lead(round);
    round.clear();
    lock.lock();
  }
}

}  // namespace hearth::runtime
