#include "base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>

#include "base/clock.h"
#include "base/utf8.h"

namespace hearth::log {
namespace {

std::atomic<Format> g_format{Format::kText};

std::shared_ptr<spdlog::logger> MakeLogger(const std::string& file) {
  spdlog::sink_ptr sink;
  if (file.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
  }
  auto logger = std::make_shared<spdlog::logger>("hearth", sink);
  logger->set_pattern("%v");
  logger->flush_on(spdlog::level::warn);
  return logger;
}

std::shared_ptr<spdlog::logger>& Logger() {
  static std::shared_ptr<spdlog::logger> logger = MakeLogger("");
  return logger;
}

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

constexpr std::string_view kLevelNames[] = {"debug", "info", "warning", "error"};

// Control characters would let a peer forge log lines, and bytes that are no UTF-8 would make the
// JSON unreadable: both formats escape them, the latter as if they were Latin-1.
void AppendEscaped(std::string* out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (size_t at = 0; at < text.size();) {
    auto c = static_cast<unsigned char>(text[at]);
    size_t length = Utf8Length(text.substr(at));
    if (c == '"' || c == '\\') {
      *out += '\\';
      *out += text[at];
    } else if (c < 0x20 || c == 0x7f || length == 0) {
      *out += "\\u00";
      *out += kHex[c >> 4];
      *out += kHex[c & 15];
      length = 1;
    } else {
      out->append(text, at, length);
    }
    at += length;
  }
}

std::string Render(Level level, std::string_view message, std::initializer_list<Field> fields) {
  bool json = g_format.load(std::memory_order_relaxed) == Format::kJson;
  std::string line = json ? "{\"time\":\"" : "";
  line += FormatIso8601(Clock::System().Now());
  line += json ? "\",\"level\":\"" : " ";
  line += kLevelNames[static_cast<int>(level)];
  line += json ? "\",\"message\":\"" : " ";
  AppendEscaped(&line, message);
  if (json) line += '"';
  for (const Field& field : fields) {
    line += json ? ",\"" : " ";
    line += field.key;
    line += json ? "\":" : "=";
    if (!field.bare) line += '"';
    AppendEscaped(&line, field.text);
    if (!field.bare) line += '"';
  }
  if (json) line += '}';
  return line;
}

}  // namespace

Field::Field(std::string_view key, double value) : key(key), bare(true) {
  char number[64];
  int length = std::snprintf(number, sizeof number, "%.3f", value);
  text.assign(number, static_cast<size_t>(std::clamp(length, 0, 63)));
}

void Configure(Level level, Format format, const std::string& file) {
  g_format = format;
  Logger() = MakeLogger(file);
  Logger()->set_level(ToSpdlog(level));
  spdlog::flush_every(std::chrono::seconds(1));
}

void Write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  auto& logger = Logger();
  if (!logger->should_log(ToSpdlog(level))) return;
  logger->log(ToSpdlog(level), Render(level, message, fields));
}

}  // namespace hearth::log
