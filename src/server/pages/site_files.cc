#include "server/pages/site_files.h"

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "codec/json.h"
#include "server/pages/embedded_file.h"

namespace hearth {
extern const EmbeddedFile kTemplateFiles[];
extern const EmbeddedFile kSiteFiles[];
}  // namespace hearth

namespace hearth::server {
namespace {

constexpr uint64_t kMaxFileBytes = 16 << 20;

const std::string& EditedFolder() {
  static const std::string folder = [] {
    const char* set = std::getenv("HEARTH_WEB_FOLDER");
    return std::string(set == nullptr ? "" : set);
  }();
  return folder;
}

std::optional<std::string> ReadEdited(std::string_view part, std::string_view name) {
  if (name.find("..") != std::string_view::npos) return std::nullopt;
  std::filesystem::path path = std::filesystem::path(EditedFolder()) / part / name;
  std::error_code fault;
  if (!std::filesystem::is_regular_file(path, fault)) return std::nullopt;
  return ReadFile(path, kMaxFileBytes);
}

std::optional<std::string_view> FindEmbedded(const EmbeddedFile* table, std::string_view name) {
  for (const EmbeddedFile* file = table; file->name != nullptr; ++file) {
    if (name == file->name)
      return std::string_view(file->begin, static_cast<size_t>(file->end - file->begin));
  }
  return std::nullopt;
}

std::optional<std::string> Find(const EmbeddedFile* table, std::string_view part,
                                std::string_view name) {
  if (SiteIsEdited()) return ReadEdited(part, name);
  std::optional<std::string_view> found = FindEmbedded(table, name);
  if (!found) return std::nullopt;
  return std::string(*found);
}

// "" for a source that is no entry of the site.
std::string PathOf(const Json& manifest, std::string_view source) {
  const Json* entry = manifest.Find(source);
  return entry == nullptr ? "" : "/static/" + entry->StringField("file").value_or("");
}

SiteEntry ReadEntry() {
  std::optional<std::string> text = Find(kSiteFiles, "dist", "manifest.json");
  if (!text) throw Error(Code::kInternal, "The site is not built: run node web/build.mjs web/dist");
  Json manifest = Json::Parse(*text);
  SiteEntry entry;
  entry.script = PathOf(manifest, "src/main.ts");
  entry.formulas = PathOf(manifest, "src/prose/formulas.ts");
  const Json* main = manifest.Find("src/main.ts");
  if (main == nullptr) return entry;
  if (const Json* styles = main->Find("css"); styles != nullptr && styles->AsArray() != nullptr) {
    for (const Json& style : *styles->AsArray()) entry.style = "/static/" + *style.AsString();
  }
  return entry;
}

}  // namespace

bool SiteIsEdited() { return !EditedFolder().empty(); }

std::optional<std::string> TemplateText(std::string_view name) {
  return Find(kTemplateFiles, "templates", name);
}

std::optional<SiteFile> FindSiteFile(std::string_view name, std::string_view accept_encoding) {
  if (!SiteIsEdited()) {
    for (auto [ending, encoding] :
         {std::pair<std::string_view, std::string_view>{".br", "br"}, {".gz", "gzip"}}) {
      if (accept_encoding.find(encoding) == std::string_view::npos) continue;
      if (auto found = FindEmbedded(kSiteFiles, std::string(name) + std::string(ending)))
        return SiteFile{std::string(*found), encoding};
    }
  }
  std::optional<std::string> bytes = Find(kSiteFiles, "dist", name);
  if (!bytes) return std::nullopt;
  return SiteFile{*std::move(bytes), ""};
}

SiteEntry EntryOfSite() {
  if (SiteIsEdited()) return ReadEntry();
  static const SiteEntry entry = ReadEntry();
  return entry;
}

}  // namespace hearth::server
