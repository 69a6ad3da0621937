#include "server/hub_api/repo_json.h"

#include <algorithm>
#include <functional>
#include <span>
#include <unordered_set>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/yaml.h"
#include "hub/storage_use.h"
#include "server/inspector_api/safety_json.h"

namespace hearth::server {
namespace {

using hub::RepoFacts;
using hub::RepoRecord;
using hub::RepoType;

constexpr std::string_view kProvider = "hf-inference";
constexpr size_t kMaxLinked = 100;  // Spaces named on a model's page
constexpr size_t kMaxEvalFiles = 50;
constexpr uint64_t kMaxEvalBytes = 256u << 10;

// Everything a field may need, read when first asked for.
class Source {
 public:
  Source(hub::Hub& hub, const hub::RepoHandle& repo, std::optional<GitOid> commit,
         const RepoJsonOptions& options)
      : hub(hub), repo(repo), commit(commit ? commit : repo.record().head), options(options) {}

  const RepoRecord& record() const { return repo.record(); }
  const RepoFacts& facts() {
    if (!facts_) {
      facts_ = commit ? hub.catalog().FactsOf(repo, *commit) : std::make_shared<const RepoFacts>();
    }
    return *facts_;
  }
  const hub::RepoSummary& summary() {
    if (!summary_) {
      summary_ = hub.catalog().SummaryOf(record());
      // Lists answer from the index; one repository is answered from the facts of its commit, which
      // are right even in the moment before the index has them.
      if (commit && (summary_->tags.empty() || !options.in_list)) {
        summary_->tags = facts().tags;
        summary_->pipeline_tag = facts().pipeline_tag;
        summary_->library_name = facts().library_name;
        summary_->main_bytes = facts().main_bytes;
        summary_->run_tasks = facts().run.tasks;
      }
    }
    return *summary_;
  }

  hub::Hub& hub;
  const hub::RepoHandle& repo;
  const std::optional<GitOid> commit;
  const RepoJsonOptions& options;

 private:
  hub::FactsPtr facts_;
  std::optional<hub::RepoSummary> summary_;
};

Json TextOrNothing(const std::string& text) { return text.empty() ? Json() : Json(text); }

std::vector<std::string> Texts(const Json* value) {
  std::vector<std::string> list;
  if (value == nullptr || !value->is_array()) return list;
  for (const Json& item : *value->AsArray()) {
    if (const std::string* text = item.AsString()) list.push_back(*text);
  }
  return list;
}

Json CardField(Source& source, std::string_view key) {
  const Json* value = source.facts().card_data.Find(key);
  return value == nullptr ? Json() : *value;
}

Json SpaceField(Source& source, std::string_view key) {
  const Json* value = source.facts().space.Find(key);
  if (value != nullptr) return *value;
  // A Space without a card has what it was created with.
  if (key != "sdk") return {};
  Json settings = hub::ReadRepoSettingsJson(source.hub.db(), source.record().id);
  const Json* sdk = settings.Find("sdk");
  return sdk == nullptr ? Json() : *sdk;
}

std::unordered_map<Sha256, storage::XetHash> XetHashes(Source& source) {
  std::vector<Sha256> oids;
  for (const hub::Sibling& file : source.facts().siblings) {
    if (file.lfs) oids.push_back(*file.lfs);
  }
  return source.hub.objects().XetHashesIn(source.record(), oids);
}

Json Siblings(Source& source) {
  const auto& files = source.facts().siblings;
  std::unordered_map<Sha256, storage::XetHash> xet;
  if (source.options.blobs) xet = XetHashes(source);
  Json::Array list;
  list.reserve(files.size());
  for (const hub::Sibling& file : files) {
    Json entry = Json::Obj({{"rfilename", file.path}});
    if (source.options.blobs) {
      entry.Set("size", file.size_bytes);
      entry.Set("blobId", file.blob.Hex());
      if (file.lfs) {
        entry.Set("lfs", Json::Obj({{"sha256", file.lfs->Hex()},
                                    {"size", file.size_bytes},
                                    {"pointerSize", file.pointer_bytes}}));
        if (auto found = xet.find(*file.lfs); found != xet.end()) {
          entry.Set("xetHash", found->second.Text());
        }
      }
    }
    list.push_back(std::move(entry));
  }
  return Json(std::move(list));
}

// Only public repositories appear in what a page says of others: the answer is the same for every
// caller, and nobody learns a private name.
Json BaseModels(Source& source) {
  const Json& bases = source.facts().base_models;
  if (bases.is_null()) return {};
  Json::Array models;
  for (const std::string& id : Texts(bases.Find("models"))) {
    Json model = Json::Obj();
    size_t slash = id.find('/');
    hub::RepoPtr known =
        slash == std::string::npos
            ? nullptr
            : source.hub.repos().Find(RepoType::kModel, id.substr(0, slash), id.substr(slash + 1));
    bool shown = known && !known->is_private;
    if (shown) model.Set("_id", known->oid);
    model.Set("id", shown ? known->FullName() : id);
    models.push_back(std::move(model));
  }
  return Json::Obj({{"relation", *bases.Find("relation")}, {"models", Json(std::move(models))}});
}

Json ChildrenCount(Source& source) {
  Json counts = Json::Obj();
  for (const char* relation : {"adapter", "merge", "quantized", "finetune"}) {
    hub::CatalogQuery query;
    query.filters = {"base_model:" + std::string(relation) + ":" + source.record().FullName()};
    counts.Set(relation, source.hub.catalog().Count(hub::Actor{}, query));
  }
  return counts;
}

Json LinkedSpaces(Source& source) {
  hub::CatalogQuery query;
  query.type = RepoType::kSpace;
  query.limit = kMaxLinked;
  auto& links =
      source.record().type == RepoType::kDataset ? query.linked_datasets : query.linked_models;
  links = {source.record().FullName()};
  Json::Array ids;
  for (const hub::RepoPtr& space : source.hub.catalog().List(hub::Actor{}, query).repos)
    ids.push_back(space->FullName());
  return Json(std::move(ids));
}

// .eval_results/*.yaml: each file is one result or a list of them.
Json EvalResults(Source& source) {
  Json::Array results;
  size_t files = 0;
  for (const hub::Sibling& file : source.facts().siblings) {
    bool named = file.path.starts_with(".eval_results/") &&
                 (file.path.ends_with(".yaml") || file.path.ends_with(".yml"));
    if (!named || file.lfs || file.size_bytes > kMaxEvalBytes || ++files > kMaxEvalFiles) continue;
    try {
      auto git = storage::GitRepository::Open(source.repo.git_folder());
      Json parsed = ParseYaml(git.ReadBlob(file.blob, kMaxEvalBytes));
      Json::Array entries;
      if (Json::Array* list = parsed.AsArray()) {
        entries = std::move(*list);
      } else if (parsed.is_object()) {
        entries.push_back(std::move(parsed));
      }
      for (Json& entry : entries) {
        if (entry.is_object())
          results.push_back(Json::Obj({{"filename", file.path}, {"data", std::move(entry)}}));
      }
    } catch (const Error&) {
      // A broken result file is not a result.
    }
  }
  return Json(std::move(results));
}

// The first BibTeX block of a card.
Json Citation(Source& source) {
  const std::string& text = source.facts().card_text;
  for (std::string_view mark : {"```bibtex\n", "```latex\n", "```\n@", "```BibTeX\n"}) {
    size_t at = text.find(mark);
    if (at == std::string::npos) continue;
    size_t from = at + mark.size() - (mark.back() == '@' ? 1 : 0);
    size_t end = text.find("```", from);
    if (end == std::string::npos) continue;
    std::string block(TrimAscii(std::string_view(text).substr(from, end - from)));
    if (block.starts_with("@")) return Json(block);
  }
  return {};
}

// This hub under the name that clients know for "the hub's own inference". A dictionary for one
// repository, a list in lists: clients read both.
Json ProviderMapping(Source& source) {
  bool in_list = source.options.in_list;
  std::string task = hub::OfferedTask(source.summary().run_tasks, source.summary().pipeline_tag);
  if (task.empty()) return in_list ? Json::Arr() : Json::Obj();
  Json mapping =
      Json::Obj({{"status", "live"}, {"providerId", source.record().FullName()}, {"task", task}});
  if (!in_list) return Json::Obj({{std::string(kProvider), std::move(mapping)}});
  mapping.Set("provider", kProvider);
  return Json::Arr({std::move(mapping)});
}

std::string Subdomain(const RepoRecord& record) {
  std::string name = AsciiLower(record.owner + "-" + record.name);
  for (char& c : name) {
    bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!word) c = '-';
  }
  return name;
}

Json Runtime(Source& source) {
  bool has_app = source.facts().siblings.size() > 2 || !SpaceField(source, "sdk").is_null();
  return Json::Obj({{"stage", has_app ? "STOPPED" : "NO_APP_FILE"},
                    {"hardware", Json::Obj({{"current", nullptr}, {"requested", nullptr}})}});
}

struct Field {
  std::string_view name;
  // First letters of the types that know it for `expand`; "" = shown by default only.
  std::string_view expand;
  Json (*make)(Source&);
};

constexpr Field kFields[] = {
    {"author", "mds", [](Source& s) { return Json(s.record().owner); }},
    {"sha", "mds", [](Source& s) { return s.commit ? Json(s.commit->Hex()) : Json(); }},
    {"createdAt", "mds", [](Source& s) { return Json(FormatIso8601(s.record().created_at)); }},
    {"lastModified", "mds", [](Source& s) { return Json(FormatIso8601(s.record().modified_at)); }},
    {"private", "mds", [](Source& s) { return Json(s.record().is_private); }},
    {"gated", "md", [](Source& s) { return GatedJson(s.record().gated); }},
    {"disabled", "mds", [](Source& s) { return Json(s.record().disabled); }},
    {"downloads", "md", [](Source& s) { return Json(s.record().downloads); }},
    {"downloadsAllTime", "md", [](Source& s) { return Json(s.record().downloads_all); }},
    {"likes", "mds", [](Source& s) { return Json(s.record().likes); }},
    {"trendingScore", "mds", [](Source& s) { return Json(s.summary().trending); }},
    {"usedStorage", "mds",
     [](Source& s) {
       return Json(hub::UsedStorage(s.hub.db(), s.record().id, s.summary().main_bytes));
     }},
    {"tags", "mds", [](Source& s) { return Json(s.summary().tags); }},
    {"pipeline_tag", "m", [](Source& s) { return TextOrNothing(s.summary().pipeline_tag); }},
    {"library_name", "m", [](Source& s) { return TextOrNothing(s.summary().library_name); }},
    {"mask_token", "m", [](Source& s) { return TextOrNothing(s.facts().mask_token); }},
    {"cardData", "mds", [](Source& s) { return s.facts().card_data; }},
    {"config", "m", [](Source& s) { return s.facts().config; }},
    {"transformersInfo", "m", [](Source& s) { return s.facts().transformers_info; }},
    {"safetensors", "m", [](Source& s) { return s.facts().safetensors; }},
    {"gguf", "m", [](Source& s) { return s.facts().gguf; }},
    {"model-index", "m", [](Source& s) { return s.facts().model_index; }},
    {"widgetData", "m", [](Source& s) { return s.facts().widget_data; }},
    {"siblings", "mds", Siblings},
    {"baseModels", "m", BaseModels},
    {"childrenModelCount", "m", ChildrenCount},
    {"evalResults", "m", EvalResults},
    // A model that runs is loaded by the first request: to a client it is as good as warm.
    {"inference", "m",
     [](Source& s) { return s.summary().run_tasks.empty() ? Json() : Json("warm"); }},
    {"inferenceProviderMapping", "m", ProviderMapping},
    {"spaces", "m", LinkedSpaces},
    {"resourceGroup", "mds", [](Source&) { return Json(); }},
    // Clients up to 0.34 ask before they upload by Xet.
    {"xetEnabled", "mds", [](Source&) { return Json(true); }},
    {"gitalyUid", "mds", [](Source& s) { return Json(s.record().oid); }},
    {"citation", "d", Citation},
    {"description", "d", [](Source& s) { return Json(s.facts().description); }},
    {"paperswithcode_id", "d", [](Source& s) { return CardField(s, "paperswithcode_id"); }},
    {"mainSize", "d", [](Source& s) { return Json(s.summary().main_bytes); }},
    {"sdk", "s", [](Source& s) { return SpaceField(s, "sdk"); }},
    {"subdomain", "s", [](Source& s) { return Json(Subdomain(s.record())); }},
    {"runtime", "s", Runtime},
    {"region", "s", [](Source&) { return Json("us"); }},
    {"models", "s",
     [](Source& s) {
       Json ids = SpaceField(s, "models");
       return ids.is_array() ? ids : Json::Arr();
     }},
    {"datasets", "s",
     [](Source& s) {
       Json ids = SpaceField(s, "datasets");
       return ids.is_array() ? ids : Json::Arr();
     }},
    {"title", "", [](Source& s) { return SpaceField(s, "title"); }},
    {"shortDescription", "", [](Source& s) { return SpaceField(s, "short_description"); }},
    {"emoji", "", [](Source& s) { return SpaceField(s, "emoji"); }},
    {"colorFrom", "", [](Source& s) { return SpaceField(s, "colorFrom"); }},
    {"colorTo", "", [](Source& s) { return SpaceField(s, "colorTo"); }},
    {"pinned", "",
     [](Source& s) {
       Json pinned = SpaceField(s, "pinned");
       return pinned.is_bool() ? pinned : Json(false);
     }},
};

const Field* FindField(std::string_view name) {
  for (const Field& field : kFields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

void SetField(Source& source, std::string_view name, Json* object) {
  const Field* field = FindField(name);
  Json value = field->make(source);
  // Absent rather than null, but for the two that clients expect as null.
  if (value.is_null() && name != "model-index" && name != "paperswithcode_id") return;
  object->Set(std::string(name), std::move(value));
}

using Names = std::span<const std::string_view>;

constexpr std::string_view kModelInfo[] = {
    "private",    "pipeline_tag", "library_name", "tags",     "downloads",        "likes",
    "author",     "sha",          "lastModified", "gated",    "disabled",         "mask_token",
    "widgetData", "model-index",  "config",       "cardData", "transformersInfo", "safetensors",
    "gguf",       "createdAt",    "spaces",       "siblings", "usedStorage",      "inference"};
constexpr std::string_view kDatasetInfo[] = {
    "author",   "sha",      "lastModified", "private",           "gated",     "disabled",
    "tags",     "citation", "description",  "paperswithcode_id", "downloads", "likes",
    "cardData", "siblings", "createdAt",    "usedStorage"};
constexpr std::string_view kSpaceInfo[] = {
    "author",    "sha",     "lastModified", "private", "disabled",         "subdomain",
    "tags",      "likes",   "sdk",          "runtime", "cardData",         "siblings",
    "createdAt", "models",  "datasets",     "title",   "shortDescription", "emoji",
    "colorFrom", "colorTo", "pinned",       "region",  "usedStorage"};
constexpr std::string_view kModelRow[] = {"private",   "likes",        "downloads",
                                          "tags",      "pipeline_tag", "library_name",
                                          "createdAt", "trendingScore"};
constexpr std::string_view kDatasetRow[] = {
    "author", "sha",         "lastModified", "private", "gated",     "disabled",
    "tags",   "description", "downloads",    "likes",   "createdAt", "trendingScore"};
constexpr std::string_view kSpaceRow[] = {"private", "likes",     "tags",
                                          "sdk",     "createdAt", "trendingScore"};
constexpr std::string_view kModelFull[] = {"author", "sha",      "lastModified",
                                           "gated",  "disabled", "siblings"};
constexpr std::string_view kDatasetFull[] = {"siblings", "cardData", "citation",
                                             "paperswithcode_id"};
constexpr std::string_view kSpaceFull[] = {"author",   "sha",      "lastModified",
                                           "disabled", "siblings", "cardData",
                                           "models",   "datasets", "subdomain"};

Names Pick(RepoType type, Names model, Names dataset, Names space) {
  return type == RepoType::kModel ? model : type == RepoType::kDataset ? dataset : space;
}

}  // namespace

Json GatedJson(hub::Gated gated) {
  switch (gated) {
    case hub::Gated::kAuto:
      return Json("auto");
    case hub::Gated::kManual:
      return Json("manual");
    case hub::Gated::kOff:
      break;
  }
  return Json(false);
}

void CheckExpand(RepoType type, std::vector<std::string>* expand) {
  char letter = hub::SingularName(type)[0];
  std::unordered_set<std::string> seen;
  std::erase_if(*expand, [&seen](const std::string& name) { return !seen.insert(name).second; });
  for (const std::string& name : *expand) {
    const Field* field = FindField(name);
    if (field != nullptr && field->expand.find(letter) != std::string_view::npos) continue;
    throw Error(Code::kInvalidArgument, "Invalid value \"" + name.substr(0, 100) +
                                            "\" for expand: not a property of " +
                                            std::string(hub::PluralName(type)));
  }
}

bool DependsOnOthers(const RepoJsonOptions& options) {
  // What scans found is told to some callers only, and changes without the repository.
  if (options.security_status) return true;
  return std::any_of(options.expand.begin(), options.expand.end(), [](const std::string& name) {
    return name == "baseModels" || name == "childrenModelCount" || name == "trendingScore";
  });
}

Json RepoJson(hub::Hub& hub, const hub::RepoHandle& repo, std::optional<GitOid> commit,
              const RepoJsonOptions& options) {
  Source source(hub, repo, commit, options);
  const RepoRecord& record = repo.record();
  Json object = Json::Obj({{"_id", record.oid}, {"id", record.FullName()}});
  if (!options.expand.empty()) {
    for (const std::string& name : options.expand) SetField(source, name, &object);
    return object;
  }
  RepoType type = record.type;
  if (type == RepoType::kModel) object.Set("modelId", record.FullName());
  Names names = options.in_list ? Pick(type, kModelRow, kDatasetRow, kSpaceRow)
                                : Pick(type, kModelInfo, kDatasetInfo, kSpaceInfo);
  for (std::string_view name : names) SetField(source, name, &object);
  if (options.full) {
    for (std::string_view name : Pick(type, kModelFull, kDatasetFull, kSpaceFull))
      SetField(source, name, &object);
  }
  if (options.card_data) SetField(source, "cardData", &object);
  if (options.config && type == RepoType::kModel) SetField(source, "config", &object);
  if (options.security_status) {
    object.Set("securityRepoStatus",
               options.security_readable ? RepoSafetyJson(hub, repo, source.commit) : NotScanned());
  }
  return object;
}

}  // namespace hearth::server
