#include "cli/portraits.h"

#include "base/error.h"
#include "cli/hub_target.h"
#include "hub/card_words.h"
#include "hub/inspector/compare/comparison.h"
#include "hub/inspector/inspect_repo.h"

namespace hearth::cli {

std::vector<inspector::Portrait> ReadPortraits(const std::vector<std::string>& targets,
                                               const std::vector<std::string>& devices) {
  if (targets.size() > inspector::kMaxCompared) {
    throw Error(Code::kInvalidArgument, "at most " + std::to_string(inspector::kMaxCompared) +
                                            " repositories can be compared at once");
  }
  std::vector<inspector::Device> asked;
  for (const std::string& device : devices) asked.push_back(inspector::ParseDevice(device));
  if (asked.size() > inspector::kMaxPortraitDevices)
    throw Error(Code::kInvalidArgument, "too many devices");
  std::vector<inspector::Portrait> portraits;
  for (const std::string& target : targets) {
    std::unique_ptr<inspector::RepoView> view = OpenRepoTarget(target);
    inspector::RepoReading reading = inspector::ReadRepo(*view, hub::CardWords());
    inspector::PortraitInput input;
    input.view = view.get();
    input.kinds = std::move(reading.kinds);
    input.reading_order = inspector::ToJson(reading.order);
    input.card_score = inspector::ToJson(reading.score);
    input.devices = asked;
    inspector::Portrait portrait = inspector::DescribeAlone(input);
    inspector::DescribeAmong(input, &portrait);
    portraits.push_back(std::move(portrait));
  }
  return portraits;
}

}  // namespace hearth::cli
