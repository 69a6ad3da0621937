#include "formats/scan/secret_scan.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <unordered_set>

#include "base/bytes.h"
#include "base/hash.h"

namespace hearth {
namespace {

enum class Letters { kAlnum, kBase64Url, kHex, kUpperAlnum };

bool IsAlnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool IsOf(char c, Letters letters) {
  switch (letters) {
    case Letters::kAlnum:
      return IsAlnum(c);
    case Letters::kBase64Url:
      return IsAlnum(c) || c == '-' || c == '_';
    case Letters::kHex:
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    case Letters::kUpperAlnum:
      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
  }
  return false;
}

// The last six characters of GitHub's and npm's tokens are the CRC-32 of the thirty before them in
// base 62 (github.blog, "Behind GitHub's new authentication token formats", 2021).
bool HasCrcSuffix(std::string_view body) {
  constexpr std::string_view kDigits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  if (body.size() != 36) return false;
  auto crc = static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(30)));
  std::string expected(6, '0');
  for (size_t at = 6; at-- > 0; crc /= 62) expected[at] = kDigits[crc % 62];
  return body.substr(30) == expected;
}

struct Shape {
  std::string_view kind;
  std::string_view prefix;
  Letters letters;
  size_t least, most;  // characters behind the prefix
  bool (*check)(std::string_view body) = nullptr;
};

// Prefixes as their makers document them. Sorted by kind.
constexpr Shape kShapes[] = {
    {"anthropic-key", "sk-ant-api03-", Letters::kBase64Url, 80, 120},
    {"anthropic-key", "sk-ant-admin01-", Letters::kBase64Url, 80, 120},
    {"aws-access-key", "AKIA", Letters::kUpperAlnum, 16, 16},
    {"aws-access-key", "ASIA", Letters::kUpperAlnum, 16, 16},
    {"databricks-token", "dapi", Letters::kHex, 32, 32},
    {"digitalocean-token", "dop_v1_", Letters::kHex, 64, 64},
    {"github-token", "ghp_", Letters::kAlnum, 36, 36, HasCrcSuffix},
    {"github-token", "gho_", Letters::kAlnum, 36, 36, HasCrcSuffix},
    {"github-token", "ghu_", Letters::kAlnum, 36, 36, HasCrcSuffix},
    {"github-token", "ghs_", Letters::kAlnum, 36, 36, HasCrcSuffix},
    {"github-token", "ghr_", Letters::kAlnum, 36, 76},
    {"github-token", "github_pat_", Letters::kBase64Url, 82, 82},
    {"gitlab-token", "glpat-", Letters::kBase64Url, 20, 60},
    {"google-api-key", "AIza", Letters::kBase64Url, 35, 35},
    {"google-client-secret", "GOCSPX-", Letters::kBase64Url, 28, 28},
    {"groq-key", "gsk_", Letters::kAlnum, 52, 52},
    {"huggingface-token", "hf_", Letters::kAlnum, 34, 40},
    {"huggingface-token", "api_org_", Letters::kAlnum, 34, 34},
    {"npm-token", "npm_", Letters::kAlnum, 36, 36, HasCrcSuffix},
    {"openai-key", "sk-proj-", Letters::kBase64Url, 48, 180},
    {"openai-key", "sk-svcacct-", Letters::kBase64Url, 48, 180},
    {"pypi-token", "pypi-AgEIcHlwaS5vcmc", Letters::kBase64Url, 50, 1000},
    {"pypi-token", "pypi-AgENdGVzdC5weXBpLm9yZw", Letters::kBase64Url, 50, 1000},
    {"replicate-token", "r8_", Letters::kAlnum, 37, 37},
    {"sendgrid-key", "SG.", Letters::kBase64Url, 22, 22},
    {"slack-token", "xoxb-", Letters::kBase64Url, 40, 80},
    {"slack-token", "xoxp-", Letters::kBase64Url, 40, 100},
    {"slack-token", "xoxa-", Letters::kBase64Url, 40, 100},
    {"stripe-key", "sk_live_", Letters::kAlnum, 24, 120},
    {"stripe-key", "rk_live_", Letters::kAlnum, 24, 120},
};

// Bits per character. Random base 62 of this length has more than four, words and runs have less.
double Entropy(std::string_view text) {
  std::array<size_t, 256> counts{};
  for (char c : text) ++counts[static_cast<uint8_t>(c)];
  double bits = 0;
  for (size_t count : counts) {
    if (count == 0) continue;
    double share = static_cast<double>(count) / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

// What documents and tests show instead of a secret.
bool IsPlaceholder(std::string_view body) {
  std::string lower = AsciiLower(body);
  for (std::string_view word : {"example", "xxxx", "your", "token", "placeholder", "dummy",
                                "redacted", "abcdef", "123456", "secret", "fake", "test"}) {
    if (lower.find(word) != std::string::npos) return true;
  }
  double least = body.size() >= 30 ? 3.5 : 2.8;
  if (std::all_of(body.begin(), body.end(), [](char c) { return IsOf(c, Letters::kHex); }))
    least = 2.8;  // of four at most
  return Entropy(body) < least;
}

class Search {
 public:
  Search(std::string_view text, size_t max_findings) : text_(text), max_(max_findings) {}

  std::vector<SecretFinding> Run() {
    for (const Shape& shape : kShapes) by_first_[static_cast<uint8_t>(shape.prefix[0])] = true;
    for (size_t at = 0; at < text_.size() && findings_.size() < max_;) {
      char c = text_[at];
      if (c == '\n') ++line_;
      size_t length = 0;
      if (c == '-') length = PrivateKeyAt(at);
      // Inside a longer word nothing begins.
      bool starts = at == 0 || !IsAlnum(text_[at - 1]);
      if (length == 0 && starts && by_first_[static_cast<uint8_t>(c)]) length = TokenAt(at);
      if (length == 0) {
        ++at;
        continue;
      }
      line_ += static_cast<size_t>(std::count(text_.begin() + static_cast<ptrdiff_t>(at),
                                              text_.begin() + static_cast<ptrdiff_t>(at + length),
                                              '\n'));
      at += length;
    }
    return std::move(findings_);
  }

 private:
  void Add(std::string_view kind, std::string_view secret) {
    std::string digest = Sha256Of(secret).Hex().substr(0, 8);
    if (!seen_.insert(std::string(kind) + digest).second) return;
    findings_.push_back({std::string(kind), line_, secret.size(), std::move(digest)});
  }

  // The length of the secret that begins there, 0 = none.
  size_t TokenAt(size_t at) {
    for (const Shape& shape : kShapes) {
      if (!text_.substr(at).starts_with(shape.prefix)) continue;
      size_t begin = at + shape.prefix.size();
      size_t end = begin;
      while (end < text_.size() && end - begin <= shape.most && IsOf(text_[end], shape.letters))
        ++end;
      size_t length = end - begin;
      if (length < shape.least || length > shape.most) continue;
      if (end < text_.size() && IsAlnum(text_[end])) continue;  // the word goes on
      std::string_view body = text_.substr(begin, length);
      if (IsPlaceholder(body) || (shape.check != nullptr && !shape.check(body))) continue;
      Add(shape.kind, text_.substr(at, end - at));
      return end - at;
    }
    return 0;
  }

  // PEM (RFC 7468) with some lines of Base64 inside: "-----BEGIN ... PRIVATE KEY-----".
  size_t PrivateKeyAt(size_t at) {
    constexpr std::string_view kBegin = "-----BEGIN ";
    constexpr size_t kMaxKeyBytes = 16384;
    std::string_view rest = text_.substr(at, kMaxKeyBytes);
    if (!rest.starts_with(kBegin)) return 0;
    size_t label_end = rest.find("-----", kBegin.size());
    if (label_end == std::string_view::npos || label_end > 64) return 0;
    std::string_view label = rest.substr(kBegin.size(), label_end - kBegin.size());
    if (label.find("PRIVATE KEY") == std::string_view::npos) return 0;
    size_t end = rest.find("-----END ", label_end + 5);
    std::string_view body =
        rest.substr(label_end + 5,
                    end == std::string_view::npos ? std::string_view::npos : end - label_end - 5);
    auto letters = static_cast<size_t>(std::count_if(
        body.begin(), body.end(), [](char c) { return IsAlnum(c) || c == '+' || c == '/'; }));
    // Documents write "..." between the lines; the smallest real key has 64 characters.
    if (letters < 60 || Entropy(body) < 4) return 0;
    bool locked = label.find("ENCRYPTED") != std::string_view::npos ||
                  body.find("ENCRYPTED") != std::string_view::npos;
    size_t length = label_end + 5 + body.size();
    Add(locked ? "encrypted-private-key" : "private-key", rest.substr(0, length));
    return length;
  }

  std::string_view text_;
  const size_t max_;
  size_t line_ = 1;
  std::array<bool, 256> by_first_{};
  std::unordered_set<std::string> seen_;
  std::vector<SecretFinding> findings_;
};

}  // namespace

std::vector<SecretFinding> ScanSecrets(std::string_view text, size_t max_findings) {
  return Search(text, max_findings).Run();
}

}  // namespace hearth
