// Where a folder's model runs and what memory it needs, for inspect. Errors: those of the
// inspector.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codec/json.h"

namespace hearth::cli {

struct FitOptions {
  std::vector<std::string> devices;  // as ParseDevice takes them; this machine is always there
  uint64_t context = 0;              // tokens; 0 = the usual
};

// {"runtimes", "fit"}
Json FitJson(const std::string& folder, const FitOptions& options);
// Nothing for a folder without a model.
void PrintFit(const std::string& folder, const FitOptions& options);

}  // namespace hearth::cli
