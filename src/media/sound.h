// Recordings as models take them: bytes of a file -> samples of one channel.
//
// WAV, FLAC, Ogg (Vorbis, Opus) and MP3, told apart by their first bytes.
// Thread rule: pure functions; call them from any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace hearth::media {

struct Sound {
  uint32_t rate = 0;           // samples a second
  std::vector<float> samples;  // mean of the channels; files of whole numbers give -1 to 1
};

// What a recording may be; judged while it is decoded, for headers lie about lengths.
struct SoundLimits {
  uint64_t samples = uint64_t{1} << 26;  // of one channel: 23 minutes at 48 kHz, 256 MiB
  uint32_t channels = 32;
  uint32_t lowest_rate = 1000, highest_rate = 768'000;  // hertz
};

// The recording in `bytes`. Throws Error kUnprocessable that names what is wrong: no recording that
// is known, damaged, empty, or over a limit.
Sound DecodeSound(std::string_view bytes, const SoundLimits& limits = {});

// The same sound at another rate: a windowed sinc, low-passed below half of the lower rate. Gives
// ceil(samples * rate / sound.rate) samples. Throws Error kInvalidArgument when a rate is 0 or
// above 768,000.
Sound ResampleSound(const Sound& sound, uint32_t rate);

}  // namespace hearth::media
