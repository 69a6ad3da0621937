// Generates text for many requests at once with one model.
//
// Continuous batching: every step of the model computes one row for each sequence that is
// generating and fills the rest of its budget with parts of waiting prompts, so that a long prompt
// does not stop the others and nobody waits for a batch to end. Keys and values live in pages; a
// prompt that begins like an earlier one takes its pages over. When pages run out, the youngest
// sequence is put back and computed again later.
//
// One thread runs the steps; Submit and Cancel may be called from any. Events are called on that
// thread: they must be quick and must not throw.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "runtime/adapter_set.h"
#include "runtime/engine/page_pool.h"
#include "runtime/engine/token_filter.h"
#include "runtime/generation/sampler.h"
#include "runtime/generation/stop_conditions.h"
#include "runtime/generation/text_stream.h"
#include "runtime/model.h"
#include "tensor/executor.h"
#include "tensor/thread_team.h"

namespace hearth::runtime {

struct BeamHypothesis;

struct EngineOptions {
  int threads = 0;               // 0: one per core
  uint32_t max_sequences = 64;   // that compute at the same time
  uint32_t max_waiting = 512;    // more are refused with kTooManyRequests
  uint32_t step_tokens = 512;    // rows of one step
  uint64_t kv_bytes = 1u << 30;  // of the cache; memory is touched when used
  tensor::KvType kv_type = tensor::KvType::kF16;
};

struct GenerationRequest {
  std::vector<TokenId> prompt;  // at least one token
  GenerationConfig config;      // merged with the model's
  uint32_t sequence = 0;        // of several for one prompt
  // Searches with config.num_beams beams (transformers' beam search, or beam sampling): a single
  // event at the end, with config.num_return_sequences texts. No filter and no logprobs then.
  bool beams = false;
  bool logprobs = false;
  uint32_t top_logprobs = 0;
  // The prompt's tokens are judged too, which shares nothing with earlier prompts; no beams.
  bool prompt_logprobs = false;
  bool skip_special_tokens = true;
  bool keep_stop_string = false;
  std::unique_ptr<TokenFilter> filter;           // may be null
  std::shared_ptr<const LoadedAdapter> adapter;  // of the engine's model; may be null
};

struct BeamText {
  std::vector<TokenId> tokens;  // generated
  std::string text;
  float score = 0;  // sum of log-probabilities by the length penalty; best first
  StopReason stop = StopReason::kNone;
};

struct GenerationEvent {
  std::optional<SampledToken> token;  // absent in a last event without a new token
  std::string text;                   // that became final with it
  bool is_special = false;
  StopReason stop = StopReason::kNone;  // other than kNone: the last event
  std::string stop_string;
  // Where they are wanted, with the first event: the prompt's tokens, each with its probability
  // after those before it; the first one stands after nothing and has none.
  std::vector<SampledToken> prompt;
  std::vector<BeamText> beams;  // of a search; the event's text is the first's
  std::optional<Error> error;   // the last event of a request that failed
  uint64_t seed = 0;
  uint32_t prompt_tokens = 0;
  uint32_t cached_tokens = 0;  // of the prompt, taken over from earlier ones
  uint32_t generated_tokens = 0;
  bool is_last() const { return stop != StopReason::kNone || error.has_value(); }
};

// False: the receiver has gone, the request ends.
using EventSink = std::function<bool(const GenerationEvent&)>;

struct EngineState {
  uint32_t running = 0, waiting = 0;
  uint32_t pages = 0, pages_available = 0;
  uint64_t steps = 0, computed_tokens = 0, cached_tokens = 0, generated_tokens = 0;
  uint64_t preempted = 0;
};

class Engine {
 public:
  Engine(std::shared_ptr<const Model> model, const EngineOptions& options);
  // Ends what runs with kUnavailable.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Throws kUnprocessable for a prompt that the model cannot take, kTooManyRequests when too many
  // wait. Returns a number for Cancel.
  uint64_t Submit(GenerationRequest request, EventSink sink);
  // The request leaves the batch after the step that is being computed; it gets no last event.
  void Cancel(uint64_t number);
  // Submits and waits; events are called on the engine's thread. When `left` is asked to stop, the
  // request leaves the batch, the sink gets nothing more, and this throws kUnavailable.
  void Generate(GenerationRequest request, const EventSink& sink, const std::stop_token& left = {});

  EngineState state() const;
  const Model& model() const { return *model_; }
  // Tokens that prompt and answer may have together.
  uint32_t max_tokens() const { return max_tokens_; }

 private:
  struct Sequence;
  struct StepPlan;

  void Loop();
  void TakeNew();
  bool Admit();
  void PlanStep(StepPlan* plan);
  bool PlanSequence(Sequence& sequence, uint32_t budget, StepPlan* plan);
  void SwitchRope(Sequence& sequence);
  bool GrowPages(Sequence& sequence, uint32_t tokens);
  void PutBack(Sequence& sequence);
  // In engine_beams.cc.
  void StartBeams(Sequence& sequence);
  bool PlanBeams(Sequence& sequence, uint32_t budget, StepPlan* plan);
  void DeliverBeams(Sequence& sequence);
  BeamText TextOf(const Sequence& sequence, const BeamHypothesis& hypothesis) const;
  void RunStep(StepPlan& plan);
  void ChooseTokens(StepPlan& plan);
  void Choose(Sequence& sequence, uint32_t first_output);
  void JudgePrompt(Sequence& sequence, uint32_t first_output, uint32_t count);
  void Deliver(Sequence& sequence);
  void Finish(Sequence& sequence, StopReason reason);
  void Fail(Sequence& sequence, const Error& error);
  bool Send(Sequence& sequence, GenerationEvent event);
  void DropFinished();

  std::shared_ptr<const Model> model_;
  EngineOptions options_;
  uint32_t max_tokens_ = 0;
  // Sequences longer than these have other rotary positions, which for the first kind (longrope)
  // means to compute all of them anew, and for the second (dynamic) that no two are alike.
  uint32_t rope_switch_ = UINT32_MAX, rope_drift_ = UINT32_MAX;
  tensor::ThreadTeam team_;
  std::shared_ptr<const tensor::Program> program_;
  std::unique_ptr<tensor::Session> session_;
  PagePool pool_;
  std::unique_ptr<tensor::SequenceCache> cache_;
  std::vector<std::unique_ptr<Sequence>> running_;
  std::deque<std::unique_ptr<Sequence>> waiting_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::unique_ptr<Sequence>> submitted_;  // under mutex_, as all below
  std::vector<uint64_t> cancelled_;
  uint64_t next_number_ = 1;
  uint32_t in_flight_ = 0;
  bool stop_ = false;
  EngineState state_;
  std::thread thread_;
};

}  // namespace hearth::runtime
