// PyTorch checkpoints (.bin, .pt, .pth, .ckpt): what torch.load(weights_only=True) reads, without
// executing anything.
//
// Reads the zip form (torch 1.6 and later) and the legacy form (a row of pickles, then the
// storages). Open reads the pickle only; a tensor's bytes are read when asked for, so a checkpoint
// of any size costs little memory. Every tensor is checked against its storage and every storage
// against the file before it is listed. Borrows the source for its lifetime. Not thread-safe.
// Errors: kInvalidArgument (malformed), kForbidden (asks for a global outside of the weights-only
// list), kUnimplemented (tar form, TorchScript), kTooLarge.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "formats/source/source.h"
#include "formats/torch/torch_pickle.h"

namespace hearth {

struct TorchDtype {
  std::string_view torch;        // "float32"
  std::string_view safetensors;  // "F32"; empty when that format has no such type
  uint64_t bytes = 0;            // one element
  uint64_t swap_bytes = 0;       // unit of byte order: 4 for complex64
};
// By either name, with or without "torch."; nullptr when unknown.
const TorchDtype* FindTorchDtype(std::string_view name);

struct TorchStorage {
  std::string key;
  std::string location;  // device it was saved from: "cpu", "cuda:0"
  uint64_t bytes = 0;
  uint64_t file_offset = 0;  // of its first byte in the source; meaningless when packed
  bool packed = false;       // compressed inside of the zip
};

struct TorchTensor {
  std::string name;  // dict keys and list positions on the way to it, joined by '.'
  const TorchDtype* dtype = nullptr;
  std::vector<uint64_t> shape;  // outermost first; empty = a scalar
  std::vector<int64_t> stride;  // elements
  uint64_t offset = 0;          // elements from the start of the storage
  int64_t storage = -1;         // index into storages(); -1 for a tensor without data (meta)
  bool requires_grad = false;
  uint64_t elements = 0;
  uint64_t bytes = 0;       // elements * dtype->bytes
  bool contiguous = false;  // row-major without gaps
  std::string same_as;      // an earlier name of the very same tensor (tied weights); else empty
};

class TorchCheckpoint {
 public:
  struct Limits {
    TorchPickleLimits pickle;
    uint64_t max_pickle_bytes = 1ull << 30;
    uint64_t max_tensors = 2'000'000;
    uint64_t max_unpacked_bytes = 16ull << 30;  // of one compressed storage
    size_t max_depth = 64;                      // of nested containers
  };

  static TorchCheckpoint Open(ByteSource& source, const Limits& limits);
  static TorchCheckpoint Open(ByteSource& source) { return Open(source, Limits()); }
  ~TorchCheckpoint();
  TorchCheckpoint(TorchCheckpoint&&) noexcept;

  std::string_view form() const;  // "zip" or "legacy"
  bool big_endian() const;        // as stored; ReadTensor always gives little-endian bytes
  const std::vector<TorchTensor>& tensors() const;
  const std::vector<TorchStorage>& storages() const;
  // Tensors that have no plain values (sparse, quantized, nested, conjugate views), as "name: why".
  const std::vector<std::string>& unreadable() const;
  // All that is not a tensor (epochs, hyper-parameters), as JSON; tensors appear as {"$tensor":
  // name}. Cut to 10,000 values.
  const Json& values() const;

  // Bytes [begin, begin + n) of the tensor, laid out row-major, little-endian. Preconditions:
  // storage >= 0 and begin + n <= tensor.bytes. Reads what it needs; for strided tensors whole
  // elements through a window.
  void ReadTensor(const TorchTensor& tensor, uint64_t begin, uint64_t n, char* out);
  std::string ReadTensor(const TorchTensor& tensor);

 private:
  struct Impl;
  explicit TorchCheckpoint(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// True when the first bytes (at least 4; 32 are best) look like one of the forms.
bool LooksLikeTorchCheckpoint(std::string_view first);

}  // namespace hearth
