// Libraries and programs: a build file and sources; neither weights nor data.
#include <algorithm>

#include "hub/inspector/kind/kind_rule.h"

namespace hearth::inspector {
namespace {

struct BuildFile {
  std::string_view path;
  std::string_view mark;     // stands in every such file
  std::string_view sources;  // ending of what it builds
};
constexpr BuildFile kBuildFiles[] = {
    {"pyproject.toml", "[project]", ".py"},     {"pyproject.toml", "[build-system]", ".py"},
    {"pyproject.toml", "[tool.poetry]", ".py"}, {"setup.py", "setup(", ".py"},
    {"setup.cfg", "[metadata]", ".py"},         {"CMakeLists.txt", "project(", ".c"},
    {"CMakeLists.txt", "project(", ".cc"},      {"CMakeLists.txt", "project(", ".cpp"},
    {"Cargo.toml", "[package]", ".rs"},         {"package.json", "\"name\"", ".js"},
    {"package.json", "\"name\"", ".ts"},        {"go.mod", "module ", ".go"},
    {"pom.xml", "<project", ".java"},           {"build.gradle", "plugins", ".kt"}};

}  // namespace

void FindLibrary(const Survey& survey, Classification* result) {
  if (!survey.weights().empty() || result->Is("space") || result->Is("dataset") ||
      result->Is("tokenizer") || survey.type() == "space" || survey.config().is_object())
    return;
  for (const BuildFile& build : kBuildFiles) {
    std::string path(build.path);
    if (survey.Head(path, 64u << 10).find(build.mark) == std::string::npos) continue;
    const std::vector<RepoFile>& files = survey.repo().files();
    auto source = std::find_if(files.begin(), files.end(), [&](const RepoFile& file) {
      return file.path.ends_with(build.sources) && file.path != build.path && file.size_bytes > 0;
    });
    if (source == files.end()) continue;
    result->Add("library", Level::kProved, At(path, "", "what builds it"))
        .evidence.push_back(At(source->path, "", "its sources"));
    return;
  }
}

}  // namespace hearth::inspector
