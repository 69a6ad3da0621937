// Mistral: [TOOL_CALLS] and then a list of {"name": .., "arguments": {..}}, or (from tokenizer
// version 11 on) for each call its name and [ARGS] and the arguments.
#include "runtime/generation/tool_call_scanner.h"

namespace hearth::runtime {
namespace {

constexpr std::string_view kCalls = "[TOOL_CALLS]", kArguments = "[ARGS]", kId = "[CALL_ID]";

class MistralParser : public SteppedParser {
 public:
  void FinishSteps() override {
    if (where_ == Where::kText) sink_.Text(pending_.TakeAll());
    if (where_ == Where::kName) sink_.Text(std::string(kCalls) + name_ + pending_.TakeAll());
    if (where_ == Where::kObject) {
      reader_.Finish();
      if (reader_.state() == JsonCallReader::State::kNoCall) {
        sink_.Text(std::string(kCalls) + "[" + reader_.raw());
      }
    }
    if (where_ == Where::kArguments) sink_.End();
  }

 private:
  enum class Where { kText, kMark, kList, kObject, kName, kId, kArguments };

  bool Step() override {
    switch (where_) {
      case Where::kText: {
        auto found = pending_.TakeUntil({kCalls});
        sink_.Text(std::move(found.before));
        if (found.mark < 0) return false;
        where_ = Where::kMark;
        return true;
      }
      case Where::kMark:
        if (!pending_.SkipSpace()) return false;
        name_.clear();
        where_ = pending_.view()[0] == '[' ? Where::kList : Where::kName;
        if (where_ == Where::kList) pending_.Drop(1);
        return true;
      case Where::kList:
        return List();
      case Where::kObject:
        return Object();
      case Where::kName:
        return Name();
      case Where::kId: {
        auto found = pending_.TakeUntil({kArguments});
        if (found.mark < 0) return false;
        Begin();
        return true;
      }
      case Where::kArguments: {
        if (!TakeArguments(&extent_)) return false;
        where_ = Where::kText;
        return true;
      }
    }
    return false;
  }

  bool List() {
    if (!pending_.SkipSpace()) return false;
    char c = pending_.view()[0];
    if (c == ',') {
      pending_.Drop(1);
    } else if (c == '{') {
      reader_.Reset();
      where_ = Where::kObject;
    } else {
      if (c == ']') pending_.Drop(1);
      where_ = Where::kText;
    }
    return true;
  }

  bool Object() {
    std::string_view text = pending_.view();
    if (text.empty()) return false;
    pending_.Drop(reader_.Push(text));
    if (reader_.state() == JsonCallReader::State::kRunning) return false;
    bool done = reader_.state() == JsonCallReader::State::kDone;
    if (!done) sink_.Text(std::string(kCalls) + "[" + reader_.raw());
    where_ = done ? Where::kList : Where::kText;
    return true;
  }

  bool Name() {
    auto found = pending_.TakeUntil({kArguments, kId, "{"});
    name_ += found.before;
    if (found.mark < 0) return false;
    if (found.mark == 1) {
      where_ = Where::kId;
      return true;
    }
    Begin();
    if (found.mark == 2) {
      extent_.Take('{');
      sink_.Arguments("{");
    }
    return true;
  }

  void Begin() {
    size_t end = name_.find_last_not_of(" \t\r\n");
    sink_.Call(name_.substr(0, end + 1));
    extent_ = {};
    where_ = Where::kArguments;
  }

  JsonCallReader reader_{&sink_};
  JsonExtent extent_;
  Where where_ = Where::kText;
  std::string name_;
};

}  // namespace

bool MatchesMistralToolCalls(std::string_view chat_template) {
  return chat_template.find(kCalls) != std::string_view::npos;
}
ToolCallFrame MistralToolCallFrame(std::string_view chat_template) {
  ToolCallFrame frame;
  frame.trigger = kCalls;
  frame.marks = {std::string(kCalls), std::string(kArguments)};
  if (chat_template.find(kArguments) != std::string_view::npos) {
    frame.before_name = kCalls;
    frame.after_name = kArguments;
    return frame;
  }
  frame.begin = std::string(kCalls) + "[";
  frame.between = ", ";
  frame.end = "]";
  frame.before_name = "{\"name\": \"";
  frame.after_name = "\", \"arguments\": ";
  frame.after_arguments = "}";
  return frame;
}
std::unique_ptr<ToolCallParser> MakeMistralToolCallParser(const ToolTypes&) {
  return std::make_unique<MistralParser>();
}

}  // namespace hearth::runtime
