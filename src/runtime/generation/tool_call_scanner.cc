#include "runtime/generation/tool_call_scanner.h"

#include <algorithm>

#include "base/error.h"

namespace hearth::runtime {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// A call's raw text is kept until it is known to be one; a longer beginning is none.
constexpr size_t kMaxUndecided = 1u << 20;

std::optional<std::string> ParseString(const std::string& text) {
  try {
    Json value = Json::Parse(text);
    if (value.AsString() != nullptr) return *value.AsString();
  } catch (const Error&) {
  }
  return std::nullopt;
}

}  // namespace

void PendingText::Drop(size_t bytes) {
  at_ += bytes;
  if (at_ == text_.size()) {
    text_.clear();
    at_ = 0;
  } else if (at_ > 4096) {
    text_.erase(0, at_);
    at_ = 0;
  }
}

std::string PendingText::TakeAll() {
  std::string all(view());
  Drop(all.size());
  return all;
}

PendingText::Found PendingText::TakeUntil(std::initializer_list<std::string_view> marks) {
  std::string_view text = view();
  size_t best = std::string_view::npos;
  Found found;
  int index = 0;
  size_t mark_size = 0;
  for (std::string_view mark : marks) {
    size_t at = text.find(mark);
    if (at < best) {
      best = at;
      found.mark = index;
      mark_size = mark.size();
    }
    ++index;
  }
  if (found.mark >= 0) {
    found.before = std::string(text.substr(0, best));
    Drop(best + mark_size);
    return found;
  }
  size_t hold = 0;
  for (std::string_view mark : marks) {
    for (size_t length = std::min(mark.size() - 1, text.size()); length > hold; --length) {
      if (text.substr(text.size() - length) == mark.substr(0, length)) hold = length;
    }
  }
  found.before = std::string(text.substr(0, text.size() - hold));
  Drop(found.before.size());
  return found;
}

bool PendingText::SkipSpace() {
  std::string_view text = view();
  size_t at = 0;
  while (at < text.size() && IsSpace(text[at])) ++at;
  bool more = at < text.size();
  if (at > 0) Drop(at);
  return more;
}

PendingText::Match PendingText::StartsWith(std::string_view mark) const {
  std::string_view text = view();
  if (text.starts_with(mark)) return Match::kYes;
  return mark.starts_with(text) ? Match::kMaybe : Match::kNo;
}

void EventSink::Add(ToolCallEvent::Kind kind, std::string text) {
  bool piece = kind != ToolCallEvent::Kind::kCall && kind != ToolCallEvent::Kind::kCallEnd;
  if (piece && text.empty()) return;
  uint32_t call = kind == ToolCallEvent::Kind::kText || kind == ToolCallEvent::Kind::kReasoning
                      ? 0
                      : calls_ - 1;
  if (piece && !events_->empty() && events_->back().kind == kind && events_->back().call == call) {
    events_->back().text += text;
    return;
  }
  events_->push_back({kind, call, std::move(text)});
}

void EventSink::Text(std::string text) { Add(ToolCallEvent::Kind::kText, std::move(text)); }
void EventSink::Reasoning(std::string text) {
  Add(ToolCallEvent::Kind::kReasoning, std::move(text));
}
void EventSink::Call(std::string name) {
  ++calls_;
  open_ = true;
  Add(ToolCallEvent::Kind::kCall, std::move(name));
}
void EventSink::Arguments(std::string piece) {
  if (open_) Add(ToolCallEvent::Kind::kArguments, std::move(piece));
}
void EventSink::End() {
  if (open_) Add(ToolCallEvent::Kind::kCallEnd, {});
  open_ = false;
}

bool JsonExtent::Take(char c) {
  if (done_) return false;
  if (complete_) {
    done_ = true;
    return false;
  }
  if (!started_) {
    if (IsSpace(c)) return true;
    started_ = true;
    if (c == '{' || c == '[') {
      depth_ = 1;
    } else if (c == '"') {
      in_string_ = true;
    } else {
      scalar_ = true;
    }
    return true;
  }
  if (scalar_) {
    done_ = c == ',' || c == '}' || c == ']' || IsSpace(c);
    return !done_;
  }
  if (in_string_) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
      complete_ = depth_ == 0;
    }
    return true;
  }
  if (c == '"') in_string_ = true;
  if (c == '{' || c == '[') ++depth_;
  if (c == '}' || c == ']') complete_ = --depth_ == 0;
  return true;
}

size_t JsonExtent::TakeAll(std::string_view text) {
  size_t taken = 0;
  while (taken < text.size() && !complete_ && Take(text[taken])) ++taken;
  if (complete_) done_ = true;
  return taken;
}

size_t JsonCallReader::Push(std::string_view text) {
  size_t read = 0;
  while (read < text.size() && state_ == State::kRunning) {
    char c = text[read];
    // The whole of an argument value at a time.
    if (part_ == Part::kValue && (key_ == "arguments" || key_ == "parameters")) {
      size_t taken = extent_.TakeAll(text.substr(read));
      GiveArguments(text.substr(read, taken));
      if (!named_) raw_ += text.substr(read, taken);
      read += taken;
      if (extent_.done()) {
        EndValue();
        part_ = Part::kAfterValue;
      }
      continue;
    }
    if (!named_) raw_.push_back(c);
    ++read;
    TakeByte(c);
    if (raw_.size() > kMaxUndecided) state_ = State::kNoCall;
  }
  return read;
}

void JsonCallReader::TakeByte(char c) {
  if (part_ == Part::kKey) {
    key_.push_back(c);
    extent_.Take(c);
    bool closed = key_.size() > 1 && c == '"' && extent_.TakeAll(" ") == 0;
    if (!closed) return;
    auto key = ParseString(key_);
    if (!key) state_ = State::kNoCall;
    key_ = key.value_or("");
    part_ = Part::kColon;
    return;
  }
  if (part_ == Part::kValue) {
    if (extent_.Take(c)) {
      value_.push_back(c);
      return;
    }
    EndValue();
    part_ = Part::kAfterValue;
  }
  if (IsSpace(c)) return;
  switch (part_) {
    case Part::kOpen:
      if (c != '{') state_ = State::kNoCall;
      part_ = Part::kKeyOrEnd;
      return;
    case Part::kKeyOrEnd:
      if (c == '"') {
        part_ = Part::kKey;
        key_ = "\"";
        extent_ = {};
        extent_.Take(c);
        return;
      }
      break;
    case Part::kColon:
      if (c == ':') {
        part_ = Part::kValue;
        value_.clear();
        form_ = Form::kUnknown;
        extent_ = {};
        return;
      }
      break;
    case Part::kAfterValue:
      if (c == ',') {
        part_ = Part::kKeyOrEnd;
        return;
      }
      break;
    default:
      break;
  }
  if (c == '}' && named_) {
    if (!has_arguments_) sink_.Arguments("{}");
    sink_.End();
    state_ = State::kDone;
    return;
  }
  Finish();
}

void JsonCallReader::GiveArguments(std::string_view piece) {
  has_arguments_ = true;
  if (!named_) {
    waiting_ += piece;
    return;
  }
  if (form_ == Form::kUnknown) {
    piece.remove_prefix(std::min(piece.find_first_not_of(" \t\r\n"), piece.size()));
    if (piece.empty()) return;
    // Some models put the JSON into a string.
    form_ = piece[0] == '"' ? Form::kQuoted : Form::kPlain;
  }
  if (form_ == Form::kQuoted) {
    quoted_ += piece;
  } else {
    sink_.Arguments(std::string(piece));
  }
}

void JsonCallReader::GiveQuoted() {
  if (quoted_.empty()) return;
  sink_.Arguments(ParseString(quoted_).value_or(quoted_));
  quoted_.clear();
}

void JsonCallReader::EndValue() {
  if (key_ == "name" && !named_) {
    auto name = ParseString(value_);
    if (!name) {
      state_ = State::kNoCall;
      return;
    }
    named_ = true;
    sink_.Call(*name);
    std::string arguments = std::exchange(waiting_, {});
    if (!arguments.empty()) GiveArguments(arguments);
    GiveQuoted();
  } else if (named_) {
    GiveQuoted();
  }
}

void JsonCallReader::Finish() {
  if (state_ != State::kRunning) return;
  if (!named_) {
    state_ = State::kNoCall;
    return;
  }
  GiveQuoted();
  sink_.End();
  state_ = State::kDone;
}

void JsonCallReader::Reset() {
  state_ = State::kRunning;
  part_ = Part::kOpen;
  for (std::string* text : {&raw_, &key_, &value_, &waiting_, &quoted_}) text->clear();
  named_ = has_arguments_ = false;
  form_ = Form::kUnknown;
  extent_ = {};
}

std::string JsonEscaped(std::string_view text) {
  std::string quoted = Json(text).Dump();
  return quoted.substr(1, quoted.size() - 2);
}

std::string JsonOrString(const std::string& text) {
  try {
    return Json::Parse(text).Dump();
  } catch (const Error&) {
    return Json(text).Dump();
  }
}

bool SteppedParser::TakeArguments(JsonExtent* extent) {
  std::string_view text = pending_.view();
  if (text.empty()) return false;
  size_t taken = extent->TakeAll(text);
  sink_.Arguments(std::string(text.substr(0, taken)));
  pending_.Drop(taken);
  if (!extent->done()) return false;
  sink_.End();
  return true;
}

}  // namespace hearth::runtime
