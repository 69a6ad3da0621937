#include "formats/scan/secret_scan.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/hash.h"

namespace hearth {
namespace {

// Made here, so that no file of this repository holds what looks like a secret.
std::string Random(size_t n, uint64_t seed) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  std::string text;
  for (size_t i = 0; i < n; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    text += kLetters[(seed >> 33) % kLetters.size()];
  }
  return text;
}

std::string WithCrc(std::string body) {
  constexpr std::string_view kDigits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  uLong crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  std::string suffix(6, '0');
  for (size_t at = 6; at-- > 0; crc /= 62) suffix[at] = kDigits[crc % 62];
  return body + suffix;
}

std::vector<std::string> KindsIn(std::string_view text) {
  std::vector<std::string> kinds;
  for (const SecretFinding& finding : ScanSecrets(text)) kinds.push_back(finding.kind);
  return kinds;
}

using Kinds = std::vector<std::string>;

TEST(Secrets, ATokenIsToldByKindLineAndHash) {
  std::string secret = "hf_" + Random(34, 7);
  std::vector<SecretFinding> found = ScanSecrets("a\nlogin(token=\"" + secret + "\")\n" + secret);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, "huggingface-token");
  EXPECT_EQ(found[0].line, 2u);
  EXPECT_EQ(found[0].length, 37u);
  EXPECT_EQ(found[0].digest, Sha256Of(secret).Hex().substr(0, 8));
}

TEST(Secrets, ChecksumsDecideWhereThereAreSome) {
  std::string good = WithCrc(Random(30, 3));
  EXPECT_EQ(KindsIn("ghp_" + good), Kinds{"github-token"});
  EXPECT_EQ(KindsIn("npm_" + good), Kinds{"npm-token"});
  std::string bad = good;
  bad.back() = bad.back() == 'a' ? 'b' : 'a';
  EXPECT_TRUE(KindsIn("ghp_" + bad).empty());
}

TEST(Secrets, ManyMakers) {
  EXPECT_EQ(KindsIn("sk-ant-api03-" + Random(95, 5)), Kinds{"anthropic-key"});
  EXPECT_EQ(KindsIn("sk-proj-" + Random(100, 6)), Kinds{"openai-key"});
  EXPECT_EQ(KindsIn("AIza" + Random(35, 8)), Kinds{"google-api-key"});
  EXPECT_EQ(KindsIn("glpat-" + Random(20, 9)), Kinds{"gitlab-token"});
  EXPECT_EQ(KindsIn("xoxb-" + Random(50, 10)), Kinds{"slack-token"});
  EXPECT_EQ(KindsIn("pypi-AgEIcHlwaS5vcmc" + Random(120, 11)), Kinds{"pypi-token"});
  EXPECT_EQ(KindsIn("key: AKIA" + std::string("Q7RJ2M5TZK3WVN4B")), Kinds{"aws-access-key"});
}

TEST(Secrets, PrivateKeys) {
  std::string body;
  for (int i = 0; i < 10; ++i) body += Random(64, static_cast<uint64_t>(40 + i)) + "\n";
  std::string kind = "PRIVATE KEY-----";
  std::string key = "-----BEGIN RSA " + kind + "\n" + body + "-----END RSA " + kind;
  EXPECT_EQ(KindsIn("x\n" + key), Kinds{"private-key"});
  EXPECT_EQ(KindsIn("-----BEGIN ENCRYPTED " + kind + "\n" + body), Kinds{"encrypted-private-key"});
  EXPECT_TRUE(KindsIn("-----BEGIN RSA " + kind + "\n...\n-----END RSA " + kind).empty());
  EXPECT_TRUE(KindsIn("-----BEGIN PUBLIC KEY-----\n" + body).empty());
  std::vector<SecretFinding> after = ScanSecrets(key + "\nhf_" + Random(34, 77));
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(after[1].line, 13u);
}

TEST(Secrets, WhatDocumentsShowIsNoSecret) {
  EXPECT_TRUE(KindsIn("hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx").empty());
  EXPECT_TRUE(KindsIn("hf_YourTokenYourTokenYourTokenYourTok").empty());
  EXPECT_TRUE(KindsIn("AKIAIOSFODNN7EXAMPLE").empty());
  EXPECT_TRUE(KindsIn("hf_" + std::string(34, 'a')).empty());
  EXPECT_TRUE(KindsIn("hf_short").empty());
  EXPECT_TRUE(KindsIn("hf_" + Random(60, 1)).empty());    // another length
  EXPECT_TRUE(KindsIn("self_" + Random(34, 1)).empty());  // inside a word
  EXPECT_TRUE(KindsIn("xhf_" + Random(34, 1)).empty());
  EXPECT_TRUE(KindsIn("hf_hub_download_and_other_functions_of").empty());
}

TEST(Secrets, TruncationAndBinaryNeverThrow) {
  std::string key = "-----BEGIN PRIVATE KEY-----\n" + Random(500, 2) + "\nhf_" + Random(34, 2);
  for (size_t n = 0; n <= key.size(); ++n) ScanSecrets(std::string_view(key).substr(0, n));
  std::string bytes;
  for (int i = 0; i < 5000; ++i) bytes += static_cast<char>(i * 7919 >> 3);
  EXPECT_TRUE(ScanSecrets(bytes).empty());
  std::string many;
  for (uint64_t i = 0; i < 300; ++i) many += "hf_" + Random(34, 1000 + i) + "\n";
  EXPECT_EQ(ScanSecrets(many, 100).size(), 100u);
}

}  // namespace
}  // namespace hearth
