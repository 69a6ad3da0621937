// Arguments that are marked one by one instead of being JSON: the JSON object that they make, given
// out as it grows. Texts are streamed character by character; what the tool's schema says is no
// text is read as JSON when it is whole. One thread; borrows the sink.
#pragma once

#include <string>
#include <string_view>

#include "runtime/generation/tool_call_scanner.h"

namespace hearth::runtime {

class MarkedArguments {
 public:
  MarkedArguments(EventSink* sink, const ToolTypes& types) : sink_(*sink), types_(types) {}

  void Begin(std::string function);
  void Key(const std::string& name);
  // A piece of the value. One line break at its beginning and one at its end are marks.
  void Value(std::string_view piece);
  void EndValue();
  void End();

 private:
  EventSink& sink_;
  const ToolTypes types_;
  std::string function_;
  bool first_ = true;
  bool json_ = false;
  bool began_ = false;  // a piece of this value was seen
  std::string held_;    // a line break that may be the last, or a value that is JSON
};

}  // namespace hearth::runtime
