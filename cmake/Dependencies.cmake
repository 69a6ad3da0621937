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

# Boost.Asio is header-only; the version is fixed by Debian's package.
find_path(BOOST_ASIO_INCLUDE boost/asio/io_context.hpp REQUIRED)

# llhttp: the C sources of Debian's node-llhttp package, unpacked by script/bootstrap.
set(LLHTTP_DIR ${HEARTH_DEPS}/llhttp)
if(NOT EXISTS ${LLHTTP_DIR}/llhttp.h)
  message(FATAL_ERROR "llhttp is missing in ${LLHTTP_DIR}: run script/bootstrap first")
endif()
file(GLOB LLHTTP_SOURCES ${LLHTTP_DIR}/*.c)
add_library(hearth_dep_llhttp STATIC ${LLHTTP_SOURCES})
target_include_directories(hearth_dep_llhttp SYSTEM PUBLIC ${LLHTTP_DIR})
