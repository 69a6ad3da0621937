// Can these weights come from that base? Told by names and shapes in the headers, no weight read;
// and a sample of the values for what shapes cannot tell. Pure apart from reads; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/json.h"
#include "hub/inspector/provenance/changes.h"
#include "hub/inspector/provenance/weight_diff.h"

namespace hearth::inspector {

enum class ShapeVerdict {
  kAgrees,   // every tensor that both name has the shape that it must have
  kRefuted,  // at least one cannot: another model
  kUnknown,  // too little in common to tell
};
std::string_view ShapeVerdictName(ShapeVerdict verdict);  // "agrees", "refuted", "unknown"

struct ShapeCheck {
  ShapeVerdict verdict = ShapeVerdict::kUnknown;
  uint64_t compared = 0;  // tensors, or target matrices of an adapter
  uint64_t fitting = 0;
  std::string tensor = {};  // that fits worst: the evidence of a refusal
  std::string sentence = {};
};
// The matrix that a tensor of a LoRA adapter changes
// ("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"), and which of the two factors
// it is. nullopt for another tensor.
struct AdapterFactor {
  std::string target;
  bool is_a = false;
};
std::optional<AdapterFactor> FactorOf(std::string_view name);

// Same names must have the same shape but for a resized vocabulary; the matrices of an adapter
// must fit the ones that they change.
ShapeCheck CheckShapes(const ComparedRepo& base, const ComparedRepo& derived);

// Of some matrices of both: how far apart the values are. nullopt when nothing could be compared.
struct NearnessSample {
  uint64_t tensors = 0;
  double worst_cosine = 1;
  double worst_relative = 0;
  bool quantised = false;  // one side holds blocks, or fewer bits
};
std::optional<NearnessSample> SampleNearness(const ComparedRepo& base, const ComparedRepo& derived);

}  // namespace hearth::inspector
