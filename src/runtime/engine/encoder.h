// Runs many texts, or pictures or sounds, through an encoder: ragged, nothing padded.
//
// Texts are sorted by length and cut into micro-batches whose activations stay in a core's cache;
// each thread takes the next micro-batch and computes it alone, so threads never wait for each
// other. A single micro-batch is shared by all threads instead. Run may be called from several
// threads: the texts of all calls that wait meanwhile are computed together, so that many clients
// with a text each are served as fast as one with many; a call ends with its last micro-batch. A
// call's failure is its own. A call that is left loses the micro-batches that have not begun. Jobs
// (Start) are calls that no thread waits for.
//
// Errors: kUnprocessable for a text that is empty or longer than the model takes; kUnavailable for
// a call that is left.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "runtime/adapter_set.h"
#include "tensor/executor.h"
#include "tensor/thread_team.h"

namespace hearth::runtime {

struct EncoderInput {
  std::vector<uint32_t> ids;    // empty for tokens that are `features`
  std::vector<uint32_t> types;  // empty: all 0
  std::vector<uint32_t>
      outputs;  // rising positions, for outputs that are computed for some tokens only
  std::shared_ptr<const LoadedAdapter> adapter = nullptr;  // may be null
  // Of the tokens in place of ids, row by row; every one of them then has a type.
  std::vector<float> features = {};
  uint32_t unpooled = 0;  // tokens at its start that are not pooled: Segment::unpooled

  size_t rows() const { return features.empty() ? ids.size() : types.size(); }
};

// What Encoder::Start keeps until the job is done.
struct EncoderJob {
  std::vector<EncoderInput> inputs;
  std::string output;
  std::function<void(size_t input, const tensor::OutputRows& rows)> visit;
  std::stop_token left{};
  std::function<void(std::exception_ptr failure)> done;
};

// Since the encoder was made; `waiting` now.
struct EncoderState {
  uint64_t texts = 0, tokens = 0;  // computed
  uint64_t left_texts = 0;         // not computed, because their caller had left
  uint64_t waiting = 0;            // calls and jobs whose round has not begun
};

class Encoder {
 public:
  // threads 0: one per core.
  Encoder(std::shared_ptr<const tensor::Program> program, uint32_t max_tokens, int threads);

  // Calls `visit` once per input with its rows of the named output: one row per token, per output
  // position, or a single one. Calls come from several threads at once, each for another input.
  using Visit = std::function<void(size_t input, const tensor::OutputRows& rows)>;
  // When `left` is asked to stop, texts that are not yet being computed never are.
  void Run(std::span<const EncoderInput> inputs, std::string_view output, const Visit& visit,
           const std::stop_token& left = {});

  // The same without waiting. Calls `job.done` once, after all visits, from a thread that computes
  // or from this one: with what Run would have thrown, or null. It must not throw and must not
  // block.
  void Start(EncoderJob job);

  EncoderState state() const;
  // Of a row of the named output.
  uint32_t columns(std::string_view output) const;
  int threads() const { return team_.threads(); }

 private:
  struct Call;
  struct Text;
  struct MicroBatch;
  void CheckLengths(std::span<const EncoderInput> inputs) const;
  static std::vector<MicroBatch> Cut(std::span<const std::shared_ptr<Call>> round);
  std::vector<std::shared_ptr<Call>> TakeRound();
  void PutOffRemainder(std::vector<std::shared_ptr<Call>>* round);
  void RunRound(std::span<const std::shared_ptr<Call>> round);
  void Lead(std::span<const std::shared_ptr<Call>> round);
  void ServeJobs();
  void Settle(const MicroBatch& batch);
  void Finish(std::span<Call* const> calls);
  void Compute(const MicroBatch& batch, tensor::Session& session);
  void Deliver(const MicroBatch& batch, std::span<const tensor::Segment> segments,
               const tensor::Session& session) const;

  std::shared_ptr<const tensor::Program> program_;
  uint32_t max_tokens_;
  mutable std::mutex mutex_;
  std::atomic<uint64_t> texts_{0}, tokens_{0}, left_texts_{0};
  std::thread server_;  // leads for jobs; begun by the first one
  std::condition_variable jobs_wait_;
  bool serves_ = false, ends_ = false;         // under mutex_: it is to lead; it is to end
  bool busy_ = false;                          // under mutex_: a call computes a round
  std::deque<std::shared_ptr<Call>> waiting_;  // under mutex_
  tensor::ThreadTeam team_;
  std::unique_ptr<tensor::Session> shared_;
  struct Member;
  std::vector<std::unique_ptr<Member>> members_;

 public:
  ~Encoder();
};

}  // namespace hearth::runtime
