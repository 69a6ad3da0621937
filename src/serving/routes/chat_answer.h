// Conversations: the prompt that a model's template makes of messages, and what its answer says and
// calls. Shared by the APIs that chat.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "codec/json.h"
#include "runtime/generation/tool_calls.h"
#include "runtime/model.h"
#include "serving/routes/generation_answer.h"

namespace hearth::serving {

// What "messages" and "tools" in OpenAI's words become, ready for an answer.
std::string ChatText(const runtime::Model& model, const Json& body);
std::vector<runtime::TokenId> ChatPrompt(const runtime::Model& model, const Json& body);

// "logprobs" and "top_logprobs" (20 at most), which OpenAI's and Ollama's words have in common.
void ReadChatLogprobs(const Json& body, TextRequest* request);
// {"token", "logprob", "bytes", "top_logprobs"}
Json ChatLogprob(const runtime::Model& model, const runtime::SampledToken& token);

// Turns the text of one choice into content and tool calls. Without tools all is content.
class AnswerReader {
 public:
  explicit AnswerReader(std::unique_ptr<runtime::ToolCallParser> parser)
      : parser_(std::move(parser)) {}

  // What the text adds to a streamed message; empty object for nothing.
  Json Delta(const std::string& text, bool is_last);
  bool has_calls() const { return calls_.size() > 0; }
  // The whole message, once all text was read.
  Json Message() const;

 private:
  void Add(const runtime::ToolCallEvent& event, std::string* content, std::string* reasoning,
           Json* calls);

  std::unique_ptr<runtime::ToolCallParser> parser_;
  std::string content_, reasoning_;
  Json calls_ = Json::Arr();
};

// Reads what `tools` and `tool_choice` say into the request; returns which marks the model's tool
// calls have, empty when there will be none. Throws kUnprocessable for a model that knows no tools.
std::string ReadTools(ModelServer& server, const Json& body, TextRequest* request);
std::unique_ptr<AnswerReader> MakeReader(const std::string& family, const Json& body);

}  // namespace hearth::serving
