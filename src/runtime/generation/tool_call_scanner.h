// What the parsers of tool calls share: text that is searched for marks as it comes, events with
// call numbers, and a reader of calls that are JSON objects. One thread each.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/generation/tool_calls.h"

namespace hearth::runtime {

// Text that was pushed and not understood yet.
class PendingText {
 public:
  void Append(std::string_view text) { text_ += text; }
  std::string_view view() const { return std::string_view(text_).substr(at_); }
  bool empty() const { return at_ == text_.size(); }
  void Drop(size_t bytes);
  std::string TakeAll();

  struct Found {
    std::string before;  // text in front of the mark, or that is surely before any mark
    int mark = -1;       // index of the mark, which was taken; -1: none yet
  };
  // Takes up to the first of the marks; a possible beginning of one stays.
  Found TakeUntil(std::initializer_list<std::string_view> marks);
  // Drops white space; false when nothing else is there yet.
  bool SkipSpace();

  enum class Match { kNo, kYes, kMaybe };
  // Whether the text begins with this; kMaybe while it is too short to say. Nothing is taken.
  Match StartsWith(std::string_view mark) const;

 private:
  std::string text_;
  size_t at_ = 0;
};

class EventSink {
 public:
  void set_events(std::vector<ToolCallEvent>* events) { events_ = events; }
  void Text(std::string text);
  void Reasoning(std::string text);
  void Call(std::string name);
  void Arguments(std::string piece);
  void End();
  bool open() const { return open_; }

 private:
  void Add(ToolCallEvent::Kind kind, std::string text);
  std::vector<ToolCallEvent>* events_ = nullptr;
  uint32_t calls_ = 0;  // begun so far
  bool open_ = false;
};

// Finds the end of a JSON value, byte by byte. Does not check more than brackets and quotes.
class JsonExtent {
 public:
  // Whether this byte belongs to the value; after the first that does not, done() is true. Leading
  // white space belongs.
  bool Take(char c);
  bool done() const { return done_; }
  // A byte other than white space was taken.
  bool started() const { return started_; }
  // Like Take, for a whole text: how many bytes belong.
  size_t TakeAll(std::string_view text);

 private:
  bool started_ = false, done_ = false, complete_ = false;
  bool scalar_ = false, in_string_ = false, escaped_ = false;
  uint32_t depth_ = 0;
};

// Reads {"name": "f", "arguments": {...}} ("parameters" does as well) and gives its events; the
// arguments are passed on as they come.
class JsonCallReader {
 public:
  explicit JsonCallReader(EventSink* sink) : sink_(*sink) {}
  enum class State { kRunning, kDone, kNoCall };

  // How many bytes were read. After kNoCall raw() is all that was read, which is text then.
  size_t Push(std::string_view text);
  State state() const { return state_; }
  const std::string& raw() const { return raw_; }
  // There is no more text: ends an open call; kNoCall where none had begun.
  void Finish();
  void Reset();

 private:
  enum class Form { kUnknown, kPlain, kQuoted };
  enum class Part { kOpen, kKeyOrEnd, kKey, kColon, kValue, kAfterValue };
  void TakeByte(char c);
  void EndValue();
  void GiveArguments(std::string_view piece);
  void GiveQuoted();

  EventSink& sink_;
  State state_ = State::kRunning;
  Part part_ = Part::kOpen;
  std::string raw_;
  std::string key_;
  std::string value_;    // of a key other than the arguments
  std::string waiting_;  // arguments in front of the name
  std::string quoted_;   // arguments that are a string holding JSON
  Form form_ = Form::kUnknown;
  bool named_ = false;
  bool has_arguments_ = false;
  JsonExtent extent_;
};

// A text as the inside of a JSON string.
std::string JsonEscaped(std::string_view text);
// The text when it is JSON, else as a JSON string.
std::string JsonOrString(const std::string& text);

// The frame of a parser that goes on in steps: each takes what is decided of the pending text and
// says whether there may be more to take.
class SteppedParser : public ToolCallParser {
 public:
  void Push(std::string_view text, std::vector<ToolCallEvent>* events) final {
    sink_.set_events(events);
    pending_.Append(text);
    while (Step()) {
    }
  }
  void Finish(std::vector<ToolCallEvent>* events) final {
    sink_.set_events(events);
    FinishSteps();
  }

 protected:
  virtual bool Step() = 0;
  // There is no more text; `pending_` holds what no step took.
  virtual void FinishSteps() = 0;
  // Gives out pending arguments as far as their JSON value reaches; true, and the call is over,
  // once it has ended.
  bool TakeArguments(JsonExtent* extent);

  PendingText pending_;
  EventSink sink_;
};

}  // namespace hearth::runtime
