// Looks for secrets in text that is about to be shown to others: access tokens by the shapes that
// their makers document, with their checksums where they have one, and private keys. Whatever is
// found is told by kind, line and the start of its hash: the secret itself is in no answer.
// Pure; thread-safe; linear in the text. Content never throws.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

struct SecretFinding {
  std::string kind;    // stable word: "huggingface-token", "private-key", ...
  size_t line = 0;     // from 1
  size_t length = 0;   // bytes of the secret
  std::string digest;  // first 8 hex digits of its SHA-256, to tell one from another
};

// At most `max_findings`; each secret once, where it stands first.
std::vector<SecretFinding> ScanSecrets(std::string_view text, size_t max_findings = 100);

}  // namespace hearth
