// Threads that run one function together, many times a millisecond.
//
// A model's step is a few hundred short phases; a condition variable's wake-up would cost more than
// a phase. So members spin for the next phase while a run is on (Begin to End), and between runs
// for some microseconds before they sleep. One owner calls Begin, Run and End; the function is
// called once by each member, the owner as number 0, and Run returns when all are done. The
// function must not throw.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace hearth::tensor {

class ThreadTeam {
 public:
  // At least 1; 1 starts no thread. 0: one per physical core that the process may use.
  explicit ThreadTeam(int threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int threads() const { return threads_; }
  void Begin();
  void End();
  template <typename Function>
  void Run(Function&& function) {
    RunErased(
        [](void* f, int member) { (*static_cast<std::remove_reference_t<Function>*>(f))(member); },
        const_cast<void*>(static_cast<const void*>(&function)));
  }
  // The part [begin, end) of `count` items that a member takes, cut at multiples of `grain`.
  std::pair<uint64_t, uint64_t> Part(int member, uint64_t count, uint64_t grain = 1) const;

 private:
  using Erased = void (*)(void* function, int member);
  void RunErased(Erased call, void* function);

  struct State;
  int threads_;
  std::unique_ptr<State> state_;
};

}  // namespace hearth::tensor
