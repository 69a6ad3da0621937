#include "base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <charconv>
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
  auto is_plain = [](unsigned char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; };
  for (size_t at = 0; at < text.size();) {
    auto c = static_cast<unsigned char>(text[at]);
    if (is_plain(c)) {
      size_t begin = at;
      while (at < text.size() && is_plain(static_cast<unsigned char>(text[at]))) ++at;
      out->append(text, begin, at - begin);
      continue;
    }
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
  std::string line;
  line.reserve(512);
  if (json) line += "{\"time\":\"";
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
  // The widest finite double has 309 digits before the point.
  char number[320];
  auto end = std::to_chars(number, number + sizeof number, value, std::chars_format::fixed, 3);
  text.assign(number, end.ptr);
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
