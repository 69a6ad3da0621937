#include "formats/scan/scan.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/internal/text_bytes.h"
#include "formats/scan/internal/scan_context.h"
#include "formats/source/source_window.h"
#include "text/utf8.h"

namespace hearth {
namespace {

constexpr size_t kFirstBytes = 1024;
constexpr size_t kMaxEvidenceBytes = 500;

// Evidence is shown to people and goes into JSON: control characters become visible.
std::string Printable(std::string text) {
  if (text.size() > kMaxEvidenceBytes) text = text.substr(0, kMaxEvidenceBytes) + "...";
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      out += "\\x" + HexEncode({&c, 1});
    } else {
      out += c;
    }
  }
  return out;
}

// A model without a byte is none: what fetched it, or wrote it, broke off.
void ReportEmpty(ScanContext& context, const ScanItem& item) {
  static constexpr std::string_view kModels[] = {"gguf", "pt", "pth", "safetensors"};
  std::string extension = AsciiLower(item.extension());
  bool model = std::find(std::begin(kModels), std::end(kModels), extension) != std::end(kModels);
  if (!model || item.depth > 0) return;
  context.Add(Severity::kSuspicious, "not-examined", item.path, 0,
              "the file is empty, so it is no ." + extension + " file");
}

bool IsText(std::string_view bytes) {
  // The first bytes may end inside of a character.
  std::string_view whole =
      TruncateUtf8Bytes(bytes, bytes.size() - std::min<size_t>(bytes.size(), 3));
  return IsValidUtf8(whole) && HasOnlyTextBytes(bytes);
}

// A file that promises to be PyTorch's and was none of the containers that torch.load reads.
// `examined`: it is something else that was looked into. Many other things are named .bin, so that
// of those only the names that Hugging Face's libraries give to checkpoints count. Texts in
// Portuguese are named .pt, while a .pth of text is run line by line by Python where it lies in
// site-packages.
void ReportNoTorch(ScanContext& context, const ScanItem& item, bool examined) {
  std::string extension = AsciiLower(item.extension());
  bool promised = extension == "pt" || extension == "pth";
  static constexpr std::string_view kCheckpoints[] = {"pytorch_model", "diffusion_pytorch_model",
                                                      "adapter_model", "training_args"};
  bool checkpoint =
      extension == "bin" && std::any_of(std::begin(kCheckpoints), std::end(kCheckpoints),
                                        [&](auto name) { return item.name().starts_with(name); });
  if (!promised && !checkpoint) return;
  bool pointer = item.first.starts_with("version https://git-lfs");
  bool harmless = examined || checkpoint || (extension == "pt" && !pointer && IsText(item.first));
  context.Add(harmless ? Severity::kNote : Severity::kSuspicious, "not-examined", item.path, 0,
              pointer ? "a pointer of Git LFS in place of a PyTorch file"
                      : "no PyTorch file, though it is named as one");
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kSuspicious:
      return "suspicious";
    case Severity::kDangerous:
      return "dangerous";
  }
  return "dangerous";
}

std::string_view ScanItem::name() const {
  size_t at = path.find_last_of("/!");
  return at == std::string::npos ? std::string_view(path) : std::string_view(path).substr(at + 1);
}

std::string_view ScanItem::extension() const {
  std::string_view last = name();
  size_t dot = last.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : last.substr(dot + 1);
}

void ScanContext::Add(Severity severity, std::string_view kind, const std::string& path,
                      uint64_t offset, std::string evidence, std::string advice) {
  evidence = Printable(std::move(evidence));
  std::string key = std::string(kind) + "\n" + path + "\n" + evidence;
  if (!seen_.insert(key).second) return;
  if (report_.findings.size() >= limits_.max_findings) {
    // Room is made for what is worse.
    auto mildest = std::min_element(
        report_.findings.begin(), report_.findings.end(),
        [](const ScanFinding& a, const ScanFinding& b) { return a.severity < b.severity; });
    if (mildest->severity >= severity) return;
    report_.findings.erase(mildest);
  }
  report_.findings.push_back({severity, std::string(kind), Printable(path), offset,
                              std::move(evidence), std::move(advice)});
}

void ScanContext::AddGlobal(const std::string& path, const PickleGlobal& global) {
  if (seen_.insert("global\n" + path + "\n" + global.module + "\n" + global.name).second &&
      report_.globals.size() < limits_.pickle.max_globals) {
    report_.globals.push_back({path, global});
  }
  if (global.cls == GlobalClass::kSafe) return;
  bool bad = global.cls == GlobalClass::kDangerous;
  std::string evidence = global.module + "." + global.name;
  if (!global.use.empty()) evidence += ", " + global.use;
  Add(bad ? Severity::kDangerous : Severity::kSuspicious, "pickle-global", path, global.offset,
      std::move(evidence), std::string(GlobalAdvice(global.cls)));
}

std::optional<std::string> ScanContext::ReadText(const ScanItem& item) {
  uint64_t size = item.source.size_bytes();
  if (size > limits_.max_text_bytes) {
    Add(Severity::kSuspicious, "not-examined", item.path, 0,
        "a text of " + std::to_string(size) + " bytes is too large to be examined");
    return std::nullopt;
  }
  return item.source.Read(0, static_cast<size_t>(size));
}

void ScanContext::Enter(const ScanItem& parent, ByteSource& source, const std::string& name,
                        bool stray) {
  ScanItem item{.source = source,
                .path = parent.path + "!" + name,
                .depth = parent.depth + 1,
                .stray = stray,
                .torchscript = parent.script_archive};
  Examine(item);
}

UnpackLimits ScanContext::LeftToUnpack() const {
  UnpackLimits limits = limits_.unpack;
  uint64_t left =
      limits_.max_unpacked_bytes - std::min(limits_.max_unpacked_bytes, report_.unpacked_bytes);
  limits.max_bytes = std::min(limits.max_bytes, left);
  return limits;
}

void ScanContext::EnterPacked(const ScanItem& parent, ByteSource& packed, Packing packing,
                              const std::string& name) {
  Unpacked unpacked = Unpack(packed, packing, LeftToUnpack());
  if (packing != Packing::kStored) report_.unpacked_bytes += unpacked.source->size_bytes();
  if (!unpacked.problem.empty() && !parent.stray) {
    Add(Severity::kSuspicious, unpacked.bomb ? "decompression-bomb" : "damaged-data",
        parent.path + "!" + name, 0, unpacked.problem, "only what could be unpacked was examined");
  }
  if (unpacked.source->size_bytes() > 0) Enter(parent, *unpacked.source, name, parent.stray);
}

void ScanContext::Examine(ScanItem& item) {
  if (++report_.objects > limits_.max_objects) {
    return Add(Severity::kSuspicious, "not-examined", item.path, 0,
               "too many members for one scan");
  }
  if (item.depth > limits_.max_depth) {
    return Add(Severity::kSuspicious, "not-examined", item.path, 0, "archives nest too deep");
  }
  size_t n = static_cast<size_t>(std::min<uint64_t>(item.source.size_bytes(), kFirstBytes));
  item.first = item.source.Read(0, n);
  if (n == 0) return ReportEmpty(*this, item);
  try {
    // A file may be several things at once, so every examiner of containers looks.
    bool known = ExamineZip(*this, item);
    known |= ExaminePickles(*this, item);
    known |= ExamineTar(*this, item);
    known |= ExamineCompressed(*this, item);
    known |= ExaminePackedArchive(*this, item);
    bool container = known;
    known |= ExamineSealed(*this, item);
    known |= ExamineNumpy(*this, item);
    known |= ExamineHdf5(*this, item);
    known |= ExamineModel(*this, item);
    known |= ExamineText(*this, item);
    if (!container && !item.stray) ReportNoTorch(*this, item, known);
    if (!known && !item.stray && limits_.deep)
      SearchForPickles(*this, item, 0, item.source.size_bytes());
  } catch (const Error& error) {
    if (error.code() == Code::kInternal || error.code() == Code::kUnavailable ||
        error.code() == Code::kInsufficientStorage) {
      throw;
    }
    Add(Severity::kSuspicious, "not-examined", item.path, 0, error.message());
  }
}

Severity ScanReport::verdict() const {
  Severity worst = Severity::kNote;
  for (const ScanFinding& finding : findings) worst = std::max(worst, finding.severity);
  return worst;
}

Json ScanReport::FindingsJson(size_t most) const {
  Json rows = Json::Arr();
  for (const ScanFinding& finding : findings) {
    if (rows.size() >= most) break;
    Json row = Json::Obj({{"severity", SeverityName(finding.severity)},
                          {"kind", finding.kind},
                          {"path", finding.path},
                          {"offset", finding.offset},
                          {"evidence", finding.evidence}});
    if (!finding.advice.empty()) row.Set("advice", finding.advice);
    rows.Push(std::move(row));
  }
  return rows;
}

Json ScanReport::ToJson() const {
  Json names = Json::Arr();
  for (const ScannedGlobal& entry : globals) {
    names.Push(Json::Obj({{"path", entry.path},
                          {"module", entry.global.module},
                          {"name", entry.global.name},
                          {"class", GlobalClassName(entry.global.cls)},
                          {"offset", entry.global.offset},
                          {"count", entry.global.count}}));
  }
  return Json::Obj({{"verdict", findings.empty() ? "clean" : SeverityName(verdict())},
                    {"findings", FindingsJson()},
                    {"globals", std::move(names)},
                    {"objects", objects},
                    {"unpackedBytes", unpacked_bytes}});
}

struct Scanner::Impl {
  explicit Impl(const ScanLimits& limits) : context(limits) {}
  ScanContext context;
};

Scanner::Scanner(const ScanLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
Scanner::~Scanner() = default;

void Scanner::Scan(ByteSource& source, std::string_view name) {
  ScanItem item{
      .source = source, .path = std::string(name), .depth = 0, .stray = false, .first = ""};
  impl_->context.Examine(item);
}

void Scanner::AddUnread(std::string_view name, std::string why) {
  impl_->context.Add(Severity::kSuspicious, "not-examined", std::string(name), 0, std::move(why),
                     "treat what is behind it as dangerous");
}

ScanReport Scanner::Finish() {
  ScanReport& report = impl_->context.report();
  std::stable_sort(
      report.findings.begin(), report.findings.end(),
      [](const ScanFinding& a, const ScanFinding& b) { return a.severity > b.severity; });
  return std::move(report);
}

ScanReport ScanSource(ByteSource& source, std::string_view name, const ScanLimits& limits) {
  Scanner scanner(limits);
  scanner.Scan(source, name);
  return scanner.Finish();
}

}  // namespace hearth
