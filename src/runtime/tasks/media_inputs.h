// Pictures and sounds on their way into tasks. Errors: kUnprocessable.
//
// A task that takes files is given their bytes, in a string; HTTP clients send them bare, or in
// JSON as Base64 or as a data URL.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/tasks/inputs.h"

namespace hearth::runtime {

// "inputs" of a JSON request as tasks that take files are given them: of one text or of a list.
Json FilesOf(const Json& inputs);

// The bytes of `inputs`, a string or a list of them, as rows of the model's features.
std::vector<EncoderInput> EncodeFiles(const Model& model, const Json& inputs, bool* is_list);

// Refusal unless the model takes such files, and says how they are to be prepared.
std::optional<std::string> NeedsInput(const Model& model, ModelInput input, std::string_view task);

}  // namespace hearth::runtime
