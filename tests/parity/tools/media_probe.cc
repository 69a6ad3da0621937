// Answers questions about src/media for the parity tests: one JSON array per line in, one JSON
// value per line out; {"error": code, "message": text} when the library refuses. Pixels and samples
// go through files: raw bytes, native floats.
//   ["image", file, out]                                    -> [width, height]
//   ["resize", rgb file, width, height, to width, to height, filter, out] -> [width, height]
//   ["crop", rgb file, width, height, to width, to height, out]           -> [width, height]
//   ["sound", file, out]                                    -> [rate, samples]
//   ["resample", samples file, rate, to rate, out]          -> [rate, samples]
//   ["filter_bank", samples file, rate, bins, out]          -> [frames, bins]
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>

#include "base/error.h"
#include "codec/json.h"
#include "media/image_transform.h"
#include "media/mel.h"
#include "media/sound.h"

namespace hearth {
namespace {

using Arguments = Json::Array;

const std::string& Text(const Arguments& arguments, size_t index) {
  return *arguments.at(index).AsString();
}

uint32_t Number(const Arguments& arguments, size_t index) {
  return static_cast<uint32_t>(arguments.at(index).AsInt().value());
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<float> ReadSamples(const std::string& path) {
  std::string bytes = ReadAll(path);
  const auto* first = reinterpret_cast<const float*>(bytes.data());
  return {first, first + bytes.size() / sizeof(float)};
}

void WriteAll(const std::string& path, const void* bytes, size_t size) {
  std::ofstream(path, std::ios::binary)
      .write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
}

Json Pair(uint64_t first, uint64_t second) { return Json::Arr({first, second}); }

Json Answer(const media::Image& image, const std::string& path) {
  WriteAll(path, image.rgb.data(), image.rgb.size());
  return Pair(image.width, image.height);
}

Json Answer(const media::Sound& sound, const std::string& path) {
  WriteAll(path, sound.samples.data(), sound.samples.size() * sizeof(float));
  return Pair(sound.rate, sound.samples.size());
}

media::Image Raw(const Arguments& arguments) {
  std::string bytes = ReadAll(Text(arguments, 1));
  return {Number(arguments, 2), Number(arguments, 3), {bytes.begin(), bytes.end()}};
}

media::Resample Filter(const std::string& name) {
  static const std::map<std::string, media::Resample> kFilters = {
      {"nearest", media::Resample::kNearest}, {"bilinear", media::Resample::kBilinear},
      {"bicubic", media::Resample::kBicubic}, {"lanczos", media::Resample::kLanczos},
      {"box", media::Resample::kBox},         {"hamming", media::Resample::kHamming}};
  return kFilters.at(name);
}

Json FilterBank(const Arguments& arguments) {
  std::vector<float> samples = ReadSamples(Text(arguments, 1));
  media::FilterBankOptions options{.rate = Number(arguments, 2), .mel_bins = Number(arguments, 3)};
  std::vector<float> bank = media::KaldiFilterBank(samples, options);
  WriteAll(Text(arguments, 4), bank.data(), bank.size() * sizeof(float));
  return Pair(bank.size() / options.mel_bins, options.mel_bins);
}

const std::map<std::string, std::function<Json(const Arguments&)>>& Questions() {
  static const std::map<std::string, std::function<Json(const Arguments&)>> kQuestions = {
      {"image",
       [](const Arguments& a) {
         return Answer(media::DecodeImage(ReadAll(Text(a, 1))), Text(a, 2));
       }},
      {"resize",
       [](const Arguments& a) {
         return Answer(media::Resize(Raw(a), Number(a, 4), Number(a, 5), Filter(Text(a, 6))),
                       Text(a, 7));
       }},
      {"crop",
       [](const Arguments& a) {
         return Answer(media::CenterCrop(Raw(a), Number(a, 4), Number(a, 5)), Text(a, 6));
       }},
      {"sound",
       [](const Arguments& a) {
         return Answer(media::DecodeSound(ReadAll(Text(a, 1))), Text(a, 2));
       }},
      {"resample",
       [](const Arguments& a) {
         return Answer(media::ResampleSound({Number(a, 2), ReadSamples(Text(a, 1))}, Number(a, 3)),
                       Text(a, 4));
       }},
      {"filter_bank", FilterBank},
  };
  return kQuestions;
}

Json Reply(const std::string& line) {
  try {
    Json request = Json::Parse(line);
    const Arguments& arguments = *request.AsArray();
    return Questions().at(Text(arguments, 0))(arguments);
  } catch (const Error& error) {
    return Json::Obj({{"error", CodeName(error.code())}, {"message", error.message()}});
  }
}

}  // namespace
}  // namespace hearth

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::cout << hearth::Reply(line).Dump() << '\n' << std::flush;
  }
}
