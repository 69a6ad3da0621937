// What follows for data sets and Spaces from their cards and file names.
#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "base/bytes.h"
#include "hub/internal/facts_reader.h"

namespace hearth::hub {
namespace {

constexpr size_t kMaxDescriptionBytes = 2000;
constexpr int kMaxFeatureDepth = 12;

struct DataFormat {
  std::string_view extension;
  std::string_view format;    // "" = only the modality is said
  std::string_view modality;  // "" = not said by the format
};

constexpr DataFormat kDataFormats[] = {
    {".parquet", "parquet", ""},
    {".csv", "csv", ""},
    {".tsv", "csv", ""},
    {".jsonl", "json", ""},
    {".json", "json", ""},
    {".ndjson", "json", ""},
    {".txt", "text", "text"},
    {".arrow", "arrow", ""},
    {".tar", "webdataset", ""},
    {".jpg", "imagefolder", "image"},
    {".jpeg", "imagefolder", "image"},
    {".png", "imagefolder", "image"},
    {".webp", "imagefolder", "image"},
    {".wav", "audiofolder", "audio"},
    {".mp3", "audiofolder", "audio"},
    {".flac", "audiofolder", "audio"},
    {".ogg", "audiofolder", "audio"},
    {".mp4", "videofolder", "video"},
    {".webm", "videofolder", "video"},
    {".pdf", "pdffolder", "document"},
};

bool IsDataFile(std::string_view path) {
  size_t slash = path.rfind('/');
  std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  return name[0] != '.' && name != "README.md" && name != "dataset_infos.json" &&
         name != "requirements.txt" && name != "LICENSE.txt";
}

const DataFormat* FormatOf(std::string_view lower_path) {
  std::string_view bare = lower_path;
  for (std::string_view packed : {".gz", ".zst", ".bz2", ".xz"}) {
    if (bare.ends_with(packed)) bare.remove_suffix(packed.size());
  }
  for (const DataFormat& format : kDataFormats) {
    if (bare.ends_with(format.extension)) return &format;
  }
  return nullptr;
}

// The format of most data files; ties go to the first of the table.
std::string_view MainFormat(const RepoFacts& facts, std::set<std::string>* modalities) {
  std::map<std::string_view, size_t> counts;
  for (const Sibling& file : facts.siblings) {
    if (!IsDataFile(file.path)) continue;
    const DataFormat* format = FormatOf(AsciiLower(file.path));
    if (format == nullptr) continue;
    ++counts[format->format];
    if (!format->modality.empty()) modalities->emplace(format->modality);
  }
  std::string_view best;
  size_t most = 0;
  for (const DataFormat& format : kDataFormats) {
    auto found = counts.find(format.format);
    if (found != counts.end() && found->second > most) {
      most = found->second;
      best = format.format;
    }
  }
  return best;
}

void AddModalityOfDtype(const std::string& dtype, std::set<std::string>* modalities) {
  if (dtype == "string" || dtype == "large_string") modalities->insert("text");
  if (dtype == "image") modalities->insert("image");
  if (dtype == "audio") modalities->insert("audio");
  if (dtype == "video") modalities->insert("video");
  if (dtype.starts_with("int") || dtype.starts_with("float") || dtype.starts_with("uint") ||
      dtype == "bool" || dtype == "double")
    modalities->insert("tabular");
  if (dtype.starts_with("timestamp") || dtype.starts_with("date")) modalities->insert("timeseries");
}

// Every "dtype" below dataset_info.features, in whatever nesting.
void CollectDtypes(const Json& value, int depth, std::set<std::string>* modalities) {
  if (depth > kMaxFeatureDepth) return;
  if (const Json::Array* items = value.AsArray()) {
    for (const Json& item : *items) CollectDtypes(item, depth + 1, modalities);
  }
  if (const Json::Object* members = value.AsObject()) {
    for (const auto& [key, member] : *members) {
      if (key == "dtype" && member.is_string()) AddModalityOfDtype(*member.AsString(), modalities);
      CollectDtypes(member, depth + 1, modalities);
    }
  }
}

void ModalitiesFromCard(const Json& card, std::set<std::string>* modalities) {
  const Json* info = card.Find("dataset_info");
  if (info != nullptr) {
    if (const Json::Array* configs = info->AsArray()) {
      for (const Json& config : *configs) {
        if (const Json* features = config.Find("features")) CollectDtypes(*features, 0, modalities);
      }
    } else if (const Json* features = info->Find("features")) {
      CollectDtypes(*features, 0, modalities);
    }
  }
  for (const std::string& task : TextList(card.Find("task_categories"))) {
    if (task.starts_with("image-") || task == "object-detection") modalities->insert("image");
    if (task.starts_with("audio-") || task == "automatic-speech-recognition")
      modalities->insert("audio");
    if (task.starts_with("video-")) modalities->insert("video");
    if (task.starts_with("tabular-")) modalities->insert("tabular");
    if (task.starts_with("text-") || task.ends_with("question-answering") ||
        task == "translation" || task == "summarization" || task == "fill-mask")
      modalities->insert("text");
  }
}

bool IsProse(std::string_view line) {
  if (line.empty()) return false;
  for (std::string_view start :
       {"#", "<", "![", "[![", "|", "```", "---", "===", "- ", "* ", ">"}) {
    if (line.starts_with(start)) return false;
  }
  return true;
}

// First paragraph of running text: no headings, badges, tables, lists or code.
std::string FirstParagraph(std::string_view text) {
  std::string paragraph;
  bool in_code = false;
  for (std::string_view line : Split(text, '\n')) {
    line = TrimAscii(line);
    if (line.starts_with("```")) in_code = !in_code;
    bool prose = !in_code && IsProse(line);
    if (!prose) {
      if (!paragraph.empty()) break;
      continue;
    }
    if (!paragraph.empty()) paragraph += ' ';
    paragraph += line;
    if (paragraph.size() > kMaxDescriptionBytes) break;
  }
  if (paragraph.size() > kMaxDescriptionBytes) {
    size_t cut = kMaxDescriptionBytes;
    while (cut > 0 && (static_cast<unsigned char>(paragraph[cut]) & 0xC0) == 0x80) --cut;
    paragraph.resize(cut);
    paragraph += "…";
  }
  return paragraph;
}

}  // namespace

void DeriveDatasetFacts(FactsReader* reader, const Card& card) {
  RepoFacts& facts = reader->facts();
  const Json& data = card.data;
  facts.description = FirstParagraph(card.text);
  TagList tags(&facts.tags);
  for (const char* key :
       {"task_categories", "task_ids", "annotations_creators", "language_creators",
        "multilinguality", "size_categories", "source_datasets", "language", "license"}) {
    tags.AddAll(std::string(key) + ":", TextList(data.Find(key)));
  }
  tags.AddAll("", TextList(data.Find("tags")));
  std::set<std::string> modalities;
  std::string_view format = MainFormat(facts, &modalities);
  ModalitiesFromCard(data, &modalities);
  if (!format.empty()) tags.Add("format:" + std::string(format));
  for (const std::string& modality : modalities) tags.Add("modality:" + modality);
  if (!format.empty()) tags.Add("library:datasets");
  if (format == "parquet" || format == "csv" || format == "json") {
    tags.Add("library:pandas");
    tags.Add("library:polars");
  }
  tags.AddAll("arxiv:", FindArxivIds(card.text));
  tags.AddAll("doi:", FindDois(card.text));
  tags.Add("region:us");
}

void DeriveSpaceFacts(FactsReader* reader, const Card& card) {
  RepoFacts& facts = reader->facts();
  Json space = Json::Obj();
  for (const char* key :
       {"title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "app_file", "app_port",
        "pinned", "short_description", "header", "fullWidth", "suggested_hardware"}) {
    const Json* value = card.data.Find(key);
    if (value != nullptr && !value->is_null() && !value->is_object() && !value->is_array())
      space.Set(key, *value);
  }
  for (const char* key : {"models", "datasets"}) {
    std::vector<std::string> ids;
    for (std::string& id : TextList(card.data.Find(key))) {
      if (LooksLikeRepoId(id)) ids.push_back(std::move(id));
    }
    space.Set(key, Json(ids));
  }
  TagList tags(&facts.tags);
  tags.Add(TextOf(space, "sdk"));
  tags.AddAll("", TextList(card.data.Find("tags")));
  tags.AddAll("license:", TextList(card.data.Find("license")));
  tags.Add("region:us");
  facts.space = std::move(space);
}

}  // namespace hearth::hub
