// Replacing in plain strings, for the decoders.
#pragma once

#include <string>
#include <string_view>

namespace hearth::tokenizers::internal {

// Every `from`, left to right. An empty `from` stands before every character and at the end.
void ReplaceAll(std::string_view from, std::string_view to, std::string* text);

// Spaces before punctuation and in English short forms, as tokenizers of word pieces leave them.
void CleanUp(std::string* text);

}  // namespace hearth::tokenizers::internal
