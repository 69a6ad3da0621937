#include "media/sound.h"

#include <fmt/format.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "base/error.h"

namespace hearth::media {
namespace {

constexpr size_t kFramesAtOnce = 4096;

// The bytes as a file that libsndfile reads.
struct Source {
  std::string_view bytes;
  sf_count_t at = 0;

  sf_count_t size() const { return static_cast<sf_count_t>(bytes.size()); }
};

sf_count_t Length(void* source) { return static_cast<Source*>(source)->size(); }
sf_count_t Tell(void* source) { return static_cast<Source*>(source)->at; }

sf_count_t Seek(sf_count_t offset, int from, void* user) {
  auto* source = static_cast<Source*>(user);
  const sf_count_t base = from == SEEK_SET ? 0 : from == SEEK_CUR ? source->at : source->size();
  // `offset` may be anything that a header says.
  if (offset < -base || offset > source->size() - base) return -1;
  return source->at = base + offset;
}

sf_count_t Read(void* out, sf_count_t count, void* user) {
  auto* source = static_cast<Source*>(user);
  count = std::clamp<sf_count_t>(count, 0, source->size() - source->at);
  std::memcpy(out, source->bytes.data() + source->at, static_cast<size_t>(count));
  source->at += count;
  return count;
}

sf_count_t RefuseWrite(const void*, sf_count_t, void*) { return 0; }

// libsndfile knows some thirty formats; these are tried, and no others.
bool IsKnown(std::string_view bytes) {
  if (bytes.size() < 12) return false;
  if (bytes.starts_with("RIFF") || bytes.starts_with("RIFX")) return bytes.substr(8, 4) == "WAVE";
  if (bytes.starts_with("fLaC") || bytes.starts_with("OggS") || bytes.starts_with("ID3"))
    return true;
  // MPEG audio begins with eleven set bits, and its layer is not the reserved one.
  const auto first = static_cast<uint8_t>(bytes[0]), second = static_cast<uint8_t>(bytes[1]);
  return first == 0xff && (second & 0xe0) == 0xe0 && (second & 0x06) != 0;
}

bool IsWanted(int format) {
  switch (format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_WAV:
    case SF_FORMAT_WAVEX:
    case SF_FORMAT_FLAC:
    case SF_FORMAT_OGG:
    case SF_FORMAT_MPEG:
      return true;
    default:
      return false;
  }
}

[[noreturn]] void ThrowUnusable(std::string what) {
  throw Error(Code::kUnprocessable, std::move(what));
}

void CheckInfo(const SF_INFO& info, const SoundLimits& limits) {
  if (!IsWanted(info.format))
    ThrowUnusable("this is no recording that can be read: WAV, FLAC, Ogg and MP3 are");
  if (info.channels < 1 || static_cast<uint32_t>(info.channels) > limits.channels) {
    ThrowUnusable(fmt::format("the recording has {} channels; at most {} are read", info.channels,
                              limits.channels));
  }
  if (info.samplerate < 1 || static_cast<uint32_t>(info.samplerate) < limits.lowest_rate ||
      static_cast<uint32_t>(info.samplerate) > limits.highest_rate) {
    ThrowUnusable(fmt::format("the recording's rate is {} Hz; {} to {} are read", info.samplerate,
                              limits.lowest_rate, limits.highest_rate));
  }
}

// The mean of each frame's channels, at the end of `samples`.
void AppendMono(const float* frames, size_t count, size_t channels, std::vector<float>& samples) {
  for (size_t i = 0; i < count; ++i, frames += channels) {
    float sum = 0;
    for (size_t c = 0; c < channels; ++c) sum += frames[c];
    const float mean = sum / static_cast<float>(channels);
    if (!std::isfinite(mean))
      ThrowUnusable("the recording is damaged: it holds samples that are no numbers");
    samples.push_back(mean);
  }
}

}  // namespace

Sound DecodeSound(std::string_view bytes, const SoundLimits& limits) {
  if (bytes.empty()) ThrowUnusable("the recording is empty: no bytes");
  if (!IsKnown(bytes))
    ThrowUnusable("this is no recording that can be read: WAV, FLAC, Ogg and MP3 are");
  Source source{bytes};
  SF_VIRTUAL_IO calls{Length, Seek, Read, RefuseWrite, Tell};
  SF_INFO info{};
  std::unique_ptr<SNDFILE, decltype(&sf_close)> file(
      sf_open_virtual(&calls, SFM_READ, &info, &source), sf_close);
  if (file == nullptr) ThrowUnusable("the recording is damaged: its header makes no sense");
  CheckInfo(info, limits);
  Sound sound;
  sound.rate = static_cast<uint32_t>(info.samplerate);
  const auto channels = static_cast<size_t>(info.channels);
  std::vector<float> frames(kFramesAtOnce * channels);
  for (;;) {
    const sf_count_t count = sf_readf_float(file.get(), frames.data(), kFramesAtOnce);
    if (count <= 0) break;
    if (sound.samples.size() + static_cast<size_t>(count) > limits.samples) {
      ThrowUnusable(fmt::format("the recording is too long: more than {} seconds",
                                limits.samples / sound.rate));
    }
    AppendMono(frames.data(), static_cast<size_t>(count), channels, sound.samples);
  }
  if (sound.samples.empty())
    ThrowUnusable("the recording is empty: no samples can be read from it");
  return sound;
}

}  // namespace hearth::media
