// A progress line on the terminal: what, how far, how fast, how long still.
//
// Written to standard error, at most ten times a second, and only when that is a terminal: logs and
// pipes stay clean. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::cli {

enum class ProgressUnit { kItems, kBytes };

class Progress {
 public:
  // `total` 0: not known (the line then has no bar and no time left).
  Progress(std::string label, uint64_t total, ProgressUnit unit = ProgressUnit::kItems);
  ~Progress();  // removes the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Update(uint64_t done);
  // Another stage of the same work: a new label and total, the clock starts again.
  void Begin(std::string label, uint64_t total);
  // Another name for what goes on: the clock does not start again.
  void Relabel(std::string label, uint64_t total);

  // The line for a state, without control characters: what Update prints. `columns`: of the
  // terminal.
  static std::string Line(std::string_view label, uint64_t done, uint64_t total, ProgressUnit unit,
                          double seconds, size_t columns);

 private:
  using Clock = std::chrono::steady_clock;
  void Clear();

  std::string label_;
  uint64_t total_;
  ProgressUnit unit_;
  bool enabled_;
  bool shown_ = false;
  Clock::time_point start_;
  Clock::time_point next_;
};

}  // namespace hearth::cli
