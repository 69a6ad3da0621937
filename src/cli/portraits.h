// Folders and addresses as columns of a comparison. Used by compare and note. Errors: kNotFound for
// what is not there, and what connections throw.
#pragma once

#include <string>
#include <vector>

#include "hub/inspector/compare/portrait.h"

namespace hearth::cli {

// `devices` as of --device. No other repository is known here: bases are declared and no more.
std::vector<inspector::Portrait> ReadPortraits(const std::vector<std::string>& targets,
                                               const std::vector<std::string>& devices);

}  // namespace hearth::cli
