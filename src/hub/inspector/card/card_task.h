// Does the task on the card fit the head of the model? Pure.
#pragma once

#include <string>
#include <string_view>

#include "codec/json.h"

namespace hearth::inspector {

struct TaskCheck {
  std::string declared;      // pipeline_tag; "" = none
  std::string architecture;  // the first of config.json; "" = not known
  std::string implied;       // the task that the architecture is for; "" = several
  bool conflict = false;     // such a head cannot do the declared task
};
// `config` null when there is none.
TaskCheck CheckTask(std::string_view pipeline_tag, const Json& config);

}  // namespace hearth::inspector
