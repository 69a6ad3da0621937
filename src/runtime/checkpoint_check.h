// Whether a checkpoint holds the model that its configuration describes.
//
// A forward pass is recorded, not computed: every tensor that it needs must be there in the shape
// that the configuration gives, tables must reach as far as the configuration promises. Reads no
// weights; costs milliseconds. Errors: kInvalidArgument naming the tensor or the key;
// kUnimplemented for a model type that cannot run.
#pragma once

#include "runtime/architecture.h"
#include "runtime/checkpoint.h"

namespace hearth::runtime {

void CheckCheckpoint(const Checkpoint& checkpoint, Head head);

}  // namespace hearth::runtime
