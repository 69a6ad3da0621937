// A file of web/ inside the program; see cmake/EmbedFiles.cmake. Tables end with a null name.
#pragma once

namespace hearth {

struct EmbeddedFile {
  const char* name;
  const char* begin;
  const char* end;
};

}  // namespace hearth
