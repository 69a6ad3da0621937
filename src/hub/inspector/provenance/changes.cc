#include "hub/inspector/provenance/changes.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "hub/inspector/provenance/declared.h"
#include "hub/inspector/provenance/prompt.h"
#include "hub/inspector/quantity_text.h"

namespace hearth::inspector {
namespace {

constexpr size_t kMaxHeaderChanges = 2000;

std::string Joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

class Changes {
 public:
  Changes(const ComparedRepo& from, const ComparedRepo& to) : from_(from), to_(to) {
    from_card_ = ReadFrontMatter(*from.view);
    to_card_ = ReadFrontMatter(*to.view);
  }

  ChangesReport Run() {
    report_.from = from_.Name(), report_.to = to_.Name();
    if (IsWhole(from_) && IsWhole(to_)) CompareHeaders();
    if (from_.set) report_.from_weights = WeightsJson(from_);
    if (to_.set) report_.to_weights = WeightsJson(to_);
    Declared("data", "datasets", "training data");
    AskWeights();
    AskPrecision();
    AskFormat();
    AskPrompt();
    Declared("licence", "license", "licence");
    AskConfig();
    AskTokenizer();
    ReadAdapter();
    return std::move(report_);
  }

 private:
  // --- answers

  Evidence Here(std::string file, std::string place, std::string rule) const {
    return {
        .file = std::move(file), .place = std::move(place), .rule = std::move(rule), .repo = {}};
  }
  Evidence There(std::string file, std::string place, std::string rule) const {
    return {.file = std::move(file),
            .place = std::move(place),
            .rule = std::move(rule),
            .repo = from_.Name()};
  }
  void Answer(std::string question, std::optional<bool> changed, Level level, std::string sentence,
              std::vector<Evidence> evidence = {}) {
    ChangeAnswer answer;
    answer.question = std::move(question);
    answer.answer = !changed ? "not stated" : *changed ? "changed" : "same";
    answer.finding = {.value = changed ? Json(std::move(sentence)) : Json(),
                      .level = changed ? level : Level::kMissing,
                      .evidence = std::move(evidence)};
    report_.answers.push_back(std::move(answer));
  }

  // A list of the front matter on both sides.
  void Declared(const char* question, const char* key, const char* word) {
    std::vector<std::string> before = TextsOf(from_card_, key), after = TextsOf(to_card_, key);
    if (before.empty() || after.empty()) {
      std::vector<Evidence> evidence;
      if (!before.empty())
        evidence.push_back(There("README.md", std::string("/") + key, "said here only"));
      if (!after.empty())
        evidence.push_back(Here("README.md", std::string("/") + key, "said here only"));
      return Answer(question, std::nullopt, Level::kMissing, "", std::move(evidence));
    }
    std::set<std::string> a(before.begin(), before.end()), b(after.begin(), after.end());
    std::string sentence =
        a == b ? std::string("both cards name the ") + word + " " + Joined(after)
               : std::string(word) + " " + Joined(before) + " before, " + Joined(after) + " now";
    Answer(question, a != b, Level::kDeclared, std::move(sentence),
           {There("README.md", std::string("/") + key, "front matter"),
            Here("README.md", std::string("/") + key, "front matter")});
  }

  // What was not read is neither added nor removed.
  static bool IsWhole(const ComparedRepo& repo) {
    return repo.set && repo.set->missing.empty() && repo.headers.faults.empty();
  }

  // Equal files are equal weights, whatever else is known.
  bool FilesAreEqual() const {
    if (from_.set->files.size() != to_.set->files.size()) return false;
    for (size_t i = 0; i < to_.set->files.size(); ++i) {
      const RepoFile* a = from_.view->Find(from_.set->files[i]);
      const RepoFile* b = to_.view->Find(to_.set->files[i]);
      bool by_digest = a->sha256 && b->sha256 && *a->sha256 == *b->sha256;
      bool by_blob = !a->sha256 && !b->sha256 && !a->blob.empty() && a->blob == b->blob;
      if (!by_digest && !by_blob) return false;
    }
    return true;
  }

  void AskWeights() {
    if (!from_.set || !to_.set) return Answer("weights", std::nullopt, Level::kMissing, "");
    std::vector<Evidence> evidence = {There(from_.set->name, "header", "the weights of that side"),
                                      Here(to_.set->name, "header", "the weights of this side")};
    if (from_.set->is_adapter != to_.set->is_adapter)
      return Answer("weights", true, Level::kProved, "an adapter beside the weights it changes",
                    std::move(evidence));
    if (FilesAreEqual())
      return Answer("weights", false, Level::kProved, "the files are the same",
                    std::move(evidence));
    if (report_.header_changes > 0)
      return Answer("weights", true, Level::kProved,
                    CountOf(report_.header_changes, "tensor") +
                        (report_.header_changes == 1 ? " was" : " were") +
                        " added, removed, renamed or stored otherwise",
                    std::move(evidence));
    if (!from_.hashed || !to_.hashed)
      return Answer("weights", std::nullopt, Level::kMissing, "", std::move(evidence));
    size_t equal = 0;
    for (const auto& [name, hash] : to_.side.hashes) {
      auto other = from_.side.hashes.find(name);
      if (other != from_.side.hashes.end() && other->second == hash) ++equal;
    }
    size_t all = to_.side.hashes.size();
    std::string sentence = equal == all
                               ? all == 1 ? "the only tensor has the same bytes"
                                          : "all " + CountText(all) + " tensors have the same bytes"
                               : std::to_string(all - equal) + " of " + CountOf(all, "tensor") +
                                     (all - equal == 1 ? " has" : " have") + " other bytes";
    Answer("weights", equal != all, Level::kProved, std::move(sentence), std::move(evidence));
  }

  void AskPrecision() {
    if (!from_.set || !to_.set || from_.headers.by_dtype.empty() || to_.headers.by_dtype.empty())
      return Answer("precision", std::nullopt, Level::kMissing, "");
    std::string before = PrecisionName(*from_.set, from_.headers);
    std::string after = PrecisionName(*to_.set, to_.headers);
    Answer("precision", before != after, Level::kProved,
           before == after ? "most parameters are " + after : before + " before, " + after + " now",
           {There(from_.set->name, "header", "types of the tensors"),
            Here(to_.set->name, "header", "types of the tensors")});
  }

  void AskFormat() {
    if (!from_.set || !to_.set) return Answer("format", std::nullopt, Level::kMissing, "");
    const std::string &before = from_.set->format, &after = to_.set->format;
    Answer("format", before != after, Level::kProved,
           before == after ? "both are " + after : before + " before, " + after + " now",
           {There(from_.set->files[0], "", "the file's form"),
            Here(to_.set->files[0], "", "the file's form")});
  }

  void AskPrompt() {
    std::optional<Prompt> before = FindPrompt(*from_.view, from_.set ? &from_.headers : nullptr,
                                              from_.set ? from_.set->files[0] : "");
    std::optional<Prompt> after =
        FindPrompt(*to_.view, to_.set ? &to_.headers : nullptr, to_.set ? to_.set->files[0] : "");
    std::vector<Evidence> evidence;
    if (before) evidence.push_back(There(before->file, before->place, "the chat template"));
    if (after) evidence.push_back(Here(after->file, after->place, "the chat template"));
    if (!before && !after) return Answer("prompt", std::nullopt, Level::kMissing, "");
    if (!before || !after)
      return Answer("prompt", true, Level::kProved,
                    before ? "the chat template is gone" : "a chat template was added",
                    std::move(evidence));
    report_.chat_template = DiffLines(before->text, after->text);
    bool changed = before->text != after->text;
    Answer("prompt", changed, Level::kProved,
           changed ? "the chat templates differ" : "the chat templates are the same",
           std::move(evidence));
  }

  void AskConfig() {
    report_.generation = DiffValues(ReadJsonFile(*from_.view, "generation_config.json"),
                                    ReadJsonFile(*to_.view, "generation_config.json"));
    if (!from_.config.is_object() || !to_.config.is_object())
      return Answer("config", std::nullopt, Level::kMissing, "");
    report_.config = DiffValues(from_.config, to_.config);
    // Notes of the program that saved it.
    std::erase_if(report_.config, [](const ValueChange& change) {
      return change.pointer == "/transformers_version" || change.pointer == "/_name_or_path";
    });
    bool changed = !report_.config.empty();
    Answer("config", changed, Level::kProved,
           changed ? CountOf(report_.config.size(), "field") + " of config.json " +
                         (report_.config.size() == 1 ? "differs" : "differ")
                   : "config.json says the same",
           {There("config.json", "", "read whole"), Here("config.json", "", "read whole")});
  }

  void AskTokenizer() {
    std::optional<TokenizerFacts> before = ReadTokenizer(*from_.view),
                                  after = ReadTokenizer(*to_.view);
    if (!before || !after) return Answer("tokenizer", std::nullopt, Level::kMissing, "");
    report_.tokenizer = DiffTokenizers(*before, *after);
    bool changed = report_.tokenizer.size() > 0;
    Answer("tokenizer", changed, Level::kProved,
           changed ? "the tokenizers differ" : "the tokenizers are the same",
           {There(before->file, "", "read whole"), Here(after->file, "", "read whole")});
  }

  // --- headers

  void CompareHeaders() {
    TensorPairs pairs = PairTensors(from_.side, to_.side);
    const std::vector<TensorInfo>&a = from_.headers.tensors, &b = to_.headers.tensors;
    bool same_format = from_.set->format == to_.set->format;
    for (const TensorPair& pair : pairs.pairs) {
      const TensorInfo &before = a[pair.from], &after = b[pair.to];
      std::string from_name = before.name == after.name ? "" : before.name;
      if (pair.renamed) Note({after.name, from_name, "renamed", before.name, after.name});
      if (before.shape != after.shape && same_format) {
        Note({after.name, from_name, "shape", ShapeText(before.shape), ShapeText(after.shape)});
        NoteVocabulary(before, after);
      }
      if (before.dtype != after.dtype)
        Note({after.name, from_name, "dtype", before.dtype, after.dtype});
    }
    // Names of another format that no table knows are no change.
    if (!same_format && pairs.pairs.empty()) return;
    for (size_t i : pairs.removed) Note({a[i].name, "", "removed", ShapeText(a[i].shape), ""});
    for (size_t i : pairs.added) Note({b[i].name, "", "added", "", ShapeText(b[i].shape)});
  }

  void Note(HeaderChange change) {
    ++report_.header_changes;
    if (report_.headers.size() < kMaxHeaderChanges) report_.headers.push_back(std::move(change));
  }

  void NoteVocabulary(const TensorInfo& before, const TensorInfo& after) {
    bool table = after.name.find("embed_tokens.") != std::string::npos ||
                 after.name.find("word_embeddings.") != std::string::npos ||
                 after.name.find("wte.") != std::string::npos || after.name == "token_embd.weight";
    if (table && before.shape.size() == 2 && after.shape.size() == 2 &&
        before.shape[1] == after.shape[1])
      report_.vocabulary = {before.shape[0], after.shape[0]};
  }

  static Json WeightsJson(const ComparedRepo& repo) {
    Json by_dtype = Json::Obj();
    for (const auto& [dtype, count] : repo.headers.by_dtype) by_dtype.Set(dtype, count);
    return Json::Obj({{"name", repo.set->name},
                      {"format", repo.set->format},
                      {"precision", PrecisionName(*repo.set, repo.headers)},
                      {"tensors", repo.headers.tensors.size()},
                      {"parameters", repo.headers.parameters},
                      {"parameters_by_dtype", std::move(by_dtype)},
                      {"bits_per_weight", repo.headers.BitsPerWeight()}});
  }

  void ReadAdapter() {
    Json config = ReadJsonFile(*to_.view, "adapter_config.json");
    if (!config.is_object() || !to_.set || !to_.set->is_adapter) return;
    AdapterFacts facts;
    auto number = [&config](const char* key) {
      const Json* value = config.Find(key);
      return value == nullptr ? 0.0 : value->AsDouble().value_or(0);
    };
    const Json* method = config.Find("peft_type");
    if (method != nullptr && method->AsString() != nullptr) facts.method = *method->AsString();
    double rank = number("r");
    facts.rank = rank > 0 && rank < 1e6 ? static_cast<uint64_t>(rank) : 0;
    facts.alpha = number("lora_alpha");
    const Json* rslora = config.Find("use_rslora");
    bool root = rslora != nullptr && rslora->AsBool().value_or(false);
    if (facts.rank > 0) facts.scale = facts.alpha / (root ? std::sqrt(rank) : rank);
    facts.targets = TextsOf(config, "target_modules");
    facts.parameters = to_.headers.parameters;
    if (from_.set && !from_.set->is_adapter && from_.headers.parameters > 0)
      facts.share_of_base =
          static_cast<double>(facts.parameters) / static_cast<double>(from_.headers.parameters);
    report_.adapter = std::move(facts);
  }

  const ComparedRepo& from_;
  const ComparedRepo& to_;
  Json from_card_, to_card_;
  ChangesReport report_;
};

}  // namespace

std::string ComparedRepo::Name() const {
  return view->commit().empty() ? view->id() : view->id() + "@" + view->commit();
}

std::unique_ptr<ComparedRepo> PrepareRepo(const RepoView& view, const StoredRecords* stored,
                                          const std::string& set_name) {
  auto repo = std::make_unique<ComparedRepo>();
  repo->view = &view;
  repo->config = ReadJsonFile(view, "config.json");
  for (WeightSet& set : FindWeightSets(view)) {
    if (!set_name.empty() && set.name != set_name) continue;
    repo->set = std::move(set);
    break;
  }
  if (!repo->set) {
    if (!set_name.empty())
      throw Error(Code::kInvalidArgument, "the repository has no weights named " + set_name);
    return repo;
  }
  repo->headers = ReadWeightHeaders(view, *repo->set);
  repo->side = {
      .set = &*repo->set, .headers = &repo->headers, .config = &repo->config, .hashes = {}};
  repo->hashed = stored != nullptr && repo->set->missing.empty();
  for (const std::string& path : repo->set->files) {
    std::optional<FileRecords> records;
    if (stored != nullptr) records = stored->Find(view, *view.Find(path));
    if (!records || !records->fault.empty()) {
      repo->hashed = false;
      continue;
    }
    for (const TensorRecord& record : records->tensors)
      if (record.info.bytes > 0) repo->side.hashes[record.info.name] = record.hash;
  }
  return repo;
}

ChangesReport FindChanges(const ComparedRepo& from, const ComparedRepo& to) {
  return Changes(from, to).Run();
}

void AnswerWeights(const WeightDistance& distance, ChangesReport* report) {
  if (distance.compared == 0) return;
  for (ChangeAnswer& answer : report->answers) {
    if (answer.question != "weights") continue;
    uint64_t same = 0;
    for (const TensorDistance& tensor : distance.tensors)
      same += tensor.skipped.empty() && tensor.relative == 0 && tensor.changed == 0 ? 1 : 0;
    bool unchanged =
        same == distance.compared && distance.skipped == 0 && report->header_changes == 0;
    std::string counts = std::to_string(same) + " of " + std::to_string(distance.compared);
    answer.answer = unchanged ? "same" : "changed";
    answer.finding.value = counts + " compared tensors hold the same values";
    answer.finding.level = Level::kProved;
  }
}

}  // namespace hearth::inspector
