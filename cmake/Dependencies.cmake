# Everything comes from Debian packages by name (see script/bootstrap); each external library is
# one target here, linked by the components that name it in LIBS.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(libgit2 REQUIRED IMPORTED_TARGET libgit2)
pkg_check_modules(argon2 REQUIRED IMPORTED_TARGET libargon2)

# cmark-gfm ships neither a CMake nor a pkg-config file.
find_library(CMARK_GFM_LIBRARY cmark-gfm REQUIRED)
find_library(CMARK_GFM_EXTENSIONS_LIBRARY cmark-gfm-extensions REQUIRED)
add_library(hearth_dep_cmark INTERFACE)
target_link_libraries(hearth_dep_cmark INTERFACE ${CMARK_GFM_EXTENSIONS_LIBRARY} ${CMARK_GFM_LIBRARY})

# llhttp: the C sources of Debian's node-llhttp package, unpacked by script/bootstrap.
set(LLHTTP_DIR ${HEARTH_DEPS}/llhttp)
if(NOT EXISTS ${LLHTTP_DIR}/llhttp.h)
  message(FATAL_ERROR "llhttp is missing in ${LLHTTP_DIR}: run script/bootstrap first")
endif()
file(GLOB LLHTTP_SOURCES ${LLHTTP_DIR}/*.c)
add_library(hearth_dep_llhttp STATIC ${LLHTTP_SOURCES})
target_include_directories(hearth_dep_llhttp SYSTEM PUBLIC ${LLHTTP_DIR})

# LZ4 frames (xorb chunks); Debian's liblz4-dev has a pkg-config file.
pkg_check_modules(liblz4 REQUIRED IMPORTED_TARGET liblz4)

# BLAKE3: the official C library, unpacked by script/bootstrap. On x86-64 its assembly, chosen by CPU at
# run time, is 5 times as fast as the portable C; aarch64 has NEON intrinsics.
set(BLAKE3_DIR ${HEARTH_DEPS}/blake3)
if(NOT EXISTS ${BLAKE3_DIR}/blake3.h)
  message(FATAL_ERROR "BLAKE3 is missing in ${BLAKE3_DIR}: run script/bootstrap first")
endif()
set(BLAKE3_SOURCES blake3.c blake3_dispatch.c blake3_portable.c)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  enable_language(ASM)
  foreach(isa sse2 sse41 avx2 avx512)
    list(APPEND BLAKE3_SOURCES blake3_${isa}_x86-64_unix.S)
  endforeach()
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  list(APPEND BLAKE3_SOURCES blake3_neon.c)
endif()
list(TRANSFORM BLAKE3_SOURCES PREPEND ${BLAKE3_DIR}/)
add_library(hearth_dep_blake3 STATIC ${BLAKE3_SOURCES})
target_include_directories(hearth_dep_blake3 SYSTEM PUBLIC ${BLAKE3_DIR})
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  target_compile_definitions(hearth_dep_blake3 PRIVATE BLAKE3_USE_NEON=1)
endif()

# Decompressors of archives that the scanner looks into: bzip2, xz and zstd; 7z and
# RAR by libarchive.
find_package(BZip2 REQUIRED)
pkg_check_modules(liblzma REQUIRED IMPORTED_TARGET liblzma)
pkg_check_modules(libzstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(libarchive REQUIRED IMPORTED_TARGET libarchive)
add_library(hearth_dep_archive INTERFACE)
target_link_libraries(hearth_dep_archive INTERFACE BZip2::BZip2 PkgConfig::liblzma PkgConfig::libzstd
                      PkgConfig::libarchive)

# Pictures and recordings that models look at and listen to.
foreach(library libjpeg libpng libwebp libwebpdemux sndfile)
  pkg_check_modules(${library} REQUIRED IMPORTED_TARGET ${library})
endforeach()

# Outbound HTTP of the command line.
find_package(CURL REQUIRED)
