// Names one stored body of a xorb.
//
// The hash of a xorb says which chunks it has, not how they are compressed, so that two senders may
// send two bodies of one xorb. Each of them is a *form*: the first has number 0. All forms of a
// xorb have the same chunks in the same places; only the bytes of the records differ. A plain
// value.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "storage/xet/xet_hash.h"

namespace hearth::storage {

struct XorbForm {
  XetHash hash;
  uint16_t number = 0;

  XorbForm() = default;
  // A xorb without more is its first form.
  XorbForm(const XetHash& xorb, uint16_t form = 0)  // NOLINT(google-explicit-constructor)
      : hash(xorb), number(form) {}

  // The hash, and for further forms ".1" and so on. Names files.
  std::string Text() const;
  static std::optional<XorbForm> FromText(std::string_view text);
  // 32 bytes, and for further forms 2 more, big-endian: sorts by hash, then number.
  std::string Key() const;
  static XorbForm FromKey(std::string_view key);

  auto operator<=>(const XorbForm&) const = default;
};

}  // namespace hearth::storage

template <>
struct std::hash<hearth::storage::XorbForm> {
  size_t operator()(const hearth::storage::XorbForm& form) const noexcept {
    return std::hash<hearth::storage::XetHash>()(form.hash) + form.number;
  }
};
