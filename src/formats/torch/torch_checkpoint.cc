#include "formats/torch/torch_checkpoint.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "base/error.h"
#include "formats/archive/archive_decode.h"
#include "formats/source/source_window.h"
#include "formats/torch/internal/torch_layout.h"

namespace hearth {
namespace {

// Up to here the bytes under a strided tensor are read in one go; beyond, element runs are read
// through small blocks.
constexpr uint64_t kMaxSpanBytes = 256ull << 20;

[[noreturn]] void FailTensor(const std::string& name, const std::string& why) {
  throw Error(Code::kInvalidArgument,
              "invalid PyTorch checkpoint: tensor \"" + name.substr(0, 200) + "\" " + why);
}

bool IsContiguous(const TorchTensor& tensor) {
  if (tensor.elements == 0) return true;
  int64_t expected = 1;
  for (size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.stride[i] != expected) return false;
    expected *= static_cast<int64_t>(tensor.shape[i]);
  }
  return true;
}

// Elements that the tensor reaches over, from its first to its last; false on overflow.
bool SpanElements(const TorchTensor& tensor, uint64_t* span) {
  *span = 0;
  if (tensor.elements == 0) return true;
  uint64_t last = 0;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    uint64_t reach;
    if (__builtin_mul_overflow(tensor.shape[i] - 1, static_cast<uint64_t>(tensor.stride[i]),
                               &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      return false;
    }
  }
  *span = last + 1;
  return true;
}

void SwapElements(char* bytes, uint64_t n, uint64_t unit) {
  if (unit < 2) return;
  for (uint64_t i = 0; i + unit <= n; i += unit) std::reverse(bytes + i, bytes + i + unit);
}

}  // namespace

struct TorchCheckpoint::Impl {
  Impl(ByteSource& from, const Limits& with) : source(from), limits(with) {}

  ByteSource& source;
  Limits limits;
  TorchFile file;
  std::vector<TorchTensor> tensors;
  std::vector<std::string> unreadable;
  Json values;
  // The compressed storage that was read last.
  int64_t unpacked_index = -1;
  std::unique_ptr<ByteSource> unpacked;
  // The bytes under the strided tensor that was read last: callers read a tensor in pieces.
  std::string span_bytes;
  int64_t span_storage = -1;
  uint64_t span_offset = 0;

  void AddTensor(const std::string& name, const TorchTensorCall& call);
  void MarkTies();
  void ReadStorage(const TorchTensor& tensor, uint64_t offset, uint64_t n, char* out);
  void ReadStrided(const TorchTensor& tensor, uint64_t first, uint64_t count, char* out);
};

void TorchCheckpoint::Impl::AddTensor(const std::string& name, const TorchTensorCall& call) {
  if (!call.refuse.empty()) {
    unreadable.push_back(name + ": " + call.refuse);
    return;
  }
  TorchTensor tensor;
  tensor.name = name;
  tensor.storage = call.storage;
  tensor.requires_grad = call.requires_grad;
  tensor.offset = static_cast<uint64_t>(call.offset);
  tensor.stride = call.stride;
  tensor.dtype = call.dtype.empty() ? file.dtypes[static_cast<size_t>(call.storage)]
                                    : FindTorchDtype(call.dtype);
  if (tensor.dtype == nullptr) FailTensor(name, "has the unknown dtype " + call.dtype);
  if (call.shape.size() != call.stride.size())
    FailTensor(name, "has as many strides as it should not");
  if (call.shape.size() > 64) FailTensor(name, "has more than 64 dimensions");
  tensor.elements = 1;
  for (size_t i = 0; i < call.shape.size(); ++i) {
    if (call.shape[i] < 0) FailTensor(name, "has a negative size");
    if (call.stride[i] < 0) FailTensor(name, "has a negative stride");
    tensor.shape.push_back(static_cast<uint64_t>(call.shape[i]));
    if (__builtin_mul_overflow(tensor.elements, tensor.shape.back(), &tensor.elements)) {
      FailTensor(name, "has an impossible size");
    }
  }
  uint64_t span, end;
  if (__builtin_mul_overflow(tensor.elements, tensor.dtype->bytes, &tensor.bytes) ||
      !SpanElements(tensor, &span) || __builtin_add_overflow(span, tensor.offset, &end) ||
      __builtin_mul_overflow(end, tensor.dtype->bytes, &end)) {
    FailTensor(name, "has an impossible size");
  }
  if (call.storage >= 0 && tensor.elements > 0 &&
      end > file.storages[static_cast<size_t>(call.storage)].bytes) {
    FailTensor(name, "leaves its storage");
  }
  tensor.contiguous = IsContiguous(tensor);
  tensors.push_back(std::move(tensor));
}

// Tied weights are one tensor under two names, or two views of the same bytes in the same shape.
void TorchCheckpoint::Impl::MarkTies() {
  std::unordered_map<std::string, size_t> seen;
  for (size_t i = 0; i < tensors.size(); ++i) {
    TorchTensor& tensor = tensors[i];
    if (tensor.storage < 0 || tensor.bytes == 0) continue;
    std::string key = std::to_string(tensor.storage) + ":" + std::to_string(tensor.offset);
    for (size_t d = 0; d < tensor.shape.size(); ++d) {
      key += "," + std::to_string(tensor.shape[d]) + "x" + std::to_string(tensor.stride[d]);
    }
    auto [at, fresh] = seen.emplace(std::move(key), i);
    if (!fresh) tensor.same_as = tensors[at->second].name;
  }
}

void TorchCheckpoint::Impl::ReadStorage(const TorchTensor& tensor, uint64_t offset, uint64_t n,
                                        char* out) {
  auto index = static_cast<size_t>(tensor.storage);
  const TorchStorage& storage = file.storages[index];
  if (!storage.packed) return source.ReadAt(storage.file_offset + offset, out, n);
  if (unpacked_index != tensor.storage) {
    WindowSource window(source, file.packed[index].first, file.packed[index].second);
    Unpacked result = Unpack(window, Packing::kDeflate, {.max_bytes = limits.max_unpacked_bytes});
    if (!result.problem.empty() || result.source->size_bytes() < storage.bytes) {
      FailTensor(tensor.name, "has a storage that cannot be unpacked");
    }
    unpacked = std::move(result.source);
    unpacked_index = tensor.storage;
  }
  unpacked->ReadAt(offset, out, n);
}

// Elements [first, first + count) in row-major order.
void TorchCheckpoint::Impl::ReadStrided(const TorchTensor& tensor, uint64_t first, uint64_t count,
                                        char* out) {
  uint64_t size = tensor.dtype->bytes;
  uint64_t span = 0;
  SpanElements(tensor, &span);
  bool hold = span * size <= kMaxSpanBytes;
  if (hold && (span_storage != tensor.storage || span_offset != tensor.offset * size ||
               span_bytes.size() != span * size)) {
    span_bytes.resize(static_cast<size_t>(span * size));
    ReadStorage(tensor, tensor.offset * size, span_bytes.size(), span_bytes.data());
    span_storage = tensor.storage;
    span_offset = tensor.offset * size;
  }
  size_t rank = tensor.shape.size();
  std::vector<uint64_t> index(rank, 0);
  uint64_t rest = first, position = 0;
  for (size_t i = rank; i-- > 0;) {
    index[i] = rest % tensor.shape[i];
    rest /= tensor.shape[i];
    position += index[i] * static_cast<uint64_t>(tensor.stride[i]);
  }
  for (uint64_t done = 0; done < count; ++done) {
    if (hold) {
      std::memcpy(out + done * size, span_bytes.data() + position * size, size);
    } else {
      ReadStorage(tensor, (tensor.offset + position) * size, size, out + done * size);
    }
    for (size_t i = rank; i-- > 0;) {
      position += static_cast<uint64_t>(tensor.stride[i]);
      if (++index[i] < tensor.shape[i]) break;
      position -= index[i] * static_cast<uint64_t>(tensor.stride[i]);
      index[i] = 0;
    }
  }
}

TorchCheckpoint::TorchCheckpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TorchCheckpoint::~TorchCheckpoint() = default;
TorchCheckpoint::TorchCheckpoint(TorchCheckpoint&&) noexcept = default;

TorchCheckpoint TorchCheckpoint::Open(ByteSource& source, const Limits& limits) {
  size_t n = static_cast<size_t>(std::min<uint64_t>(source.size_bytes(), 32));
  std::string first = source.Read(0, n);
  if (!LooksLikeTorchCheckpoint(first)) {
    throw Error(Code::kInvalidArgument, "this is not a PyTorch checkpoint");
  }
  bool zip = first[0] == 'P';
  auto impl = std::make_unique<Impl>(source, limits);
  impl->file = zip ? OpenTorchZip(source, limits) : OpenTorchLegacy(source, limits);
  TorchNames names = NameTorchTensors(*impl->file.pickle.root, limits);
  impl->values = std::move(names.values);
  for (const auto& [name, index] : names.tensors) {
    impl->AddTensor(name, impl->file.pickle.tensors[static_cast<size_t>(index)]);
  }
  impl->MarkTies();
  return TorchCheckpoint(std::move(impl));
}

std::string_view TorchCheckpoint::form() const { return impl_->file.form; }
bool TorchCheckpoint::big_endian() const { return impl_->file.big_endian; }
const std::vector<TorchTensor>& TorchCheckpoint::tensors() const { return impl_->tensors; }
const std::vector<TorchStorage>& TorchCheckpoint::storages() const { return impl_->file.storages; }
const std::vector<std::string>& TorchCheckpoint::unreadable() const { return impl_->unreadable; }
const Json& TorchCheckpoint::values() const { return impl_->values; }

void TorchCheckpoint::ReadTensor(const TorchTensor& tensor, uint64_t begin, uint64_t n, char* out) {
  if (tensor.storage < 0 || begin > tensor.bytes || n > tensor.bytes - begin) {
    throw Error(Code::kInternal, "read past the end of tensor " + tensor.name);
  }
  if (n == 0) return;
  uint64_t size = tensor.dtype->bytes;
  // Whole elements, so that byte order can be mended.
  uint64_t first = begin / size;
  uint64_t count = (begin + n + size - 1) / size - first;
  std::string cut;
  char* to = out;
  if (count * size != n) {
    cut.resize(static_cast<size_t>(count * size));
    to = cut.data();
  }
  if (tensor.contiguous) {
    impl_->ReadStorage(tensor, (tensor.offset + first) * size, count * size, to);
  } else {
    impl_->ReadStrided(tensor, first, count, to);
  }
  if (impl_->file.big_endian) SwapElements(to, count * size, tensor.dtype->swap_bytes);
  if (to != out) std::memcpy(out, cut.data() + (begin - first * size), n);
}

std::string TorchCheckpoint::ReadTensor(const TorchTensor& tensor) {
  std::string bytes(static_cast<size_t>(tensor.bytes), '\0');
  ReadTensor(tensor, 0, tensor.bytes, bytes.data());
  return bytes;
}

}  // namespace hearth
