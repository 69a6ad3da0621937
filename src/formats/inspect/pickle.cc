#include "formats/inspect/inspector.h"
#include "formats/pickle/pickle_walk.h"

namespace hearth {
namespace {

int Probe(std::string_view name, std::string_view first) {
  if (HasPickleHeader(first)) return 70;
  for (std::string_view ending : {".pkl", ".pickle", ".joblib", ".p"}) {
    if (name.ends_with(ending)) return 40;
  }
  return 0;
}

void Inspect(ByteSource& source, std::string_view, Inspection* out) {
  PickleWalker walker(source);
  PickleReport report = walker.Walk(0, source.size_bytes());
  out->Add("opcodes", report.ops, "walk from byte 0");
  out->Add("complete", report.complete, "STOP at byte " + std::to_string(report.end));
  if (report.end < source.size_bytes()) {
    out->Add("bytes after it", source.size_bytes() - report.end,
             "byte " + std::to_string(report.end));
  }
  for (const PickleGlobal& global : report.globals) {
    out->metadata.emplace_back(global.module + "." + global.name, GlobalClassName(global.cls));
  }
}

}  // namespace

extern const Inspector kPickleInspector;
const Inspector kPickleInspector = {"pickle", Probe, Inspect};

}  // namespace hearth
