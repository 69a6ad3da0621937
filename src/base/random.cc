#include "base/random.h"

#include <sys/random.h>

#include <ctime>

#include "base/bytes.h"
#include "base/error.h"

namespace hearth {

std::string RandomBytes(size_t count) {
  std::string bytes(count, '\0');
  size_t done = 0;
  while (done < count) {
    ssize_t got = getrandom(bytes.data() + done, count - done, 0);
    if (got < 0) ThrowErrno("getrandom");
    done += static_cast<size_t>(got);
  }
  return bytes;
}

std::string RandomAlphanumeric(size_t length) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string out;
  while (out.size() < length) {
    for (unsigned char byte : RandomBytes(length)) {
      // 248 = 4 * 62: larger values would favour the first letters.
      if (byte < 248 && out.size() < length) out += kAlphabet[byte % 62];
    }
  }
  return out;
}

std::string NewObjectId() {
  auto seconds = static_cast<uint32_t>(std::time(nullptr));
  std::string raw;
  for (int shift = 24; shift >= 0; shift -= 8) raw += static_cast<char>(seconds >> shift);
  return HexEncode(raw + RandomBytes(8));
}

}  // namespace hearth
