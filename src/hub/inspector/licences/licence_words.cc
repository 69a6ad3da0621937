#include "hub/inspector/licences/licence_words.h"

#include <algorithm>

namespace hearth::inspector {
namespace {

char LowerAlnum(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '\0';
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "1. ", "(a) ", "> 2) ": numbers of a list come and go with the layout.
std::string_view WithoutItemNumber(std::string_view line) {
  size_t at = 0;
  while (at < line.size() && LowerAlnum(line[at]) == '\0' && line[at] != '(') ++at;
  if (at < line.size() && line[at] == '(') ++at;
  size_t begin = at;
  while (at < line.size() && at < begin + 3 && LowerAlnum(line[at]) != '\0') ++at;
  std::string_view item = line.substr(begin, at - begin);
  bool number = item.size() == 1 || (item.size() == 2 && IsDigit(item[0]) && IsDigit(item[1]));
  bool closed = at < line.size() && (line[at] == '.' || line[at] == ')');
  return number && closed ? line.substr(at + 1) : line;
}

void AddWords(std::string_view line, std::vector<std::string>* words, size_t max_words) {
  line = WithoutItemNumber(line);
  size_t first = words->size();
  std::string word;
  auto end_word = [&] {
    if (word.empty()) return;
    if (word == "licence") word = "license";
    if (word == "licences") word = "licenses";
    if (word == "https") word = "http";
    if (words->size() < max_words) words->push_back(std::move(word));
    word.clear();
  };
  for (char c : line) {
    char lower = LowerAlnum(c);
    if (lower == '\0') {
      end_word();
    } else {
      word += lower;
    }
  }
  end_word();
  if (words->size() > first && (*words)[first] == "copyright") words->resize(first);
}

}  // namespace

std::vector<std::string> LicenceWords(std::string_view text, size_t max_words) {
  std::vector<std::string> words;
  while (!text.empty() && words.size() < max_words) {
    size_t end = text.find('\n');
    AddWords(text.substr(0, end), &words, max_words);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return words;
}

// FNV-1a (64 bits), folded: http://www.isthe.com/chongo/tech/comp/fnv/
uint32_t ShingleAt(const std::vector<std::string>& words, size_t at) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = at; i < std::min(at + kShingleWords, words.size()); ++i) {
    for (char c : words[i]) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
    hash = (hash ^ ' ') * 0x100000001b3;
  }
  return static_cast<uint32_t>(hash ^ (hash >> 32));
}

std::vector<uint32_t> Shingles(const std::vector<std::string>& words) {
  std::vector<uint32_t> hashes;
  if (words.empty()) return hashes;
  size_t count = words.size() < kShingleWords ? 1 : words.size() - kShingleWords + 1;
  hashes.reserve(count);
  for (size_t at = 0; at < count; ++at) hashes.push_back(ShingleAt(words, at));
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  return hashes;
}

}  // namespace hearth::inspector
