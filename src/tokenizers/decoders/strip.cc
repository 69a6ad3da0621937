// Strip: up to so many of one character off the start and off the end of each token.
#include <string>

#include "base/error.h"
#include "tokenizers/decoder.h"
#include "tokenizers/internal/json_fields.h"

namespace hearth::tokenizers {
namespace {

class StripDecoder : public Decoder {
 public:
  explicit StripDecoder(const Json& json)
      : content_(json.RequireString("content")),
        start_(internal::RequireSize(json, "start")),
        stop_(internal::RequireSize(json, "stop")) {
    internal::RequireCharacter(json, "content");
  }

  void Decode(std::vector<std::string>* tokens) const override {
    for (std::string& token : *tokens) {
      size_t begin = 0;
      for (size_t i = 0; i < start_ && At(token, begin); ++i) begin += content_.size();
      size_t end = token.size();
      for (size_t i = 0; i < stop_; ++i) {
        // The reference fails here too: it looks for a character before the first one.
        if (end == 0) {
          throw Error(Code::kInvalidArgument, "Strip takes more off the end than a token has");
        }
        if (end < content_.size() || !At(token, end - content_.size())) break;
        end -= content_.size();
      }
      if (begin > end) {
        throw Error(Code::kInvalidArgument, "Strip takes the same character off both ends");
      }
      token = token.substr(begin, end - begin);
    }
  }

  Json ToJson() const override {
    return Json::Obj(
        {{"type", "Strip"}, {"content", content_}, {"start", start_}, {"stop", stop_}});
  }

 private:
  bool At(const std::string& token, size_t at) const {
    return token.compare(at, content_.size(), content_) == 0;
  }

  std::string content_;
  size_t start_;
  size_t stop_;
};

}  // namespace

std::unique_ptr<Decoder> ParseStripDecoder(const Json& json) {
  return std::make_unique<StripDecoder>(json);
}

}  // namespace hearth::tokenizers
