#include "storage/xet/xorb_form.h"

#include "base/bytes.h"

namespace hearth::storage {
namespace {

constexpr size_t kHashDigits = 2 * XetHash::kBytes;

}  // namespace

std::string XorbForm::Text() const {
  return number == 0 ? hash.Text() : hash.Text() + "." + std::to_string(number);
}

std::optional<XorbForm> XorbForm::FromText(std::string_view text) {
  std::optional<XetHash> hash = XetHash::FromText(text.substr(0, kHashDigits));
  if (!hash) return std::nullopt;
  if (text.size() == kHashDigits) return XorbForm(*hash);
  if (text[kHashDigits] != '.') return std::nullopt;
  std::optional<uint64_t> number = ParseUint(text.substr(kHashDigits + 1));
  if (!number || *number == 0 || *number > UINT16_MAX) return std::nullopt;
  XorbForm form(*hash, static_cast<uint16_t>(*number));
  // One name for each form: no leading zeros.
  return form.Text() == text ? std::optional(form) : std::nullopt;
}

std::string XorbForm::Key() const {
  std::string key(hash.raw());
  if (number != 0) {
    key += static_cast<char>(number >> 8);
    key += static_cast<char>(number & 0xff);
  }
  return key;
}

XorbForm XorbForm::FromKey(std::string_view key) {
  XorbForm form(XetHash::FromRaw(key));
  if (key.size() == XetHash::kBytes + 2) {
    form.number = static_cast<uint16_t>(static_cast<uint8_t>(key[XetHash::kBytes]) << 8 |
                                        static_cast<uint8_t>(key[XetHash::kBytes + 1]));
  }
  return form;
}

}  // namespace hearth::storage
