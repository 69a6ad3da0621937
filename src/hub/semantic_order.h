// Orders what full-text search found by meaning too: the query and the texts of repositories as
// vectors of a local embedding model, when the hub has one.
//
// Vectors are made in the background, one a repository, and kept in the database with the stamp of
// the text that they stand for. A search orders its best matches by the rank of the words and the
// nearness of the vectors together; it finds neither more nor less. When the model sleeps or is
// slow, the order of the words stands. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "search/searcher.h"
#include "storage/db/database.h"

namespace hearth::hub {

// Runs the model. Thread-safe.
class TextEmbedder {
 public:
  virtual ~TextEmbedder() = default;
  // Changes with the model: vectors of different ones are not comparable. Empty = there is none
  // now.
  virtual std::string Identity() = 0;
  // One vector a text, all as long; nullopt when there is no answer within `patience`.
  virtual std::optional<std::vector<std::vector<float>>> Embed(
      std::span<const std::string> texts, std::chrono::milliseconds patience) = 0;
};

class SemanticOrder {
 public:
  // The searched documents. Called from any thread; `passage` is empty for what is not there.
  struct Documents {
    std::function<std::vector<uint32_t>()> ids;
    std::function<std::optional<uint64_t>(uint32_t id)> stamp;
    std::function<std::string(uint32_t id)> passage;
  };
  // `db` outlives this.
  SemanticOrder(storage::Database& db, Documents documents);
  ~SemanticOrder();

  // Starts making vectors of what lacks one. Until then, and after Stop, Blend changes nothing.
  void Start(std::shared_ptr<TextEmbedder> embedder);
  void Stop();
  // A document came or changed.
  void Want(uint32_t id);

  // Whether Blend may change something.
  bool active() const;
  // How many of the best matches may change places.
  static constexpr size_t kReach = 60;
  // At most kReach, the best by words first, into the blended order.
  void Blend(std::string_view query, std::span<search::SearchHit> hits) const;

  // Documents that wait for a vector.
  size_t Waiting() const;
  // Until none waits; false on timeout.
  bool WaitCurrent(std::chrono::milliseconds timeout) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// --- for tests: a direction in a byte a dimension, and the cosine of two such.
std::string PackDirection(std::span<const float> vector);
float CosineOfPacked(std::string_view a, std::string_view b);  // 0 when they do not fit

}  // namespace hearth::hub
