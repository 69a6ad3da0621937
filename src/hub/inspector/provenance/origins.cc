#include "hub/inspector/provenance/origins.h"

#include <algorithm>
#include <cstdio>
#include <unordered_set>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/inspector/provenance/declared.h"
#include "hub/inspector/provenance/shape_check.h"
#include "hub/inspector/quantity_text.h"

namespace hearth::inspector {
namespace {

constexpr size_t kListedTensors = 20;
constexpr size_t kMaxAncestors = 24;
constexpr size_t kMaxGenerations = 6;
// Below this share of the parameters, and below two tensors, equal bytes say too little.
constexpr double kMinShare = 0.01;
// Of values that one was made from the other: random matrices have a cosine of some thousandths.
constexpr double kNearCosine = 0.9;
constexpr double kFarCosine = 0.1;
constexpr double kRoundedRelative = 0.02;

using Hashes = std::unordered_set<TensorHash>;

std::string NameOf(const std::string& id, const std::string& commit) {
  return commit.empty() ? id : id + "@" + commit;
}

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

class Finder {
 public:
  explicit Finder(const OriginsInput& input) : input_(input), view_(*input.view) {
    result_.repo = NameOf(view_.id(), view_.commit());
  }

  Origins Run() {
    subject_ = PrepareRepo(view_, input_.stored);
    CollectRecords();
    if (input_.join != nullptr && !telling_.empty()) JoinByHash();
    for (const DeclaredBase& base : FindDeclaredBases(view_)) AddDeclared(base);
    FollowAncestors();
    return std::move(result_);
  }

 private:
  // The records of the main set; copies are told for it.
  void CollectRecords() {
    if (!subject_->set) return;
    result_.weight_files = subject_->set->files.size();
    if (input_.stored == nullptr) return;
    for (const std::string& path : subject_->set->files) {
      std::optional<FileRecords> records = input_.stored->Find(view_, *view_.Find(path));
      if (!records) continue;
      ++result_.indexed_files;
      for (TensorRecord& record : records->tensors) {
        if (!record.info.same_as.empty()) continue;
        // A tensor whose bytes are not known may differ from anybody's.
        complete_ = complete_ && record.info.bytes > 0;
        if (record.IsTelling()) telling_.push_back(record.hash);
        records_.push_back(std::move(record));
      }
      complete_ = complete_ && records->fault.empty();
    }
    complete_ = complete_ && result_.indexed_files == result_.weight_files &&
                subject_->set->missing.empty();
  }

  // --- by bytes

  void JoinByHash() {
    for (const TensorHolder& holder : input_.join->FindHolders(telling_, &result_.more_holders)) {
      Hashes theirs;
      for (const auto& [path, records] : holder.files)
        for (const TensorRecord& record : records.tensors)
          if (record.info.bytes > 0) theirs.insert(record.hash);
      AddShared(holder, theirs);
    }
  }

  void AddShared(const TensorHolder& holder, const Hashes& theirs) {
    uint64_t equal = 0, telling = 0, equal_values = 0, values = 0;
    Json listed = Json::Arr();
    for (const TensorRecord& record : records_) {
      values += record.info.elements;
      if (!theirs.contains(record.hash)) continue;
      ++equal;
      if (!record.IsTelling()) continue;
      ++telling;
      equal_values += record.info.elements;
      if (listed.size() < kListedTensors) listed.Push(record.info.name);
    }
    double share =
        values == 0 ? 0 : static_cast<double>(equal_values) / static_cast<double>(values);
    bool copy = complete_ && equal == records_.size() && telling > 0;
    if (!copy && (telling == 0 || (telling < 2 && share < kMinShare))) return;
    std::string counts = std::to_string(equal) + " of " + std::to_string(records_.size());
    OriginEdge edge = Edge(NameOf(holder.id, holder.commit), copy ? "copy" : "shares_tensors");
    edge.finding = {
        .value =
            copy ? equal == 1 ? "the only weight tensor has the same bytes"
                              : "all " + CountText(equal) + " weight tensors have the same bytes"
                 : counts + " weight tensors " + (equal == 1 ? "has" : "have") + " the same bytes",
        .level = Level::kProved,
        .evidence = {}};
    edge.finding.evidence.push_back(
        InHere(subject_->set->name, "", "BLAKE3 of each tensor's bytes"));
    for (const auto& [path, records] : holder.files) {
      edge.finding.evidence.push_back(
          {.file = path, .place = "", .rule = "holds the same bytes", .repo = edge.to});
      if (edge.finding.evidence.size() > 4) break;
    }
    edge.details = Json::Obj({{"type", holder.type},
                              {"equal", equal},
                              {"tensors", records_.size()},
                              {"share", share},
                              {"names", std::move(listed)}});
    result_.edges.push_back(std::move(edge));
  }

  // --- by words

  void AddDeclared(const DeclaredBase& base) {
    std::unique_ptr<RepoView> view = Open(base);
    OriginEdge edge = Edge(view == nullptr ? base.id : NameOf(view->id(), view->commit()),
                           base.relation.empty() ? "base" : base.relation);
    edge.finding = {.value = "names " + base.id + " as what it was made from",
                    .level = base.level,
                    .evidence = base.evidence};
    edge.details = Json::Obj({{"here", view != nullptr}});
    if (view != nullptr) Check(*view, &edge);
    result_.edges.push_back(std::move(edge));
  }

  std::unique_ptr<RepoView> Open(const DeclaredBase& base) const {
    if (input_.neighbours == nullptr || AsciiLower(base.id) == AsciiLower(view_.id()))
      return nullptr;
    std::unique_ptr<RepoView> view = input_.neighbours->Find("model", base.id, base.revision);
    // A revision of the place where it was trained may not be known here.
    if (view == nullptr && !base.revision.empty())
      view = input_.neighbours->Find("model", base.id, "");
    return view;
  }

  void Check(const RepoView& base_view, OriginEdge* edge) {
    std::unique_ptr<ComparedRepo> base = PrepareRepo(base_view, input_.stored);
    ShapeCheck shapes = CheckShapes(*base, *subject_);
    edge->details.Set("shapes", ShapeVerdictName(shapes.verdict));
    edge->details.Set("shapes_compared", shapes.compared).Set("shapes_fitting", shapes.fitting);
    if (shapes.verdict != ShapeVerdict::kUnknown) {
      edge->finding.evidence.push_back(
          InHere(subject_->set->name, shapes.tensor.empty() ? "header" : "tensor " + shapes.tensor,
                 shapes.sentence));
    }
    if (shapes.verdict == ShapeVerdict::kRefuted) {
      edge->finding.value = "is declared, but the shapes of the tensors cannot come from it";
      return;
    }
    if (shapes.verdict == ShapeVerdict::kUnknown || subject_->set->is_adapter) return;
    CompareValues(*base, edge);
  }

  void CompareValues(const ComparedRepo& base, OriginEdge* edge) {
    std::optional<NearnessSample> sample;
    try {
      sample = SampleNearness(base, *subject_);
    } catch (const Error& error) {
      if (error.code() == Code::kInternal) throw;
    }
    if (!sample) return;
    edge->details.Set("cosine", sample->worst_cosine);
    edge->details.Set("relative_distance", sample->worst_relative);
    std::string measured = std::to_string(sample->tensors) + " sampled matrices: cosine at least " +
                           Number(sample->worst_cosine) + ", relative distance at most " +
                           Number(sample->worst_relative);
    edge->finding.evidence.push_back(InHere(subject_->set->name, "", measured));
    if (sample->worst_cosine < kFarCosine) {
      edge->finding.value = "is declared, but the values have nothing in common with it";
      edge->details.Set("values", "unrelated");
      return;
    }
    if (sample->worst_cosine < kNearCosine) return;
    edge->finding.level = Level::kProved;
    edge->details.Set("values", "near");
    bool other_form = subject_->set->format != base.set->format;
    std::string relation = "finetune";
    if (sample->quantised && sample->worst_relative > kRoundedRelative / 10) relation = "quantized";
    if (relation == "finetune" && sample->worst_relative < kRoundedRelative / 10)
      relation = other_form || sample->worst_relative > 0 ? "converted" : "copy";
    // What the author said of a merge or a fine-tune is finer than what a sample can tell.
    bool said = edge->relation != "base" && relation == "finetune";
    if (relation == "copy") {
      // A sample of equal values proves a common origin, not that all of it is equal.
      edge->finding.value = "the sampled matrices hold the same values";
      return;
    }
    if (!said) edge->relation = relation;
    edge->finding.value = relation == "quantized"   ? "its values are the base's, rounded"
                          : relation == "converted" ? "its values are the base's in another form"
                                                    : "its values lie close to the base's";
  }

  // The declared ancestors of what is declared, as far as they are here.
  void FollowAncestors() {
    std::unordered_set<std::string> seen = {AsciiLower(view_.id())};
    std::vector<std::string> generation;
    for (const DeclaredBase& base : FindDeclaredBases(view_)) generation.push_back(base.id);
    for (size_t depth = 1; depth < kMaxGenerations && !generation.empty(); ++depth) {
      std::vector<std::string> next;
      for (const std::string& id : generation) {
        if (seen.size() > kMaxAncestors || !seen.insert(AsciiLower(id)).second) continue;
        std::unique_ptr<RepoView> view =
            input_.neighbours == nullptr ? nullptr : input_.neighbours->Find("model", id, "");
        if (view == nullptr) continue;
        for (DeclaredBase& base : FindDeclaredBases(*view)) {
          AddAncestor(*view, base);
          next.push_back(base.id);
        }
      }
      generation = std::move(next);
    }
  }

  void AddAncestor(const RepoView& child, DeclaredBase& base) {
    std::unique_ptr<RepoView> view = Open(base);
    OriginEdge edge = Edge(view == nullptr ? base.id : NameOf(view->id(), view->commit()),
                           base.relation.empty() ? "base" : base.relation);
    edge.from = NameOf(child.id(), child.commit());
    edge.finding = {.value = "names " + base.id + " as what it was made from",
                    .level = base.level,
                    .evidence = std::move(base.evidence)};
    for (Evidence& evidence : edge.finding.evidence) evidence.repo = edge.from;
    edge.details = Json::Obj({{"here", view != nullptr}});
    result_.edges.push_back(std::move(edge));
  }

  OriginEdge Edge(std::string to, std::string relation) const {
    OriginEdge edge;
    edge.from = result_.repo;
    edge.to = std::move(to);
    edge.relation = std::move(relation);
    return edge;
  }
  static Evidence InHere(std::string file, std::string place, std::string rule) {
    return {
        .file = std::move(file), .place = std::move(place), .rule = std::move(rule), .repo = {}};
  }

  const OriginsInput& input_;
  const RepoView& view_;
  std::unique_ptr<ComparedRepo> subject_;
  std::vector<TensorRecord> records_;
  std::vector<TensorHash> telling_;
  bool complete_ = true;
  Origins result_;
};

}  // namespace

Origins FindOrigins(const OriginsInput& input) { return Finder(input).Run(); }

Json ToJson(const Origins& origins) {
  Json edges = Json::Arr(), nodes = Json::Arr();
  std::unordered_set<std::string> seen;
  auto add_node = [&](const std::string& name) {
    if (!seen.insert(name).second) return;
    size_t at = name.find('@');
    Json node = Json::Obj({{"id", name.substr(0, at)}});
    node.Set("commit", at == std::string::npos ? Json() : Json(name.substr(at + 1)));
    nodes.Push(std::move(node));
  };
  add_node(origins.repo);
  for (const OriginEdge& edge : origins.edges) {
    add_node(edge.from);
    add_node(edge.to);
    Json row = Json::Obj({{"from", edge.from}, {"to", edge.to}, {"relation", edge.relation}});
    Json finding = ToJson(edge.finding);
    for (const auto& [key, value] : *finding.AsObject()) row.Set(key, value);
    row.Set("details", edge.details.is_null() ? Json::Obj() : edge.details);
    edges.Push(std::move(row));
  }
  return Json::Obj({{"repo", origins.repo},
                    {"index", Json::Obj({{"weight_files", origins.weight_files},
                                         {"indexed", origins.indexed_files}})},
                    {"nodes", std::move(nodes)},
                    {"edges", std::move(edges)},
                    {"more", origins.more_holders}});
}

}  // namespace hearth::inspector
