// What the examiners of the scanner share: where findings go, and how a part is examined in turn.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "formats/scan/scan.h"

namespace hearth {

// One thing under examination.
struct ScanItem {
  ByteSource& source;
  std::string path;
  int depth = 0;
  // Bytes that came from nowhere in particular (a literal, a gap): only what is certain is
  // reported.
  bool stray = false;
  bool torchscript = false;            // a direct member of a TorchScript archive
  bool script_archive = false;         // a TorchScript archive whose members are being examined
  std::string_view extension() const;  // lower-case letters after the last dot of the path
  std::string_view name() const;       // after the last '/' or '!'
  std::string first = {};              // up to 1024 bytes
};

class ScanContext {
 public:
  explicit ScanContext(const ScanLimits& limits) : limits_(limits) {}
  const ScanLimits& limits() const { return limits_; }
  ScanReport& report() { return report_; }

  void Add(Severity severity, std::string_view kind, const std::string& path, uint64_t offset,
           std::string evidence, std::string advice = "");
  void AddGlobal(const std::string& path, const PickleGlobal& global);
  // Examines a part of `parent` under the path parent.path + "!" + name.
  void Enter(const ScanItem& parent, ByteSource& source, const std::string& name, bool stray);
  // Unpacks and examines.
  void EnterPacked(const ScanItem& parent, ByteSource& packed, Packing packing,
                   const std::string& name);
  // How much may still be unpacked, and what of one stream.
  UnpackLimits LeftToUnpack() const;
  void Examine(ScanItem& item);
  // The whole text of a small file; nullopt and a finding when it is too large.
  std::optional<std::string> ReadText(const ScanItem& item);

 private:
  ScanLimits limits_;
  ScanReport report_;
  std::set<std::string> seen_;  // findings, so that readings that agree report once
};

// The examiners. Each looks at the item and does nothing when it is not its kind; true when it was.
bool ExaminePickles(ScanContext& context, ScanItem& item);
bool ExamineZip(ScanContext& context, ScanItem& item);
bool ExamineTar(ScanContext& context, ScanItem& item);
bool ExamineCompressed(ScanContext& context, ScanItem& item);
bool ExaminePackedArchive(ScanContext& context, ScanItem& item);  // 7z, rar
bool ExamineSealed(ScanContext& context, ScanItem& item);         // cabinets, programs
bool ExamineNumpy(ScanContext& context, ScanItem& item);
bool ExamineHdf5(ScanContext& context, ScanItem& item);
bool ExamineModel(ScanContext& context, ScanItem& item);  // gguf, safetensors, onnx, SavedModel
bool ExamineText(ScanContext& context, ScanItem& item);   // json, yaml, templates, source code

// Bytes [begin, end) that belong to nothing: searched for pickles.
void SearchForPickles(ScanContext& context, ScanItem& item, uint64_t begin, uint64_t end);

// Is it a model of Keras, and what does it run?
void ExamineKerasConfig(ScanContext& context, const std::string& path, const Json& config);

}  // namespace hearth
