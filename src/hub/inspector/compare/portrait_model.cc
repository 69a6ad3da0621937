// Rows of models: weights, architecture, tokenizer, template, programs and memory.
#include <algorithm>
#include <cstdio>

#include "hub/inspector/compare/portrait_parts.h"
#include "hub/inspector/fit/fit.h"
#include "hub/inspector/provenance/declared.h"
#include "hub/inspector/provenance/prompt.h"

namespace hearth::inspector {
namespace {

// The weights that rows are about: the main set, an adapter's where there is no other.
struct ChosenWeights {
  WeightSet set;
  WeightHeaders headers;
  std::string precision;
};

std::optional<ChosenWeights> ChooseWeights(const RepoView& view, const FitReport& fit) {
  if (!fit.choices.empty()) {
    const WeightChoice& choice = fit.choices[fit.chosen];
    return ChosenWeights{choice.set, choice.headers, choice.precision};
  }
  std::vector<WeightSet> sets = FindWeightSets(view);
  if (sets.empty()) return std::nullopt;
  ChosenWeights chosen{sets[0], ReadWeightHeaders(view, sets[0]), ""};
  chosen.precision = PrecisionName(chosen.set, chosen.headers);
  return chosen;
}

std::string Decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

// "22.7 M": as people name the sizes of models.
std::string ShortCount(uint64_t count) {
  static constexpr std::pair<double, const char*> kUnits[] = {
      {1e12, " T"}, {1e9, " B"}, {1e6, " M"}, {1e3, " k"}};
  for (const auto& [size, unit] : kUnits)
    if (static_cast<double>(count) >= size)
      return Decimal(static_cast<double>(count) / size) + unit;
  return std::to_string(count);
}

void SetWeights(const FitReport& fit, const ChosenWeights& chosen, Portrait* portrait) {
  const WeightHeaders& headers = chosen.headers;
  std::vector<Evidence> header = {At(chosen.set.name, "header", "shapes and types of its tensors")};
  for (const std::string& fault : headers.faults) header.push_back(At("", "", fault));
  std::vector<std::string> offered;
  for (const WeightChoice& choice : fit.choices)
    offered.push_back(choice.set.format + " " + choice.precision);
  if (offered.empty()) offered.push_back(chosen.set.format + " " + chosen.precision);
  portrait->Set("weights", MakeCell(Joined(offered, 6), Json(offered), Level::kProved, header));
  portrait->Set("weight_bytes",
                MakeCell(SizeText(chosen.set.file_bytes), Json(chosen.set.file_bytes),
                         Level::kProved, {At(chosen.set.name, "", "sizes of the main weights")}));
  if (headers.parameters == 0) return;
  // Of an incomplete set, what was read is no count of the whole.
  Level level =
      headers.faults.empty() && chosen.set.missing.empty() ? Level::kProved : Level::kInferred;
  portrait->Set("parameters", MakeCell(ShortCount(headers.parameters) + " (" +
                                           CountText(headers.parameters) + ")",
                                       Json(headers.parameters), level, header));
  if (!chosen.precision.empty())
    portrait->Set("precision", MakeCell(chosen.precision, level, header));
  portrait->Set("bits", MakeCell(Decimal(headers.BitsPerWeight()), Json(headers.BitsPerWeight()),
                                 level, header));
  std::vector<std::string> types;
  Json counts = Json::Obj();
  for (const auto& [dtype, count] : headers.by_dtype) {
    types.push_back(dtype + " " + ShortCount(count));
    counts.Set(dtype, count);
  }
  portrait->Set("dtypes", MakeCell(Joined(types, 4), std::move(counts), level, header));
}

const Finding* ShapeFinding(const ModelShape& shape, std::string_view field) {
  for (const auto& [name, finding] : shape.findings)
    if (name == field) return &finding;
  return nullptr;
}

void SetShapeNumber(const ModelShape& shape, const char* field, std::string_view row,
                    Portrait* portrait) {
  const Finding* finding = ShapeFinding(shape, field);
  if (finding == nullptr) return;
  uint64_t number = finding->value.AsUint().value_or(0);
  portrait->Set(row, {*finding, CountText(number)});
}

void SetShape(const RepoView& view, const ModelShape& shape, Portrait* portrait) {
  Json config = ReadJsonFile(view, "config.json");
  std::vector<std::string> classes = TextsOf(config, "architectures");
  if (!classes.empty()) {
    portrait->Set("architecture", MakeCell(Excerpt(Joined(classes, 2), 120), Level::kDeclared,
                                           {At("config.json", "/architectures", "its class")}));
  } else if (!shape.architecture.empty()) {
    portrait->Set("architecture", MakeCell(Excerpt(shape.architecture, 120), Level::kDeclared,
                                           {At("", "", "the family that headers name")}));
  }
  SetShapeNumber(shape, "layers", "layers", portrait);
  SetShapeNumber(shape, "hidden", "hidden", portrait);
  SetShapeNumber(shape, "max_context", "context", portrait);
  if (shape.window > 0) SetShapeNumber(shape, "window", "window", portrait);
  SetShapeNumber(shape, "vocabulary", "vocabulary", portrait);
  if (const Finding* heads = ShapeFinding(shape, "heads")) {
    Cell cell{*heads, CountText(shape.heads)};
    if (shape.head_dim > 0) cell.text += " of width " + CountText(shape.head_dim);
    if (shape.kv_heads > 0 && shape.kv_heads != shape.heads)
      cell.text += ", " + CountText(shape.kv_heads) + " for keys and values";
    portrait->Set("heads", std::move(cell));
  }
  if (const Finding* experts = ShapeFinding(shape, "experts"); experts && shape.experts > 0)
    portrait->Set("experts", {*experts, CountText(shape.experts) + ", " +
                                            CountText(shape.active_experts) + " active"});
}

void SetTokenizer(const RepoView& view, const ChosenWeights* chosen, Portrait* portrait) {
  if (std::optional<TokenizerFacts> facts = ReadTokenizer(view)) {
    std::vector<Evidence> evidence = {At(facts->file, "/model", "its model")};
    std::string text = facts->model.empty() ? "of an older form" : Excerpt(facts->model, 60);
    if (facts->merges > 0) text += ", " + CountText(facts->merges) + " merges";
    portrait->Set("tokenizer", MakeCell(text, Level::kProved, evidence));
    if (facts->vocabulary > 0)
      portrait->Set("vocabulary",
                    MakeCell(CountText(facts->vocabulary), Json(facts->vocabulary), Level::kProved,
                             {At(facts->file, "/model/vocab", "its entries")}));
    std::vector<std::string> special;
    for (const auto& [name, token] : facts->special) {
      special.push_back(name.substr(0, name.find('_')) + " " + Excerpt(token, 40));
    }
    if (!special.empty())
      portrait->Set("special", MakeCell(Joined(special, 8), Level::kDeclared,
                                        {At("tokenizer_config.json", "", "named there")}));
  } else if (chosen != nullptr && chosen->set.format == "gguf") {
    for (const auto& [key, value] : chosen->headers.metadata) {
      if (key != "tokenizer.ggml.model") continue;
      portrait->Set("tokenizer", MakeCell(Excerpt(value, 60) + ", in the GGUF file", Level::kProved,
                                          {At(chosen->set.name, "key " + key, "its header")}));
    }
  }
  std::optional<Prompt> prompt = FindPrompt(view, chosen == nullptr ? nullptr : &chosen->headers,
                                            chosen == nullptr ? "" : chosen->set.name);
  if (!prompt) return;
  size_t lines =
      1 + static_cast<size_t>(std::count(prompt->text.begin(), prompt->text.end(), '\n'));
  // Two templates are the same text or they are not: the digest tells without showing all of it.
  std::string digest = Sha256Of(prompt->text).Hex();
  std::string text = CountOf(lines, "line") + ", " + digest.substr(0, 8);
  if (prompt->text.find("tools") != std::string::npos) text += ", speaks of tools";
  portrait->Set("template",
                MakeCell(text, Json::Obj({{"lines", lines}, {"sha256", digest}}), Level::kProved,
                         {At(prompt->file, prompt->place, "the text of the template")}));
}

void SetPrograms(const PortraitInput& input, Portrait* portrait) {
  RuntimeReport report = FindRuntimes(*input.view, input.own);
  std::vector<std::string> forms, runs, missing;
  std::vector<Evidence> form_places;
  for (const FormFound& form : report.forms) {
    forms.push_back(std::string(FormLabel(form.form)));
    if (!form.finding.evidence.empty()) form_places.push_back(form.finding.evidence[0]);
    if (form.form == ModelForm::kRemoteCode)
      portrait->Set("code", MakeCell("asks for code of the repository", Level::kProved,
                                     form.finding.evidence));
  }
  if (portrait->Find("code") == nullptr)
    portrait->Set("code", MakeCell("none asked for", Json(false), Level::kInferred,
                                   {At("config.json", "", "names no class of its own")}));
  if (!forms.empty())
    portrait->Set("formats", MakeCell(Joined(forms, 5), Json(forms), Level::kProved, form_places));
  for (const RuntimeFound& program : report.runtimes) {
    if (program.verdict == RunsVerdict::kNever || !program.missing.empty()) continue;
    std::string word = program.name;
    if (program.verdict == RunsVerdict::kWithPlugin) word += " (with a plugin)";
    if (program.verdict == RunsVerdict::kAfterConversion) word += " (after conversion)";
    runs.push_back(std::move(word));
  }
  if (!runs.empty())
    portrait->Set("programs", MakeCell(Joined(runs, 8), Json(runs), Level::kInferred, form_places));
  for (const AssetFound& asset : report.assets) {
    if (asset.required && asset.finding.level == Level::kMissing) missing.push_back(asset.name);
  }
  if (!report.forms.empty())
    portrait->Set("assets", MakeCell(missing.empty() ? "none" : Joined(missing, 8), Json(missing),
                                     Level::kProved, {At("", "", "the list of files")}));
  if (!input.own.known) return;
  std::string own = input.own.runs ? "runs: " + Joined(input.own.tasks, 4)
                                   : "does not run: " + Excerpt(input.own.reason, 160);
  portrait->Set("hearth", MakeCell(own, Json(input.own.runs), Level::kProved,
                                   {At("", "", "what this hub's engine says of the files")}));
}

std::string FitText(const DeviceFit& fit, uint64_t layers) {
  std::string text(FitVerdictName(fit.verdict));
  if (fit.verdict == FitVerdict::kPartial)
    text +=
        ": " + std::to_string(fit.layers_on_device) + " of " + std::to_string(layers) + " layers";
  if (fit.longest_context > 0) text += ", context up to " + CountText(fit.longest_context);
  return text;
}

void SetMemory(const FitReport& fit, const std::optional<Device>& node, Portrait* portrait) {
  if (fit.here.total() == 0) return;
  const MemoryNeed& need = fit.here;
  std::string at = " at a context of " + CountText(fit.context);
  std::vector<Evidence> evidence = {
      At(fit.choices[fit.chosen].set.name, "", "weights " + SizeText(need.weights.resident)),
      At("", "",
         "KV cache " + SizeText(need.kv) + ", work memory " + SizeText(need.compute) +
             ", program " + SizeText(need.overhead))};
  portrait->Set("need", MakeCell(SizeText(need.total()) + at, Json(need.total()), Level::kInferred,
                                 evidence));
  portrait->Set("active", MakeCell(SizeText(need.weights.active), Json(need.weights.active),
                                   Level::kInferred, {evidence[0]}));
  if (need.kv_per_token > 0)
    portrait->Set("kv", MakeCell(SizeText(need.kv_per_token), Json(need.kv_per_token),
                                 Level::kInferred, {At("", "", "by kind of attention and cache")}));
  size_t slot = 0;
  for (size_t i = 0; i < fit.devices.size(); ++i) {
    const DeviceFit& device = fit.devices[i];
    bool here = node && i == 0;
    std::string row = here ? "node" : "fit_" + std::to_string(slot++);
    portrait->Set(row, MakeCell(FitText(device, fit.shape.layers),
                                Json(FitVerdictName(device.verdict)), Level::kInferred,
                                {At("", "",
                                    "needs " + SizeText(device.need.total()) + " of " +
                                        SizeText(device.device.usable_bytes()))}));
  }
}

}  // namespace

void DescribeModel(const PortraitInput& input, Portrait* portrait) {
  FitRequest request;

  std::optional<Device> node = ProbeNode();
  if (node) request.devices.push_back(*node);
  for (const Device& device : input.devices) {
    if (portrait->device_rows.size() >= kMaxPortraitDevices) break;
    portrait->device_rows.emplace_back("fit_" + std::to_string(portrait->device_rows.size()),
                                       "On " + device.name);
    request.devices.push_back(device);
  }
  FitReport fit = ComputeFit(*input.view, request);
  std::optional<ChosenWeights> chosen = ChooseWeights(*input.view, fit);
  if (chosen) SetWeights(fit, *chosen, portrait);
  // A repository without weights of its own (a configuration alone) says of its shape what it says.
  ModelShape shape = fit.shape;
  if (shape.findings.empty()) {
    if (Json config = ReadJsonFile(*input.view, "config.json"); config.is_object())
      shape = ShapeFromConfig(config);
  }
  SetShape(*input.view, shape, portrait);
  SetTokenizer(*input.view, chosen ? &*chosen : nullptr, portrait);
  SetPrograms(input, portrait);
  SetMemory(fit, node, portrait);
}

}  // namespace hearth::inspector
