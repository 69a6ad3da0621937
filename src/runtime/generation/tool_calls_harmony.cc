// gpt-oss ("harmony"): messages of the form <|channel|>NAME<|message|>TEXT and an end mark. The
// channel analysis is thought, final is the answer; a header that says to=functions.NAME is a call,
// its text the arguments. What is on commentary without a recipient is text.
#include <algorithm>

#include "runtime/generation/tool_call_scanner.h"

namespace hearth::runtime {
namespace {

constexpr std::string_view kStart = "<|start|>", kChannel = "<|channel|>", kMessage = "<|message|>";
constexpr std::string_view kEnd = "<|end|>", kCall = "<|call|>", kReturn = "<|return|>";

class HarmonyParser : public SteppedParser {
 public:
  void FinishSteps() override {
    if (where_ == Where::kBody) Give(pending_.TakeAll());
    if (where_ == Where::kPlain || where_ == Where::kFirst) sink_.Text(pending_.TakeAll());
    if (body_ == Body::kCall && where_ == Where::kBody) EndCall();
    where_ = Where::kPlain;
  }

 private:
  enum class Where { kFirst, kHeader, kBody, kBetween, kPlain };
  enum class Body { kText, kReasoning, kCall };

  bool Step() override {
    switch (where_) {
      case Where::kFirst: {
        // The template has opened the message: a header comes, or text without any.
        if (!pending_.SkipSpace()) return false;
        char c = pending_.view()[0];
        where_ = c == '<' || pending_.view().starts_with("to=") ? Where::kHeader : Where::kPlain;
        if (c == 't' && pending_.StartsWith("to=") == PendingText::Match::kMaybe) {
          where_ = Where::kFirst;
          return false;
        }
        return true;
      }
      case Where::kHeader: {
        auto found = pending_.TakeUntil({kMessage});
        header_ += found.before;
        if (found.mark < 0) return false;
        ReadHeader();
        where_ = Where::kBody;
        return true;
      }
      case Where::kBody: {
        auto found = pending_.TakeUntil({kEnd, kCall, kReturn, kStart});
        Give(std::move(found.before));
        if (found.mark < 0) return false;
        if (body_ == Body::kCall) EndCall();
        header_.clear();
        where_ = found.mark == 3 ? Where::kHeader : Where::kBetween;
        return true;
      }
      case Where::kBetween: {
        auto found = pending_.TakeUntil({kStart, kChannel});
        if (found.mark < 0) return false;
        if (found.mark == 1) header_ = kChannel;
        where_ = Where::kHeader;
        return true;
      }
      case Where::kPlain: {
        auto found = pending_.TakeUntil({kChannel});
        sink_.Text(std::move(found.before));
        if (found.mark < 0) return false;
        header_ = kChannel;
        where_ = Where::kHeader;
        return true;
      }
    }
    return false;
  }

  void ReadHeader() {
    constexpr std::string_view kTo = "to=", kFunctions = "functions.";
    body_ = Body::kText;
    if (size_t at = header_.find(kTo); at != std::string::npos) {
      std::string name = header_.substr(at + kTo.size());
      name.resize(std::min(name.find_first_of(" <\n"), name.size()));
      if (name != "assistant") {
        if (name.starts_with(kFunctions)) name.erase(0, kFunctions.size());
        body_ = Body::kCall;
        given_ = false;
        sink_.Call(name);
      }
    } else if (header_.find("analysis") != std::string::npos) {
      body_ = Body::kReasoning;
    }
    header_.clear();
  }

  void Give(std::string text) {
    if (text.empty()) return;
    switch (body_) {
      case Body::kText:
        return sink_.Text(std::move(text));
      case Body::kReasoning:
        return sink_.Reasoning(std::move(text));
      case Body::kCall:
        given_ = true;
        return sink_.Arguments(std::move(text));
    }
  }

  void EndCall() {
    if (!given_) sink_.Arguments("{}");
    sink_.End();
    body_ = Body::kText;
  }

  Where where_ = Where::kFirst;
  Body body_ = Body::kText;
  bool given_ = false;
  std::string header_;
};

}  // namespace

bool MatchesHarmonyToolCalls(std::string_view chat_template) {
  return chat_template.find(kChannel) != std::string_view::npos &&
         chat_template.find("functions.") != std::string_view::npos;
}
// The end mark is one of the model's end tokens.
ToolCallFrame HarmonyToolCallFrame(std::string_view) {
  constexpr std::string_view kConstrain = "<|constrain|>";
  ToolCallFrame frame;
  frame.trigger = " to=functions.";
  frame.before_name = std::string(kChannel) + "commentary to=functions.";
  frame.after_name = " " + std::string(kConstrain) + "json" + std::string(kMessage);
  frame.several = false;
  frame.marks = {std::string(kChannel), std::string(kConstrain), std::string(kMessage)};
  return frame;
}
std::unique_ptr<ToolCallParser> MakeHarmonyToolCallParser(const ToolTypes&) {
  return std::make_unique<HarmonyParser>();
}

}  // namespace hearth::runtime
