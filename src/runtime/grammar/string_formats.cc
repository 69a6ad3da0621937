#include "runtime/grammar/string_formats.h"

namespace hearth::runtime {
namespace {

// RFC 3339. Months have their days; the 29th of February only in leap years.
constexpr char kDate[] =
    R"((?:[1-9]\d{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))|(?:[1-9]\d(?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26])00)-02-29))";
constexpr char kTime[] =
    R"((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d))";
// RFC 4122.
constexpr char kUuid[] =
    R"([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})";
// RFC 5321 without quoted names and address literals.
constexpr char kEmail[] =
    R"([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24})";
constexpr char kIpv4[] =
    R"((?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d))";

}  // namespace

std::optional<std::string> FindStringFormat(std::string_view format) {
  if (format == "date") return kDate;
  if (format == "time") return kTime;
  if (format == "date-time") return std::string(kDate) + "T" + kTime;
  if (format == "uuid") return kUuid;
  if (format == "email") return kEmail;
  if (format == "ipv4") return kIpv4;
  return std::nullopt;
}

}  // namespace hearth::runtime
