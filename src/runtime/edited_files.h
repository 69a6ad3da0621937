// For fuzz targets: files that are right but for what the input changes in them, so that a run
// without a corpus gets past the first check of each format.
//
// The input is a list of edits: which file (1 byte), where (2 bytes, little-endian), how many bytes
// (1), the bytes. The highest bit of the first byte cuts the file off there instead.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace hearth::runtime {

class EditedFiles {
 public:
  // The files of `original`, which are read once.
  explicit EditedFiles(const std::filesystem::path& original)
      : folder_(std::filesystem::temp_directory_path() /
                ("hearth_edited_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    for (const auto& entry : std::filesystem::directory_iterator(original)) {
      std::ifstream in(entry.path(), std::ios::binary);
      files_.push_back({entry.path().filename().string(),
                        {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()}});
    }
  }
  ~EditedFiles() { std::filesystem::remove_all(folder_); }
  EditedFiles(const EditedFiles&) = delete;

  // The folder with the edits applied; valid until the next call.
  const std::filesystem::path& Write(const uint8_t* data, size_t size) const {
    std::vector<File> files = files_;
    for (size_t at = 0; at + 4 <= size;) {
      File& file = files[(data[at] & 0x7f) % files.size()];
      bool cuts = (data[at] & 0x80) != 0;
      size_t offset = (data[at + 1] | data[at + 2] << 8) % (file.bytes.size() + 1);
      size_t count = std::min<size_t>(data[at + 3], size - at - 4);
      if (cuts) {
        file.bytes.resize(offset);
      } else {
        file.bytes.replace(offset, count, reinterpret_cast<const char*>(data + at + 4), count);
      }
      at += 4 + count;
    }
    for (const File& file : files)
      std::ofstream(folder_ / file.name, std::ios::binary | std::ios::trunc) << file.bytes;
    return folder_;
  }

 private:
  struct File {
    std::string name, bytes;
  };
  std::filesystem::path folder_;
  std::vector<File> files_;
};

}  // namespace hearth::runtime
