// The vectors of full-text search, made by the worker of a model in the hub. Thread-safe.
#pragma once

#include <string>

#include "hub/semantic_order.h"
#include "inference/scheduler.h"

namespace hearth::inference {

class SearchEmbedder : public hub::TextEmbedder {
 public:
  // `model`: "owner/name", which may come or go at any time. Both outlive this.
  SearchEmbedder(hub::Hub& hub, Scheduler& scheduler, std::string model);

  // "owner/name@commit"; empty while there is no such model or it cannot run.
  std::string Identity() override;
  // Loads the model when it sleeps; the patience may end meanwhile.
  std::optional<std::vector<std::vector<float>>> Embed(std::span<const std::string> texts,
                                                       std::chrono::milliseconds patience) override;

 private:
  hub::RepoPtr Find() const;

  hub::Hub& hub_;
  Scheduler& scheduler_;
  std::string owner_, name_;
};

}  // namespace hearth::inference
