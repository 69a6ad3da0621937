// Tensors of checkpoint files on their way into a set of weights.
//
// A tensor that the engine takes as the file stores it stays a view of the file; what is stored
// another way (turned matrices, rows in another order, types of 8 bits, addresses that are not
// aligned) becomes a copy when somebody needs it (WeightSet::AddLazy). Errors: kInvalidArgument.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/convert/architecture.h"
#include "formats/convert/transform.h"
#include "runtime/model_config.h"
#include "tensor/dtype.h"
#include "tensor/weights.h"

namespace hearth::runtime {

struct FileTensor {
  std::string name;
  tensor::Dtype dtype = tensor::Dtype::kF32;
  std::vector<uint64_t> shape;  // outermost first
  std::span<const uint8_t> bytes;
};

// Adds the rows of `view` in another order: row i is row order[i] of it, or zeros where that is
// past the end. The rows of a vector are its values.
void AddReordered(std::string name, const tensor::WeightView& view, std::vector<uint64_t> order,
                  tensor::WeightSet* weights);

class WeightLoader {
 public:
  // Borrows both. The configuration is the language model's, where a checkpoint holds more.
  WeightLoader(const ModelConfig& config, tensor::WeightSet* weights);
  // The bytes of the tensor must live as long as the set.
  void Add(const FileTensor& tensor);
  tensor::WeightSet& weights() { return *weights_; }

 private:
  void AddView(std::string name, const tensor::WeightView& view);
  convert::Transform TransformOf(std::string_view name) const;

  tensor::WeightSet* weights_;
  const convert::Architecture* architecture_;
  convert::RowParameters rows_;
};

}  // namespace hearth::runtime
