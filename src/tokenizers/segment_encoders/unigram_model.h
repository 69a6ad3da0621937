// Unigram: the best-scored cover of one piece of text by tokens (Viterbi), equal to the reference
// to the last bit: scores are added in double from the left, and a later candidate must be
// strictly better, so of equal covers the token that starts earliest wins.
//
// Immutable after construction; safe for concurrent use with a Work per thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "tokenizers/models/scored_pieces.h"
#include "tokenizers/segment_encoders/double_array.h"
#include "tokenizers/segment_encoders/encoder_tables.h"

namespace hearth::tokenizers {

class UnigramModel {
 public:
  struct Node {  // the best cover that ends at a byte
    double score;
    uint32_t start;
    uint32_t id;
  };
  struct Work {
    std::vector<Node> nodes;  // of the places from some place on
    std::vector<uint32_t> ends;
  };

  // `model` is the "model" object without its vocabulary; nullopt where equal ids are not certain.
  static std::optional<UnigramModel> Make(const Json& model, const ScoredPieces& pieces,
                                          const KeptTables& kept = {});
  EncoderTableList tables() const {
    return {{EncoderTable::kTokenTrie, TableBytes(tokens_.units())}};
  }

  uint32_t unknown_id() const { return unknown_id_; }
  // Appends the ids of a piece below 2^32 bytes. Linear: no place is walked from further than the
  // longest token, and of a long piece only the places since all its best covers part are kept.
  void Encode(std::string_view piece, Work* work, std::vector<uint32_t>* ids) const;

 private:
  explicit UnigramModel(const ScoredPieces& pieces) : pieces_(pieces) {}
  bool LoadVocabulary(const KeptTables& kept);
  bool TakeTrie(const KeptTables& kept);
  class NodeWindow;
  template <typename At>
  size_t LeaveFrom(std::string_view piece, size_t place, At&& node_at) const;
  void EncodeLong(std::string_view piece, Work* work, std::vector<uint32_t>* ids) const;
  size_t SharedPlace(size_t place, Work* work) const;
  void AddIds(std::string_view piece, Work* work, std::vector<uint32_t>* ids) const;
  void AddUnknown(std::string_view run, std::vector<uint32_t>* ids) const;

  DoubleArray tokens_;
  ScoredPieces pieces_;
  uint32_t unknown_id_ = 0;
  double unknown_score_ = 0;
  std::vector<uint32_t> byte_ids_;  // 256, kNoValue where there is none; empty: no byte fallback
};

}  // namespace hearth::tokenizers
