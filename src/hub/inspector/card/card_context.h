// What the card rules know besides the text. Plain values.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "hub/inspector/repo_view.h"

namespace hearth::inspector {

// The words that the hub knows; an empty function accepts every word.
struct Vocabulary {
  std::function<bool(std::string_view)> is_licence;
  std::function<bool(std::string_view)> is_task;
};

struct CardContext {
  std::string type = "model";      // "model", "dataset", "space"
  std::string id;                  // "ns/name"; without a slash nobody knows where it will live
  const RepoView* repo = nullptr;  // nullptr = the text alone
  // Made of another repository (adapter, quantised, merged, fine-tuned, converted): the files say
  // so. What the card says (base_model) is added.
  bool derivative = false;
  Vocabulary words;

  bool has_id() const { return id.find('/') != std::string::npos; }
};

}  // namespace hearth::inspector
