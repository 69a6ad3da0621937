// 7z and RAR archives: no loader of models opens them, people do, so their members count like those
// of a zip archive. What is encrypted cannot be examined and is suspicious for that.
#include "formats/archive/archive_packed.h"
#include "formats/archive/archive_tar.h"
#include "formats/scan/internal/scan_context.h"

namespace hearth {
namespace {

constexpr std::string_view kAdvice = "treat what is inside as dangerous";

void CheckPaths(ScanContext& context, const ScanItem& item, const PackedMember& member) {
  bool leaves = LeavesFolder(member.name) || (!member.link.empty() && LeavesFolder(member.link));
  if (!leaves) return;
  std::string evidence = "\"" + member.name.substr(0, 200) + "\"";
  if (!member.link.empty()) evidence += " -> \"" + member.link.substr(0, 200) + "\"";
  context.Add(Severity::kSuspicious, "path-escape", item.path, 0,
              evidence + " leads out of the folder",
              "an honest writer does not make this: unpack it nowhere");
}

void ExamineMember(ScanContext& context, const ScanItem& item, PackedMember& member) {
  CheckPaths(context, item, member);
  std::string name = member.name.substr(0, 300);
  if (!member.problem.empty() || member.encrypted) {
    std::string kind = member.bomb ? "decompression-bomb" : "not-examined";
    std::string why = member.encrypted ? "the member is encrypted" : member.problem;
    context.Add(Severity::kSuspicious, kind, item.path + "!" + name, 0, why, std::string(kAdvice));
  }
  if (member.source->size_bytes() > 0) context.Enter(item, *member.source, name, item.stray);
}

}  // namespace

bool ExaminePackedArchive(ScanContext& context, ScanItem& item) {
  std::string_view format = SniffPackedArchive(item.first);
  if (format.empty()) return false;
  UnpackLimits limits = context.LeftToUnpack();
  uint64_t before = context.report().unpacked_bytes;
  PackedWalk walk = WalkPackedArchive(item.source, limits, [&](PackedMember& member) {
    // Counted before what is inside is unpacked in turn.
    context.report().unpacked_bytes += member.source->size_bytes();
    ExamineMember(context, item, member);
    return context.report().objects <= context.limits().max_objects &&
           context.report().unpacked_bytes - before <= limits.max_bytes;
  });
  std::string what = "the " + std::string(format) + " archive";
  auto not_examined = [&](const std::string& why) {
    context.Add(Severity::kSuspicious, "not-examined", item.path, 0, what + why,
                std::string(kAdvice));
  };
  if (walk.encrypted) {
    not_examined(" is encrypted, or some of its members are");
  } else if (!walk.problem.empty()) {
    not_examined(": " + walk.problem);
  }
  if (walk.volume) not_examined(" is a part of a set of volumes");
  // What comes behind the archive belongs to nothing.
  if (context.limits().deep) SearchForPickles(context, item, 0, item.source.size_bytes());
  return true;
}

}  // namespace hearth
