// Recordings of any format, short ones, through all that a model of sound does with them.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "media/mel.h"
#include "media/sound.h"

// libvorbis loses some kilobytes of streams whose set-up headers are damaged. That is theirs to
// mend; all that is allocated here is watched.
extern "C" const char* __lsan_default_suppressions() { return "leak:libvorbis"; }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    hearth::media::Sound sound = hearth::media::DecodeSound(
        {reinterpret_cast<const char*>(data), size}, {.samples = 1 << 14});
    sound.samples.resize(std::min<size_t>(sound.samples.size(), 2000));
    hearth::media::KaldiFilterBank(hearth::media::ResampleSound(sound, 16000).samples, {});
  } catch (const hearth::Error&) {
  }
  return 0;
}
