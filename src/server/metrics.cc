#include "server/metrics.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <initializer_list>

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

struct Plain {
  const char *name, *type, *help;
  double value;
};

void AppendPlain(std::string* out, std::initializer_list<Plain> items) {
  for (const Plain& item : items) {
    Head(out, item.name, item.type, item.help);
    Line(out, item.name, "", item.value);
  }
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

void AppendConversion(std::string* out, const hub::XetConverter::Stats& stats) {
  AppendPlain(out, {
                       {"hearth_xet_conversion_waiting", "gauge",
                        "Whole objects that are old enough to become Xet files.",
                        static_cast<double>(stats.waiting)},
                       {"hearth_xet_conversions_total", "counter", "Objects that became Xet files.",
                        static_cast<double>(stats.converted)},
                       {"hearth_xet_conversion_failures_total", "counter",
                        "Objects that could not become Xet files and stay whole.",
                        static_cast<double>(stats.failed)},
                       {"hearth_xet_conversion_read_bytes_total", "counter",
                        "Sizes of the converted objects.", static_cast<double>(stats.read_bytes)},
                       {"hearth_xet_conversion_stored_bytes_total", "counter",
                        "Bytes of the xorbs made for them; what is missing to the above was saved.",
                        static_cast<double>(stats.stored_bytes)},
                   });
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
  AppendPlain(&out,
              {
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
              });
  return out;
}

std::string RenderHubMetrics(hub::Hub& hub) {
  std::string out;
  Head(&out, "hearth_repositories", "gauge", "Repositories by type, private ones included.");
  for (hub::RepoType type :
       {hub::RepoType::kModel, hub::RepoType::kDataset, hub::RepoType::kSpace}) {
    hub::CatalogQuery all;
    all.type = type;
    Line(&out, "hearth_repositories", "type=\"" + std::string(hub::SingularName(type)) + "\"",
         static_cast<double>(hub.catalog().Count(hub::Actor::System(), all)));
  }
  int64_t objects = 0, object_bytes = 0;
  hub.db().Read([&](storage::Connection& c) {
    objects = c.QueryInt("SELECT COUNT(*) FROM objects").value_or(0);
    object_bytes = c.QueryInt("SELECT SUM(size) FROM objects").value_or(0);
  });
  int64_t gc_last = 0, gc_freed = 0, trash = 0, rotten = 0;
  hub.db().Read([&](storage::Connection& c) {
    gc_last = c.QueryInt("SELECT MAX(finished_at) FROM gc_runs WHERE summary != '{}'").value_or(0);
    gc_freed = c.QueryInt("SELECT SUM(freed_bytes) FROM gc_runs").value_or(0);
    trash = c.QueryInt("SELECT SUM(bytes) FROM gc_trash").value_or(0);
    rotten = c.QueryInt("SELECT COUNT(*) FROM quarantine").value_or(0);
  });
  AppendPlain(&out, {
                        {"hearth_gc_last_run_timestamp_seconds", "gauge",
                         "End of the last whole garbage collection; 0 = never.",
                         static_cast<double>(gc_last) / 1000},
                        {"hearth_gc_freed_bytes_total", "counter",
                         "Bytes that garbage collection has moved to the trash.",
                         static_cast<double>(gc_freed)},
                        {"hearth_gc_trash_bytes", "gauge", "Bytes in the trash, given back later.",
                         static_cast<double>(trash)},
                        {"hearth_quarantined", "gauge",
                         "Objects and xorbs taken away for rot that nobody has sent again.",
                         static_cast<double>(rotten)},
                    });
  std::error_code no_answer;
  std::filesystem::space_info disk = std::filesystem::space(hub.data(), no_answer);
  AppendPlain(&out, {
                        {"hearth_users", "gauge", "Users, disabled ones included.",
                         static_cast<double>(hub.accounts().List(false).size())},
                        {"hearth_organizations", "gauge", "Organisations.",
                         static_cast<double>(hub.accounts().List(true).size())},
                        {"hearth_objects", "gauge", "Large objects in the store.",
                         static_cast<double>(objects)},
                        {"hearth_object_bytes", "gauge", "Their size, each counted once.",
                         static_cast<double>(object_bytes)},
                        {"hearth_jobs_waiting", "gauge",
                         "Repositories that wait to be indexed or are being indexed.",
                         static_cast<double>(hub.catalog().Waiting())},
                    });
  AppendConversion(&out, hub.xet_converter().stats());
  if (!no_answer) {
    AppendPlain(&out, {
                          {"hearth_data_disk_bytes", "gauge",
                           "Size of the file system that holds the data.",
                           static_cast<double>(disk.capacity)},
                          {"hearth_data_disk_free_bytes", "gauge", "Free bytes on it.",
                           static_cast<double>(disk.available)},
                      });
  }
  return out;
}

std::string RenderInferenceMetrics(const inference::Scheduler* scheduler) {
  std::string out;
  if (scheduler == nullptr) return out;
  inference::SchedulerStats stats = scheduler->stats();
  auto number = [](uint64_t value) { return static_cast<double>(value); };
  AppendPlain(&out, {{"hearth_inference_requests_total", "counter",
                      "Requests to models that were let in.", number(stats.requests)},
                     {"hearth_inference_refused_total", "counter",
                      "Requests refused because too many waited.", number(stats.refused)},
                     {"hearth_inference_active_requests", "gauge",
                      "Requests that are waiting or answered now.", number(stats.active_requests)},
                     {"hearth_inference_loads_total", "counter", "Models that began to load.",
                      number(stats.loads)},
                     {"hearth_inference_load_failures_total", "counter",
                      "Models that could not be run.", number(stats.load_failures)},
                     {"hearth_inference_crashes_total", "counter",
                      "Workers that ended by themselves.", number(stats.crashes)},
                     {"hearth_inference_evictions_total", "counter",
                      "Models unloaded for their memory.", number(stats.evictions)},
                     {"hearth_inference_models_warm", "gauge", "Models that answer at once.",
                      number(stats.models_warm)},
                     {"hearth_inference_memory_bytes", "gauge", "Resident memory of warm models.",
                      number(stats.memory_bytes)},
                     {"hearth_inference_memory_budget_bytes", "gauge",
                      "Memory that models may use.", number(scheduler->memory_budget_bytes())}});
  return out;
}

}  // namespace hearth::server
