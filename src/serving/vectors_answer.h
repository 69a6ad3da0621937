// Answers of routes that embed texts: what a few texts become is written by the threads that
// compute them, and no thread waits for it; many texts are waited for (kFewTexts).
#pragma once

#include <optional>

#include "runtime/tasks/embeddings.h"
#include "serving/model_server.h"

namespace hearth::serving {

// Throws kUnprocessable where the model gives no embeddings.
void NeedEmbeddings(ModelServer& server);

// `shape` is that of the errors that computing or writing may end in.
net::Response AnswerWithVectors(ModelServer& server, const net::Request& http, FaultShape shape,
                                runtime::EmbeddingRequest request);

// The Inference API's answer of any task; throws what RunTask throws.
net::Response AnswerTask(ModelServer& server, const net::Request& http, const runtime::Task& task,
                         const Json& inputs, const Json& parameters);

}  // namespace hearth::serving
