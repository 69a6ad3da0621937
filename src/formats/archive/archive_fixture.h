// Builds small zip archives for tests, honest ones and, through the fields of a member, lying ones.
#pragma once

#include <zlib.h>

#include <string>
#include <string_view>
#include <vector>

namespace hearth {

struct TestMember {
  std::string name;
  std::string data;  // as stored
  uint16_t method = 0;
  uint16_t flags = 0;
  std::string local_name;  // empty: as `name`
  bool in_directory = true;
};

inline void AppendLittle(std::string* out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out->push_back(i < 8 ? static_cast<char>(value >> (8 * i)) : '\0');
}

inline std::string MakeTestZip(const std::vector<TestMember>& members, std::string_view before = "",
                               std::string_view after = "") {
  std::string file(before), directory;
  size_t count = 0;
  for (const TestMember& member : members) {
    uint64_t offset = file.size();
    auto crc = static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(member.data.data()),
                                           static_cast<uInt>(member.data.size())));
    std::string sizes;
    AppendLittle(&sizes, crc, 4);
    AppendLittle(&sizes, member.data.size(), 4);
    AppendLittle(&sizes, member.data.size(), 4);
    const std::string& local = member.local_name.empty() ? member.name : member.local_name;
    file += "PK\3\4";
    AppendLittle(&file, 20, 2);
    AppendLittle(&file, member.flags, 2);
    AppendLittle(&file, member.method, 2);
    AppendLittle(&file, 0, 4);
    file += sizes;
    AppendLittle(&file, local.size(), 2);
    AppendLittle(&file, 0, 2);
    file += local + member.data;
    if (!member.in_directory) continue;
    ++count;
    directory += "PK\1\2";
    AppendLittle(&directory, 20, 2);
    AppendLittle(&directory, 20, 2);
    AppendLittle(&directory, member.flags, 2);
    AppendLittle(&directory, member.method, 2);
    AppendLittle(&directory, 0, 4);
    directory += sizes;
    AppendLittle(&directory, member.name.size(), 2);
    AppendLittle(&directory, 0, 12);
    AppendLittle(&directory, offset, 4);
    directory += member.name;
  }
  uint64_t begin = file.size();
  file += directory + "PK\5\6";
  AppendLittle(&file, 0, 4);
  AppendLittle(&file, count, 2);
  AppendLittle(&file, count, 2);
  AppendLittle(&file, directory.size(), 4);
  AppendLittle(&file, begin, 4);
  AppendLittle(&file, 0, 2);
  return file.append(after);
}

}  // namespace hearth
