// The transformer of ViT, over patches of whatever (https://arxiv.org/abs/2010.11929): what the
// families for pictures and for sounds share.
//
// The convolution that makes the patches' embeddings is a linear layer here, for its strides are
// known to whoever cuts the patches (preprocess/patch_grid.h). Its bias is not for the special
// rows: those have a vector of their own. Both come from a table by the kind of the row.
#pragma once

#include <string_view>

#include "runtime/architecture.h"

namespace hearth::runtime {

// Sizes of the transformer; the patches are the family's. Throws kInvalidArgument.
ModelShape PatchEncoderShape(const ModelConfig& config, const PatchGrid& patches);

// Adds the table of the rows' kinds and the table of positions in the order of rows. Throws
// kInvalidArgument for tensors that are missing or of other sizes than the grid asks for.
void DerivePatchTables(const ModelConfig& config, const PatchGrid& patches, std::string_view prefix,
                       tensor::WeightSet* weights);

// The states of all rows after the last norm.
tensor::Value PatchEncoderStates(const ModelContext& context, const ModelShape& shape,
                                 tensor::Builder& builder);

}  // namespace hearth::runtime
