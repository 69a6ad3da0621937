#include "cli/fit_report.h"

#include <cstdio>

#include "cli/terminal_text.h"
#include "hub/inspector/fit/fit.h"
#include "hub/inspector/fit/runtimes.h"

namespace hearth::cli {
namespace {

inspector::FitRequest RequestOf(const FitOptions& options) {
  inspector::FitRequest request;
  request.context = options.context;
  if (std::optional<inspector::Device> node = inspector::ProbeNode())
    request.devices.push_back(*std::move(node));
  for (const std::string& text : options.devices)
    request.devices.push_back(inspector::ParseDevice(text));
  return request;
}

}  // namespace

Json FitJson(const std::string& folder, const FitOptions& options) {
  std::unique_ptr<inspector::RepoView> view = inspector::OpenFolder(folder);
  return Json::Obj({{"runtimes", inspector::ToJson(inspector::FindRuntimes(*view))},
                    {"fit", inspector::ToJson(inspector::ComputeFit(*view, RequestOf(options)))}});
}

void PrintFit(const std::string& folder, const FitOptions& options) {
  std::unique_ptr<inspector::RepoView> view = inspector::OpenFolder(folder);
  inspector::RuntimeReport runtimes = inspector::FindRuntimes(*view);
  if (runtimes.forms.empty()) return;
  std::printf("\n%s", TerminalText(inspector::RuntimesText(runtimes)).c_str());
  inspector::FitReport fit = inspector::ComputeFit(*view, RequestOf(options));
  if (!fit.choices.empty()) std::printf("\n%s", TerminalText(inspector::FitText(fit)).c_str());
}

}  // namespace hearth::cli
