#include "server/metrics.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"

namespace hearth::server {
namespace {

void Line(std::string* out, std::string_view name, std::string_view labels, double value) {
  char number[40];
  std::snprintf(number, sizeof number, "%.10g", value);
  *out += name;
  if (!labels.empty()) {
    *out += '{';
    *out += labels;
    *out += '}';
  }
  *out += ' ';
  *out += number;
  *out += '\n';
}

void Head(std::string* out, std::string_view name, std::string_view type, std::string_view help) {
  *out += "# HELP " + std::string(name) + " " + std::string(help) + "\n# TYPE " +
          std::string(name) + " " + std::string(type) + "\n";
}

double ResidentBytes() {
  try {
    auto fields = ReadFile("/proc/self/statm", 4096);
    auto parts = Split(fields, ' ');
    if (parts.size() > 1) {
      return static_cast<double>(ParseUint(parts[1]).value_or(0)) *
             static_cast<double>(sysconf(_SC_PAGESIZE));
    }
  } catch (const Error&) {
  }
  return 0;
}

}  // namespace

Metrics::Metrics(const std::vector<std::string>& routes) {
  for (const std::string& route : routes) series_.try_emplace(route, std::make_unique<Series>());
  other_ = series_.try_emplace("other", std::make_unique<Series>()).first->second.get();
}

void Metrics::Record(std::string_view route, int status, std::chrono::microseconds elapsed) {
  auto found = series_.find(route);
  Series& series = found == series_.end() ? *other_ : *found->second;
  size_t index = static_cast<size_t>(std::clamp(status / 100, 1, 5)) - 1;
  series.by_class[index].fetch_add(1, std::memory_order_relaxed);
  size_t bucket = static_cast<size_t>(
      std::lower_bound(kBounds.begin(), kBounds.end(), elapsed.count()) - kBounds.begin());
  series.buckets[bucket].fetch_add(1, std::memory_order_relaxed);
  series.sum_micros.fetch_add(static_cast<uint64_t>(elapsed.count()), std::memory_order_relaxed);
}

std::string Metrics::Render(const net::ServerStats& stats) const {
  std::string out;
  Head(&out, "hearth_http_requests_total", "counter",
       "Finished requests by route and status class.");
  for (const auto& [route, series] : series_) {
    for (size_t i = 0; i < 5; ++i) {
      uint64_t count = series->by_class[i].load(std::memory_order_relaxed);
      if (count == 0) continue;
      Line(&out, "hearth_http_requests_total",
           "route=\"" + route + "\",class=\"" + std::to_string(i + 1) + "xx\"",
           static_cast<double>(count));
    }
  }
  Head(&out, "hearth_http_request_seconds", "histogram",
       "Time from the end of the request head to the end of the answer.");
  for (const auto& [route, series] : series_) {
    uint64_t total = 0;
    for (const auto& bucket : series->buckets) total += bucket.load(std::memory_order_relaxed);
    if (total == 0) continue;
    uint64_t running = 0;
    for (size_t i = 0; i < kBounds.size(); ++i) {
      running += series->buckets[i].load(std::memory_order_relaxed);
      char bound[32];
      std::snprintf(bound, sizeof bound, "%g", static_cast<double>(kBounds[i]) / 1e6);
      Line(&out, "hearth_http_request_seconds_bucket",
           "route=\"" + route + "\",le=\"" + bound + "\"", static_cast<double>(running));
    }
    Line(&out, "hearth_http_request_seconds_bucket", "route=\"" + route + "\",le=\"+Inf\"",
         static_cast<double>(total));
    Line(&out, "hearth_http_request_seconds_sum", "route=\"" + route + "\"",
         static_cast<double>(series->sum_micros.load(std::memory_order_relaxed)) / 1e6);
    Line(&out, "hearth_http_request_seconds_count", "route=\"" + route + "\"",
         static_cast<double>(total));
  }
  struct Plain {
    const char *name, *type, *help;
    double value;
  };
  const Plain plain[] = {
      {"hearth_http_connections_total", "counter", "Accepted connections.",
       static_cast<double>(stats.connections_total)},
      {"hearth_http_connections_open", "gauge", "Open connections.",
       static_cast<double>(stats.connections_open)},
      {"hearth_http_requests_active", "gauge", "Requests being answered.",
       static_cast<double>(stats.requests_active)},
      {"hearth_http_received_bytes_total", "counter", "Bytes read from clients.",
       static_cast<double>(stats.bytes_in)},
      {"hearth_http_sent_bytes_total", "counter", "Bytes sent to clients.",
       static_cast<double>(stats.bytes_out)},
      {"process_resident_memory_bytes", "gauge", "Resident memory.", ResidentBytes()},
  };
  for (const Plain& item : plain) {
    Head(&out, item.name, item.type, item.help);
    Line(&out, item.name, "", item.value);
  }
  return out;
}

}  // namespace hearth::server
