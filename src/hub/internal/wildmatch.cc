#include "hub/internal/wildmatch.h"

#include <array>
#include <cctype>
#include <string>

namespace hearth::hub {
namespace {

// Names inside [[:name:]], in the C locale.
bool InNamedClass(std::string_view name, int c) {
  struct Named {
    std::string_view name;
    int (*test)(int);
  };
  static constexpr std::array<Named, 12> kNamed = {{{"alnum", std::isalnum},
                                                    {"alpha", std::isalpha},
                                                    {"blank", std::isblank},
                                                    {"cntrl", std::iscntrl},
                                                    {"digit", std::isdigit},
                                                    {"graph", std::isgraph},
                                                    {"lower", std::islower},
                                                    {"print", std::isprint},
                                                    {"punct", std::ispunct},
                                                    {"space", std::isspace},
                                                    {"upper", std::isupper},
                                                    {"xdigit", std::isxdigit}}};
  for (const Named& entry : kNamed) {
    if (entry.name == name) return c < 128 && entry.test(c) != 0;
  }
  return false;
}

}  // namespace

WildPattern::WildPattern(std::string_view pattern) {
  size_t at = 0;
  while (at < pattern.size() && !broken_) {
    char c = pattern[at];
    if (c == '*') {
      at = ParseStars(pattern, at);
    } else if (c == '?') {
      tokens_.push_back({Kind::kAnyOne});
      ++at;
    } else if (c == '[') {
      at = ParseClass(pattern, at);
    } else {
      if (c == '\\') {
        if (++at == pattern.size()) {
          broken_ = true;
          break;
        }
        c = pattern[at];
      }
      tokens_.push_back({Kind::kChar, c});
      ++at;
    }
  }
}

size_t WildPattern::ParseStars(std::string_view pattern, size_t at) {
  size_t end = at;
  while (end < pattern.size() && pattern[end] == '*') ++end;
  bool whole_part = end - at == 2 && (at == 0 || pattern[at - 1] == '/');
  if (whole_part && end == pattern.size() && at > 0) {
    tokens_.push_back({Kind::kRest});
    return end;
  }
  if (whole_part && end < pattern.size() && pattern[end] == '/') {
    tokens_.push_back({Kind::kFoldersStart});
    tokens_.push_back({Kind::kFoldersIn});
    return end + 1;
  }
  tokens_.push_back({Kind::kStar});
  return end;
}

size_t WildPattern::ParseClass(std::string_view pattern, size_t at) {
  std::bitset<256> set;
  size_t i = at + 1;
  bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool first = true;
  bool closed = false;
  while (i < pattern.size()) {
    if (pattern[i] == ']' && !first) {
      closed = true;
      break;
    }
    first = false;
    if (pattern.substr(i).starts_with("[:")) {
      size_t end = pattern.find(":]", i + 2);
      if (end == std::string_view::npos) break;
      std::string_view name = pattern.substr(i + 2, end - i - 2);
      for (int c = 0; c < 256; ++c) {
        if (InNamedClass(name, c)) set.set(static_cast<size_t>(c));
      }
      i = end + 2;
      continue;
    }
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    unsigned low = static_cast<unsigned char>(pattern[i]);
    unsigned high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      i += 2;
      if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
      high = static_cast<unsigned char>(pattern[i]);
    }
    for (unsigned c = low; c <= high; ++c) set.set(c);
    ++i;
  }
  if (!closed) {
    broken_ = true;
    return pattern.size();
  }
  if (negated) set.flip();
  set.reset('/');
  Token token{Kind::kClass};
  token.class_index = static_cast<uint16_t>(classes_.size());
  classes_.push_back(set);
  tokens_.push_back(token);
  return i + 1;
}

// Adds a state and all that can be reached from it without a byte.
void WildPattern::Enter(States* states, size_t state) const {
  while (!(*states)[state]) {
    (*states)[state] = 1;
    if (state == tokens_.size()) return;
    if (tokens_[state].kind == Kind::kStar) {
      state += 1;
    } else if (tokens_[state].kind == Kind::kFoldersStart) {
      state += 2;
    } else {
      return;
    }
  }
}

void WildPattern::Step(size_t state, char c, States* next) const {
  const Token& token = tokens_[state];
  switch (token.kind) {
    case Kind::kChar:
      if (c == token.literal) Enter(next, state + 1);
      break;
    case Kind::kAnyOne:
      if (c != '/') Enter(next, state + 1);
      break;
    case Kind::kClass:
      if (classes_[token.class_index].test(static_cast<unsigned char>(c))) Enter(next, state + 1);
      break;
    case Kind::kStar:
      if (c != '/') Enter(next, state);
      break;
    case Kind::kFoldersStart:
      if (c != '/') (*next)[state + 1] = 1;
      break;
    case Kind::kFoldersIn:
      if (c == '/') {
        Enter(next, state - 1);
      } else {
        (*next)[state] = 1;
      }
      break;
    case Kind::kRest:
      Enter(next, state);
      Enter(next, state + 1);
      break;
  }
}

bool WildPattern::Matches(std::string_view text) const {
  if (broken_) return false;
  States now(tokens_.size() + 1, 0);
  States next(tokens_.size() + 1, 0);
  Enter(&now, 0);
  for (char c : text) {
    bool alive = false;
    for (size_t state = 0; state < tokens_.size(); ++state) {
      if (now[state]) Step(state, c, &next);
    }
    now.assign(now.size(), 0);
    now.swap(next);
    for (char state : now) alive = alive || state;
    if (!alive) return false;
  }
  return now[tokens_.size()] != 0;
}

}  // namespace hearth::hub
