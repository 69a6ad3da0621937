#include "inference/scheduler.h"

#include <utility>

#include "base/error.h"

namespace hearth::inference {

std::string_view StateName(ModelState state) {
  switch (state) {
    case ModelState::kCold:
      return "cold";
    case ModelState::kLoading:
      return "loading";
    case ModelState::kWarm:
      return "warm";
    case ModelState::kFailed:
      return "failed";
  }
  return "";
}

struct Scheduler::Impl {
  SchedulerOptions options;
};

Scheduler::Scheduler(hub::Hub&, SchedulerOptions options)
    : impl_(std::make_unique<Impl>(Impl{std::move(options)})) {}
Scheduler::~Scheduler() = default;

ModelStatus Scheduler::StatusOf(const hub::RepoRecord&) const { return {}; }
std::vector<std::pair<int64_t, ModelStatus>> Scheduler::Loaded() const { return {}; }
uint64_t Scheduler::memory_budget_bytes() const { return impl_->options.memory_bytes; }
SchedulerStats Scheduler::stats() const { return {}; }
void Scheduler::Warm(const hub::RepoHandle&) {}
void Scheduler::Pin(const hub::RepoHandle&, bool) {}
void Scheduler::Unload(const hub::RepoHandle&) {}
void Scheduler::Admit(const hub::RepoRecord&) const {}
net::Response Scheduler::Forward(const hub::RepoHandle&, net::Request&, std::string,
                                 const ForwardOptions&) {
  throw Error(Code::kUnavailable, "this hub does not run models yet");
}
void Scheduler::Stop() {}

}  // namespace hearth::inference
