#include <zlib.h>

#include <algorithm>

#include "base/bytes.h"
#include "formats/archive/archive_tar.h"
#include "formats/archive/archive_zip.h"
#include "formats/scan/internal/scan_context.h"
#include "formats/source/source_window.h"

namespace hearth {
namespace {

constexpr std::string_view kAdvice =
    "an honest writer does not make this: loaders may see other contents than you do";

void AddProblems(ScanContext& context, const ScanItem& item,
                 const std::vector<ArchiveProblem>& problems) {
  for (const ArchiveProblem& problem : problems) {
    context.Add(problem.grave ? Severity::kSuspicious : Severity::kNote, problem.kind, item.path,
                problem.offset, problem.text, std::string(kAdvice));
  }
}

std::optional<Packing> PackingOf(uint16_t method) {
  switch (method) {
    case 0:
      return Packing::kStored;
    case 8:
      return Packing::kDeflate;
    case 12:
      return Packing::kBzip2;
    case 14:
      return Packing::kZipLzma;
    case 20:
    case 93:
      return Packing::kZstd;
    case 95:
      return Packing::kXz;
    default:
      return std::nullopt;
  }
}

// "model.pkl" for model.pkl.gz; loaders of "model.joblib" unpack without another name.
std::string UnpackedName(const ScanItem& item) {
  std::string name(item.name());
  for (std::string_view ending : {".gz", ".bz2", ".xz", ".lzma", ".zst", ".lz4", ".z", ".tgz"}) {
    if (name.size() > ending.size() && name.ends_with(ending)) {
      return name.substr(0, name.size() - ending.size());
    }
  }
  return name;
}

void ExamineMember(ScanContext& context, const ScanItem& item, const ZipMember& member) {
  std::string name = member.name.substr(0, 300);
  for (size_t i = 0; i < member.readings.size(); ++i) {
    const ZipReading& reading = member.readings[i];
    WindowSource window(item.source, reading.offset, reading.packed_bytes);
    std::optional<Packing> packing = PackingOf(reading.method);
    if (!packing) {
      context.Add(Severity::kSuspicious, "not-examined", item.path + "!" + name, reading.offset,
                  "compression method " + std::to_string(reading.method) + " is not known",
                  "treat what is inside as dangerous");
      // A loader that does not look at the method reads the bytes as they are.
      packing = Packing::kStored;
    }
    context.EnterPacked(item, window, *packing, name);
    // Marked as encrypted: some loaders ask for a password, others read the bytes.
    if (member.encrypted && packing == Packing::kStored) {
      context.Add(Severity::kSuspicious, "not-examined", item.path + "!" + name, reading.offset,
                  "the member may be encrypted", "treat what is inside as dangerous");
    }
  }
}

// TorchScript archives carry programs. True when PyTorch gives this archive to its own interpreter,
// which it does by constants.pkl, and not to a pickle loader.
bool CheckTorchScript(ScanContext& context, const ScanItem& item, const ZipWalk& walk) {
  size_t files = 0;
  bool constants = false;
  for (const ZipMember& member : walk.members) {
    constants = constants || member.name.ends_with("/constants.pkl");
    bool code = member.name.find("/code/") != std::string::npos && member.name.ends_with(".py");
    if (code) ++files;
  }
  if (files > 0) {
    context.Add(Severity::kNote, "torchscript", item.path, 0,
                "a TorchScript program of " + std::to_string(files) + " source files",
                "it runs in PyTorch's own interpreter when the model is called");
  }
  return files > 0 && constants;
}

}  // namespace

bool ExamineZip(ScanContext& context, ScanItem& item) {
  bool starts = item.first.substr(0, 2) == "PK";
  // Looking for an end record costs a read of each member.
  if (!starts && !context.limits().deep && item.depth > 0) return false;
  ZipWalk walk = WalkZip(item.source);
  if (!walk.is_zip) return false;
  if (walk.members.empty() && !starts) return false;  // an end record by chance
  AddProblems(context, item, walk.problems);
  if (!starts) {
    context.Add(Severity::kSuspicious, "zip-prepended-bytes", item.path, 0,
                "bytes come before the zip archive", std::string(kAdvice));
  }
  item.script_archive = CheckTorchScript(context, item, walk);
  for (const ZipMember& member : walk.members) ExamineMember(context, item, member);
  item.script_archive = false;  // it may be read as something else as well
  if (context.limits().deep) {
    for (auto [begin, end] : walk.gaps) SearchForPickles(context, item, begin, end);
  }
  return true;
}

bool ExamineTar(ScanContext& context, ScanItem& item) {
  if (!LooksLikeTar(item.first)) return false;
  TarWalk walk = WalkTar(item.source);
  AddProblems(context, item, walk.problems);
  for (const TarMember& member : walk.members) {
    if (member.bytes == 0) continue;
    WindowSource window(item.source, member.offset, member.bytes);
    context.Enter(item, window, member.name.substr(0, 300), item.stray);
  }
  return walk.is_tar;
}

bool ExamineCompressed(ScanContext& context, ScanItem& item) {
  // joblib before 0.10: "ZF", the length in hexadecimal as text of 19 bytes, then zlib.
  bool old_joblib = item.first.substr(0, 4) == "ZF0x" && item.first.size() > 21;
  std::optional<Packing> packing = old_joblib ? Packing::kZlib : SniffPacking(item.first);
  if (!packing) return false;
  uint64_t begin = !old_joblib ? 0 : item.first[21] == ' ' ? 22 : 21;
  WindowSource packed(item.source, begin, item.source.size_bytes());
  // A few bytes are a weak mark: these must give something before they count.
  bool weak =
      *packing == Packing::kZlib || (*packing == Packing::kXz && !item.first.starts_with('\xFD'));
  if (weak) {
    std::string extension = AsciiLower(item.extension());
    bool named = extension == "lzma" || extension == "xz";
    WindowSource start(packed, 0, 64 << 10);
    Unpacked probe = Unpack(start, *packing, {.max_bytes = 1 << 20});
    uint64_t got = probe.source->size_bytes();
    if (got == 0 && named) {
      context.Add(Severity::kSuspicious, "not-examined", item.path, 0,
                  "a compressed stream that gives nothing, or needs too much memory",
                  "treat what is inside as dangerous");
    }
    if (got == 0) return false;
    // So little may come of chance, or be a call: only what is certain is reported.
    if (got < 16 && !probe.problem.empty() && !named) {
      context.Enter(item, *probe.source, UnpackedName(item), true);
      return false;
    }
  }
  context.EnterPacked(item, packed, *packing, UnpackedName(item));
  return true;
}

bool ExamineSealed(ScanContext& context, ScanItem& item) {
  struct Mark {
    std::string_view magic;
    const char* kind;
    const char* what;
  };
  static constexpr Mark kMarks[] = {
      {"MSCF", "not-examined", "a cabinet archive cannot be examined"},
      {"\x7F"
       "ELF",
       "program", "a program or library for Linux"},
      {"\xCF\xFA\xED\xFE", "program", "a program or library for macOS"},
      {"\xCA\xFE\xBA\xBE", "program", "a program for macOS or Java"},
      {"MZqFpD", "program", "a program for several systems (llamafile)"},
  };
  for (const Mark& mark : kMarks) {
    if (item.first.substr(0, mark.magic.size()) != mark.magic) continue;
    context.Add(Severity::kSuspicious, mark.kind, item.path, 0, mark.what,
                "treat what is inside as dangerous");
    return true;
  }
  // DOS and Windows programs: two letters, so the PE header must be where they say.
  if (item.first.substr(0, 2) == "MZ" && item.first.size() >= 64) {
    uint64_t at = Little32(item.first.data() + 0x3C);
    if (at + 4 <= item.source.size_bytes() &&
        item.source.Read(at, 4) == std::string_view("PE\0\0", 4)) {
      context.Add(Severity::kSuspicious, "program", item.path, 0,
                  "a program or library for Windows");
      return true;
    }
  }
  return false;
}

}  // namespace hearth
