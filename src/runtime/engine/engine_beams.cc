// Beam search in the engine: one row a beam in every step, a single event at the end.
#include "base/error.h"
#include "runtime/engine/engine_sequence.h"

namespace hearth::runtime {
namespace {

constexpr uint32_t kMaxBeams = 64;

std::vector<std::string> StopStrings(const GenerationRequest& request) {
  return request.config.stop_strings.value_or(std::vector<std::string>());
}

}  // namespace

void Engine::StartBeams(Sequence& sequence) {
  const GenerationConfig& config = sequence.request.config;
  uint32_t beams = config.num_beams.value_or(1);
  if (sequence.request.filter != nullptr) {
    throw Error(Code::kUnprocessable, "a grammar cannot be combined with beam search");
  }
  if (beams == 0 || beams > std::min(kMaxBeams, options_.step_tokens)) {
    throw Error(Code::kUnprocessable,
                "`num_beams` must be between 1 and " +
                    std::to_string(std::min(kMaxBeams, options_.step_tokens)));
  }
  BeamSearch::Setup setup;
  setup.vocab_size = model_->shape().vocabulary;
  setup.max_length = std::min(sequence.limits.max_length, max_tokens_);
  // Beams cannot be computed anew: they end where their rotary positions would change.
  if (sequence.tokens.size() <= rope_switch_)
    setup.max_length = std::min(setup.max_length, rope_switch_);
  setup.seed = sequence.sampler.seed();
  // The sequence outlives its beams and stays where it is.
  setup.stop = [this, &sequence,
                stops = StopStrings(sequence.request)](std::span<const TokenId> tokens) {
    if (sequence.stops.Check(tokens, std::chrono::steady_clock::now()) != StopReason::kNone) {
      return true;
    }
    if (stops.empty()) return false;
    std::vector<TokenId> made(tokens.begin() + sequence.request.prompt.size(), tokens.end());
    std::string text = model_->tokenizer().Decode(made, sequence.request.skip_special_tokens);
    return std::any_of(stops.begin(), stops.end(), [&](const std::string& stop) {
      return !stop.empty() && text.find(stop) != std::string::npos;
    });
  };
  SamplerSetup sampler = Sequence::Setup(sequence.request, max_tokens_);
  try {
    sequence.beams = std::make_unique<BeamGroup>(config, sequence.request.prompt,
                                                 sampler.processors, std::move(setup));
  } catch (const Error& error) {
    throw Error(Code::kUnprocessable, error.message());
  }
  uint64_t pages = uint64_t{sequence.beams->pages_needed()} +
                   (sequence.tokens.size() + tensor::kPageTokens) / tensor::kPageTokens + 1;
  if (pages > pool_.pages()) {
    throw Error(Code::kUnprocessable,
                "so many beams of this length need more memory for keys and "
                "values than there is");
  }
}

// True also when they have to wait for the next step.
bool Engine::PlanBeams(Sequence& sequence, uint32_t budget, StepPlan* plan) {
  BeamGroup& beams = *sequence.beams;
  auto rows = static_cast<uint32_t>(beams.size());
  if (rows > budget) return true;
  plan->parts.push_back({&sequence, rows, static_cast<int64_t>(plan->outputs.size())});
  for (size_t beam = 0; beam < beams.size(); ++beam) {
    tensor::Segment segment;
    segment.first_row = static_cast<uint32_t>(plan->ids.size());
    segment.rows = 1;
    segment.past = beams.length() - 1;
    segment.pages = beams.pages(beam);
    segment.adapter = plan->PlaceOf(sequence.adapter);
    plan->outputs.push_back(segment.first_row);
    plan->ids.push_back(beams.last_token(beam));
    plan->positions.push_back(segment.past);
    plan->segments.push_back(segment);
  }
  return true;
}

BeamText Engine::TextOf(const Sequence& sequence, const BeamHypothesis& hypothesis) const {
  const GenerationRequest& request = sequence.request;
  BeamText made;
  made.score = hypothesis.score;
  made.tokens.assign(hypothesis.tokens.begin() + request.prompt.size(), hypothesis.tokens.end());
  made.stop = sequence.stops.Check(hypothesis.tokens, std::chrono::steady_clock::now());
  TextStream text(model_->tokenizer(),
                  {StopStrings(request), request.keep_stop_string, request.skip_special_tokens});
  for (TokenId token : made.tokens) {
    if (!sequence.stops.IsEos(token)) made.text += text.Push(token);
  }
  made.text += text.Finish();
  if (text.stopped()) made.stop = StopReason::kStopString;
  if (made.stop == StopReason::kNone) made.stop = StopReason::kLength;
  return made;
}

void Engine::DeliverBeams(Sequence& sequence) {
  const BeamSearch& search = sequence.beams->search();
  if (!search.done()) return sequence.beams->Fork(sequence.pages, cache_.get());
  GenerationEvent event;
  for (const BeamHypothesis& hypothesis : search.Results()) {
    event.beams.push_back(TextOf(sequence, hypothesis));
    event.generated_tokens += static_cast<uint32_t>(event.beams.back().tokens.size());
  }
  event.text = event.beams.front().text;
  event.stop = event.beams.front().stop;
  Send(sequence, std::move(event));
}

}  // namespace hearth::runtime
