// The passes over a whole vocabulary that sampling makes, in tiers chosen at run time. All tiers
// give the same bits: they do the same single-precision operations in the same order, so that a
// seed gives the same text on every machine.
// Pure, thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace hearth::runtime {

// Values of one block are summed in single precision, blocks in double: the error of a sum over
// 150,000 values stays near 1e-7.
constexpr size_t kScoreBlock = 256;

// The largest value; -infinity for none.
float MaxScore(std::span<const float> values);

// weights[i] = exp(values[i] - shift), 0 for values below shift - 87; block_sums gets one sum per
// kScoreBlock weights. Returns the sum of all. `shift` must be at least every value. Relative error
// below 3e-7.
double ExpScores(std::span<const float> values, float shift, std::span<float> weights,
                 std::vector<double>* block_sums);

// Appends the indices of the values that are `least` or more, rising.
void CollectAtLeast(std::span<const float> values, float least, std::vector<unsigned>* indices);

}  // namespace hearth::runtime
