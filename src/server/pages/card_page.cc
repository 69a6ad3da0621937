// The first page of a repository: its card, how to use it, and what is known of it.
#include "base/bytes.h"
#include "base/error.h"
#include "server/inference_api/widget.h"
#include "server/inspector_api/own_hardware.h"
#include "server/pages/inspect_sections.h"
#include "server/pages/repo_view.h"

namespace hearth::server {
namespace {

constexpr size_t kMaxHeadings = 60;
constexpr size_t kMaxNamed = 40;   // data sets and base models on one card
constexpr size_t kMaxLinked = 12;  // Spaces shown

// The text of a heading without its tags; what is left is escaped HTML.
std::string WithoutTags(std::string_view html) {
  std::string text;
  bool inside = false;
  for (char c : html) {
    if (c == '<') inside = true;
    if (!inside) text += c;
    if (c == '>') inside = false;
  }
  return text;
}

// [{level, id, html}] of the headings in what CardHtml has returned.
Json TableOfContents(std::string_view html) {
  // The sanitiser writes <hN id="..."...>text<a class="anchor"...></a></hN>.
  constexpr std::string_view kAnchor = "<a class=\"anchor\"";
  Json headings = Json::Arr();
  for (size_t at = html.find("<h"); at != std::string_view::npos && headings.size() < kMaxHeadings;
       at = html.find("<h", at + 2)) {
    std::string_view rest = html.substr(at + 2);
    if (rest.size() < 6 || rest[0] < '1' || rest[0] > '3' || !rest.substr(1).starts_with(" id=\""))
      continue;
    size_t id_end = rest.find('"', 6), open_end = rest.find('>'), anchor = rest.find(kAnchor);
    if (anchor == std::string_view::npos || open_end > anchor || id_end > open_end) continue;
    headings.Push(
        Json::Obj({{"level", rest[0] - '0'},
                   {"id", rest.substr(6, id_end - 6)},
                   {"html", WithoutTags(rest.substr(open_end + 1, anchor - open_end - 1))}}));
  }
  return headings;
}

// A repository that a card names: with its page when it is here and the reader may see it, else by
// name alone, as one that lies elsewhere.
Json Named(Context& context, hub::RepoType type, const std::string& id) {
  Json row = Json::Obj({{"id", id}});
  size_t slash = id.find('/');
  if (slash == std::string::npos) return row;
  hub::RepoPtr found = context.hub.repos().Find(type, id.substr(0, slash), id.substr(slash + 1));
  if (found != nullptr &&
      context.hub.repos().May(context.actor, found->id, hub::Right::kReadInfo)) {
    row.Set("path", RepoPath(*found));
    row.Set("owner", found->owner);
  }
  return row;
}

Json DatasetsUsed(Context& context, const hub::RepoFacts& facts) {
  Json rows = Json::Arr();
  for (const std::string& tag : facts.tags) {
    if (tag.starts_with("dataset:") && rows.size() < kMaxNamed)
      rows.Push(Named(context, hub::RepoType::kDataset, tag.substr(8)));
  }
  return rows;
}

Json Papers(const hub::RepoFacts& facts) {
  Json ids = Json::Arr();
  for (const std::string& tag : facts.tags) {
    if (tag.starts_with("arxiv:") && ids.size() < kMaxNamed) ids.Push(tag.substr(6));
  }
  return ids;
}

size_t CountTagged(Context& context, hub::RepoType type, std::string tag) {
  hub::CatalogQuery query;
  query.type = type;
  query.filters = {std::move(tag)};
  return context.hub.catalog().Count(context.actor, query);
}

// What the card says this model was made from, and how many models of this hub say so of it.
Json ModelTree(Context& context, const hub::RepoFacts& facts) {
  Json parents = Json::Arr();
  std::string relation = facts.base_models.StringField("relation").value_or("");
  if (const Json* models = facts.base_models.Find("models");
      models != nullptr && models->AsArray() != nullptr) {
    for (const Json& model : *models->AsArray()) {
      if (model.AsString() != nullptr && parents.size() < kMaxNamed)
        parents.Push(Named(context, hub::RepoType::kModel, *model.AsString()));
    }
  }
  static constexpr std::pair<const char*, const char*> kRelations[] = {
      {"finetune", "Fine-tunes"},
      {"adapter", "Adapters"},
      {"quantized", "Quantisations"},
      {"merge", "Merges"}};
  Json children = Json::Arr();
  std::string id = context.repo().record().FullName();
  for (auto [key, label] : kRelations) {
    std::string tag = "base_model:" + std::string(key) + ":" + id;
    size_t count = CountTagged(context, hub::RepoType::kModel, tag);
    if (count > 0) children.Push(Json::Obj({{"label", label}, {"count", count}, {"filter", tag}}));
  }
  if (parents.size() == 0 && children.size() == 0) return {};
  return Json::Obj({{"relation", relation}, {"parents", parents}, {"children", children}});
}

Json SpacesUsing(Context& context) {
  const hub::RepoRecord& record = context.repo().record();
  if (record.type == hub::RepoType::kSpace) return {};
  hub::CatalogQuery query;
  query.type = hub::RepoType::kSpace;
  query.limit = kMaxLinked;
  (record.type == hub::RepoType::kModel ? query.linked_models : query.linked_datasets)
      .push_back(record.FullName());
  hub::CatalogPage page = context.hub.catalog().List(context.actor, query);
  return Json::Obj({{"total", page.total}, {"rows", RepoSummaries(context, page.repos)}});
}

// Parameters by type of number, each with its place in a bar of 100 units.
Json ParameterBar(const hub::RepoFacts& facts) {
  Json rows = Json::Arr();
  const Json* by_dtype = facts.safetensors.Find("parameters");
  if (by_dtype == nullptr || by_dtype->AsObject() == nullptr) return rows;
  double total = 0, begin = 0;
  for (const auto& [dtype, count] : *by_dtype->AsObject()) total += count.AsDouble().value_or(0);
  for (const auto& [dtype, count] : *by_dtype->AsObject()) {
    double share = total > 0 ? 100 * count.AsDouble().value_or(0) / total : 0;
    rows.Push(Json::Obj({{"dtype", dtype}, {"count", count}, {"begin", begin}, {"share", share}}));
    begin += share;
  }
  return rows;
}

// "model-Q4_K_M.gguf" -> "Q4_K_M": the last part that names a type of block. Files of several parts
// name it before "-00001-of-00003".
std::string QuantOf(std::string_view path) {
  std::string quant;
  for (std::string_view part : Split(path.substr(path.rfind('/') + 1), '-')) {
    for (std::string_view piece : Split(part, '.')) {
      bool block = piece.size() > 1 && (piece[0] == 'Q' || piece[0] == 'q') && piece[1] >= '1' &&
                   piece[1] <= '9';
      bool other = piece.starts_with("IQ") || piece.starts_with("TQ") || piece == "F16" ||
                   piece == "f16" || piece == "BF16" || piece == "bf16" || piece == "F32" ||
                   piece == "f32";
      if (block || other) quant = std::string(piece);
    }
  }
  return quant;
}

Json GgufFiles(const hub::RepoFacts& facts) {
  Json rows = Json::Arr();
  for (const hub::Sibling& file : facts.siblings) {
    if (!file.path.ends_with(".gguf") || rows.size() >= kMaxNamed) continue;
    Json row =
        Json::Obj({{"path", file.path}, {"bytes", file.size_bytes}, {"quant", QuantOf(file.path)}});
    if (facts.parameter_count > 0)
      row.Set("bits", 8.0 * static_cast<double>(file.size_bytes) /
                          static_cast<double>(facts.parameter_count));
    rows.Push(std::move(row));
  }
  return rows;
}

bool HasFile(const hub::RepoFacts& facts, std::string_view path) {
  for (const hub::Sibling& file : facts.siblings) {
    if (file.path == path) return true;
  }
  return false;
}

// A file to show how one is fetched: the largest.
const std::string* OneFile(const hub::RepoFacts& facts) {
  const hub::Sibling* best = nullptr;
  for (const hub::Sibling& file : facts.siblings) {
    if (best == nullptr || file.size_bytes > best->size_bytes) best = &file;
  }
  return best == nullptr ? nullptr : &best->path;
}

void AddFacts(Context& context, const hub::RepoFacts& facts, Json* data) {
  if (!facts.card_text.empty()) {
    std::string html = CardHtml(context, facts.card_text, "main", "");
    data->Set("toc", TableOfContents(html));
    data->Set("card", std::move(html));
  }
  data->Set("warnings", Json(facts.warnings));
  data->Set("card_data", facts.card_data);
  data->Set("safetensors", facts.safetensors);
  data->Set("parameter_bar", ParameterBar(facts));
  data->Set("gguf", facts.gguf);
  data->Set("gguf_files", GgufFiles(facts));
  data->Set("file_count", facts.siblings.size());
  data->Set("head", facts.commit.Hex());
  data->Set("has_adapter", HasFile(facts, "adapter_config.json"));
  data->Set("has_pipeline", HasFile(facts, "model_index.json"));
  data->Set("has_onnx", HasFile(facts, "onnx/model.onnx"));
  if (const std::string* file = OneFile(facts)) data->Set("one_file", *file);
  data->Set("datasets_used", DatasetsUsed(context, facts));
  data->Set("papers", Papers(facts));
  data->Set("tree", ModelTree(context, facts));
}

// [{what, brief}]: the inspector in short.
Json Verdicts(Context& context) {
  Json rows = Json::Arr();
  for (const InspectSection* section : InspectSections(context.repo().record().type)) {
    if (*section->brief != '\0')
      rows.Push(Json::Obj({{"what", section->what}, {"brief", section->brief}}));
  }
  return rows;
}

// Whether some of the model's weights fit the reader's own devices, by the need that lists filter
// by: [{name, fits}]. Null when the reader has listed none, or the need is not known.
Json OwnFit(Context& context, const GitOid& commit) {
  if (context.repo().record().type != hub::RepoType::kModel) return {};
  std::vector<inspector::Device> devices = OwnHardware(context);
  if (devices.empty()) return {};
  inspector::SmallestNeed need;
  try {
    need = context.hub.inspections().Of(context.repo(), commit)->need;
  } catch (const Error&) {
    return {};  // the card of a damaged repository can still be read
  }
  Json rows = Json::Arr();
  for (const inspector::Device& device : devices) {
    bool cpu = device.kind == inspector::DeviceKind::kCpu;
    uint64_t bytes = cpu ? need.cpu_bytes : need.gpu_bytes;
    if (bytes == 0) continue;
    rows.Push(Json::Obj({{"name", device.name}, {"fits", bytes <= device.usable_bytes()}}));
  }
  return rows.size() > 0 ? rows : Json();
}

net::Response CardPage(Context& context) {
  hub::FactsPtr facts = HeadFacts(context);
  Json data = RepoPageData(context, "card", "main", facts.get());
  if (facts != nullptr) AddFacts(context, *facts, &data);
  data.Set("spaces_using", SpacesUsing(context));
  Json widget = WidgetData(context, facts.get());
  data.Set("permissions", WidgetPermissions(widget));
  data.Set("widget", std::move(widget));
  data.Set("clone_url", RepoUrl(context, context.repo().record()));
  if (context.repo().right() >= hub::Right::kReadContent) {
    data.Set("verdicts", Verdicts(context));
    if (facts != nullptr) data.Set("own_fit", OwnFit(context, facts->commit));
  }
  data.Set("may_write", context.repo().right() >= hub::Right::kWrite);
  return RenderPage(context, "repo_card.html", std::move(data));
}

}  // namespace

void RegisterCardPage(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/{P}{ns}/{name}",
             .access = Access::kRepoInfo,
             .handle = CardPage,
             .surface = Surface::kPage,
             .summary = "Card of a repository."});
}

}  // namespace hearth::server
