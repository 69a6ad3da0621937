#include "hub/internal/passwords.h"

#include <argon2.h>

#include <atomic>
#include <semaphore>

#include "base/error.h"
#include "base/random.h"

namespace hearth::hub {
namespace {

constexpr size_t kSaltBytes = 16;
constexpr size_t kHashBytes = 32;

// The hash of 32 random bytes that nobody kept, with the settings above.
constexpr std::string_view kNobody =
    "$argon2id$v=19$m=19456,t=2,p=1$rBMPV7o/zPbnM4Ar6HgBzA$b92QMwNBbhQgoYR3vFMEdxicJ/"
    "YMNXc7vntecGV0gdA";

// A place among the checks that run at once. A check keeps a request's thread for tens of
// milliseconds, so only as many may wait as run: a flood of sign-ins is turned away and the other
// requests keep their threads.
class Slot {
 public:
  Slot() {
    if (Waiting().fetch_add(1) >= kPasswordsAtOnce) {
      Waiting().fetch_sub(1);
      throw Error(Code::kUnavailable,
                  "Many people are signing in at this moment; try again in a few seconds")
          .WithHeader("Retry-After", "3");
    }
    Slots().acquire();
    Waiting().fetch_sub(1);
  }
  ~Slot() { Slots().release(); }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

 private:
  static std::atomic<int>& Waiting() {
    static std::atomic<int> waiting{0};
    return waiting;
  }
  static std::counting_semaphore<kPasswordsAtOnce>& Slots() {
    static std::counting_semaphore<kPasswordsAtOnce> slots(kPasswordsAtOnce);
    return slots;
  }
};

}  // namespace

void CheckPassword(std::string_view password) {
  if (password.size() < kMinPasswordBytes) {
    throw Error(Code::kInvalidArgument, "The password must have at least 8 characters");
  }
  if (password.size() > kMaxPasswordBytes) {
    throw Error(Code::kInvalidArgument, "The password must have at most 1024 bytes");
  }
}

std::string HashPassword(std::string_view password) {
  std::string salt = RandomBytes(kSaltBytes);
  std::string encoded(argon2_encodedlen(kPasswordPasses, kPasswordMemoryKib, kPasswordLanes,
                                        kSaltBytes, kHashBytes, Argon2_id),
                      '\0');
  Slot slot;
  int status = argon2id_hash_encoded(kPasswordPasses, kPasswordMemoryKib, kPasswordLanes,
                                     password.data(), password.size(), salt.data(), salt.size(),
                                     kHashBytes, encoded.data(), encoded.size());
  if (status != ARGON2_OK) {
    throw Error(Code::kInternal, std::string("argon2: ") + argon2_error_message(status));
  }
  encoded.resize(encoded.find('\0'));
  return encoded;
}

bool VerifyPassword(std::string_view encoded, std::string_view password) {
  bool real = encoded.starts_with("$argon2id$");
  std::string stored(real ? encoded : kNobody);
  if (password.size() > kMaxPasswordBytes) {
    real = false;
    password = password.substr(0, kMaxPasswordBytes);
  }
  Slot slot;
  int status = argon2id_verify(stored.c_str(), password.data(), password.size());
  return real && status == ARGON2_OK;
}

}  // namespace hearth::hub
