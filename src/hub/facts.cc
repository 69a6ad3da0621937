#include "hub/facts.h"

#include <algorithm>

#include "base/error.h"
#include "formats/source/source_window.h"
#include "hub/internal/facts_reader.h"
#include "hub/internal/siblings.h"

namespace hearth::hub {
namespace {

constexpr uint64_t kMaxCardBytes = 10u << 20;
constexpr size_t kMaxWarnings = 50;
constexpr size_t kMaxTags = 2000;
constexpr size_t kMaxTagBytes = 300;

}  // namespace

FactsReader::FactsReader(const RepoHandle& repo, const Objects& objects,
                         const storage::GitRepository& git, RepoFacts* facts)
    : repo_(repo), objects_(objects), git_(git), facts_(facts) {
  SiblingList list = ListSiblings(git, facts->commit);
  if (list.cut) {
    Warn("repository", "it has more files than the " + std::to_string(kMaxSiblings) +
                           " that facts and file lists show");
  }
  for (const Sibling& file : list.files) facts->main_bytes += file.size_bytes;
  facts->siblings = std::move(list.files);
}

const Sibling* FactsReader::Find(std::string_view path) const {
  return FindSibling(facts_->siblings, path);
}

void FactsReader::Warn(std::string_view path, std::string_view reason) {
  if (facts_->warnings.size() < kMaxWarnings)
    facts_->warnings.push_back(std::string(path) + ": " + std::string(reason));
}

std::string FactsReader::Load(const Sibling& file, uint64_t limit_bytes) {
  if (file.size_bytes > limit_bytes) {
    throw Error(Code::kTooLarge, "larger than " + std::to_string(limit_bytes) + " bytes, not read");
  }
  if (!file.lfs) return git_.ReadBlob(file.blob, limit_bytes);
  std::unique_ptr<ByteSource> source = Open(file);
  return source == nullptr ? std::string() : source->Read(0, source->size_bytes());
}

std::optional<std::string> FactsReader::Read(std::string_view path, uint64_t limit_bytes) {
  const Sibling* file = Find(path);
  if (file == nullptr) return std::nullopt;
  try {
    return Load(*file, limit_bytes);
  } catch (const Error& error) {
    Warn(path, error.message());
    return std::nullopt;
  }
}

Json FactsReader::ReadJson(std::string_view path, uint64_t limit_bytes) {
  std::optional<std::string> text = Read(path, limit_bytes);
  if (!text) return {};
  try {
    return Json::Parse(*text);
  } catch (const Error& error) {
    Warn(path, error.message());
    return {};
  }
}

std::unique_ptr<ByteSource> FactsReader::Open(const Sibling& file) {
  try {
    if (!file.lfs) return std::make_unique<OwnedSource>(git_.ReadBlob(file.blob));
    // A pointer without a grant must not show what another repository's object holds.
    if (!objects_.FindIn(repo_.record(), *file.lfs))
      throw Error(Code::kNotFound, "the large object has not been uploaded");
    return objects_.OpenSource(*file.lfs);
  } catch (const Error& error) {
    Warn(file.path, error.message());
    return nullptr;
  }
}

void TagList::Add(std::string tag) {
  if (tag.empty() || tag.size() > kMaxTagBytes || tags_->size() >= kMaxTags) return;
  // Control characters are the catalog's own name space, and no client could send them back.
  if (std::any_of(tag.begin(), tag.end(), [](unsigned char c) { return c < 0x20; })) return;
  if (std::find(tags_->begin(), tags_->end(), tag) == tags_->end())
    tags_->push_back(std::move(tag));
}

void TagList::AddAll(std::string_view prefix, const std::vector<std::string>& values) {
  for (const std::string& value : values) Add(std::string(prefix) + value);
}

RepoFacts ComputeFacts(const RepoHandle& repo, const Objects& objects, const GitOid& commit,
                       const ModelJudge& judge) {
  RepoFacts facts;
  facts.commit = commit;
  storage::GitRepository git = storage::GitRepository::Open(repo.git_folder());
  FactsReader reader(repo, objects, git, &facts);
  Card card;
  if (auto readme = reader.Read("README.md", kMaxCardBytes)) card = ReadCard(*readme);
  for (const std::string& problem : card.problems) reader.Warn("README.md", problem);
  facts.card_data = card.data;
  facts.card_text = std::move(card.text);
  card.text = facts.card_text;
  switch (repo.record().type) {
    case RepoType::kModel:
      ReadModelFiles(&reader);
      DeriveModelFacts(&reader, card);
      if (judge) JudgeModel(&reader, judge);
      break;
    case RepoType::kDataset:
      DeriveDatasetFacts(&reader, card);
      break;
    case RepoType::kSpace:
      DeriveSpaceFacts(&reader, card);
      break;
  }
  return facts;
}

}  // namespace hearth::hub
