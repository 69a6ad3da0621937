// FixedLength: cuts every so many characters.
#include "base/error.h"
#include "tokenizers/internal/json_fields.h"
#include "tokenizers/pre_tokenizer.h"

namespace hearth::tokenizers {
namespace {

constexpr size_t kDefaultLength = 5;

class FixedLengthPreTokenizer : public PreTokenizer {
 public:
  explicit FixedLengthPreTokenizer(size_t length) : length_(length) {}

  void PreTokenize(PreTokenizedString* text) const override {
    text->SplitParts([this](const NormalizedString& part, PreTokenizedString::Sink* sink) {
      if (length_ == 0) {
        throw Error(Code::kInvalidArgument, "FixedLength cannot cut into pieces of length 0");
      }
      std::string_view bytes = part.text();
      for (size_t at = 0; at < bytes.size();) {
        size_t end = at;
        for (size_t count = 0; count < length_ && end < bytes.size(); ++count) {
          end += internal::CharacterLength(bytes, end);
        }
        sink->Add(part.Slice(at, end));
        at = end;
      }
    });
  }

  Json ToJson() const override { return Json::Obj({{"type", "FixedLength"}, {"length", length_}}); }

 private:
  size_t length_;  // characters
};

}  // namespace

std::unique_ptr<PreTokenizer> ParseFixedLengthPreTokenizer(const Json& json) {
  size_t length =
      json.Find("length") == nullptr ? kDefaultLength : internal::RequireSize(json, "length");
  return std::make_unique<FixedLengthPreTokenizer>(length);
}

}  // namespace hearth::tokenizers
