// For tests: a repository that lies in memory, and neighbours that are such ones.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "formats/source/source_window.h"
#include "hub/inspector/repo_view.h"

namespace hearth::inspector {

class MemoryView : public RepoView {
 public:
  MemoryView(std::string type, std::string id, std::map<std::string, std::string> files)
      : type_(std::move(type)), id_(std::move(id)), contents_(std::move(files)) {
    for (const auto& [path, text] : contents_)
      files_.push_back(
          {.path = path, .size_bytes = text.size(), .blob = "", .sha256 = Sha256Of(text)});
  }
  std::string type() const override { return type_; }
  std::string id() const override { return id_; }
  std::string commit() const override { return std::string(40, 'a'); }
  const std::vector<RepoFile>& files() const override { return files_; }
  std::unique_ptr<ByteSource> Open(std::string_view path) const override {
    auto found = contents_.find(std::string(path));
    if (found == contents_.end()) throw Error(Code::kNotFound, "no such file");
    return std::make_unique<OwnedSource>(found->second);
  }

 private:
  std::string type_, id_;
  std::map<std::string, std::string> contents_;
  std::vector<RepoFile> files_;
};

class MemoryNeighbours : public Neighbours {
 public:
  void Add(const std::string& type, const std::string& id,
           std::map<std::string, std::string> files = {}, const std::string& revision = "") {
    all_[type + " " + id + " " + revision] = std::move(files);
  }
  std::unique_ptr<RepoView> Find(std::string_view type, std::string_view id,
                                 std::string_view revision) const override {
    std::string key = std::string(type) + " " + std::string(id) + " " + std::string(revision);
    auto found = all_.find(key);
    if (found == all_.end()) return nullptr;
    return std::make_unique<MemoryView>(std::string(type), std::string(id), found->second);
  }

 private:
  std::map<std::string, std::map<std::string, std::string>> all_;
};

}  // namespace hearth::inspector
