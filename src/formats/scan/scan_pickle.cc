#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/base64.h"
#include "formats/internal/text_bytes.h"
#include "formats/scan/internal/scan_context.h"
#include "formats/source/source_window.h"

namespace hearth {
namespace {

// Names under which loaders look for pickles.
constexpr std::string_view kExtensions[] = {
    "bin",   "ckpt", "cloudpickle", "dat", "data",     "dill",  "joblib", "mar",
    "model", "p",    "pck",         "pcl", "pdparams", "pdopt", "pickle", "pkl",
    "pt",    "pt2",  "pth",         "ptl", "sav",      "t7"};
constexpr uint64_t kMaxLiteralBytes = 256ull << 20;  // that are decoded
// Opcodes after a header that chance does not make: random bytes get this far once in ten million
// times.
constexpr uint64_t kSureOps = 12;
constexpr int kMaxPickles = 10'000;  // in a row
constexpr int64_t kTryCost = 1000;   // of starting a walk, in opcodes
constexpr uint64_t kSearchBytes = 1 << 20;
constexpr uint64_t kOverlapBytes = 64 << 10;
constexpr size_t kMaxLineBytes = 100;  // of a module or a name, when searching

bool IsPlausible(const PickleGlobal& global) {
  auto plain = [](std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '.';
    });
  };
  return plain(global.module) && plain(global.name);
}

// "os.system" written as text may still be no call: the walk must show one, or a whole pickle
// around it.
bool IsCalledDanger(const PickleReport& report) {
  return std::any_of(report.globals.begin(), report.globals.end(), [&](const PickleGlobal& global) {
    return global.cls == GlobalClass::kDangerous && IsPlausible(global) &&
           (!global.use.empty() || report.complete);
  });
}

class Pickles {
 public:
  Pickles(ScanContext& context, ScanItem& item, bool named)
      : context_(context), item_(item), named_(named), is_text_(HasOnlyTextBytes(item.first)) {}

  // Pickles one after the other from `begin` on; true when there was at least one.
  bool Row(uint64_t begin, bool certain) {
    uint64_t end = item_.source.size_bytes();
    PickleWalker walker(item_.source, context_.limits().pickle);
    uint64_t at = begin;
    bool found = false;
    for (int i = 0; i < kMaxPickles && at < end; ++i) {
      if (i > 0 && !named_ && !LooksLikePickle(Peek(at))) break;
      PickleReport report = walker.Walk(at, end);
      // A pickle that nothing announces must be whole and sound to be believed: numbers are opcodes
      // now and then.
      bool sound =
          report.complete && std::none_of(report.issues.begin(), report.issues.end(), IsMalformed);
      bool believed =
          (i == 0 && certain) || (report.has_proto && report.ops >= kSureOps) ||
          (sound && (report.has_proto || report.ops > 3 || (named_ && !report.globals.empty())));
      bool told = Report(report, believed);
      found = found || believed || told;
      if (!found) return false;
      for (const PickleRawData& raw : report.raw) {
        Report(walker.Walk(raw.offset, raw.offset + raw.bytes), false);
        if (context_.limits().deep)
          SearchForPickles(context_, item_, raw.offset, raw.offset + raw.bytes);
      }
      Literals(report);
      at = report.end;
      if (!report.complete) break;
    }
    if (context_.limits().deep && at < end) SearchForPickles(context_, item_, at, end);
    return found;
  }

  // `believed`: this is a pickle beyond doubt; else only names that cannot be chance are reported.
  // Bytes without the header of a pickle, under a name that is not one's, must call something
  // dangerous, or something unknown in a pickle that is whole; text must get there without a fault
  // besides, because words and line ends are just that now and then.
  bool Report(const PickleReport& report, bool believed) {
    told_worse_ = false;
    for (const PickleGlobal& global : report.globals) {
      if (!believed && (!IsPlausible(global) || global.cls == GlobalClass::kSafe)) continue;
      bool announced = believed || report.has_proto || named_;
      if (!announced && !IsBelievedCall(report, global)) continue;
      AddGlobal(global);
    }
    if (!believed && !told_worse_) return false;
    for (const PickleIssue& issue : report.issues) {
      if (!believed && issue.severity == Severity::kDangerous) continue;
      context_.Add(issue.severity, issue.kind, item_.path, issue.offset, issue.text,
                   "an honest writer does not make this");
    }
    return true;
  }

 private:
  bool IsBelievedCall(const PickleReport& report, const PickleGlobal& global) const {
    if (global.cls != GlobalClass::kDangerous) return report.complete && global.runs;
    if (global.use.empty() && !global.runs) return false;
    return !is_text_ || report.complete || global.runs;
  }

  // TorchScript's own interpreter looks up its classes inside of the archive; for any other loader
  // they are modules like any.
  void AddGlobal(PickleGlobal global) {
    bool own = global.module == "__torch__" || global.module.starts_with("__torch__.");
    if (item_.torchscript && own && global.cls == GlobalClass::kSuspicious)
      global.cls = GlobalClass::kSafe;
    context_.AddGlobal(item_.path, global);
    told_worse_ = told_worse_ || global.cls != GlobalClass::kSafe;
  }

  static bool IsMalformed(const PickleIssue& issue) { return issue.kind == "pickle-malformed"; }

  std::string Peek(uint64_t at) {
    uint64_t n = std::min<uint64_t>(256, item_.source.size_bytes() - at);
    return item_.source.Read(at, static_cast<size_t>(n));
  }

  void Literals(const PickleReport& report) {
    for (const PickleLiteral& literal : report.literals) {
      std::string name = "bytes@" + std::to_string(literal.offset);
      WindowSource window(item_.source, literal.offset, literal.bytes);
      if (!literal.latin1 && !literal.base64) {
        context_.Enter(item_, window, name, true);
        continue;
      }
      if (literal.bytes > kMaxLiteralBytes) {
        context_.Add(Severity::kSuspicious, "not-examined", item_.path, literal.offset,
                     "encoded bytes are too large to be examined");
        continue;
      }
      std::string text = window.Read(0, static_cast<size_t>(literal.bytes));
      OwnedSource decoded(literal.latin1 ? Latin1(text) : Base64(text));
      context_.Enter(item_, decoded, name, true);
    }
  }

  static std::string Latin1(const std::string& text) {
    std::string bytes;
    for (size_t i = 0; i < text.size(); ++i) {
      auto c = static_cast<unsigned char>(text[i]);
      if ((c == 0xC2 || c == 0xC3) && i + 1 < text.size()) {
        bytes.push_back(static_cast<char>((c & 3) << 6 | (text[++i] & 0x3F)));
      } else {
        bytes.push_back(text[i]);
      }
    }
    return bytes;
  }

  static std::string Base64(const std::string& text) {
    std::optional<std::string> bytes = Base64Decode(text);
    return bytes ? *bytes : std::string();
  }

  ScanContext& context_;
  ScanItem& item_;
  bool named_;
  bool is_text_;
  bool told_worse_ = false;  // the last report named what is not safe
};

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}

// Searches one block; `base` is its place in the source.
class BlockSearch {
 public:
  BlockSearch(ScanContext& context, ScanItem& item, std::string_view block, uint64_t base,
              int64_t* budget)
      : context_(context),
        item_(item),
        block_(block),
        base_(base),
        budget_(budget),
        memory_(block) {}

  void Headers() {
    const char* at = block_.data();
    const char* end = at + block_.size();
    while (at + 2 < end && (at = static_cast<const char*>(std::memchr(
                                at, 0x80, static_cast<size_t>(end - at - 2)))) != nullptr) {
      if (at[1] >= 2 && at[1] <= 5) Try(static_cast<size_t>(at - block_.data()));
      ++at;
    }
  }

  void OldGlobals() {
    if (HasOnlyTextBytes(block_)) return;
    for (size_t n = block_.find('\n'); n != std::string_view::npos; n = block_.find('\n', n + 1)) {
      size_t m = n + 1;
      while (m < block_.size() && m - n <= kMaxLineBytes && IsNameByte(block_[m])) ++m;
      if (m == n + 1 || m >= block_.size() || block_[m] != '\n') continue;
      size_t s = n;
      while (s > 0 && n - s <= kMaxLineBytes && IsNameByte(block_[s - 1])) --s;
      for (size_t k = s; k + 1 < n; ++k) {
        if (block_[k] != 'c' && block_[k] != 'i') continue;
        GlobalClass cls =
            ClassifyGlobal(block_.substr(k + 1, n - k - 1), block_.substr(n + 1, m - n - 1));
        if (cls == GlobalClass::kDangerous) Try(k);
      }
    }
  }

 private:
  void Try(size_t at) {
    if (*budget_ <= 0) return;
    PickleWalkLimits limits = context_.limits().pickle;
    limits.max_ops = 100'000;
    PickleReport report = PickleWalker(memory_, limits).Walk(at, block_.size());
    *budget_ -= kTryCost + static_cast<int64_t>(report.ops);
    // What goes on for a while may go on behind the block: a long literal comes before the call.
    bool promising = !report.complete && report.ops >= 4 && !IsCalledDanger(report);
    if (promising) {
      report = PickleWalker(item_.source, limits).Walk(base_ + at, item_.source.size_bytes());
      for (PickleGlobal& global : report.globals) global.offset -= base_;
      *budget_ -= kTryCost + static_cast<int64_t>(report.ops);
    }
    bool bad = IsCalledDanger(report);
    bool whole = report.complete && report.worst() != GlobalClass::kSafe && report.has_proto;
    if (!bad && !whole) return;
    context_.Add(bad ? Severity::kDangerous : Severity::kSuspicious, "hidden-pickle", item_.path,
                 base_ + at, "a pickle lies in bytes that belong to nothing");
    for (PickleGlobal global : report.globals) {
      global.offset += base_;
      if (IsPlausible(global)) context_.AddGlobal(item_.path, global);
    }
  }

  ScanContext& context_;
  ScanItem& item_;
  std::string_view block_;
  uint64_t base_;
  int64_t* budget_;
  MemorySource memory_;
};

}  // namespace

bool ExaminePickles(ScanContext& context, ScanItem& item) {
  if (item.first.substr(0, 4) == "PK\3\4") {
    // For a pickle loader an archive starts with a persistent id, which most refuse; what it holds
    // is examined as an archive, so only calls beyond doubt count.
    PickleReport report =
        PickleWalker(item.source, context.limits().pickle).Walk(0, item.source.size_bytes());
    return Pickles(context, item, false).Report(report, false);
  }
  bool named = std::find(std::begin(kExtensions), std::end(kExtensions),
                         AsciiLower(item.extension())) != std::end(kExtensions);
  bool certain = !item.stray && LooksLikePickle(item.first) &&
                 (named || (item.depth == 0 && HasPickleHeader(item.first)));
  return Pickles(context, item, named && !item.stray).Row(0, certain);
}

void SearchForPickles(ScanContext& context, ScanItem& item, uint64_t begin, uint64_t end) {
  // Random bytes start a walk once in 16 KiB; bytes that are made to start one everywhere run out
  // of this.
  int64_t budget = 50'000'000 + static_cast<int64_t>((end - begin) / 8);
  for (uint64_t at = begin; at < end;) {
    uint64_t n = std::min(kSearchBytes + kOverlapBytes, end - at);
    std::string block = item.source.Read(at, static_cast<size_t>(n));
    BlockSearch search(context, item, block, at, &budget);
    search.Headers();
    search.OldGlobals();
    if (budget <= 0) {
      return context.Add(Severity::kSuspicious, "not-examined", item.path, at,
                         "more starts of pickles than can be followed");
    }
    if (at + n >= end) return;
    at += kSearchBytes;
  }
}

}  // namespace hearth
