// A tokenizer: text to tokens and back, with the meaning that the `tokenizers` library gives to a
// tokenizer.json, ids, offsets and everything else included.
//
// Stages: added tokens are taken out, the rest is normalized, cut into pieces, and each piece goes
// through the model; a post-processor adds special tokens. Encode() does all of that. EncodeIds()
// gives only ids and is many times faster where the tokenizer is of a known kind.
//
// Thread rule: const use from any number of threads at once; the setters are for one owner before
// that. Movable, not copyable.
// Errors: kInvalidArgument for a tokenizer.json that is wrong (the message names the key), for text
// that is not UTF-8 and where the reference fails too; kTooLarge past a limit (4 GiB of text, regex
// steps, 2^24 tokens of padding).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "tokenizers/added_vocabulary.h"
#include "tokenizers/decode_stream.h"
#include "tokenizers/encode_input.h"
#include "tokenizers/encoding.h"
#include "tokenizers/truncation.h"

namespace hearth::tokenizers {

class Decoder;
class Model;
class Normalizer;
class PostProcessor;
class PreTokenizer;
class SegmentEncoder;

enum class OffsetUnit {
  kBytes,
  kCharacters,  // code points
  kNone,        // neither offsets (all 0) nor token strings (all empty) nor word ids: faster
};

struct EncodeOptions {
  bool add_special_tokens = true;
  OffsetUnit offsets = OffsetUnit::kBytes;
  int threads = 1;  // of EncodeBatch; 0: as many as the machine has
  // In place of the tokenizer's own, which stays as it is; nullptr: its own. Borrowed for the call,
  // which throws as SetTruncation does.
  const Truncation* truncation = nullptr;
  // Never by the fast path, which gives the same: for tests that compare the two.
  bool stage_by_stage = false;
};

struct LoadOptions {
  // Where compiled tokenizers are kept; empty: nowhere. The folder may be emptied at any time, and
  // its files must not be changed in place.
  std::filesystem::path cache_folder;
  // Younger files are not kept: they may yet change within one tick of the file system's clock.
  std::chrono::nanoseconds settled = std::chrono::milliseconds(100);
};

// $XDG_CACHE_HOME/hearth/tokenizers or $HOME/.cache/hearth/tokenizers; empty when neither is set.
std::filesystem::path DefaultTokenizerCache();

class Tokenizer {
 public:
  // The text of a tokenizer.json that means what the file at a path holds.
  using ReadText = std::function<std::string(const std::filesystem::path&)>;

  // The whole text of a tokenizer.json; Build takes the parsed value, which is many times slower
  // for a large vocabulary. What the first call does not need is made when a call needs it.
  static Tokenizer FromJson(std::string_view text);
  static Tokenizer Build(const Json& json);
  // Also throws what reading the file throws (kNotFound, ...). With a cache folder a file that has
  // not changed since the last time is not read: what it compiled to is mapped, in a millisecond or
  // two. Only the first use of a damaged compiled file whose source is gone by then throws for it.
  static Tokenizer FromFile(const std::filesystem::path& path, const LoadOptions& options = {});
  // The same for a file of another kind: `read` is called when nothing is kept of it.
  static Tokenizer FromFile(const std::filesystem::path& path, const LoadOptions& options,
                            const ReadText& read);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  // The text of tokenizer.json, byte for byte what the reference writes, compact or indented by
  // two.
  std::string ToJson(bool pretty = false) const;

  // --- encoding
  // -----------------------------------------------------------------------------------

  // Truncated and padded as set. Padding to the longest of a batch does nothing here.
  Encoding Encode(const EncodeInput& input, const EncodeOptions& options = {}) const;
  // One encoding per input, padded together. The order is the inputs'.
  std::vector<Encoding> EncodeBatch(std::span<const EncodeInput> inputs,
                                    const EncodeOptions& options = {}) const;

  // The ids of the whole text; neither truncated nor padded.
  std::vector<uint32_t> EncodeIds(std::string_view text, bool add_special_tokens = true) const;
  // Appends to `ids`, so that a caller can reuse its memory.
  void EncodeIds(std::string_view text, bool add_special_tokens, std::vector<uint32_t>* ids) const;
  std::vector<std::vector<uint32_t>> EncodeIdsBatch(std::span<const std::string_view> texts,
                                                    bool add_special_tokens = true,
                                                    int threads = 1) const;
  // EncodeIds(...).size().
  size_t CountTokens(std::string_view text, bool add_special_tokens = true) const;
  // Whether EncodeIds takes the fast path for ordinary text. The first question makes its tables,
  // as the first text does.
  bool has_fast_path() const { return segment_encoder() != nullptr; }

  // --- decoding
  // -----------------------------------------------------------------------------------

  // Ids that no token has are left out, and so are special tokens on request. Without a decoder
  // tokens are joined with a space.
  std::string Decode(std::span<const uint32_t> ids, bool skip_special_tokens = true) const;

  // --- vocabulary
  // ---------------------------------------------------------------------------------

  std::optional<uint32_t> FindId(std::string_view token) const;
  std::optional<std::string_view> FindToken(uint32_t id) const;
  size_t vocab_size(bool with_added_tokens = true) const;
  // Calls for each (token, id), the model's in rising id order, then added tokens that it lacks.
  void ForEachToken(const std::function<void(std::string_view, uint32_t)>& visit) const;
  const AddedVocabulary& added_vocabulary() const { return added_; }

  // Return how many were added or changed. Special tokens are those that have the flag.
  size_t AddTokens(std::span<const AddedToken> tokens);
  size_t AddSpecialTokens(std::span<const std::string> contents);

  // --- settings
  // -----------------------------------------------------------------------------------

  // Throws Error{kInvalidArgument} unless the stride fits into the length without special tokens.
  void SetTruncation(std::optional<Truncation> truncation);
  void SetPadding(std::optional<PaddingOptions> padding) { padding_ = std::move(padding); }
  const std::optional<Truncation>& truncation() const { return truncation_; }
  const std::optional<PaddingOptions>& padding() const { return padding_; }
  // With true, special tokens in a text are encoded as ordinary text.
  void SetEncodeSpecialTokens(bool value) { added_.set_encode_special_tokens(value); }
  bool encode_special_tokens() const { return added_.encode_special_tokens(); }
  // How many special tokens the post-processor adds.
  size_t added_special_tokens(bool is_pair) const;

  // --- stages
  // -------------------------------------------------------------------------------------

  // nullptr where the tokenizer has none; the model is always there.
  const Normalizer* normalizer() const { return normalizer_.get(); }
  const PreTokenizer* pre_tokenizer() const { return pre_tokenizer_.get(); }
  const Model& model() const { return *model_; }
  const PostProcessor* post_processor() const { return post_processor_.get(); }
  const Decoder* decoder() const { return decoder_.get(); }
  void SetModel(std::unique_ptr<Model> model);

  // The text as the normalizer makes it, added tokens not regarded.
  std::string Normalize(std::string_view text) const;
  // Calls for each piece that the model would see; added tokens are no pieces. What training reads.
  void ForEachPiece(std::string_view text,
                    const std::function<void(std::string_view)>& visit) const;

 private:
  struct Scratch;
  class ScratchPool;
  struct SingleTextPlan;
  struct FastPath;

  Tokenizer();
  static Tokenizer Assemble(Json rest, std::unique_ptr<Model> model);

  const SegmentEncoder* segment_encoder() const;
  bool WantsFastPath(size_t bytes) const;
  template <typename Visit, typename Take>
  void ForEachSegment(std::string_view text, Visit&& visit, Take&& take) const;

  void CheckText(std::string_view text) const;
  void RunPipeline(std::string_view text, Scratch* scratch) const;
  void AppendTokens(std::optional<uint32_t> word, uint32_t type_id, OffsetUnit unit,
                    Scratch* scratch, Encoding* encoding) const;
  Encoding EncodeSequenceOnce(const EncodeSequence& sequence, uint32_t type_id, OffsetUnit unit,
                              Scratch* scratch) const;
  Encoding EncodeWith(const EncodeInput& input, const EncodeOptions& options,
                      Scratch* scratch) const;
  Encoding PostProcess(std::vector<Encoding> sequences, const EncodeOptions& options) const;
  const Truncation* TruncationOf(const EncodeOptions& options) const;
  void CheckTruncation(const Truncation& truncation) const;
  void AppendIds(std::string_view text, Scratch* scratch, std::vector<uint32_t>* ids) const;
  void AppendIdsPlain(std::string_view text, Scratch* scratch, std::vector<uint32_t>* ids) const;
  void AppendSegments(const SegmentEncoder& encoder, std::string_view text, Scratch* scratch,
                      std::vector<uint32_t>* ids) const;
  void MakePlan();
  bool FollowsPlan(const EncodeInput& input, const EncodeOptions& options) const;
  Encoding EncodeText(std::string_view text, const EncodeOptions& options, Scratch* scratch) const;
  template <typename AppendText>
  Encoding EncodeByPlan(const EncodeOptions& options, size_t text_tokens,
                        AppendText&& append_text) const;
  bool FindSpans(std::string_view text, Scratch* scratch) const;
  void AppendSpans(std::string_view text, uint32_t type_id, OffsetUnit unit, Scratch* scratch,
                   Encoding* encoding) const;

  std::unique_ptr<Normalizer> normalizer_;
  std::unique_ptr<PreTokenizer> pre_tokenizer_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<PostProcessor> post_processor_;
  std::unique_ptr<Decoder> decoder_;
  AddedVocabulary added_;
  std::optional<Truncation> truncation_;
  std::optional<PaddingOptions> padding_;

  std::unique_ptr<FastPath> fast_path_;
  std::unique_ptr<SingleTextPlan> plan_;
  std::unique_ptr<ScratchPool> scratch_pool_;
};

}  // namespace hearth::tokenizers
