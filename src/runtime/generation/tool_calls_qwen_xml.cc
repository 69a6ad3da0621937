// Qwen3-Coder, Qwen 3.5, Nemotron, Step: <tool_call> <function=name> <parameter=key> value
// </parameter> </function> </tool_call>; the outer mark may be missing.
#include "runtime/generation/marked_arguments.h"

namespace hearth::runtime {
namespace {

constexpr std::string_view kCall = "<tool_call>", kCallEnd = "</tool_call>";
constexpr std::string_view kFunction = "<function=", kFunctionEnd = "</function>";
constexpr std::string_view kParameter = "<parameter=", kParameterEnd = "</parameter>";

class QwenXmlParser : public SteppedParser {
 public:
  explicit QwenXmlParser(const ToolTypes& types) : arguments_(&sink_, types) {}

  void FinishSteps() override {
    std::string rest = pending_.TakeAll();
    if (where_ == Where::kText) sink_.Text(std::move(rest));
    if (where_ == Where::kOpen) sink_.Text(std::string(kCall) + rest);
    if (where_ == Where::kName) sink_.Text(std::string(kFunction) + name_ + rest);
    if (where_ == Where::kValue) {
      arguments_.Value(rest);
      arguments_.EndValue();
    }
    if (where_ == Where::kValue || where_ == Where::kBody || where_ == Where::kKey)
      arguments_.End();
  }

 private:
  enum class Where { kText, kOpen, kName, kBody, kKey, kValue, kClose };

  bool Step() override {
    switch (where_) {
      case Where::kText: {
        auto found = pending_.TakeUntil({kCall, kFunction});
        sink_.Text(std::move(found.before));
        if (found.mark < 0) return false;
        name_.clear();
        where_ = found.mark == 0 ? Where::kOpen : Where::kName;
        return true;
      }
      case Where::kOpen: {
        if (!pending_.SkipSpace()) return false;
        auto match = pending_.StartsWith(kFunction);
        if (match == PendingText::Match::kMaybe) return false;
        if (match == PendingText::Match::kNo) {
          sink_.Text(std::string(kCall));
          where_ = Where::kText;
          return true;
        }
        pending_.Drop(kFunction.size());
        where_ = Where::kName;
        return true;
      }
      case Where::kName: {
        auto found = pending_.TakeUntil({">"});
        name_ += found.before;
        if (found.mark < 0) return false;
        arguments_.Begin(name_);
        where_ = Where::kBody;
        return true;
      }
      case Where::kBody: {
        auto found = pending_.TakeUntil({kParameter, kFunctionEnd, kCallEnd});
        if (found.mark < 0) return false;
        name_.clear();
        if (found.mark == 0) {
          where_ = Where::kKey;
          return true;
        }
        arguments_.End();
        where_ = found.mark == 1 ? Where::kClose : Where::kText;
        return true;
      }
      case Where::kKey: {
        auto found = pending_.TakeUntil({">"});
        name_ += found.before;
        if (found.mark < 0) return false;
        arguments_.Key(name_);
        where_ = Where::kValue;
        return true;
      }
      case Where::kValue: {
        auto found = pending_.TakeUntil({kParameterEnd, kFunctionEnd});
        arguments_.Value(found.before);
        if (found.mark < 0) return false;
        arguments_.EndValue();
        where_ = Where::kBody;
        if (found.mark == 1) {
          arguments_.End();
          where_ = Where::kClose;
        }
        return true;
      }
      case Where::kClose: {
        if (!pending_.SkipSpace()) return false;
        auto match = pending_.StartsWith(kCallEnd);
        if (match == PendingText::Match::kMaybe) return false;
        if (match == PendingText::Match::kYes) pending_.Drop(kCallEnd.size());
        where_ = Where::kText;
        return true;
      }
    }
    return false;
  }

  MarkedArguments arguments_;
  Where where_ = Where::kText;
  std::string name_;
};

}  // namespace

bool MatchesQwenXmlToolCalls(std::string_view chat_template) {
  return chat_template.find(kFunction) != std::string_view::npos &&
         chat_template.find(kParameter) != std::string_view::npos;
}
ToolCallFrame QwenXmlToolCallFrame(std::string_view) {
  ToolCallFrame frame;
  frame.trigger = kCall;
  frame.arguments = ToolCallFrame::Arguments::kMarked;
  frame.between = "\n";
  frame.before_name = std::string(kCall) + "\n" + std::string(kFunction);
  frame.after_name = ">\n";
  frame.before_key = kParameter;
  frame.after_key = ">\n";
  frame.after_value = "\n" + std::string(kParameterEnd) + "\n";
  frame.after_arguments = std::string(kFunctionEnd) + "\n" + std::string(kCallEnd);
  frame.marks = {std::string(kCall), std::string(kCallEnd)};
  return frame;
}
std::unique_ptr<ToolCallParser> MakeQwenXmlToolCallParser(const ToolTypes& types) {
  return std::make_unique<QwenXmlParser>(types);
}

}  // namespace hearth::runtime
