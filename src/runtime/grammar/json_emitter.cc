#include "runtime/grammar/json_emitter.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "text/utf8.h"

namespace hearth::runtime {

void JsonEmitter::CallRule(std::optional<uint32_t>* rule, const Emit& body, uint32_t from,
                           uint32_t to) {
  if (!*rule) {
    *rule = builder_.AddRule();
    body(builder_.start(**rule), builder_.end(**rule));
  }
  builder_.AddCall(from, to, **rule);
}

void JsonEmitter::Space(uint32_t from, uint32_t to) {
  if (max_whitespace_ == 0) return builder_.AddEmpty(from, to);
  CallRule(
      &space_,
      [&](uint32_t begin, uint32_t end) {
        for (uint32_t i = 0; i < max_whitespace_; ++i) {
          builder_.AddEmpty(begin, end);
          uint32_t next = AddState();
          for (char c : {' ', '\t', '\n', '\r'}) Byte(begin, next, c);
          begin = next;
        }
        builder_.AddEmpty(begin, end);
      },
      from, to);
}

void JsonEmitter::Mark(uint32_t from, uint32_t to, char c) {
  uint32_t next = AddState();
  Byte(from, next, c);
  Space(next, to);
}

void JsonEmitter::AnyString(uint32_t from, uint32_t to) {
  CallRule(
      &string_,
      [&](uint32_t begin, uint32_t end) {
        uint32_t inside = AddState();
        Byte(begin, inside, '"');
        AddJsonCharacter(inside, inside, &builder_);
        Byte(inside, end, '"');
      },
      from, to);
}

void JsonEmitter::BoundedString(const LengthBounds& bounds, uint32_t from, uint32_t to) {
  if (bounds.min == 0 && !bounds.max) return AnyString(from, to);
  if (bounds.max && *bounds.max < bounds.min) return;
  uint32_t at = AddState();
  Byte(from, at, '"');
  for (uint32_t i = 0; i < bounds.min; ++i) {
    uint32_t next = AddState();
    AddJsonCharacter(at, next, &builder_);
    at = next;
  }
  if (!bounds.max) AddJsonCharacter(at, at, &builder_);
  for (uint32_t i = bounds.min; bounds.max && i < *bounds.max; ++i) {
    Byte(at, to, '"');
    uint32_t next = AddState();
    AddJsonCharacter(at, next, &builder_);
    at = next;
  }
  Byte(at, to, '"');
}

void JsonEmitter::PatternString(const CodePointGraph& graph, const LengthBounds& bounds,
                                uint32_t from, uint32_t to) {
  uint32_t begin = AddState(), end = AddState();
  Byte(from, begin, '"');
  AddGraph(graph, Spelling::kJsonString, bounds, {begin, end}, &builder_);
  Byte(end, to, '"');
}

void JsonEmitter::Boolean(uint32_t from, uint32_t to) {
  builder_.AddText(from, to, "true");
  builder_.AddText(from, to, "false");
}

void JsonEmitter::Digits(uint32_t from, uint32_t to) {
  uint32_t loop = AddState();
  builder_.AddBytes(from, loop, '0', '9');
  builder_.AddBytes(loop, loop, '0', '9');
  builder_.AddEmpty(loop, to);
}

void JsonEmitter::Number(bool integer, uint32_t from, uint32_t to) {
  auto body = [&](uint32_t begin, uint32_t end) {
    uint32_t first = AddState(), whole = AddState(), more = AddState();
    Byte(begin, first, '-');
    builder_.AddEmpty(begin, first);
    Byte(first, whole, '0');
    builder_.AddBytes(first, more, '1', '9');
    builder_.AddBytes(more, more, '0', '9');
    builder_.AddEmpty(more, whole);
    if (integer) return builder_.AddEmpty(whole, end);
    uint32_t point = AddState(), fraction = AddState(), e = AddState(), exponent = AddState();
    Byte(whole, point, '.');
    Digits(point, fraction);
    builder_.AddEmpty(whole, fraction);
    builder_.AddEmpty(fraction, end);
    Byte(fraction, e, 'e');
    Byte(fraction, e, 'E');
    Byte(e, exponent, '+');
    Byte(e, exponent, '-');
    builder_.AddEmpty(e, exponent);
    Digits(exponent, end);
  };
  CallRule(integer ? &integer_ : &number_, body, from, to);
}

void JsonEmitter::AnyValue(uint32_t from, uint32_t to) {
  CallRule(
      &value_,
      [&](uint32_t begin, uint32_t end) {
        AnyString(begin, end);
        Number(false, begin, end);
        Boolean(begin, end);
        Null(begin, end);
        AnyObject(begin, end);
        AnyArray(begin, end);
      },
      from, to);
}

void JsonEmitter::AnyObject(uint32_t from, uint32_t to) {
  auto value = [this](uint32_t begin, uint32_t end) { AnyValue(begin, end); };
  CallRule(
      &object_,
      [&](uint32_t begin, uint32_t end) {
        AddObject({{}, value}, begin, end);
      },
      from, to);
}

void JsonEmitter::AnyArray(uint32_t from, uint32_t to) {
  auto value = [this](uint32_t begin, uint32_t end) { AnyValue(begin, end); };
  CallRule(
      &array_,
      [&](uint32_t begin, uint32_t end) {
        AddArray({{}, value, 0, std::nullopt}, begin, end);
      },
      from, to);
}

void JsonEmitter::Constant(const Json& value, uint32_t from, uint32_t to) {
  if (const Json::Array* items = value.AsArray()) {
    Array array{{}, std::nullopt, static_cast<uint32_t>(items->size()), std::nullopt};
    for (const Json& item : *items) {
      array.prefix.push_back([&](uint32_t a, uint32_t b) { Constant(item, a, b); });
    }
    return AddArray(array, from, to);
  }
  if (const Json::Object* members = value.AsObject()) {
    Object object;
    for (const auto& member : *members) {
      const Json& part = member.second;
      object.properties.push_back(
          {member.first, true, [&](uint32_t a, uint32_t b) { Constant(part, a, b); }});
    }
    return AddObject(object, from, to);
  }
  builder_.AddText(from, to, value.Dump());
}

void JsonEmitter::AddArray(const Array& array, uint32_t from, uint32_t to) {
  if (array.max && *array.max < array.min) return;
  uint32_t open = AddState();
  Mark(from, open, '[');
  // `at`: behind `count` items with the white space after them.
  uint32_t at = open;
  uint32_t count = 0;
  auto item = [&](const Emit& emit, uint32_t begin, uint32_t end) {
    if (count > 0) {
      uint32_t next = AddState();
      Mark(begin, next, ',');
      begin = next;
    }
    uint32_t value_end = AddState();
    emit(begin, value_end);
    Space(value_end, end);
  };
  const uint32_t fixed = std::max(static_cast<uint32_t>(array.prefix.size()), array.min);
  while (count < (array.max ? *array.max : fixed)) {
    bool by_place = count < array.prefix.size();
    if (!by_place && !array.rest) break;
    if (count >= array.min) Byte(at, to, ']');
    uint32_t next = AddState();
    item(by_place ? array.prefix[count] : *array.rest, at, next);
    at = next;
    ++count;
  }
  if (count < array.min) return;  // no array is long enough
  Byte(at, to, ']');
  if (array.max || !array.rest) return;
  // Any number more.
  uint32_t loop = AddState();
  item(*array.rest, at, loop);
  ++count;
  item(*array.rest, loop, loop);
  Byte(loop, to, ']');
}

void JsonEmitter::AddObject(const Object& object, uint32_t from, uint32_t to) {
  // Two tracks: nothing written yet (then a member comes without a comma), something written. A
  // property's key and value are laid once, both tracks lead to it.
  uint32_t none = AddState();
  Mark(from, none, '{');
  std::optional<uint32_t> some;
  auto member_start = [&](bool need_some) {
    uint32_t start = AddState();
    if (!need_some) builder_.AddEmpty(none, start);
    if (some) Mark(*some, start, ',');
    return start;
  };
  auto value_of = [&](uint32_t key_end, const Emit& value, uint32_t end) {
    uint32_t colon = AddState(), begin = AddState(), value_end = AddState();
    Space(key_end, colon);
    Mark(colon, begin, ':');
    value(begin, value_end);
    Space(value_end, end);
  };
  bool none_possible = true;
  for (const Property& property : object.properties) {
    uint32_t start = member_start(!none_possible), key_end = AddState(), end = AddState();
    builder_.AddText(start, key_end, Json(property.name).Dump());
    value_of(key_end, property.value, end);
    if (property.required) {
      none_possible = false;
    } else if (some) {
      builder_.AddEmpty(*some, end);
    }
    some = end;
  }
  if (none_possible) Byte(none, to, '}');
  if (object.others) {
    uint32_t start = member_start(!none_possible), key_end = AddState(), end = AddState();
    OtherKey(object.properties, start, key_end);
    value_of(key_end, *object.others, end);
    if (some) Byte(*some, to, '}');
    Mark(end, start, ',');
    some = end;
  }
  if (some) Byte(*some, to, '}');
}

void JsonEmitter::OtherKey(const std::vector<Property>& names, uint32_t from, uint32_t to) {
  if (names.empty()) return AnyString(from, to);
  // A trie of the names; what leaves it is free. On it characters have one spelling, so that no
  // name comes in disguise.
  struct Place {
    uint32_t state = 0;
    bool is_name = false;
    std::map<uint32_t, size_t> next;
  };
  std::vector<Place> places(1);
  for (const Property& name : names) {
    size_t at = 0;
    for (std::string_view rest = name.name; !rest.empty();) {
      CodePoint c = DecodeUtf8(rest);
      rest.remove_prefix(c.length);
      auto [found, is_new] = places[at].next.try_emplace(c.value, places.size());
      at = found->second;
      if (is_new) places.emplace_back();
    }
    places[at].is_name = true;
  }
  for (Place& place : places) place.state = AddState();
  uint32_t free = AddState();
  AddJsonCharacter(free, free, &builder_);
  Byte(free, to, '"');
  Byte(from, places[0].state, '"');
  for (const Place& place : places) {
    CodePointSet taken;
    for (const auto& [c, next] : place.next) {
      taken.Add(c, c);
      AddJsonSpelled(CodePointSet{{c, c}}, place.state, places[next].state, &builder_);
    }
    AddJsonSpelled(taken.Complement(), place.state, free, &builder_);
    if (!place.is_name) Byte(place.state, to, '"');
  }
}

}  // namespace hearth::runtime
