// For tests and benches: rows of made-up repositories, written straight into the tables of an empty
// hub so that a million take seconds. Deterministic for a seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/hash.h"
#include "codec/json.h"
#include "hub/types.h"
#include "storage/db/database.h"

namespace hearth::hub {

struct SyntheticRepo {
  int64_t id = 0;
  int64_t owner_id = 0;
  RepoType type = RepoType::kModel;
  std::string owner, name;
  bool is_private = false;
  bool gated = false;
  int64_t created = 0, modified = 0, downloads = 0, likes = 0;
  uint64_t parameters = 0, main_bytes = 0;
  std::string pipeline_tag, library_name;
  std::vector<std::string> tags;
};

class SyntheticCatalog {
 public:
  // One row in `private_share` is private (0 = none).
  SyntheticCatalog(size_t count, uint32_t seed, size_t private_share) {
    std::mt19937 random(seed);
    size_t owners = count / 5 + 3;
    for (size_t i = 0; i < count; ++i) rows_.push_back(MakeRow(i, owners, private_share, random));
    owners_ = owners;
  }

  const std::vector<SyntheticRepo>& rows() const { return rows_; }

  void WriteTo(storage::Database& db) const {
    db.Write([this](storage::Connection& c) {
      for (size_t i = 0; i < owners_; ++i) {
        std::string name = OwnerName(i);
        c.Exec(
            "INSERT INTO accounts (id, oid, is_org, name, name_lower, fullname, created_at) VALUES "
            "(?, ?, 0, ?, ?, '', 0)",
            {OwnerId(i), Oid("a", i), name, name});
      }
      for (const SyntheticRepo& row : rows_) WriteRow(c, row);
    });
  }
  static std::string OwnerName(size_t i) { return "owner" + std::to_string(i); }
  static int64_t OwnerId(size_t i) { return static_cast<int64_t>(1000 + i); }

 private:
  static std::string Oid(const std::string& kind, size_t i) {
    std::string number = std::to_string(i);
    return kind + std::string(23 - number.size(), '0') + number;
  }

  static SyntheticRepo MakeRow(size_t i, size_t owners, size_t private_share,
                               std::mt19937& random) {
    static const char* kTasks[] = {"text-generation",      "fill-mask",     "text-classification",
                                   "image-classification", "text-to-image", ""};
    static const char* kLibraries[] = {"transformers", "diffusers", "peft", "timm", ""};
    static const char* kLanguages[] = {"en", "fr", "de", "zh", "hi", "yo"};
    static const char* kWords[] = {"bert", "llama", "tiny", "base", "chat", "vision", "large"};
    auto pick = [&random](uint32_t n) { return static_cast<size_t>(random() % n); };
    // Most repositories are rarely used and a few very much.
    auto skewed = [&random] {
      double unit = (random() % 1'000'000 + 1) / 1'000'000.0;
      return static_cast<int64_t>(10 / unit) - 10;
    };
    SyntheticRepo row;
    row.id = static_cast<int64_t>(i + 1);
    size_t owner =
        std::min(pick(static_cast<uint32_t>(owners)), pick(static_cast<uint32_t>(owners)));
    row.owner_id = OwnerId(owner);
    row.owner = OwnerName(owner);
    row.name = std::string(kWords[pick(7)]) + "-" + kWords[pick(7)] + "-" + std::to_string(i);
    row.is_private = private_share != 0 && pick(static_cast<uint32_t>(private_share)) == 0;
    row.gated = pick(50) == 0;
    row.created = 1'600'000'000'000 + static_cast<int64_t>(i) * 1000;
    row.modified = row.created + static_cast<int64_t>(random() % 1'000'000'000);
    row.downloads = skewed();
    row.likes = skewed() / 100;
    row.parameters = pick(3) == 0 ? 0 : uint64_t{1000} << pick(28);
    row.main_bytes = row.parameters * 2 + pick(100'000);
    row.pipeline_tag = kTasks[pick(6)];
    row.library_name = kLibraries[pick(5)];
    auto add = [&row](std::string tag) {
      if (!tag.empty()) row.tags.push_back(std::move(tag));
    };
    add(row.library_name);
    add("safetensors");
    add(row.pipeline_tag);
    add(kLanguages[std::min(pick(6), pick(6))]);
    // Correlated on purpose: gguf repositories are the old ones, "fresh" the newest.
    if (i % 10 == 0 && i < 300'000) add("gguf");
    if (row.downloads < 2 && pick(4) == 0) add("unloved");
    add(pick(2) == 0 ? "license:mit" : "license:apache-2.0");
    add("dataset:data" + std::to_string(pick(5000)));
    add("base_model:finetune:" + OwnerName(pick(1000)) + "/base");
    add("free-" + std::to_string(std::min(pick(20000), pick(20000))));
    add("region:us");
    return row;
  }

  static void WriteRow(storage::Connection& c, const SyntheticRepo& row) {
    std::string head(40, 'a');
    c.Exec(
        "INSERT INTO repos (id, oid, type, owner_id, name, name_lower, creator_id, private, gated, "
        "head, created_at, modified_at, downloads, likes, index_stale) VALUES "
        "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        {row.id, Oid("b", static_cast<size_t>(row.id)), SingularName(row.type), row.owner_id,
         row.name, row.name, row.owner_id, row.is_private, row.gated ? "auto" : "", head,
         row.created, row.modified, row.downloads, row.likes});
    c.Exec(
        "INSERT INTO repo_facts (repo_id, commit_oid, pipeline_tag, library_name, parameters, "
        "main_bytes, tags) VALUES (?, ?, ?, ?, ?, ?, ?)",
        {row.id, head, row.pipeline_tag, row.library_name, row.parameters, row.main_bytes,
         Json(row.tags).Dump()});
  }

  std::vector<SyntheticRepo> rows_;
  size_t owners_ = 0;
};

}  // namespace hearth::hub
