// DeepSeek V3 and R1: <｜tool▁call▁begin｜>function<｜tool▁sep｜>name, the arguments in a fenced
// block of JSON, <｜tool▁call▁end｜>; V3.1: name<｜tool▁sep｜>arguments. All calls stand between
// <｜tool▁calls▁begin｜> and <｜tool▁calls▁end｜>.
#include "runtime/generation/tool_call_scanner.h"

namespace hearth::runtime {
namespace {

constexpr std::string_view kCalls = "<｜tool▁calls▁begin｜>", kCallsEnd = "<｜tool▁calls▁end｜>";
constexpr std::string_view kCall = "<｜tool▁call▁begin｜>", kCallEnd = "<｜tool▁call▁end｜>";
constexpr std::string_view kSeparator = "<｜tool▁sep｜>";

std::string Trimmed(const std::string& text) {
  size_t begin = text.find_first_not_of(" \t\r\n`");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n`") + 1 - begin);
}

class DeepSeekParser : public SteppedParser {
 public:
  void FinishSteps() override {
    std::string rest = pending_.TakeAll();
    if (where_ == Where::kText) sink_.Text(std::move(rest));
    if (where_ == Where::kKind) sink_.Text(std::string(kCall) + word_ + rest);
    if (where_ == Where::kName)
      sink_.Text(std::string(kCall) + word_ + std::string(kSeparator) + line_ + rest);
    if (where_ == Where::kArguments) sink_.End();
  }

 private:
  enum class Where { kText, kInside, kKind, kName, kArguments, kAfter };

  bool Step() override {
    switch (where_) {
      case Where::kText: {
        auto found = pending_.TakeUntil({kCalls, kCall});
        sink_.Text(std::move(found.before));
        if (found.mark < 0) return false;
        word_.clear();
        where_ = found.mark == 0 ? Where::kInside : Where::kKind;
        return true;
      }
      case Where::kInside: {
        auto found = pending_.TakeUntil({kCall, kCallsEnd});
        if (found.mark < 0) return false;
        word_.clear();
        where_ = found.mark == 0 ? Where::kKind : Where::kText;
        return true;
      }
      case Where::kKind: {
        auto found = pending_.TakeUntil({kSeparator});
        word_ += found.before;
        if (found.mark < 0) return false;
        line_.clear();
        where_ = Where::kName;
        if (Trimmed(word_) != "function") Begin(Trimmed(word_));
        return true;
      }
      case Where::kName: {
        // A tool may be called "function": then the arguments follow at once.
        auto found = pending_.TakeUntil({"{"});
        line_ += found.before;
        if (found.mark < 0) return false;
        size_t end = line_.find('\n');
        std::string name = Trimmed(line_.substr(0, end));
        Begin(name.empty() ? Trimmed(word_) : name);
        extent_.Take('{');
        sink_.Arguments("{");
        return true;
      }
      case Where::kArguments: {
        if (!TakeArguments(&extent_)) return false;
        where_ = Where::kAfter;
        return true;
      }
      case Where::kAfter: {
        auto found = pending_.TakeUntil({kCallEnd});
        if (found.mark < 0) return false;
        where_ = Where::kInside;
        return true;
      }
    }
    return false;
  }

  void Begin(std::string name) {
    sink_.Call(std::move(name));
    extent_ = {};
    where_ = Where::kArguments;
  }

  JsonExtent extent_;
  Where where_ = Where::kText;
  std::string word_, line_;
};

}  // namespace

bool MatchesDeepSeekToolCalls(std::string_view chat_template) {
  return chat_template.find("tool▁call▁begin") != std::string_view::npos;
}
ToolCallFrame DeepSeekToolCallFrame(std::string_view chat_template) {
  ToolCallFrame frame;
  frame.trigger = kCalls;
  frame.begin = kCalls;
  frame.end = kCallsEnd;
  for (std::string_view mark : {kCalls, kCallsEnd, kCall, kCallEnd, kSeparator}) {
    frame.marks.emplace_back(mark);
  }
  // V3 and R1 name the type and fence the arguments.
  if (chat_template.find("```json") != std::string_view::npos) {
    frame.between = "\n";
    frame.before_name = std::string(kCall) + "function" + std::string(kSeparator);
    frame.after_name = "\n```json\n";
    frame.after_arguments = "\n```" + std::string(kCallEnd);
  } else {
    frame.before_name = kCall;
    frame.after_name = kSeparator;
    frame.after_arguments = kCallEnd;
  }
  return frame;
}
std::unique_ptr<ToolCallParser> MakeDeepSeekToolCallParser(const ToolTypes&) {
  return std::make_unique<DeepSeekParser>();
}

}  // namespace hearth::runtime
