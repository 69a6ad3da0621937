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
  // Behind handle_at_once it is made already, so that nothing blocks the I/O thread.
  bool texts = request.kind == runtime::EmbeddingRequest::Kind::kTexts;
  runtime::Encoder* found = texts ? runner.FindEmbedder() : nullptr;
  runtime::Encoder& encoder = found != nullptr ? *found : runtime::EncoderFor(runner, request);
  if (request.tokens.size() > kFewTexts) {
    return JsonTextAnswer(request.write(runtime::Compute(encoder, request, http.left)));
  }
  auto begin = [&encoder, request = std::move(request)](const std::stop_token& left,
                                                        GiveAnswer give) mutable {
    auto done = [give = std::move(give), write = std::move(request.write)](
                    const std::exception_ptr& failure, const runtime::EmbeddedTexts& embedded) {
      give([&] {
        if (failure) std::rethrow_exception(failure);
        return JsonTextAnswer(write(embedded));
      });
    };
    runtime::StartComputing(encoder, std::move(request), left, std::move(done));
  };
  return AnswerLater(shape, std::move(begin));
}

net::Response AnswerTask(ModelServer& server, const net::Request& http, const runtime::Task& task,
                         const Json& inputs, const Json& parameters) {
  runtime::Runner& runner = server.runner();
  if (auto refusal = task.refusal(runner.model())) throw Error(Code::kUnprocessable, *refusal);
  if (task.embed != nullptr) {
    return AnswerWithVectors(server, http, FaultShape::kInference,
                             task.embed(runner, inputs, parameters));
  }
  return JsonAnswer(task.run(runner, inputs, parameters, http.left));
}

}  // namespace hearth::serving
