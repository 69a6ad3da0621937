#include "server/xet_api/xet_token.h"

#include <array>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/base64.h"

namespace hearth::server {
namespace {

constexpr std::string_view kSignPurpose = "xet-token";
// Far above any token that this hub makes (about 140 characters).
constexpr size_t kMaxTokenBytes = 512;
constexpr size_t kFields = 7;

[[noreturn]] void BadToken() {
  throw Error(Code::kUnauthenticated, "Invalid access token for the Xet store");
}

// Numbers between single spaces: unambiguous.
std::string WriteFields(const XetToken& token) {
  const hub::XetScope& scope = token.scope;
  std::string text = std::to_string(static_cast<int>(scope.holder));
  for (int64_t field : {scope.holder_id, scope.user_id, int64_t{scope.may_write},
                        int64_t{scope.whole_user}, scope.token_id, token.expires}) {
    text += " " + std::to_string(field);
  }
  return text;
}

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

std::string MakeXetToken(const hub::Hub& hub, const XetToken& token) {
  std::string text = WriteFields(token);
  return std::string(kXetTokenPrefix) + Base64UrlEncode(text) + "." + hub.Sign(kSignPurpose, text);
}

XetToken ParseXetToken(const hub::Hub& hub, std::string_view text) {
  if (text.size() > kMaxTokenBytes || !text.starts_with(kXetTokenPrefix)) BadToken();
  text.remove_prefix(kXetTokenPrefix.size());
  size_t dot = text.find('.');
  if (dot == std::string_view::npos) BadToken();
  std::optional<std::string> payload = Base64UrlDecode(text.substr(0, dot));
  if (!payload || !ConstantTimeEqual(text.substr(dot + 1), hub.Sign(kSignPurpose, *payload))) {
    BadToken();
  }
  auto [holder, holder_id, user_id, may_write, whole_user, token_id, expires] =
      ReadFields(*payload);
  if (holder > static_cast<int64_t>(hub::XetHolder::kBucket)) BadToken();
  return {.scope = {.holder = static_cast<hub::XetHolder>(holder),
                    .holder_id = holder_id,
                    .user_id = user_id,
                    .may_write = may_write != 0,
                    .whole_user = whole_user != 0,
                    .token_id = token_id},
          .expires = expires};
}

void CheckNotExpired(const XetToken& token, TimePoint now) {
  int64_t grace = std::chrono::duration_cast<std::chrono::seconds>(kXetTokenGrace).count();
  if (ToUnixMillis(now) / 1000 > token.expires + grace) {
    throw Error(Code::kUnauthenticated, "The access token for the Xet store has expired");
  }
}

}  // namespace hearth::server
