// A graph with its weights as ATen tensors; for the plugin's own files.
//
// Weights of fp32 that a file holds as they are needed are not copied: the tensors are views of the
// mapped file. Everything else is converted once. Errors of libtorch become hearth::Error at the
// public functions.
#pragma once

#include <ATen/core/Tensor.h>

#include <exception>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include "base/error.h"
#include "tensor/torch/torch_plugin.h"

namespace hearth::tensor {

// Runs `function` without gradients; what libtorch throws is told as an Error.
template <typename Function>
auto Guarded(Function&& function) {
  try {
    c10::InferenceMode mode;
    return function();
  } catch (const Error&) {
    throw;
  } catch (const c10::OutOfMemoryError& error) {
    throw Error(Code::kUnavailable, std::string("torch: ") + error.what_without_backtrace());
  } catch (const c10::Error& error) {
    throw Error(Code::kInternal, std::string("torch: ") + error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    throw Error(Code::kUnavailable, "torch: there is not enough memory");
  } catch (const std::exception& error) {
    throw Error(Code::kInternal, std::string("torch: ") + error.what());
  }
}

// A pair of an adapter: y += (x down^T) up^T; the scale is in `up`.
struct TorchForm : ProgramAdapter {
  struct Pair {
    at::Tensor down, up;
  };
  std::map<int32_t, Pair> pairs;  // by the weight's place
};

// [pages * kPageTokens, kv_heads, head_dim] for each layer: a token's place is its page's and its
// own in that.
class TorchCache : public SequenceCache {
 public:
  TorchCache(const KvShape& shape, uint32_t pages, const at::TensorOptions& options);
  void CopyPage(uint32_t from, uint32_t to) override;
  uint32_t pages() const { return pages_; }
  at::Tensor& keys(int32_t layer) { return keys_.at(layer); }
  at::Tensor& values(int32_t layer) { return values_.at(layer); }

 private:
  uint32_t pages_;
  std::vector<at::Tensor> keys_, values_;
};

class TorchProgram : public Program, public std::enable_shared_from_this<TorchProgram> {
 public:
  TorchProgram(Graph graph, std::shared_ptr<const TorchHost> host, const TorchOptions& options);

  const Graph& graph() const override { return graph_; }
  std::unique_ptr<Session> NewSession(ThreadTeam& team) const override;
  std::shared_ptr<const ProgramAdapter> MakeAdapter(std::span<const LowRank> pairs) const override;
  uint64_t CachePageBytes(const KvShape& shape) const override;
  std::unique_ptr<SequenceCache> NewCache(const KvShape& shape, uint32_t pages) const override;

  const TorchHost& host() const { return *host_; }
  c10::Device device() const { return device_; }
  c10::ScalarType type() const { return type_; }  // of values between operations
  // [rows, columns] of the program's type, or [columns] in fp32 where operations take vectors.
  const at::Tensor& matrix(Weight weight) const { return matrices_.at(weight.index); }
  const at::Tensor& vector(Weight weight) const { return vectors_.at(weight.index); }
  // Nodes whose values nobody reads after this one.
  std::span<const int32_t> over_after(size_t node) const { return over_after_[node]; }
  // The first of the nodes that turn by the same angles.
  int32_t rope_of(size_t node) const { return rope_of_[node]; }

 private:
  void AddMatrix(Weight weight);
  void AddVector(Weight weight);
  at::Tensor Load(Weight weight, c10::ScalarType type) const;
  void PlanValues();
  void FindRopes();

  Graph graph_;
  std::shared_ptr<const TorchHost> host_;
  c10::Device device_;
  c10::ScalarType type_;
  std::map<int32_t, at::Tensor> matrices_, vectors_;
  std::vector<std::vector<int32_t>> over_after_;
  std::vector<int32_t> rope_of_;
};

}  // namespace hearth::tensor
