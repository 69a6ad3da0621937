#include "formats/convert/job.h"

#include <algorithm>
#include <exception>
#include <thread>
#include <vector>

#include "base/error.h"

namespace hearth::convert {

void StopIfCancelled(const Job& job) {
  if (job.cancelled != nullptr && job.cancelled->load(std::memory_order_relaxed)) {
    throw Error(Code::kUnavailable, "cancelled; nothing was written");
  }
}

void InParallel(const Job& job, uint64_t count, uint64_t step,
                const std::function<void(uint64_t, uint64_t)>& work) {
  const uint64_t steps = (count + step - 1) / step;
  const uint64_t parts = std::clamp<uint64_t>(job.threads, 1, std::max<uint64_t>(steps, 1));
  std::vector<std::exception_ptr> faults(parts);
  auto run = [&](uint64_t part) {
    try {
      work(std::min(count, steps * part / parts * step),
           std::min(count, steps * (part + 1) / parts * step));
    } catch (...) {
      faults[part] = std::current_exception();
    }
  };
  std::vector<std::jthread> others;
  for (uint64_t part = 1; part < parts; ++part) others.emplace_back(run, part);
  run(0);
  others.clear();  // joins
  for (const std::exception_ptr& fault : faults) {
    if (fault) std::rethrow_exception(fault);
  }
}

}  // namespace hearth::convert
