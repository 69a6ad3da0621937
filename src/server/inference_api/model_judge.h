// The judge that a hub is opened with when it runs models: runtime/support.h behind hub's
// interface.
#pragma once

#include <cstdint>

#include "hub/model_judge.h"

namespace hearth::server {

// `memory_bytes`: what a single model may take.
hub::ModelJudge MakeModelJudge(uint64_t memory_bytes);

}  // namespace hearth::server
