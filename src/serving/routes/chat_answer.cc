#include "serving/routes/chat_answer.h"

#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "runtime/grammar/tool_call_grammar.h"
#include "runtime/tasks/inputs.h"

namespace hearth::serving {
namespace {

// Parts of a message of type "text" become one text, as templates of text models expect it.
Json FlatMessage(const Json& message) {
  const Json* role = message.Find("role");
  if (role == nullptr || role->AsString() == nullptr) {
    throw Error(Code::kInvalidArgument, "every message needs a \"role\"");
  }
  const Json* content = message.Find("content");
  if (content == nullptr || content->is_null() || content->AsString() != nullptr) return message;
  if (content->AsArray() == nullptr) {
    throw Error(Code::kInvalidArgument, "the \"content\" of a message is a text or a list");
  }
  std::string text;
  for (const Json& part : *content->AsArray()) {
    const Json *type = part.Find("type"), *value = part.Find("text");
    if (type == nullptr || type->AsString() == nullptr || *type->AsString() != "text" ||
        value == nullptr) {
      throw Error(Code::kInvalidArgument, "this model reads text only");
    }
    text += runtime::ReadText(*value, "the text of a message");
  }
  Json flat = message;
  flat.Set("content", text);
  return flat;
}

}  // namespace

std::string ChatText(const runtime::Model& model, const Json& body) {
  ChatInput input;
  input.messages = Json::Arr();
  for (const Json& message : body.RequireArray("messages"))
    input.messages.Push(FlatMessage(message));
  if (input.messages.size() == 0) throw Error(Code::kInvalidArgument, "`messages` is empty");
  const Json* choice = body.Find("tool_choice");
  bool no_tools =
      choice != nullptr && choice->AsString() != nullptr && *choice->AsString() == "none";
  if (const Json* tools = body.Find("tools"); tools != nullptr && tools->is_array() && !no_tools) {
    input.tools = *tools;
  }
  input.add_generation_prompt = true;
  if (const Json* more = body.Find("chat_template_kwargs"); more && more->AsObject()) {
    input.variables = *more->AsObject();
  }
  return model.RenderChat(std::move(input));
}

std::vector<runtime::TokenId> ChatPrompt(const runtime::Model& model, const Json& body) {
  // The template has written the special tokens already.
  return model.tokenizer().EncodeIds(ChatText(model, body), false);
}

void ReadChatLogprobs(const Json& body, TextRequest* request) {
  constexpr uint32_t kMaxTopLogprobs = 20;
  request->logprobs = runtime::ReadFlag(body, "logprobs").value_or(false);
  request->top_logprobs =
      static_cast<uint32_t>(runtime::ReadCount(body, "top_logprobs", kMaxTopLogprobs).value_or(0));
}

Json ChatLogprob(const runtime::Model& model, const runtime::SampledToken& token) {
  auto one = [&](runtime::TokenId id, float logprob) {
    std::string text = model.tokenizer().Decode({&id, 1}, false);
    Json bytes = Json::Arr();
    for (unsigned char byte : text) bytes.Push(static_cast<int>(byte));
    return Json::Obj({{"token", text}, {"logprob", double{logprob}}, {"bytes", bytes}});
  };
  Json item = one(token.id, token.logprob);
  Json top = Json::Arr();
  for (const auto& other : token.top) top.Push(one(other.id, other.logprob));
  item.Set("top_logprobs", std::move(top));
  return item;
}

Json AnswerReader::Delta(const std::string& text, bool is_last) {
  std::vector<runtime::ToolCallEvent> events;
  if (parser_ == nullptr) {
    if (!text.empty()) events.push_back({runtime::ToolCallEvent::Kind::kText, 0, text});
  } else {
    parser_->Push(text, &events);
    if (is_last) parser_->Finish(&events);
  }
  Json delta = Json::Obj(), calls = Json::Arr();
  std::string content, reasoning;
  for (const runtime::ToolCallEvent& event : events) Add(event, &content, &reasoning, &calls);
  if (!content.empty()) delta.Set("content", content);
  if (!reasoning.empty()) delta.Set("reasoning_content", reasoning);
  if (calls.size() > 0) delta.Set("tool_calls", std::move(calls));
  return delta;
}

Json AnswerReader::Message() const {
  Json message = Json::Obj({{"role", "assistant"}});
  message.Set("content", content_.empty() && has_calls() ? Json() : Json(content_));
  if (!reasoning_.empty()) message.Set("reasoning_content", reasoning_);
  if (has_calls()) message.Set("tool_calls", calls_);
  return message;
}

void AnswerReader::Add(const runtime::ToolCallEvent& event, std::string* content,
                       std::string* reasoning, Json* calls) {
  using Kind = runtime::ToolCallEvent::Kind;
  switch (event.kind) {
    case Kind::kText:
      *content += event.text, content_ += event.text;
      break;
    case Kind::kReasoning:
      *reasoning += event.text, reasoning_ += event.text;
      break;
    case Kind::kCall: {
      Json function = Json::Obj({{"name", event.text}, {"arguments", ""}});
      Json call = Json::Obj({{"id", "call_" + RandomAlphanumeric(24)},
                             {"type", "function"},
                             {"function", std::move(function)}});
      calls_.Push(call);
      call.Set("index", event.call);
      calls->Push(std::move(call));
      break;
    }
    case Kind::kArguments: {
      Json& known = *calls_.AsArray()->back().Find("function");
      known.Set("arguments", *known.Find("arguments")->AsString() + event.text);
      calls->Push(
          Json::Obj({{"index", event.call}, {"function", Json::Obj({{"arguments", event.text}})}}));
      break;
    }
    case Kind::kCallEnd:
      break;
  }
}

namespace {

// What a request says of its tools.
struct ToolChoice {
  bool none = true;
  bool forced = false;
  std::optional<std::string> name;
};

// "auto", "none", "required" or {"type": "function", "function": {"name": ...}}.
ToolChoice ReadToolChoice(const Json& body) {
  const Json *tools = body.Find("tools"), *asked = body.Find("tool_choice");
  bool has_tools = tools != nullptr && tools->AsArray() != nullptr && tools->size() > 0;
  if (tools != nullptr && !tools->is_null() && tools->AsArray() == nullptr) {
    throw Error(Code::kInvalidArgument, "`tools` must be a list");
  }
  ToolChoice choice;
  choice.none = !has_tools;
  if (asked == nullptr || asked->is_null()) return choice;
  if (const std::string* word = asked->AsString()) {
    if (*word != "auto" && *word != "none" && *word != "required") {
      throw Error(Code::kUnprocessable,
                  "`tool_choice` must be \"auto\", \"none\", \"required\" or name a function");
    }
    choice.none |= *word == "none";
    choice.forced = *word == "required";
  } else {
    const Json* function = asked->Find("function");
    const Json* name = function != nullptr ? function->Find("name") : nullptr;
    if (name == nullptr || name->AsString() == nullptr) {
      throw Error(Code::kUnprocessable,
                  "`tool_choice` must name a function: {\"type\": "
                  "\"function\", \"function\": {\"name\": ...}}");
    }
    choice.forced = true;
    choice.name = *name->AsString();
  }
  if (choice.forced && !has_tools) {
    throw Error(Code::kUnprocessable, "`tool_choice` asks for a call, but there are no `tools`");
  }
  return choice;
}

bool IsStrict(const Json& tool) {
  const Json* function = tool.Find("function");
  return function != nullptr && function->BoolField("strict").value_or(false);
}

}  // namespace

std::string ReadTools(ModelServer& server, const Json& body, TextRequest* request) {
  ToolChoice choice = ReadToolChoice(body);
  if (choice.none) return "";
  std::string source = server.runner().model().ChatTemplateText("", true);
  auto family = runtime::DetectToolCallFamily(source);
  if (!family) {
    throw Error(Code::kUnprocessable, "this model's chat template knows no tools");
  }
  // The marks of tool calls are special tokens in most families.
  request->keep_special_tokens = true;
  const Json& tools = *body.Find("tools");
  runtime::ToolCallRules rules;
  rules.text_allowed = !choice.forced;
  rules.several = runtime::ReadFlag(body, "parallel_tool_calls").value_or(true) && !choice.name;
  rules.name = choice.name;
  bool strict = std::any_of(tools.AsArray()->begin(), tools.AsArray()->end(), IsStrict);
  if (!choice.forced && !strict && rules.several) return std::string(*family);
  if (request->constraint != nullptr) {
    if (!choice.forced) return std::string(*family);
    throw Error(Code::kUnprocessable, "`response_format` cannot be combined with a forced call");
  }
  runtime::ToolCallFrame frame = runtime::ToolCallFrameOf(*family, source);
  request->constraint = std::make_shared<runtime::TokenConstraint>(
      server.runner().vocabulary(frame.marks), runtime::ToolCallGrammar(frame, tools, rules));
  return std::string(*family);
}

std::unique_ptr<AnswerReader> MakeReader(const std::string& family, const Json& body) {
  if (family.empty()) return std::make_unique<AnswerReader>(nullptr);
  return std::make_unique<AnswerReader>(
      runtime::MakeToolCallParser(family, runtime::ToolTypes(*body.Find("tools"))));
}

}  // namespace hearth::serving
