#include "runtime/perplexity.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "base/error.h"
#include "runtime/generation/score_kernels.h"
#include "tensor/executor.h"
#include "tensor/thread_team.h"

namespace hearth::runtime {
namespace {

using tensor::kPageTokens;
using tensor::OutputRows;

constexpr uint64_t kMostScores = 16u << 20;  // of the rows that are held at a time
constexpr uint32_t kMostRows = 512;          // of one step

// One model that reads windows.
class Reader {
 public:
  Reader(const Model& model, const PerplexityOptions& options, uint32_t context)
      : team_(options.threads),
        program_(model.Program(Head::kCausalLm)),
        session_(program_->NewSession(team_)),
        pages_((context + kPageTokens - 1) / kPageTokens),
        cache_(program_->NewCache(
            {model.shape().layers, model.shape().kv_heads, model.shape().head_dim, options.kv_type},
            static_cast<uint32_t>(pages_.size()))),
        context_(context) {
    std::iota(pages_.begin(), pages_.end(), 0u);
  }

  // Reads the window's next tokens; scores for what follows the last `outputs` of them.
  OutputRows Read(std::span<const uint32_t> ids, uint32_t past, uint32_t outputs) {
    auto rows = static_cast<uint32_t>(ids.size());
    positions_.resize(rows);
    std::iota(positions_.begin(), positions_.end(), past);
    outputs_.resize(outputs);
    std::iota(outputs_.begin(), outputs_.end(), rows - outputs);
    // Rotary positions that depend on the length are those of the whole window from its start.
    const tensor::Segment segment{0, rows, past, pages_, -1, context_};
    tensor::Batch batch;
    batch.token_ids = ids;
    batch.positions = positions_;
    batch.segments = {&segment, 1};
    batch.output_rows = outputs_;
    session_->Run(batch, cache_.get(), {});
    return session_->Output("logits");
  }

 private:
  tensor::ThreadTeam team_;
  std::shared_ptr<const tensor::Program> program_;
  std::unique_ptr<tensor::Session> session_;
  std::vector<uint32_t> pages_;
  std::unique_ptr<tensor::SequenceCache> cache_;
  std::vector<uint32_t> positions_, outputs_;
  uint32_t context_;
};

// A row of scores as a distribution.
class Distribution {
 public:
  void Read(std::span<const float> scores) {
    scores_ = scores;
    best_ = MaxScore(scores);
    if (!std::isfinite(best_))
      throw Error(Code::kUnprocessable, "the model's scores are not numbers");
    weights_.resize(scores.size());
    sum_ = ExpScores(scores, best_, weights_, &block_sums_);
    log_sum_ = std::log(sum_);
  }
  double LogOf(uint32_t token) const { return double{scores_[token]} - best_ - log_sum_; }
  uint32_t best() const {
    return static_cast<uint32_t>(std::find(scores_.begin(), scores_.end(), best_) -
                                 scores_.begin());
  }
  // The sum of p (ln p - ln q). Both logs are differences to the largest score, so what is summed
  // is small where the two are near each other.
  double DivergenceOf(const Distribution& other) const {
    double total = 0;
    for (size_t i = 0; i < scores_.size(); ++i) {
      total += double{weights_[i]} *
               ((double{scores_[i]} - best_) - (double{other.scores_[i]} - other.best_));
    }
    return std::max(total / sum_ - log_sum_ + other.log_sum_, 0.0);
  }

 private:
  std::span<const float> scores_;
  float best_ = 0;
  double sum_ = 0, log_sum_ = 0;
  std::vector<float> weights_;
  std::vector<double> block_sums_;
};

class TextJudge {
 public:
  TextJudge(const Model& model, const Model* reference, const PerplexityOptions& options,
            uint32_t context)
      : context_(context),
        chunk_(static_cast<uint32_t>(std::clamp<uint64_t>(
            kMostScores / std::max(model.shape().vocabulary, 1u), 1, kMostRows))),
        reader_(model, options, context) {
    if (reference != nullptr) reference_ = std::make_unique<Reader>(*reference, options, context);
  }

  void Window(std::span<const uint32_t> ids, Prediction* sums) {
    const uint32_t first = context_ / 2;  // that something is predicted after
    for (uint32_t past = 0; past + 1 < context_;) {
      const bool judges = past >= first;
      const uint32_t end = judges ? context_ - 1 : first;
      const uint32_t rows = std::min(end - past, judges ? chunk_ : kMostRows);
      OutputRows scores = reader_.Read(ids.subspan(past, rows), past, judges ? rows : 0);
      OutputRows expected;
      if (reference_) expected = reference_->Read(ids.subspan(past, rows), past, judges ? rows : 0);
      for (uint32_t i = 0; judges && i < rows; ++i)
        Token(ids[past + i + 1], scores.Row(i), reference_ ? expected.Row(i) : scores.Row(i), sums);
      past += rows;
    }
    ++sums->windows;
  }

 private:
  void Token(uint32_t token, std::span<const float> scores, std::span<const float> expected,
             Prediction* sums) {
    made_.Read(scores);
    const double log = made_.LogOf(token);
    ++sums->tokens;
    sums->surprise -= log;
    sums->squared_surprise += log * log;
    if (reference_ == nullptr) return;
    expected_.Read(expected);
    sums->divergence += expected_.DivergenceOf(made_);
    sums->reference_surprise -= expected_.LogOf(token);
    sums->same_best += expected_.best() == made_.best();
  }

  uint32_t context_, chunk_;
  Reader reader_;
  std::unique_ptr<Reader> reference_;
  Distribution made_, expected_;
};

// What the tokenizer puts before a text.
std::vector<uint32_t> PrefixOf(const tokenizers::Tokenizer& tokenizer) {
  const std::vector<uint32_t> plain = tokenizer.EncodeIds("a", false);
  std::vector<uint32_t> whole = tokenizer.EncodeIds("a", true);
  auto at = std::search(whole.begin(), whole.end(), plain.begin(), plain.end());
  if (at == whole.end()) return {};
  whole.erase(at, whole.end());
  return whole;
}

void CheckModels(const Model& model, const Model* reference) {
  for (const Model* each : {&model, reference}) {
    if (each == nullptr || each->head() == Head::kCausalLm) continue;
    throw Error(Code::kUnprocessable, "only models that generate text have a perplexity");
  }
  if (reference == nullptr || reference->shape().vocabulary == model.shape().vocabulary) return;
  throw Error(Code::kUnprocessable, "the reference has another vocabulary");
}

}  // namespace

double Prediction::perplexity() const { return std::exp(surprise / static_cast<double>(tokens)); }

double Prediction::reference_perplexity() const {
  return std::exp(reference_surprise / static_cast<double>(tokens));
}

double Prediction::perplexity_error() const {
  const auto count = static_cast<double>(tokens);
  const double mean = surprise / count;
  const double variance = std::max(squared_surprise / count - mean * mean, 0.0);
  return perplexity() * std::sqrt(variance / std::max(count - 1, 1.0));
}

double Prediction::bits_per_byte() const {
  return surprise / static_cast<double>(tokens) / std::log(2.0) * static_cast<double>(text_tokens) /
         static_cast<double>(text_bytes);
}

Prediction Judge(const Model& model, const Model* reference, std::string_view text,
                 const PerplexityOptions& options,
                 const std::function<void(uint64_t done, uint64_t total)>& progress) {
  CheckModels(model, reference);
  const std::vector<uint32_t> prefix = PrefixOf(model.tokenizer());
  std::vector<uint32_t> ids = prefix;
  model.tokenizer().EncodeIds(text, false, &ids);
  Prediction sums;
  sums.text_bytes = text.size();
  sums.text_tokens = ids.size() - prefix.size();
  uint64_t longest = std::min<uint64_t>({options.context, model.shape().max_tokens, ids.size()});
  if (reference != nullptr) longest = std::min<uint64_t>(longest, reference->shape().max_tokens);
  const auto context = static_cast<uint32_t>(longest);
  if (context < 4 || prefix.size() * 2 > context)
    throw Error(Code::kUnprocessable, "too few tokens for a perplexity: at least 4 in a window");
  sums.context = context;
  uint64_t windows = ids.size() / context;
  if (options.max_windows > 0) windows = std::min(windows, options.max_windows);
  TextJudge judge(model, reference, options, context);
  for (uint64_t i = 0; i < windows; ++i) {
    std::span<uint32_t> window = std::span(ids).subspan(i * context, context);
    std::copy(prefix.begin(), prefix.end(), window.begin());
    judge.Window(window, &sums);
    if (progress) progress(i + 1, windows);
  }
  return sums;
}

}  // namespace hearth::runtime
