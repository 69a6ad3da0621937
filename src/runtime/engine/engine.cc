#include "runtime/engine/engine.h"

#include <algorithm>
#include <chrono>

#include "runtime/engine/engine_sequence.h"
#include "runtime/generation/prompt_lookup.h"

namespace hearth::runtime {
namespace {

using Clock = std::chrono::steady_clock;
using tensor::kPageTokens;
using tensor::KvShape;

KvShape CacheShape(const Model& model, tensor::KvType type) {
  const ModelShape& shape = model.shape();
  return {shape.layers, shape.kv_heads, shape.head_dim, type};
}

uint32_t PageCount(const tensor::Program& program, const Model& model,
                   const EngineOptions& options) {
  uint64_t page = program.CachePageBytes(CacheShape(model, options.kv_type));
  return static_cast<uint32_t>(std::clamp<uint64_t>(options.kv_bytes / page, 4, 1u << 20));
}

// Scores of so many tokens' vocabularies are held at a time for prompts that are judged (16 MiB).
constexpr uint32_t kJudgedScores = 4u << 20;

uint32_t PagesFor(uint64_t tokens) {
  return static_cast<uint32_t>((tokens + kPageTokens - 1) / kPageTokens);
}

}  // namespace

Engine::Engine(std::shared_ptr<const Model> model, const EngineOptions& options)
    : model_(std::move(model)),
      options_(options),
      team_(options.threads),
      program_(model_->Program(Head::kCausalLm)),
      session_(program_->NewSession(team_)),
      pool_(PageCount(*program_, *model_, options)),
      cache_(program_->NewCache(CacheShape(*model_, options.kv_type), pool_.pages())) {
  max_tokens_ = std::min(model_->shape().max_tokens, pool_.pages() * kPageTokens);
  for (const tensor::Node& node : program_->graph().nodes) {
    const auto* rope = std::get_if<tensor::RopeOptions>(&node.operation);
    if (rope == nullptr) continue;
    if (!rope->long_inverse_frequencies.empty()) rope_switch_ = rope->long_after;
    if (rope->dynamic_after > 0) rope_drift_ = rope->dynamic_after;
  }
  state_.pages = state_.pages_available = pool_.pages();
  thread_ = std::thread([this] { Loop(); });
}

Engine::~Engine() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

uint64_t Engine::Submit(GenerationRequest request, EventSink sink) {
  if (request.prompt.empty()) {
    throw Error(Code::kUnprocessable, "the prompt has no tokens");
  }
  if (request.prompt.size() >= max_tokens_) {
    throw Error(Code::kUnprocessable, "the prompt has " + std::to_string(request.prompt.size()) +
                                          " tokens; this model takes at most " +
                                          std::to_string(max_tokens_ - 1) + " and an answer");
  }
  if (request.beams && request.prompt_logprobs) {
    throw Error(Code::kUnprocessable, "the prompt's tokens cannot be judged in a beam search");
  }
  for (TokenId token : request.prompt) {
    if (token >= model_->shape().vocabulary) {
      throw Error(Code::kUnprocessable, "the prompt's token " + std::to_string(token) +
                                            " is outside of the model's vocabulary");
    }
  }
  uint64_t number;
  {
    std::lock_guard lock(mutex_);
    if (in_flight_ >= options_.max_waiting + options_.max_sequences) {
      throw Error(Code::kTooManyRequests, "Model is overloaded");
    }
    number = next_number_++;
    ++in_flight_;
  }
  try {
    auto sequence = std::make_unique<Sequence>(*this, std::move(request), std::move(sink), number);
    // Packed here, so that the others' steps do not wait for it.
    const LoadedAdapter* adapter = sequence->request.adapter.get();
    if (adapter != nullptr) sequence->adapter = &adapter->For(*program_);
    if (sequence->request.beams) StartBeams(*sequence);
    std::lock_guard lock(mutex_);
    submitted_.push_back(std::move(sequence));
  } catch (...) {
    std::lock_guard lock(mutex_);
    --in_flight_;
    throw;
  }
  wake_.notify_one();
  return number;
}

void Engine::Cancel(uint64_t number) {
  {
    std::lock_guard lock(mutex_);
    cancelled_.push_back(number);
  }
  wake_.notify_one();
}

void Engine::Generate(GenerationRequest request, const EventSink& sink,
                      const std::stop_token& left) {
  // Events may still come after this function has given up.
  struct Waiter {
    std::mutex mutex;
    std::condition_variable done;
    bool is_done = false;
  };
  auto waiter = std::make_shared<Waiter>();
  uint64_t number = Submit(std::move(request), [waiter, &sink, left](const GenerationEvent& event) {
    std::lock_guard lock(waiter->mutex);
    if (left.stop_requested()) return false;
    bool go_on = sink(event);
    if (event.is_last() || !go_on) {
      waiter->is_done = true;
      waiter->done.notify_one();
    }
    return go_on;
  });
  std::stop_callback leaving(left, [&] {
    std::lock_guard lock(waiter->mutex);
    waiter->done.notify_one();
  });
  std::unique_lock lock(waiter->mutex);
  waiter->done.wait(lock, [&] { return waiter->is_done || left.stop_requested(); });
  if (waiter->is_done) return;
  lock.unlock();
  Cancel(number);
  throw Error(Code::kUnavailable, "the client has left");
}

EngineState Engine::state() const {
  std::lock_guard lock(mutex_);
  return state_;
}

void Engine::Loop() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] {
        return stop_ || !submitted_.empty() || !cancelled_.empty() || !running_.empty() ||
               !waiting_.empty();
      });
      if (stop_) break;
    }
    TakeNew();
    DropFinished();
    StepPlan plan;
    PlanStep(&plan);
    if (!plan.parts.empty()) RunStep(plan);
    DropFinished();
  }
  TakeNew();
  Error gone(Code::kUnavailable, "the model is being unloaded");
  for (auto& sequence : running_) Fail(*sequence, gone);
  for (auto& sequence : waiting_) Fail(*sequence, gone);
}

void Engine::TakeNew() {
  std::vector<std::unique_ptr<Sequence>> fresh;
  std::vector<uint64_t> cancelled;
  {
    std::lock_guard lock(mutex_);
    fresh.swap(submitted_);
    cancelled.swap(cancelled_);
  }
  for (auto& sequence : fresh) waiting_.push_back(std::move(sequence));
  for (uint64_t number : cancelled) {
    for (auto& sequence : running_) sequence->finished |= sequence->number == number;
    for (auto& sequence : waiting_) sequence->finished |= sequence->number == number;
  }
}

void Engine::DropFinished() {
  uint32_t dropped = 0;
  auto drop = [&](std::unique_ptr<Sequence>& sequence) {
    if (!sequence->finished) return false;
    // What was computed stays known: the conversation may go on.
    std::span<const TokenId> computed(sequence->tokens.data(), sequence->computed);
    pool_.MakeKnown(sequence->pages, computed, sequence->salt());
    pool_.Release(sequence->pages);
    if (sequence->beams != nullptr) pool_.Release(sequence->beams->TakeAllPages());
    ++dropped;
    return true;
  };
  std::erase_if(running_, drop);
  std::erase_if(waiting_, drop);
  std::lock_guard lock(mutex_);
  in_flight_ -= dropped;
  state_.running = static_cast<uint32_t>(running_.size());
  state_.waiting = static_cast<uint32_t>(waiting_.size());
  state_.pages_available = pool_.available();
}

// Before the sequence takes pages, and before each step: it may have grown past a length at which
// the rotary positions of all its tokens change.
void Engine::SwitchRope(Sequence& sequence) {
  if (sequence.tokens.size() > rope_drift_ && !sequence.drifts) {
    pool_.MakeKnown(sequence.pages, {sequence.tokens.data(), sequence.computed}, sequence.salt());
    sequence.drifts = true;
  }
  if (sequence.is_long || sequence.tokens.size() <= rope_switch_) return;
  pool_.MakeKnown(sequence.pages, {sequence.tokens.data(), sequence.computed}, sequence.salt());
  pool_.Release(sequence.pages);
  sequence.pages.clear();
  sequence.computed = 0;
  sequence.is_long = true;
}

// Moves the first waiting sequence to the running ones; false when there is none or no room.
bool Engine::Admit() {
  if (waiting_.empty() || running_.size() >= options_.max_sequences) return false;
  Sequence& first = *waiting_.front();
  // A page more than the prompt needs, so that it does not have to be put back at once. Beams get
  // all that they can need: they are never put back.
  uint32_t of_beams = first.beams != nullptr ? first.beams->pages_needed() : 0;
  if (pool_.available() < PagesFor(first.tokens.size() + 1) + of_beams && !running_.empty()) {
    return false;
  }
  SwitchRope(first);
  // Scores of the prompt are not kept: its tokens are computed.
  if (!first.judges()) first.pages = pool_.TakeKnown(first.tokens, first.salt());
  first.computed = static_cast<uint32_t>(first.pages.size()) * kPageTokens;
  if (first.generated() == 0) first.cached = first.computed;
  for (uint32_t i = 0; i < of_beams; ++i) {
    if (auto page = pool_.Take()) first.beams->GivePage(*page);
  }
  running_.push_back(std::move(waiting_.front()));
  waiting_.pop_front();
  return true;
}

void Engine::PutBack(Sequence& sequence) {
  pool_.MakeKnown(sequence.pages, {sequence.tokens.data(), sequence.computed}, sequence.salt());
  pool_.Release(sequence.pages);
  sequence.pages.clear();
  if (sequence.beams != nullptr) pool_.Release(sequence.beams->TakeAllPages());
  sequence.computed = 0;
  auto place = std::find_if(running_.begin(), running_.end(),
                            [&](const auto& each) { return each.get() == &sequence; });
  waiting_.push_front(std::move(*place));
  running_.erase(place);
  std::lock_guard lock(mutex_);
  ++state_.preempted;
}

// Pages for the first `tokens` tokens; false when there are not enough.
bool Engine::GrowPages(Sequence& sequence, uint32_t tokens) {
  while (sequence.pages.size() < PagesFor(tokens)) {
    auto page = pool_.Take();
    if (!page) return false;
    sequence.pages.push_back(*page);
  }
  return true;
}

bool Engine::PlanSequence(Sequence& sequence, uint32_t budget, StepPlan* plan) {
  if (sequence.has_forked()) return PlanBeams(sequence, budget, plan);
  sequence.guesses.clear();
  uint32_t rows = std::min(sequence.pending(), budget);
  if (sequence.judges()) {
    // The first token stands after nothing.
    if (sequence.judged.empty()) sequence.judged.push_back({sequence.tokens.front(), 0, {}});
    rows = std::min(rows, std::max(kJudgedScores / model_->shape().vocabulary, 1u));
  }
  bool ends = rows == sequence.pending();
  uint32_t wanted = sequence.request.config.prompt_lookup_num_tokens.value_or(0);
  if (ends && rows == 1 && wanted > 0 && sequence.request.filter == nullptr) {
    PromptLookupOptions options;
    options.max_ngram = sequence.request.config.max_matching_ngram_size.value_or(2);
    options.max_tokens = std::min(wanted, budget - rows);
    options.max_length = std::min(sequence.limits.max_length, max_tokens_);
    // A guess must not change what the tokens before it are computed with.
    if (!sequence.is_long) options.max_length = std::min(options.max_length, rope_switch_);
    if (auto known = static_cast<uint32_t>(sequence.tokens.size());
        known + options.max_tokens > rope_drift_)
      options.max_tokens = 0;
    options.eos = sequence.request.config.eos_token_id.value_or(std::vector<TokenId>());
    if (options.max_tokens > 0) sequence.guesses = FindPromptLookup(sequence.tokens, options);
  }
  auto guesses = static_cast<uint32_t>(sequence.guesses.size());
  if (!GrowPages(sequence, sequence.computed + rows + guesses)) {
    sequence.guesses.clear();
    return false;
  }
  tensor::Segment segment;
  segment.first_row = static_cast<uint32_t>(plan->ids.size());
  segment.rows = rows + guesses;
  segment.past = sequence.computed;
  segment.length = static_cast<uint32_t>(sequence.tokens.size());
  segment.pages = sequence.pages;
  segment.adapter = plan->PlaceOf(sequence.adapter);
  StepPlan::Part part{&sequence, rows};
  for (uint32_t i = 0; i < rows + guesses; ++i) {
    uint32_t position = sequence.computed + i;
    plan->ids.push_back(i < rows ? sequence.tokens[position] : sequence.guesses[i - rows]);
    plan->positions.push_back(position);
    bool judges = sequence.judges() && position + 1 >= sequence.judged.size() &&
                  position + 1 < sequence.request.prompt.size();
    if (judges) {
      if (part.judging++ == 0) part.first_judging = static_cast<uint32_t>(plan->outputs.size());
      plan->outputs.push_back(segment.first_row + i);
    }
    if (!ends || i + 1 < rows) continue;
    if (part.first_output < 0) part.first_output = static_cast<int64_t>(plan->outputs.size());
    plan->outputs.push_back(segment.first_row + i);
  }
  plan->segments.push_back(segment);
  plan->parts.push_back(part);
  return true;
}

// First those that generate, a row each, then prompts in the order of their arrival.
void Engine::PlanStep(StepPlan* plan) {
  while (Admit()) {
  }
  for (auto& sequence : running_) SwitchRope(*sequence);
  auto budget = [&] {
    return options_.step_tokens > plan->ids.size()
               ? options_.step_tokens - static_cast<uint32_t>(plan->ids.size())
               : 0;
  };
  for (bool prompts : {false, true}) {
    for (size_t i = 0; i < running_.size() && budget() > 0;) {
      Sequence& sequence = *running_[i];
      bool is_prompt = sequence.pending() > 1;
      if (sequence.finished || is_prompt != prompts || PlanSequence(sequence, budget(), plan)) {
        ++i;
        continue;
      }
      // No page is left: the youngest that is not in the plan makes room.
      size_t last = running_.size() - 1;
      while (running_[last]->has_forked()) --last;
      bool planned = std::any_of(plan->parts.begin(), plan->parts.end(), [&](const auto& part) {
        return part.sequence == running_[last].get();
      });
      if (running_.size() == 1) {
        Finish(sequence, StopReason::kLength);
        return;
      }
      if (planned) return;
      PutBack(*running_[last]);
    }
  }
}

void Engine::RunStep(StepPlan& plan) {
  tensor::Batch batch;
  batch.token_ids = plan.ids;
  batch.positions = plan.positions;
  batch.segments = plan.segments;
  batch.output_rows = plan.outputs;
  try {
    session_->Run(batch, cache_.get(), plan.adapters);
  } catch (const Error& error) {
    for (auto& part : plan.parts) Fail(*part.sequence, error);
    return;
  }
  uint64_t computed = plan.ids.size();
  for (StepPlan::Part& part : plan.parts) {
    if (!part.sequence->has_forked()) part.sequence->computed += part.rows;
  }
  ChooseTokens(plan);
  uint64_t generated = 0;
  for (StepPlan::Part& part : plan.parts) {
    if (part.first_output < 0) continue;
    generated += part.sequence->beams != nullptr ? 1 : part.sequence->chosen.size();
    Deliver(*part.sequence);
  }
  std::lock_guard lock(mutex_);
  ++state_.steps;
  state_.computed_tokens += computed;
  state_.generated_tokens += generated;
}

// Choosing among a large vocabulary costs: the team shares the sequences out.
void Engine::ChooseTokens(StepPlan& plan) {
  team_.Begin();
  team_.Run([&](int member) {
    auto [begin, end] = team_.Part(member, plan.parts.size());
    for (uint64_t i = begin; i < end; ++i) {
      StepPlan::Part& part = plan.parts[i];
      part.sequence->chosen.clear();
      try {
        JudgePrompt(*part.sequence, part.first_judging, part.judging);
        if (part.first_output < 0) continue;
        Choose(*part.sequence, static_cast<uint32_t>(part.first_output));
      } catch (...) {
        part.sequence->failure = std::current_exception();
      }
    }
  });
  team_.End();
}

void Engine::JudgePrompt(Sequence& sequence, uint32_t first_output, uint32_t count) {
  if (count == 0) return;
  tensor::OutputRows logits = session_->Output("logits");
  for (uint32_t i = 0; i < count; ++i) {
    TokenId next = sequence.tokens[sequence.judged.size()];
    sequence.judged.push_back(sequence.sampler.Score(next, logits.Row(first_output + i)));
  }
}

void Engine::Choose(Sequence& sequence, uint32_t first_output) {
  tensor::OutputRows logits = session_->Output("logits");
  if (sequence.beams != nullptr) return sequence.beams->Choose(logits, first_output);
  size_t rows = sequence.guesses.size() + 1;
  std::vector<float>& scores = sequence.scores;
  scores.resize(rows * logits.columns);
  for (size_t i = 0; i < rows; ++i) {
    std::span<const float> row = logits.Row(first_output + i);
    std::copy(row.begin(), row.end(), scores.begin() + i * logits.columns);
  }
  if (!sequence.guesses.empty()) {
    sequence.chosen = sequence.sampler.Verify(sequence.tokens, sequence.guesses, scores);
    return;
  }
  std::span<const uint64_t> allowed;
  if (sequence.request.filter != nullptr) allowed = sequence.request.filter->Allowed();
  sequence.chosen.push_back(sequence.sampler.Sample(sequence.tokens, scores, allowed));
}

void Engine::Deliver(Sequence& sequence) {
  if (sequence.failure) {
    try {
      std::rethrow_exception(sequence.failure);
    } catch (const Error& error) {
      return Fail(sequence, error);
    } catch (const std::exception& error) {
      return Fail(sequence, Error(Code::kInternal, error.what()));
    }
  }
  if (sequence.beams != nullptr) return DeliverBeams(sequence);
  for (size_t i = 0; i < sequence.chosen.size(); ++i) {
    SampledToken& token = sequence.chosen[i];
    // A guess that was right has been computed already.
    if (i > 0) ++sequence.computed;
    sequence.tokens.push_back(token.id);
    GenerationEvent event;
    if (sequence.generated() == 1) event.prompt = sequence.judged;
    event.stop = sequence.stops.Check(sequence.tokens, Clock::now());
    const tokenizers::Tokenizer& tokenizer = model_->tokenizer();
    auto spelled = tokenizer.FindToken(token.id);
    event.is_special = spelled && tokenizer.added_vocabulary().IsSpecial(*spelled);
    // The end token is no text, also where special tokens are wanted.
    if (event.stop != StopReason::kEos) event.text = sequence.text.Push(token.id);
    if (sequence.request.filter != nullptr && event.stop != StopReason::kEos) {
      sequence.request.filter->Accept(token.id);
      if (event.stop == StopReason::kNone && sequence.request.filter->finished()) {
        event.stop = StopReason::kConstraint;
      }
    }
    if (sequence.text.stopped()) event.stop = StopReason::kStopString;
    event.token = std::move(token);
    if (event.stop != StopReason::kNone) {
      event.text += sequence.text.Finish();
      event.stop_string = sequence.text.stop_string();
    }
    if (!Send(sequence, std::move(event))) return;
  }
}

// False when the sequence has ended with it.
bool Engine::Send(Sequence& sequence, GenerationEvent event) {
  event.seed = sequence.sampler.seed();
  event.prompt_tokens = static_cast<uint32_t>(sequence.request.prompt.size());
  event.cached_tokens = sequence.cached;
  if (event.beams.empty()) event.generated_tokens = sequence.generated();
  bool go_on = sequence.sink(event) && !event.is_last();
  sequence.finished |= !go_on;
  return go_on;
}

void Engine::Finish(Sequence& sequence, StopReason reason) {
  GenerationEvent event;
  event.stop = reason;
  event.text = sequence.text.Finish();
  Send(sequence, std::move(event));
}

void Engine::Fail(Sequence& sequence, const Error& error) {
  if (sequence.finished) return;
  GenerationEvent event;
  event.error = error;
  Send(sequence, std::move(event));
}

}  // namespace hearth::runtime
