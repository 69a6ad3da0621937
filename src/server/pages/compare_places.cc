#include "server/pages/compare_places.h"

#include "base/bytes.h"
#include "net/http.h"
#include "server/pages/site.h"

namespace hearth::server {
namespace {

// "line 12" -> "12"; "" for another kind of place.
std::string LineOf(const std::string& place) {
  constexpr std::string_view kLine = "line ";
  if (!place.starts_with(kLine)) return {};
  std::string number = place.substr(kLine.size());
  return ParseUint(number) ? number : std::string();
}

std::string FileAddress(const std::string& repo_path, const std::string& commit,
                        const std::string& file, const std::string& place) {
  std::string address =
      net::PercentEncode(repo_path + "/blob/" + commit + "/", "/") + net::PercentEncode(file, "/");
  std::string line = LineOf(place);
  if (line.empty()) return address;
  // Long texts are shown by pages (FillText): the one that has the line.
  std::string query;
  if (line.size() > 2) query = "?line=" + line;
  if (file.ends_with(".md")) query += query.empty() ? "?plain=1" : "&plain=1";
  return address + query + "#L" + line;
}

std::string AddressOf(const hub::RepoRecord& repo, const std::string& commit, const Json& item,
                      hub::RepoType others) {
  std::string file = item.StringField("file").value_or("");
  std::string place = item.StringField("place").value_or("");
  std::string other = item.StringField("repo").value_or("");
  if (other.empty()) return file.empty() ? "" : FileAddress(RepoPath(repo), commit, file, place);
  // "ns/name@commit"
  size_t at = other.find('@');
  std::string path = "/" + std::string(hub::PathPrefix(others)) + other.substr(0, at);
  if (file.empty() || at == std::string::npos) return net::PercentEncode(path, "/");
  return FileAddress(path, other.substr(at + 1), file, place);
}

}  // namespace

void AddPlaceLinks(const hub::RepoRecord& repo, const std::string& commit, Json* finding,
                   hub::RepoType others) {
  Json* evidence = finding->Find("evidence");
  if (evidence == nullptr || evidence->AsArray() == nullptr) return;
  for (Json& item : *evidence->AsArray()) {
    std::string label = item.StringField("repo").value_or("");
    label = label.substr(0, label.find('@'));
    std::string file = item.StringField("file").value_or("");
    if (!file.empty()) label += (label.empty() ? "" : " ") + file;
    item.Set("href", AddressOf(repo, commit, item, others));
    item.Set("label", label.empty() ? "the repository" : label);
  }
}

}  // namespace hearth::server
