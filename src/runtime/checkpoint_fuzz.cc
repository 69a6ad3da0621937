// config.json, the safetensors header and what the architecture's tables make of both.
#include "base/error.h"
#include "runtime/checkpoint.h"
#include "runtime/checkpoint_check.h"
#include "runtime/edited_files.h"
#include "runtime/engine/tiny_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth;
  static const runtime::TinyModel kModel("checkpoint_fuzz");
  static const runtime::EditedFiles kFiles(kModel.folder());
  try {
    runtime::Checkpoint checkpoint = runtime::LoadCheckpoint(kFiles.Write(data, size));
    runtime::CheckCheckpoint(checkpoint, runtime::HeadOf(checkpoint.config));
  } catch (const Error&) {
    // What a wrong file ends in.
  }
  return 0;
}
