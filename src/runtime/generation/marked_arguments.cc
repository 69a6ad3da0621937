#include "runtime/generation/marked_arguments.h"

#include <utility>

#include "text/utf8.h"

namespace hearth::runtime {

void MarkedArguments::Begin(std::string function) {
  function_ = std::move(function);
  first_ = true;
  sink_.Call(function_);
}

void MarkedArguments::Key(const std::string& name) {
  json_ = types_.IsJson(function_, name);
  began_ = false;
  held_.clear();
  sink_.Arguments((first_ ? "{" : ", ") + Json(name).Dump() + ": " + (json_ ? "" : "\""));
  first_ = false;
}

void MarkedArguments::Value(std::string_view piece) {
  if (piece.empty()) return;
  if (!began_ && piece[0] == '\n') piece.remove_prefix(1);
  began_ = true;
  held_ += piece;
  if (json_) return;
  // A last line break waits, and so does a character that is not whole.
  size_t ready = held_.size();
  if (ready > 0 && held_[ready - 1] == '\n') --ready;
  size_t start = ready;
  while (start > 0 && ready - start < 3 && (held_[start - 1] & 0xC0) == 0x80) --start;
  if (start > 0 && (held_[start - 1] & 0xC0) == 0xC0 &&
      !DecodeUtf8(std::string_view(held_).substr(start - 1, ready - start + 1)).valid) {
    ready = start - 1;
  }
  sink_.Arguments(JsonEscaped(std::string_view(held_).substr(0, ready)));
  held_.erase(0, ready);
}

void MarkedArguments::EndValue() {
  if (held_.ends_with('\n')) held_.pop_back();
  if (json_) {
    sink_.Arguments(JsonOrString(held_));
  } else {
    sink_.Arguments(JsonEscaped(held_) + "\"");
  }
  held_.clear();
}

void MarkedArguments::End() {
  sink_.Arguments(first_ ? "{}" : "}");
  sink_.End();
}

}  // namespace hearth::runtime
