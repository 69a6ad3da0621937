// One pass over a file's tensors: the digest of each one's bytes and statistics of its values.
// Streams by pieces that stay in the second-level cache between the two: constant memory, and each
// byte is read once. Pure apart from the source's reads; one scan belongs to one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/inspector/weights/tensor_file.h"
#include "hub/inspector/weights/tensor_hash.h"
#include "hub/inspector/weights/value_stats.h"

namespace hearth::inspector {

// Grows when the same file would give other records: then everything is scanned again.
inline constexpr int kTensorScanVersion = 1;

struct TensorRecord {
  TensorInfo info;
  TensorHash hash;  // zeros where the bytes cannot be told (info.bytes is 0 for an unknown type)
  std::optional<ValueStats> stats;  // absent for values without an order

  // Its bytes alone say where they come from. Not: constants, what is small enough to be equal by
  // chance, and tables that many models compute alike (masks, positions, rotary frequencies).
  bool IsTelling() const;
};

struct FileRecords {
  std::string format;
  std::vector<TensorRecord> tensors;
  // Why the file could not be read, one sentence; "" = it could. Records before the fault stay.
  std::string fault;
};

struct ScanHooks {
  const std::atomic<bool>* stop = nullptr;            // once true the scan throws kUnavailable
  std::function<void(uint64_t bytes)> progress = {};  // bytes hashed since the last call
};

// A file that is no valid one of its format gives a fault, not an exception; what is thrown is
// kUnavailable (stopped) and what the source throws as kInternal.
FileRecords ScanTensors(std::unique_ptr<ByteSource> source, std::string_view path,
                        const ScanHooks& hooks = {});

// Records as bytes for a store, and back. Throws kInvalidArgument for bytes of something else.
std::string PackRecords(const FileRecords& records);
FileRecords UnpackRecords(std::string_view bytes);

}  // namespace hearth::inspector
