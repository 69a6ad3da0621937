// Tokenizer files of other kinds -> the tokenizer.json that means the same.
//
// One loader per kind in loaders/, one line in loaders.inc. A loader answers nullopt when its files
// are not there and throws Error{kInvalidArgument} when they are broken. What comes out is what the
// reference's own converters write where they exist, so one parser serves all kinds.
// Pure apart from reading; safe for concurrent use.
#pragma once

#include <filesystem>

#include "codec/json.h"
#include "tokenizers/loaders/files.h"
#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {

// tokenizer.json where there is one, else the first kind of loaders.inc that finds its files.
// Throws Error{kNotFound} when there is no tokenizer at all.
Json LoadTokenizerJson(const TokenizerFiles& files);
// A folder, or a single file of one of these kinds, whatever it is called. Errors name `path`.
Json LoadTokenizerJson(const std::filesystem::path& path);
// The tokenizer of such a folder or file. A tokenizer.json and a GGUF file are kept in the cache of
// `options`.
Tokenizer LoadTokenizer(const std::filesystem::path& path, const LoadOptions& options = {});

}  // namespace hearth::tokenizers
