#include "tokenizers/compiled_cache.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "tokenizers/segment_encoders/byte_bpe_file.h"
#include "tokenizers/segment_encoders/byte_bpe_load.h"

namespace hearth::tokenizers {

std::filesystem::path CompiledCache::PathOf(const Sha256& tokenizer_json) const {
  return folder_ /
         (tokenizer_json.Hex() + "-" + std::to_string(ByteBpePlanFile::kVersion) + ".plan");
}

std::unique_ptr<SegmentEncoder> CompiledCache::Find(const Sha256& tokenizer_json) const {
  auto plan = ByteBpePlanFile::Map(PathOf(tokenizer_json), tokenizer_json);
  return plan == nullptr ? nullptr : MakeByteBpeEncoder(std::move(plan));
}

std::unique_ptr<SegmentEncoder> CompiledCache::Load(std::string_view text,
                                                    const Sha256& digest) const {
  if (auto found = Find(digest)) return found;
  Json json = Json::Parse(text);
  std::shared_ptr<const ByteBpePlan> plan = MakeByteBpePlan(json, *ParseModel(*json.Find("model")));
  if (plan == nullptr) return MakeSegmentEncoder(Json::Parse(text));
  try {
    std::filesystem::create_directories(folder_);
    WriteFileDurably(PathOf(digest), ByteBpePlanFile::Write(*plan, digest));
  } catch (const std::exception& error) {
    log::Warning("a compiled tokenizer could not be kept", {{"reason", error.what()}});
  }
  return MakeByteBpeEncoder(std::move(plan));
}

}  // namespace hearth::tokenizers
