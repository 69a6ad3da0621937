// The xorb of a session recorded from the stock client, rebuilt from the same four files. Tests
// only.
#pragma once

#include <string>
#include <string_view>

#include "storage/xet/chunker.h"
#include "storage/xet/internal/test_bytes.h"
#include "storage/xet/xorb.h"

namespace hearth::storage::internal {

inline void AddFile(std::string_view bytes, XorbBuilder& builder) {
  Chunker chunker;
  auto add = [&](std::string_view chunk) { builder.Add(HashChunk(chunk), chunk); };
  chunker.Feed(bytes, add);
  chunker.Finish(add);
}

// In the order in which the client packed them: text, floats, random, and one file that joins all
// three.
inline XorbBuilder::Built RecordedXorb() {
  std::string text = TextRows(6000);
  std::string floats = SmallFloats(21, 20000);
  std::string random = SplitMixBytes(22, 20000);
  XorbBuilder builder;
  AddFile(text, builder);
  AddFile(floats, builder);
  AddFile(random, builder);
  AddFile(text + random + floats, builder);
  return builder.Finish();
}

}  // namespace hearth::storage::internal
