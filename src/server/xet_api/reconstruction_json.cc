#include "server/xet_api/reconstruction_json.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

#include "server/xet_api/data_link.h"

namespace hearth::server {
namespace {

using storage::XetHash;
using storage::XorbForm;
using storage::XorbRange;

// A fragmented file of gigabytes has a hundred thousand terms: the text is appended to, never built
// as a tree. Nothing in it needs escaping: numbers, hex digits, and links that the hub made.
class JsonText {
 public:
  explicit JsonText(std::string* out) : out_(out) {}
  JsonText& operator<<(std::string_view text) {
    out_->append(text);
    return *this;
  }
  JsonText& operator<<(uint64_t number) {
    out_->append(std::to_string(number));
    return *this;
  }

 private:
  std::string* out_;
};

// Calls `write` for each item, with commas between.
template <typename Items, typename Write>
void Join(std::string* out, const Items& items, const Write& write) {
  bool first = true;
  for (const auto& item : items) {
    if (!first) *out += ',';
    first = false;
    write(item);
  }
}

void WriteSpan(std::string* out, uint64_t start, uint64_t end) {
  JsonText(out) << R"({"start":)" << start << R"(,"end":)" << end << "}";
}

void WriteTerms(std::string* out, const std::vector<storage::XetTerm>& terms) {
  constexpr size_t kTermBytes = 150;
  out->reserve(out->size() + terms.size() * kTermBytes);
  *out += '[';
  Join(out, terms, [out](const storage::XetTerm& term) {
    JsonText(out) << R"({"hash":")" << term.xorb.Text() << R"(","unpacked_length":)"
                  << uint64_t{term.unpacked_bytes} << R"(,"range":)";
    WriteSpan(out, term.chunk_start, term.chunk_end);
    *out += '}';
  });
  *out += ']';
}

void WriteHead(std::string* out, const storage::Reconstruction& plan) {
  JsonText(out) << R"({"offset_into_first_range":)" << plan.offset_into_first_range
                << R"(,"terms":)";
  WriteTerms(out, plan.terms);
}

// Runs of ranges that share a link.
template <typename Write>
void ForEachLink(std::span<const XorbRange> ranges, const Write& write) {
  while (!ranges.empty()) {
    size_t count = std::min(ranges.size(), kMaxLinkRanges);
    write(std::vector<XorbRange>(ranges.begin(), ranges.begin() + static_cast<ptrdiff_t>(count)));
    ranges = ranges.subspan(count);
  }
}

// Each range has a link of its own: one that names many, repeated for each of them, would make the
// answer for a scattered file several times as long.
void WriteRanges(std::string* out, const XorbForm& xorb, const std::vector<XorbRange>& ranges,
                 const LinkMaker& link) {
  Join(out, ranges, [&](const XorbRange& range) {
    *out += R"({"range":)";
    WriteSpan(out, range.chunk_start, range.chunk_end);
    JsonText(out) << R"(,"url":")" << link(xorb, {range}) << R"(","url_range":)";
    WriteSpan(out, range.byte_start, range.byte_end - 1);
    *out += '}';
  });
}

// The members of an object, a list for each xorb. An answer may have a xorb in several forms, which
// are next to each other here: any that has the chunks will do.
template <typename Write>
void WriteByXorb(std::string* out, const XorbRanges& xorbs, const Write& write) {
  const XetHash* last = nullptr;
  for (const auto& [xorb, ranges] : xorbs) {
    if (last != nullptr && *last == xorb.hash) {
      *out += ',';
    } else {
      JsonText(out) << (last == nullptr ? "\"" : "],\"") << xorb.hash.Text() << "\":[";
    }
    write(xorb, ranges);
    last = &xorb.hash;
  }
  *out += last == nullptr ? "}" : "]}";
}

void WriteFetchInfo(std::string* out, const XorbRanges& xorbs, const LinkMaker& link) {
  *out += R"("fetch_info":{)";
  WriteByXorb(out, xorbs, [&](const XorbForm& xorb, const std::vector<XorbRange>& ranges) {
    WriteRanges(out, xorb, ranges, link);
  });
}

void WriteEntry(std::string* out, std::string_view url, const std::vector<XorbRange>& ranges) {
  JsonText(out) << R"({"url":")" << url << R"(","ranges":[)";
  Join(out, ranges, [out](const XorbRange& range) {
    *out += R"({"chunks":)";
    WriteSpan(out, range.chunk_start, range.chunk_end);
    *out += R"(,"bytes":)";
    WriteSpan(out, range.byte_start, range.byte_end - 1);
    *out += '}';
  });
  *out += "]}";
}

// Files that share a xorb may need overlapping parts of it.
void MergeRanges(std::vector<XorbRange>* ranges) {
  std::sort(ranges->begin(), ranges->end(),
            [](const XorbRange& a, const XorbRange& b) { return a.chunk_start < b.chunk_start; });
  std::vector<XorbRange> merged;
  for (const XorbRange& range : *ranges) {
    if (merged.empty() || range.chunk_start > merged.back().chunk_end) {
      merged.push_back(range);
    } else if (range.chunk_end > merged.back().chunk_end) {
      merged.back().chunk_end = range.chunk_end;
      merged.back().byte_end = range.byte_end;
    }
  }
  *ranges = std::move(merged);
}

}  // namespace

std::string ReconstructionV1(const storage::Reconstruction& plan, const LinkMaker& link) {
  std::string out;
  WriteHead(&out, plan);
  out += ',';
  WriteFetchInfo(&out, plan.xorbs, link);
  return out + "}";
}

std::string ReconstructionV2(const storage::Reconstruction& plan, const LinkMaker& link) {
  std::string out;
  WriteHead(&out, plan);
  out += R"(,"xorbs":{)";
  WriteByXorb(&out, plan.xorbs, [&](const XorbForm& xorb, const std::vector<XorbRange>& all) {
    bool first = true;
    ForEachLink(all, [&](const std::vector<XorbRange>& ranges) {
      if (!first) out += ',';
      first = false;
      WriteEntry(&out, link(xorb, ranges), ranges);
    });
  });
  return out + "}";
}

std::string ReconstructionBatch(const FilePlans& plans, const LinkMaker& link) {
  std::string out = R"({"files":{)";
  XorbRanges xorbs;
  Join(&out, plans, [&](const auto& file) {
    JsonText(&out) << "\"" << file.first.Text() << "\":";
    WriteTerms(&out, file.second.terms);
    for (const auto& [xorb, ranges] : file.second.xorbs) {
      std::vector<XorbRange>& all = xorbs[xorb];
      all.insert(all.end(), ranges.begin(), ranges.end());
    }
  });
  for (auto& [xorb, ranges] : xorbs) MergeRanges(&ranges);
  out += "},";
  WriteFetchInfo(&out, xorbs, link);
  return out + "}";
}

}  // namespace hearth::server
