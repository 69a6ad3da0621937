#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/gguf/gguf.h"
#include "formats/numpy/numpy_array.h"
#include "formats/onnx/onnx_model.h"
#include "formats/safetensors/safetensors.h"
#include "formats/scan/internal/scan_context.h"
#include "formats/source/source_window.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxConfigsBytes = 512 << 20;  // read for all configurations of a file
constexpr uint64_t kMaxConfigBytes = 16 << 20;    // of a model configuration inside of an HDF5 file
constexpr uint64_t kSearchBytes = 1 << 20;

void ExamineGguf(ScanContext& context, ScanItem& item) {
  GgufHeader header = ReadGgufHeader(item.source);
  auto check = [&](const std::string& key, const Json& value) {
    if (value.AsString() == nullptr) return;
    for (const ScanFinding& finding : ScanTemplate(*value.AsString(), item.path)) {
      context.Add(finding.severity, finding.kind, finding.path, finding.offset,
                  key + ": " + finding.evidence, finding.advice);
    }
  };
  for (const GgufMetadata& row : header.metadata) {
    if (row.key.find("chat_template") == std::string::npos) continue;
    check(row.key, row.value);
    if (const Json::Array* several = row.value.AsArray()) {
      for (const Json& value : *several) check(row.key, value);
    }
    if (row.value.is_null() && row.count > 0) {
      context.Add(Severity::kSuspicious, "not-examined", item.path, 0,
                  row.key + ": more templates than are read");
    }
  }
}

void ExamineSafetensors(ScanContext& context, ScanItem& item) {
  SafetensorsHeader header = ReadSafetensorsHeader(item.source);
  for (const auto& [key, value] : header.metadata) {
    if (value.size() > 6 && value.substr(0, 2) == "gA" && value[2] >= 'I' && value[2] <= 'X') {
      context.Add(Severity::kSuspicious, "odd-metadata", item.path, 8,
                  "metadata \"" + key + "\" holds a pickle as base64");
    }
  }
}

void ExamineOnnx(ScanContext& context, ScanItem& item) {
  OnnxLimits limits;
  limits.refuse_escapes = false;
  OnnxModel model = ReadOnnx(item.source, limits);
  for (const std::string& path : model.escapes) {
    context.Add(Severity::kDangerous, "path-escape", item.path, 0,
                "external data at \"" + path + "\"",
                "a loader would read a file outside of the model's folder");
  }
  for (const std::string& domain : model.domains) {
    context.Add(Severity::kSuspicious, "onnx-custom-operators", item.path, 0,
                "operators of \"" + domain + "\"",
                "they need a library of native code: load it only when you trust it");
  }
}

// Operators of a TensorFlow graph that run Python or reach files. The graph is protobuf, where
// names stand as text.
void ExamineSavedModel(ScanContext& context, ScanItem& item) {
  std::optional<std::string> text = context.ReadText(item);
  if (!text) return;
  struct Operator {
    std::string_view name;
    Severity severity;
  };
  static constexpr Operator kOperators[] = {{"PyFunc", Severity::kDangerous},
                                            {"EagerPyFunc", Severity::kDangerous},
                                            {"PyFuncStateless", Severity::kDangerous},
                                            {"ReadFile", Severity::kDangerous},
                                            {"WriteFile", Severity::kDangerous},
                                            {"MatchingFiles", Severity::kSuspicious},
                                            {"PrintV2", Severity::kNote},
                                            {"ShellExecute", Severity::kDangerous}};
  for (const Operator& op : kOperators) {
    // op: field 2 of a NodeDef, so a tag, a length and the name.
    std::string field = {'\x12', static_cast<char>(op.name.size())};
    size_t at = text->find(field + std::string(op.name));
    if (at == std::string::npos) continue;
    context.Add(op.severity, "tensorflow-operator", item.path, at, std::string(op.name),
                "it runs code or reaches files when the model is used");
  }
}

// The JSON object that starts at text[at], by its braces.
std::string_view JsonAt(std::string_view text, size_t at) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = at; i < text.size(); ++i) {
    char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return text.substr(at, i + 1 - at);
    }
  }
  return {};
}

}  // namespace

bool ExamineNumpy(ScanContext& context, ScanItem& item) {
  if (!LooksLikeNumpy(item.first)) return false;
  NumpyArray array;
  try {
    array = ReadNumpyHeader(item.source, /*allow_objects=*/true);
  } catch (const Error& error) {
    context.Add(Severity::kSuspicious, "numpy-malformed", item.path, 0, error.message());
    SearchForPickles(context, item, 0, item.source.size_bytes());
    return true;
  }
  uint64_t at = array.data_offset;
  uint64_t size = item.source.size_bytes();
  if (array.has_objects) {
    context.Add(Severity::kSuspicious, "numpy-objects", item.path, at,
                "an array of Python objects, which is a pickle",
                "numpy.load refuses it unless allow_pickle=True");
    WindowSource window(item.source, at, size - at);
    context.Enter(item, window, "objects.pkl", item.stray);
  } else if (context.limits().deep && at + array.bytes < size) {
    SearchForPickles(context, item, at + array.bytes, size);
  }
  return true;
}

bool ExamineHdf5(ScanContext& context, ScanItem& item) {
  constexpr std::string_view kMagic = "\x89HDF\r\n\x1a\n";
  // The file may start with a block of the user's, of 512 bytes or a larger power of two: then the
  // name decides.
  bool found = item.first.substr(0, 8) == kMagic || item.first.find(kMagic, 8) == 512;
  std::string extension = AsciiLower(item.extension());
  if (!found && extension != "h5" && extension != "hdf5" && extension != "hdf") return false;
  uint64_t size = item.source.size_bytes();
  // An object that does not parse is passed by a step of 16 bytes: a file of their beginnings would
  // be read thousands of times.
  uint64_t budget = size + kMaxConfigsBytes;
  for (uint64_t at = 0; at < size;) {
    size_t n = static_cast<size_t>(std::min(kSearchBytes + 4096, size - at));
    if (n > budget) {
      context.Add(Severity::kSuspicious, "not-examined", item.path, at,
                  "more beginnings of configurations than can be followed");
      break;
    }
    budget -= n;
    std::string block = item.source.Read(at, n);
    // Letters need no escapes: who writes them hides words.
    for (const char* escape : {"\\u004", "\\u005", "\\u006", "\\u007"}) {
      size_t letter = block.find(escape);
      if (letter == std::string::npos) continue;
      context.Add(Severity::kSuspicious, "odd-encoding", item.path, at + letter,
                  "letters as JSON escapes", "an honest writer does not make this");
    }
    size_t hit = block.find("\"class_name\"");
    if (hit != std::string::npos && hit < kSearchBytes) {
      // The object starts a little before its first key.
      size_t open = block.rfind('{', hit);
      uint64_t begin = at + (open == std::string::npos ? hit : open);
      std::string text =
          item.source.Read(begin, static_cast<size_t>(std::min(kMaxConfigBytes, size - begin)));
      budget -= std::min<uint64_t>(budget, text.size());
      std::string_view object = JsonAt(text, 0);
      bool parsed = false;
      if (!object.empty()) {
        try {
          ExamineKerasConfig(context, item.path, Json::Parse(object));
          parsed = true;
        } catch (const Error&) {
        }
      }
      if (!parsed) {
        // Cut into pieces or damaged: the words alone.
        std::string squeezed;
        for (char c : text) {
          if (c != ' ') squeezed.push_back(c);
        }
        if (squeezed.find("\"class_name\":\"Lambda\"") != std::string::npos) {
          context.Add(Severity::kDangerous, "keras-lambda", item.path, begin,
                      "a Lambda layer, which holds Python code");
        }
      }
      at = begin + std::max<uint64_t>(object.size(), 16);
      continue;
    }
    if (at + n >= size) break;
    at += kSearchBytes;
  }
  return true;
}

bool ExamineModel(ScanContext& context, ScanItem& item) {
  std::string extension = AsciiLower(item.extension());
  if (item.first.substr(0, 4) == "GGUF") {
    ExamineGguf(context, item);
    return true;
  }
  if (extension == "gguf" && !item.stray) {
    context.Add(Severity::kSuspicious, "not-examined", item.path, 0,
                "no GGUF file, though it is named as one");
    return false;
  }
  if (extension == "safetensors") {
    ExamineSafetensors(context, item);
    return true;
  }
  if (extension == "onnx" || extension == "ort") {
    if (extension == "onnx") ExamineOnnx(context, item);
    return true;
  }
  if (extension == "pb" || extension == "pbtxt" || item.name() == "saved_model.pb") {
    if (LooksLikeOnnx(item.first)) {
      try {
        ExamineOnnx(context, item);
        return true;
      } catch (const Error&) {
      }
    }
    ExamineSavedModel(context, item);
    return true;
  }
  if (!item.stray && LooksLikeOnnx(item.first)) {
    try {
      ExamineOnnx(context, item);
      return true;
    } catch (const Error&) {
    }
  }
  return false;
}

}  // namespace hearth
