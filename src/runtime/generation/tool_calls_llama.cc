// Llama 3.1 and later. The whole answer is a call, {"name": .., "parameters": {..}}, or several
// with
// ';' between them; or after <|python_tag|> a call of a built-in tool, name.call(key="value"), or
// else Python code, which is given as a call of "python" with the argument "code".
#include <algorithm>
#include <cctype>

#include "runtime/generation/tool_call_scanner.h"

namespace hearth::runtime {
namespace {

constexpr std::string_view kPythonTag = "<|python_tag|>";
constexpr std::string_view kEnds[] = {"<|eom_id|>", "<|eot_id|>"};

class LlamaParser : public SteppedParser {
 public:
  void FinishSteps() override {
    if (where_ == Where::kCall) {
      reader_.Finish();
      if (reader_.state() == JsonCallReader::State::kNoCall) sink_.Text(reader_.raw());
    } else if (where_ == Where::kPython) {
      GivePython(pending_.TakeAll());
    } else if (where_ != Where::kBetween) {
      sink_.Text(space_ + pending_.TakeAll());
    }
  }

 private:
  enum class Where { kStart, kText, kCall, kBetween, kPython };

  bool Step() override {
    switch (where_) {
      case Where::kStart:
        return Start();
      case Where::kText: {
        auto found = pending_.TakeUntil({kPythonTag});
        sink_.Text(std::move(found.before));
        if (found.mark < 0) return false;
        where_ = Where::kStart;
        tagged_ = true;
        return true;
      }
      case Where::kCall: {
        std::string_view text = pending_.view();
        if (text.empty()) return false;
        pending_.Drop(reader_.Push(text));
        if (reader_.state() == JsonCallReader::State::kRunning) return false;
        if (reader_.state() == JsonCallReader::State::kNoCall) sink_.Text(reader_.raw());
        where_ = reader_.state() == JsonCallReader::State::kDone ? Where::kBetween : Where::kText;
        return true;
      }
      case Where::kBetween: {
        if (!pending_.SkipSpace()) return false;
        char c = pending_.view()[0];
        if (c == ';' || c == ',') {
          pending_.Drop(1);
          return true;
        }
        reader_.Reset();
        where_ = c == '{' ? Where::kCall : Where::kText;
        return true;
      }
      case Where::kPython:
        return false;
    }
    return false;
  }

  bool Start() {
    // White space in front of plain text is text.
    std::string_view text = pending_.view();
    size_t at = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    space_ += text.substr(0, at);
    pending_.Drop(at);
    if (pending_.empty()) return false;
    if (pending_.view()[0] == '{') {
      reader_.Reset();
      where_ = Where::kCall;
      return true;
    }
    if (tagged_) {
      where_ = Where::kPython;
      return true;
    }
    auto match = pending_.StartsWith(kPythonTag);
    if (match == PendingText::Match::kMaybe) return false;
    if (match == PendingText::Match::kYes) {
      pending_.Drop(kPythonTag.size());
      tagged_ = true;
      return true;
    }
    sink_.Text(std::move(space_));
    space_.clear();
    where_ = Where::kText;
    return true;
  }

  // name.call(key="value", key="value")
  void GivePython(std::string code) {
    for (std::string_view end : kEnds) {
      if (size_t at = code.find(end); at != std::string::npos) code.resize(at);
    }
    constexpr std::string_view kCall = ".call(";
    size_t at = code.find(kCall);
    auto is_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
    bool built_in = at != std::string::npos && at > 0 && code.ends_with(')') &&
                    std::all_of(code.begin(), code.begin() + at, is_name);
    Json arguments = Json::Obj();
    if (built_in) {
      std::string_view rest = std::string_view(code).substr(at + kCall.size());
      rest.remove_suffix(1);
      while (built_in && !rest.empty()) {
        size_t equals = rest.find('=');
        if (equals == std::string_view::npos) {
          built_in = false;
          break;
        }
        std::string key(rest.substr(0, equals));
        std::erase(key, ' ');
        rest.remove_prefix(equals + 1);
        JsonExtent extent;
        size_t size = extent.TakeAll(rest);
        arguments.Set(key, Json::Parse(JsonOrString(std::string(rest.substr(0, size)))));
        rest.remove_prefix(size);
        rest.remove_prefix(std::min(rest.find_first_not_of(", "), rest.size()));
      }
    }
    sink_.Call(built_in ? code.substr(0, at) : "python");
    sink_.Arguments(built_in ? arguments.Dump() : Json::Obj({{"code", code}}).Dump());
    sink_.End();
  }

  JsonCallReader reader_{&sink_};
  Where where_ = Where::kStart;
  bool tagged_ = false;
  std::string space_;
};

}  // namespace

bool MatchesLlamaToolCalls(std::string_view chat_template) {
  bool header = chat_template.find("<|start_header_id|>") != std::string_view::npos;
  bool json = chat_template.find("\"parameters\"") != std::string_view::npos ||
              chat_template.find(kPythonTag) != std::string_view::npos;
  return header && json;
}
ToolCallFrame LlamaToolCallFrame(std::string_view) {
  ToolCallFrame frame;
  frame.trigger = "{";
  frame.whole_answer = true;
  frame.between = "; ";
  frame.before_name = "{\"name\": \"";
  frame.after_name = "\", \"parameters\": ";
  frame.after_arguments = "}";
  return frame;
}
std::unique_ptr<ToolCallParser> MakeLlamaToolCallParser(const ToolTypes&) {
  return std::make_unique<LlamaParser>();
}

}  // namespace hearth::runtime
