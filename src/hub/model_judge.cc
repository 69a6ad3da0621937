#include "hub/model_judge.h"

#include <algorithm>

namespace hearth::hub {

std::string OfferedTask(const std::vector<std::string>& tasks, std::string_view pipeline_tag) {
  if (tasks.empty()) return {};
  auto can = [&tasks](std::string_view task) {
    return std::find(tasks.begin(), tasks.end(), task) != tasks.end();
  };
  std::string offered(can(pipeline_tag) ? pipeline_tag : std::string_view(tasks.front()));
  return offered == "text-generation" && can("conversational") ? "conversational" : offered;
}

}  // namespace hearth::hub
