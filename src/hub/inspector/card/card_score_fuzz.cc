#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "hub/inspector/card/card_score.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth::inspector;
  std::string text(reinterpret_cast<const char*>(data), size);
  CardDocument card = ParseCard(text);
  for (const char* type : {"model", "dataset", "space"}) {
    CardContext context;
    context.type = type;
    context.id = "ns/name";
    CardScore score = ScoreCard(card, context);
    if (score.score < 0 || score.score > 100) abort();
    for (const ScoreRow& row : score.rows) {
      if (row.points < 0 || row.points > row.of) abort();
    }
    ToJson(score).Dump();
  }
  return 0;
}
