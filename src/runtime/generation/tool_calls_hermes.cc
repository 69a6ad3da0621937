// Hermes, Qwen 2.5 and 3, Granite and many more: <tool_call>{"name": .., "arguments": {..}}
// </tool_call>, any number of them.
#include "runtime/generation/tool_call_scanner.h"

namespace hearth::runtime {
namespace {

constexpr std::string_view kOpen = "<tool_call>", kClose = "</tool_call>";

class HermesParser : public SteppedParser {
 public:
  void FinishSteps() override {
    if (where_ == Where::kText) sink_.Text(pending_.TakeAll());
    if (where_ == Where::kCall) {
      reader_.Finish();
      if (reader_.state() == JsonCallReader::State::kNoCall) GiveBack();
    }
  }

 private:
  enum class Where { kText, kCall, kAfter };

  void GiveBack() {
    sink_.Text(std::string(kOpen) + reader_.raw());
    where_ = Where::kText;
  }

  // False when more text is needed.
  bool Step() override {
    if (where_ == Where::kText) {
      auto found = pending_.TakeUntil({kOpen});
      sink_.Text(std::move(found.before));
      if (found.mark < 0) return false;
      reader_.Reset();
      where_ = Where::kCall;
      return true;
    }
    if (where_ == Where::kCall) {
      std::string_view text = pending_.view();
      if (text.empty()) return false;
      pending_.Drop(reader_.Push(text));
      if (reader_.state() == JsonCallReader::State::kRunning) return false;
      if (reader_.state() == JsonCallReader::State::kNoCall) {
        GiveBack();
      } else {
        where_ = Where::kAfter;
      }
      return true;
    }
    auto found = pending_.TakeUntil({kClose});
    if (found.mark < 0) return false;
    where_ = Where::kText;
    return true;
  }

  JsonCallReader reader_{&sink_};
  Where where_ = Where::kText;
};

}  // namespace

bool MatchesHermesToolCalls(std::string_view chat_template) {
  return chat_template.find(kOpen) != std::string_view::npos;
}
ToolCallFrame HermesToolCallFrame(std::string_view) {
  ToolCallFrame frame;
  frame.trigger = kOpen;
  frame.between = "\n";
  frame.before_name = std::string(kOpen) + "\n{\"name\": \"";
  frame.after_name = "\", \"arguments\": ";
  frame.after_arguments = "}\n" + std::string(kClose);
  frame.marks = {std::string(kOpen), std::string(kClose)};
  return frame;
}
std::unique_ptr<ToolCallParser> MakeHermesToolCallParser(const ToolTypes&) {
  return std::make_unique<HermesParser>();
}

}  // namespace hearth::runtime
