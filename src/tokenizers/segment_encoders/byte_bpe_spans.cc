#include "tokenizers/segment_encoders/byte_bpe_spans.h"

#include <optional>

#include "tokenizers/segment_encoders/byte_bpe_walk.h"

namespace hearth::tokenizers {
namespace {

bool IsContinuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

size_t Characters(std::string_view token) {
  size_t count = 0;
  for (char byte : token) count += !IsContinuation(static_cast<uint8_t>(byte));
  return count;
}

template <typename Rules>
bool FindSpans(std::string_view text, std::span<const uint32_t> ids, const Vocab& vocab,
               std::vector<TokenSpan>* spans) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const uint8_t* const end = bytes + text.size();
  ByteBpeWalker<Rules> walker(ByteBpeClasses::Get(), bytes, end);
  size_t next = 0;
  uint32_t word = 0;
  for (const uint8_t* at = bytes; at < end; ++word) {
    const uint8_t* stop = walker.Next(at);
    while (at < stop) {
      if (next == ids.size()) return false;
      std::optional<std::string_view> token = vocab.FindToken(ids[next]);
      size_t size = token ? Characters(*token) : 0;
      if (size == 0 || size > static_cast<size_t>(stop - at)) return false;
      const uint8_t* first = at;
      const uint8_t* last = at + size;
      at = last;
      while (first > bytes && IsContinuation(*first)) --first;
      while (last < end && IsContinuation(*last)) ++last;
      spans->push_back({ids[next++], static_cast<uint32_t>(first - bytes),
                        static_cast<uint32_t>(last - bytes), word});
    }
  }
  return next == ids.size();
}

}  // namespace

bool FindByteBpeSpans(ByteBpeSplit split, std::string_view text, std::span<const uint32_t> ids,
                      const Vocab& vocab, std::vector<TokenSpan>* spans) {
  return VisitByteBpeRules(
      split, [&]<typename Rules>() { return FindSpans<Rules>(text, ids, vocab, spans); });
}

}  // namespace hearth::tokenizers
