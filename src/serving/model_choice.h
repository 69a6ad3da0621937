// Which model a request means: the one that is served, or an adapter beside it.
#pragma once

#include <memory>
#include <string>

#include "serving/model_server.h"

namespace hearth::serving {

struct ModelChoice {
  std::string name;                                       // as answers give it
  std::shared_ptr<const runtime::LoadedAdapter> adapter;  // nullptr: the model itself
};

// By "model", as OpenAI's clients name it. One model alone answers to every name, as many clients
// send a fixed one; where adapters can be loaded an unknown name throws kNotFound.
ModelChoice ChooseModel(ModelServer& server, const Json& body);

}  // namespace hearth::serving
