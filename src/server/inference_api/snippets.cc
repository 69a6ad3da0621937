#include "server/inference_api/snippets.h"

#include <string_view>

namespace hearth::server {
namespace {

std::string Filled(std::string_view text, const std::string& base_url, const std::string& id) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at).starts_with("{URL}")) {
      out += base_url;
      at += 4;
    } else if (text.substr(at).starts_with("{ID}")) {
      out += id;
      at += 3;
    } else {
      out += text[at];
    }
  }
  return out;
}

// How each task is asked: the body of POST /models/{id}, and the call of InferenceClient.
struct TaskCode {
  std::string_view task, body, call;
};
constexpr TaskCode kTaskCodes[] = {
    {"text-generation", R"({"inputs": "Once upon a time", "parameters": {"max_new_tokens": 50}})",
     R"(text_generation("Once upon a time", max_new_tokens=50))"},
    {"fill-mask", R"({"inputs": "Paris is the [MASK] of France."})",
     R"(fill_mask("Paris is the [MASK] of France."))"},
    {"text-classification", R"({"inputs": "I like it very much."})",
     R"(text_classification("I like it very much."))"},
    {"token-classification", R"({"inputs": "Ada lived in London."})",
     R"(token_classification("Ada lived in London."))"},
    {"zero-shot-classification",
     R"({"inputs": "The train is late.", "parameters": {"candidate_labels": ["travel", "food"]}})",
     R"(zero_shot_classification("The train is late.", ["travel", "food"]))"},
    {"question-answering",
     R"({"inputs": {"question": "Who came?", "context": "Ada came at noon."}})",
     R"(question_answering(question="Who came?", context="Ada came at noon."))"},
    {"sentence-similarity",
     R"({"inputs": {"source_sentence": "A dog sleeps.", "sentences": ["A cat naps.", "It rains."]}})",
     R"(sentence_similarity("A dog sleeps.", other_sentences=["A cat naps.", "It rains."]))"},
    {"feature-extraction", R"({"inputs": "A text as a vector."})",
     R"(feature_extraction("A text as a vector."))"},
    {"text-ranking", R"({"query": "Where is it?", "texts": ["It is here.", "It rains."]})", ""},
};

// Tasks that are asked with a file.
constexpr TaskCode kFileCodes[] = {
    {"image-classification", "picture.jpg", R"(image_classification("picture.jpg"))"},
    {"image-feature-extraction", "picture.jpg", ""},
    {"audio-classification", "recording.wav", R"(audio_classification("recording.wav"))"},
};

constexpr std::string_view kFileCurl = R"(curl {URL}/models/{ID} \
  -H "Authorization: Bearer $HF_TOKEN" -H "Content-Type: application/octet-stream" \
  --data-binary @)";
constexpr std::string_view kCurl = R"(curl {URL}/models/{ID} \
  -H "Authorization: Bearer $HF_TOKEN" -H "Content-Type: application/json" \
  -d ')";
constexpr std::string_view kClient = R"(import os
from huggingface_hub import InferenceClient

client = InferenceClient(base_url="{URL}/models/{ID}", api_key=os.environ["HF_TOKEN"])
print(client.)";
constexpr std::string_view kChatCurl = R"(curl {URL}/v1/chat/completions \
  -H "Authorization: Bearer $HF_TOKEN" -H "Content-Type: application/json" \
  -d '{"model": "{ID}", "messages": [{"role": "user", "content": "Hello!"}]}')";
constexpr std::string_view kChatClient = R"(import os
from huggingface_hub import InferenceClient

client = InferenceClient(base_url="{URL}/models/{ID}", api_key=os.environ["HF_TOKEN"])
for part in client.chat_completion([{"role": "user", "content": "Hello!"}], stream=True):
    print(part.choices[0].delta.content or "", end=""))";
constexpr std::string_view kChatOpenAi = R"(import os
from openai import OpenAI

client = OpenAI(base_url="{URL}/v1", api_key=os.environ["HF_TOKEN"])
answer = client.chat.completions.create(model="{ID}", messages=[{"role": "user", "content": "Hello!"}])
print(answer.choices[0].message.content))";
constexpr std::string_view kEmbedOpenAi = R"(import os
from openai import OpenAI

client = OpenAI(base_url="{URL}/v1", api_key=os.environ["HF_TOKEN"])
print(client.embeddings.create(model="{ID}", input="A text as a vector.").data[0].embedding))";
// Its command line sends no token: it reaches what everybody may read.
constexpr std::string_view kOllama = "OLLAMA_HOST={URL} ollama run {ID}";

}  // namespace

Json Snippets(const std::string& base_url, const std::string& id, const std::string& task) {
  Json list = Json::Arr();
  auto add = [&](std::string_view name, std::string_view code) {
    list.Push(Json::Obj({{"name", name}, {"code", Filled(code, base_url, id)}}));
  };
  if (task == "conversational") {
    add("curl", kChatCurl);
    add("huggingface_hub", kChatClient);
    add("openai", kChatOpenAi);
    add("ollama", kOllama);
    return list;
  }
  for (const TaskCode& code : kTaskCodes) {
    if (code.task != task) continue;
    add("curl", std::string(kCurl) + std::string(code.body) + "'");
    if (!code.call.empty()) {
      add("huggingface_hub", std::string(kClient) + std::string(code.call) + ")");
    }
  }
  for (const TaskCode& code : kFileCodes) {
    if (code.task != task) continue;
    add("curl", std::string(kFileCurl) + std::string(code.body));
    if (!code.call.empty()) {
      add("huggingface_hub", std::string(kClient) + std::string(code.call) + ")");
    }
  }
  if (task == "feature-extraction" || task == "sentence-similarity") add("openai", kEmbedOpenAi);
  if (task == "text-generation") add("ollama", kOllama);
  return list;
}

}  // namespace hearth::server
