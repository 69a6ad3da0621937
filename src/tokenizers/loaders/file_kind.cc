#include "tokenizers/loaders/file_kind.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "tokenizers/loaders/files.h"

namespace hearth::tokenizers {
namespace {

// Holds a first line of ranks and the [UNK] of every BERT vocabulary that is in use; those with a
// thousand unused tokens in front have it in the first 10 KB.
constexpr uint64_t kHeadBytes = 16 << 10;

std::optional<std::string> FindJsonKind(ByteSource& source) {
  if (source.size_bytes() > TokenizerFiles::kMaxBytes) {
    throw Error(Code::kTooLarge, "larger than a tokenizer file may be");
  }
  Json json = Json::Parse(source.Read(0, source.size_bytes()));
  const Json* model = json.Find("model");
  if (model != nullptr && model->is_object()) return "tokenizer.json";
  const Json* vocab = json.Find("vocab");
  if (vocab != nullptr && vocab->is_array() && json.Find("config") != nullptr) return "tekken.json";
  const Json::Object& members = *json.AsObject();
  bool ids = !members.empty() && std::all_of(members.begin(), members.end(), [](const auto& row) {
    return row.second.AsUint().has_value();
  });
  if (ids) {
    throw Error(Code::kInvalidArgument,
                "a vocabulary alone; it needs merges.txt beside it: name their folder");
  }
  return std::nullopt;
}

// Its first piece: field 1 of the model, in it the text as field 1 and the score as field 2.
bool LooksLikeSentencePiece(std::string_view name, std::string_view head) {
  if (!head.starts_with('\n')) return false;
  if (name.ends_with(".model") || name.ends_with(".spm")) return true;
  if (head.size() < 4 || head[2] != '\n') return false;
  size_t score = 4 + static_cast<unsigned char>(head[3]);
  return score < head.size() && head[score] == 0x15;
}

// The token for unknown text is the one that every vocab.txt has.
bool LooksLikeBertVocab(std::string_view head) {
  for (std::string_view line : Split(head, '\n')) {
    if (TrimAscii(line) == "[UNK]") return true;
  }
  return false;
}

}  // namespace

bool LooksLikeRanks(std::string_view bytes) {
  std::string_view line = bytes.substr(0, std::min<size_t>(bytes.find('\n'), 4096));
  size_t space = line.find(' ');
  return space != std::string_view::npos && space > 0 && Base64Decode(line.substr(0, space)) &&
         ParseUint(TrimAscii(line.substr(space + 1)));
}

std::optional<std::string> FindFileKind(std::string_view name, ByteSource& source) {
  std::string head = source.Read(0, std::min(source.size_bytes(), kHeadBytes));
  if (head.starts_with("GGUF")) return "tokenizer.gguf";
  if (TrimAscii(head).starts_with('{')) return FindJsonKind(source);
  if (LooksLikeRanks(head)) return "ranks.tiktoken";
  if (LooksLikeSentencePiece(name, head)) return "tokenizer.model";
  if (name == "vocab.txt" || (name.ends_with(".txt") && LooksLikeBertVocab(head))) {
    return "vocab.txt";
  }
  return std::nullopt;
}

}  // namespace hearth::tokenizers
