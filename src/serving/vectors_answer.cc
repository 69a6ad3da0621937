#include "serving/vectors_answer.h"

#include <utility>

#include "base/error.h"
#include "serving/later_answer.h"

namespace hearth::serving {

bool AlwaysEmbeds(ModelServer&, const net::Request&) { return true; }

void NeedEmbeddings(ModelServer& server) {
  if (auto refusal = runtime::EmbeddingRefusal(server.runner().model())) {
    throw Error(Code::kUnprocessable, *refusal);
  }
}

net::Response AnswerWithVectors(ModelServer& server, const net::Request& http, FaultShape shape,
                                runtime::EmbeddingRequest request) {
  runtime::Runner& runner = server.runner();
  if (request.tokens.size() > kFewTexts) {
    return JsonTextAnswer(
        request.write(EmbedTokens(runner, request.tokens, request.form, http.left)));
  }
  // Behind handle_at_once it is made already, so that nothing blocks the I/O thread.
  runtime::Encoder* embedder = runner.FindEmbedder();
  if (embedder == nullptr) embedder = &runner.embedder();
  auto begin = [embedder, request = std::move(request)](const std::stop_token& left,
                                                        GiveAnswer give) mutable {
    auto done = [give = std::move(give), write = std::move(request.write)](
                    const std::exception_ptr& failure, const runtime::EmbeddedTexts& embedded) {
      give([&] {
        if (failure) std::rethrow_exception(failure);
        return JsonTextAnswer(write(embedded));
      });
    };
    runtime::StartEmbedding(*embedder, std::move(request.tokens), request.form, left,
                            std::move(done));
  };
  return AnswerLater(shape, std::move(begin));
}

net::Response AnswerTask(ModelServer& server, const net::Request& http, const runtime::Task& task,
                         const Json& inputs, const Json& parameters) {
  runtime::Runner& runner = server.runner();
  if (auto refusal = task.refusal(runner.model())) throw Error(Code::kUnprocessable, *refusal);
  if (task.embed != nullptr) {
    if (auto request = task.embed(runner, inputs, parameters)) {
      return AnswerWithVectors(server, http, FaultShape::kInference, *std::move(request));
    }
  }
  return JsonAnswer(task.run(runner, inputs, parameters, http.left));
}

}  // namespace hearth::serving
