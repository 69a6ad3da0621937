#include "runtime/tasks/media_inputs.h"

#include "base/error.h"
#include "codec/base64.h"
#include "media/image.h"
#include "media/sound.h"

namespace hearth::runtime {
namespace {

// Of one request: pictures are decoded before the first is computed.
constexpr size_t kMaxFiles = 32;

std::string DecodeFile(const Json& value) {
  const std::string* text = value.AsString();
  if (text == nullptr) Refuse("inputs must be a file as Base64, or a list of them");
  std::string_view encoded = *text;
  if (encoded.starts_with("http://") || encoded.starts_with("https://")) {
    Refuse("inputs is an address: files are not fetched here, send their bytes");
  }
  if (encoded.starts_with("data:")) {
    size_t comma = encoded.find(',');
    bool is_base64 =
        comma != std::string_view::npos && encoded.substr(0, comma).ends_with(";base64");
    if (!is_base64) Refuse("a data URL must hold Base64");
    encoded.remove_prefix(comma + 1);
  }
  auto bytes = Base64Decode(encoded);
  if (!bytes) Refuse("inputs is no Base64");
  return std::move(*bytes);
}

std::vector<float> ValuesOf(const Model& model, const std::string& bytes) {
  if (model.shape().input == ModelInput::kSound) {
    return model.sound_preprocessing()->Apply(media::DecodeSound(bytes));
  }
  return model.image_preprocessing()->Apply(media::DecodeImage(bytes));
}

EncoderInput EncodeFile(const Model& model, const Json& file) {
  const std::string* bytes = file.AsString();
  if (bytes == nullptr || bytes->empty()) Refuse("inputs holds no file");
  const PatchGrid& grid = model.shape().patches;
  std::vector<float> values = ValuesOf(model, *bytes);
  if (values.size() != grid.values()) {
    Refuse(
        "the picture is not of the size that this model takes, and its preprocessor_config.json "
        "does not make it so");
  }
  EncoderInput input;
  input.types = PatchRowKinds(grid);
  input.features = CutPatches(grid, values);
  return input;
}

}  // namespace

Json FilesOf(const Json& inputs) {
  if (!inputs.is_array()) return Json(DecodeFile(inputs));
  Json files = Json::Arr();
  for (const Json& each : *inputs.AsArray()) files.Push(DecodeFile(each));
  return files;
}

std::vector<EncoderInput> EncodeFiles(const Model& model, const Json& inputs, bool* is_list) {
  std::vector<EncoderInput> encoded;
  *is_list = inputs.is_array();
  if (!*is_list) {
    encoded.push_back(EncodeFile(model, inputs));
    return encoded;
  }
  if (inputs.size() == 0 || inputs.size() > kMaxFiles) {
    Refuse("inputs must hold 1 to " + std::to_string(kMaxFiles) + " files");
  }
  for (const Json& each : *inputs.AsArray()) encoded.push_back(EncodeFile(model, each));
  return encoded;
}

std::optional<std::string> NeedsInput(const Model& model, ModelInput input, std::string_view task) {
  bool is_image = input == ModelInput::kImage;
  if (model.shape().input != input) {
    return "this model takes no " + std::string(is_image ? "pictures" : "sounds") + ", which " +
           std::string(task) + " is about";
  }
  bool is_prepared =
      is_image ? model.image_preprocessing() != nullptr : model.sound_preprocessing() != nullptr;
  if (!is_prepared) {
    return "this model has no preprocessor_config.json, which says how its inputs are prepared";
  }
  return std::nullopt;
}

}  // namespace hearth::runtime
