#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "cli/duration.h"
#include "text/utf8.h"

namespace hearth::cli {
namespace {

constexpr size_t kBarColumns = 24;
constexpr auto kBetweenUpdates = std::chrono::milliseconds(100);

size_t TerminalColumns() {
  struct winsize size = {};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string ShortCount(double count) {
  if (count < 10'000) return fmt::format("{:.0f}", count);
  if (count < 1e6) return fmt::format("{:.1f}k", count / 1e3);
  if (count < 1e9) return fmt::format("{:.1f}M", count / 1e6);
  return fmt::format("{:.2f}G", count / 1e9);
}

std::string Amount(double value, ProgressUnit unit) {
  return unit == ProgressUnit::kBytes ? HumanBytes(static_cast<uint64_t>(value))
                                      : ShortCount(value);
}

std::string ShortTime(double seconds) {
  auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole >= 3600)
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

// Eighths of a column, so that the bar moves smoothly.
std::string Bar(double part) {
  static constexpr std::string_view kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  auto eighths = static_cast<size_t>(part * kBarColumns * 8);
  std::string bar;
  for (size_t i = 0; i < eighths / 8; ++i) bar += "█";
  bar += kEighths[eighths % 8];
  size_t used = eighths / 8 + (eighths % 8 != 0 ? 1 : 0);
  bar.append(kBarColumns - std::min(used, kBarColumns), ' ');
  return bar;
}

}  // namespace

std::string Progress::Line(std::string_view label, uint64_t done, uint64_t total, ProgressUnit unit,
                           double seconds, size_t columns) {
  std::string line(label);
  if (total > 0) {
    double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    line += fmt::format(" {:3.0f}% |{}| {}/{}", part * 100, Bar(part),
                        Amount(static_cast<double>(done), unit),
                        Amount(static_cast<double>(total), unit));
  } else {
    line += " " + Amount(static_cast<double>(done), unit);
  }
  if (seconds >= 0.5 && done > 0) {
    double rate = static_cast<double>(done) / seconds;
    line += fmt::format(" {}/s", Amount(rate, unit));
    if (total > done) line += " " + ShortTime(static_cast<double>(total - done) / rate) + " left";
  }
  return std::string(TruncateUtf8(line, columns > 1 ? columns - 1 : 1));
}

Progress::Progress(std::string label, uint64_t total, ProgressUnit unit)
    : label_(std::move(label)),
      total_(total),
      unit_(unit),
      enabled_(::isatty(STDERR_FILENO) != 0),
      start_(Clock::now()),
      next_(start_) {}

Progress::~Progress() { Clear(); }

void Progress::Begin(std::string label, uint64_t total) {
  label_ = std::move(label);
  total_ = total;
  start_ = next_ = Clock::now();
}

void Progress::Relabel(std::string label, uint64_t total) {
  label_ = std::move(label);
  total_ = total;
}

void Progress::Update(uint64_t done) {
  if (!enabled_) return;
  Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + kBetweenUpdates;
  double seconds = std::chrono::duration<double>(now - start_).count();
  std::fprintf(stderr, "\r\033[K%s",
               Line(label_, done, total_, unit_, seconds, TerminalColumns()).c_str());
  shown_ = true;
}

void Progress::Clear() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
}

}  // namespace hearth::cli
