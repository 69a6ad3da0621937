// Code that asks a model of this hub, for people to copy. Pure.
#pragma once

#include <string>

#include "codec/json.h"

namespace hearth::server {

// [{name, code}]: curl, huggingface_hub, openai and whatever else has words for the task.
Json Snippets(const std::string& base_url, const std::string& id, const std::string& task);

}  // namespace hearth::server
