// What may stand in a repository as a regular git file, judged alike for a new repository, an API
// commit and a push (wire reference, section 4.3). Collects every fault first, so that one refusal
// names all files. Not thread-safe; one per commit or push.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/commits.h"

namespace hearth::hub {

class ContentRules {
 public:
  // `ref` is named in the messages; `attributes` are those of the tree as it will be.
  ContentRules(RepoType type, GitAttributes attributes, std::string ref)
      : type_(type), attributes_(std::move(attributes)), ref_(std::move(ref)) {}

  void CheckPath(std::string_view path);  // throws kInvalidArgument at once
  // `sample`: the first kSampleBytes or more of the content.
  void CheckFile(std::string_view path, uint64_t size_bytes, std::string_view sample);
  void CheckCard(std::string_view path, std::string_view content);
  void AddMissingObject(std::string_view path, const Sha256& oid);
  // Throws kInvalidArgument with the push-hook text of the first kind of fault that was seen.
  void ThrowIfRefused() const;

 private:
  RepoType type_;
  GitAttributes attributes_;
  std::string ref_;
  std::vector<std::string> large_, binary_, missing_;
  std::vector<std::string> card_faults_;
};

}  // namespace hearth::hub
