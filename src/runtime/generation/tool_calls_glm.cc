// GLM 4.5 and later: <tool_call>name, then <arg_key>key</arg_key> <arg_value>value</arg_value> for
// each argument, and </tool_call>.
#include "runtime/generation/marked_arguments.h"

namespace hearth::runtime {
namespace {

constexpr std::string_view kCall = "<tool_call>", kCallEnd = "</tool_call>";
constexpr std::string_view kKey = "<arg_key>", kKeyEnd = "</arg_key>";
constexpr std::string_view kValue = "<arg_value>", kValueEnd = "</arg_value>";

std::string Trimmed(const std::string& text) {
  size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

class GlmParser : public SteppedParser {
 public:
  explicit GlmParser(const ToolTypes& types) : arguments_(&sink_, types) {}

  void FinishSteps() override {
    std::string rest = pending_.TakeAll();
    if (where_ == Where::kText) sink_.Text(std::move(rest));
    if (where_ == Where::kName) sink_.Text(std::string(kCall) + word_ + rest);
    if (where_ == Where::kValue) {
      arguments_.Value(rest);
      arguments_.EndValue();
    }
    if (where_ != Where::kText && where_ != Where::kName) arguments_.End();
  }

 private:
  enum class Where { kText, kName, kBody, kKey, kToValue, kValue };

  bool Step() override {
    switch (where_) {
      case Where::kText: {
        auto found = pending_.TakeUntil({kCall});
        sink_.Text(std::move(found.before));
        if (found.mark < 0) return false;
        word_.clear();
        where_ = Where::kName;
        return true;
      }
      case Where::kName: {
        auto found = pending_.TakeUntil({kKey, kCallEnd});
        word_ += found.before;
        if (found.mark < 0) return false;
        arguments_.Begin(Trimmed(word_));
        After(found.mark);
        return true;
      }
      case Where::kBody: {
        auto found = pending_.TakeUntil({kKey, kCallEnd});
        if (found.mark < 0) return false;
        After(found.mark);
        return true;
      }
      case Where::kKey: {
        auto found = pending_.TakeUntil({kKeyEnd});
        word_ += found.before;
        if (found.mark < 0) return false;
        where_ = Where::kToValue;
        return true;
      }
      case Where::kToValue: {
        auto found = pending_.TakeUntil({kValue, kCallEnd});
        if (found.mark < 0) return false;
        if (found.mark == 1) {
          After(1);
          return true;
        }
        arguments_.Key(Trimmed(word_));
        where_ = Where::kValue;
        return true;
      }
      case Where::kValue: {
        auto found = pending_.TakeUntil({kValueEnd});
        arguments_.Value(found.before);
        if (found.mark < 0) return false;
        arguments_.EndValue();
        where_ = Where::kBody;
        return true;
      }
    }
    return false;
  }

  void After(int mark) {
    word_.clear();
    where_ = mark == 0 ? Where::kKey : Where::kText;
    if (mark == 1) arguments_.End();
  }

  MarkedArguments arguments_;
  Where where_ = Where::kText;
  std::string word_;
};

}  // namespace

bool MatchesGlmToolCalls(std::string_view chat_template) {
  return chat_template.find(kKey) != std::string_view::npos &&
         chat_template.find(kCall) != std::string_view::npos;
}
ToolCallFrame GlmToolCallFrame(std::string_view) {
  ToolCallFrame frame;
  frame.trigger = kCall;
  frame.arguments = ToolCallFrame::Arguments::kMarked;
  frame.between = "\n";
  frame.before_name = kCall;
  frame.after_name = "\n";
  frame.before_key = kKey;
  frame.after_key = std::string(kKeyEnd) + "\n" + std::string(kValue);
  frame.after_value = std::string(kValueEnd) + "\n";
  frame.after_arguments = kCallEnd;
  for (std::string_view mark : {kCall, kCallEnd, kKey, kKeyEnd, kValue, kValueEnd}) {
    frame.marks.emplace_back(mark);
  }
  return frame;
}
std::unique_ptr<ToolCallParser> MakeGlmToolCallParser(const ToolTypes& types) {
  return std::make_unique<GlmParser>(types);
}

}  // namespace hearth::runtime
