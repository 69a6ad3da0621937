#include "server/xet_api/xet_token.h"

#include <array>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/base64.h"

namespace hearth::server {
namespace {

constexpr std::string_view kPrefix = "hxt_";
constexpr std::string_view kSignPurpose = "xet-token";
// Far above any token that this hub makes (about 140 characters).
constexpr size_t kMaxTokenBytes = 512;

[[noreturn]] void BadToken() {
  throw Error(Code::kUnauthenticated, "Invalid access token for the Xet store");
}

std::string WriteFields(const hub::XetScope& scope, int64_t expires) {
  // Numbers between single spaces: unambiguous.
  std::string text = std::to_string(static_cast<int>(scope.holder));
  for (int64_t field : {scope.holder_id, scope.user_id, int64_t{scope.may_write},
                        int64_t{scope.whole_user}, expires}) {
    text += " " + std::to_string(field);
  }
  return text;
}

constexpr size_t kFields = 6;

std::array<int64_t, kFields> ReadFields(std::string_view text) {
  std::array<int64_t, kFields> fields{};
  std::vector<std::string_view> words = Split(text, ' ');
  if (words.size() != kFields) BadToken();
  for (size_t i = 0; i < kFields; ++i) {
    std::optional<int64_t> value = ParseInt(words[i]);
    if (!value || *value < 0) BadToken();
    fields[i] = *value;
  }
  return fields;
}

}  // namespace

std::string MakeXetToken(const hub::Hub& hub, const hub::XetScope& scope, int64_t expires) {
  std::string text = WriteFields(scope, expires);
  return std::string(kPrefix) + Base64UrlEncode(text) + "." + hub.Sign(kSignPurpose, text);
}

hub::XetScope ParseXetToken(const hub::Hub& hub, std::string_view token, TimePoint now) {
  if (token.size() > kMaxTokenBytes || !token.starts_with(kPrefix)) BadToken();
  token.remove_prefix(kPrefix.size());
  size_t dot = token.find('.');
  if (dot == std::string_view::npos) BadToken();
  std::optional<std::string> text = Base64UrlDecode(token.substr(0, dot));
  if (!text || !ConstantTimeEqual(token.substr(dot + 1), hub.Sign(kSignPurpose, *text))) BadToken();
  auto [holder, holder_id, user_id, may_write, whole_user, expires] = ReadFields(*text);
  if (holder > static_cast<int64_t>(hub::XetHolder::kBucket)) BadToken();
  int64_t grace = std::chrono::duration_cast<std::chrono::seconds>(kXetTokenGrace).count();
  if (ToUnixMillis(now) / 1000 > expires + grace) {
    throw Error(Code::kUnauthenticated, "The access token for the Xet store has expired");
  }
  return {.holder = static_cast<hub::XetHolder>(holder),
          .holder_id = holder_id,
          .user_id = user_id,
          .may_write = may_write != 0,
          .whole_user = whole_user != 0};
}

}  // namespace hearth::server
