// Reading what tasks are given, and the scores that they share. Errors: kUnprocessable.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "runtime/tasks/task.h"
#include "tokenizers/encoding.h"

namespace hearth::runtime {

// A text and perhaps its second half.
struct TextPair {
  std::string text;
  std::optional<std::string> pair;
};

// "inputs" that is a string, an object with "text" and "text_pair", or a list of these.
std::vector<TextPair> ReadTexts(const Json& inputs, bool* is_list);
std::string ReadText(const Json& value, std::string_view name);
std::optional<uint64_t> ReadCount(const Json& parameters, std::string_view key, uint64_t limit);
std::optional<double> ReadReal(const Json& parameters, std::string_view key);
std::optional<bool> ReadFlag(const Json& parameters, std::string_view key);
std::optional<std::string> ReadName(const Json& parameters, std::string_view key);
// TGI's "adapter_id"; nullptr without one. Throws kUnprocessable for an unknown one.
std::shared_ptr<const LoadedAdapter> ReadAdapter(Runner& runner, const Json& parameters);

// What happens to texts that are longer than the model.
struct TextLimit {
  bool truncate = true;    // false: they are refused
  bool keeps_end = false;  // what is cut off is the beginning
};
// "truncate" and "truncation_direction".
TextLimit ReadTextLimit(const Json& parameters);
[[noreturn]] void RefuseLongText(size_t tokens, size_t most);

// Tokens of the model's length at most, with offsets in characters.
std::vector<tokenizers::Encoding> EncodeTexts(Runner& runner, std::span<const TextPair> texts,
                                              const TextLimit& limit = {});
// `adapter` may be null.
EncoderInput ToInput(const tokenizers::Encoding& encoding,
                     std::shared_ptr<const LoadedAdapter> adapter);
// Both at once, for tasks that need no offsets; with the adapter and the limit that the parameters
// name.
std::vector<EncoderInput> EncodeInputs(Runner& runner, std::span<const TextPair> texts,
                                       const Json& parameters);
// Parts of a UTF-8 text by characters, as offsets count them; found without reading the text again.
// Borrows the text.
class CharacterText {
 public:
  explicit CharacterText(std::string_view text);
  size_t size() const { return begins_.size() - 1; }
  // Characters [begin, end); what lies past the end is left out.
  std::string Part(size_t begin, size_t end) const;

 private:
  std::string_view text_;
  std::vector<size_t> begins_;  // of each character, then the end
};

// Rows of the output "logits" of each text, copied.
struct Logits {
  std::vector<std::vector<float>> values;  // by text: rows one after another
  uint32_t columns = 0;
};
Logits RunHead(Runner& runner, Head head, std::span<const EncoderInput> inputs,
               const std::stop_token& left);

// Places of the scores, the best first; equal ones in their order.
std::vector<size_t> BestFirst(std::span<const float> scores);
void Softmax(std::span<float> scores);
void Sigmoid(std::span<float> scores);

// Refusal unless the model takes texts.
std::optional<std::string> NeedsTexts(const Model& model);
// Refusal unless the model takes texts and has the head.
std::optional<std::string> NeedsHead(const Model& model, Head head, std::string_view task);
[[noreturn]] void Refuse(const std::string& message);

}  // namespace hearth::runtime
