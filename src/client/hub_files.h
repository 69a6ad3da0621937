// The files of a repository on a hub, listed by the hub's API and read by ranges.
//
// Addresses are those that people see in a browser: http://hub/owner/name,
// .../tree/revision[/folder], with datasets/ or spaces/ before the owner. The token rule is that of
// HttpSource. Functions; not thread-safe as a connection is not. Errors: those of HttpSource;
// kInvalidArgument for answers that are no list.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/http_source.h"

namespace hearth::client {

struct HubAddress {
  std::string origin;           // "http://host:port", as written
  std::string kind = "models";  // "models", "datasets" or "spaces"
  std::string repository;       // "owner/name"
  std::string revision = "main";
  std::string folder;    // without slashes at the ends; empty: all
  bool certain = false;  // says /tree/: no file has such an address
};

// nullopt for what cannot be a repository: other shapes, a query, an extension that models have.
// Pure.
std::optional<HubAddress> ParseHubAddress(const std::string& address);

// A file's page (/blob/) as the address of its bytes (/resolve/); others as they are. Pure.
std::string ResolveAddress(const std::string& address);

struct HubFile {
  std::string path;  // in the repository
  uint64_t bytes = 0;
  std::string address;  // of its bytes
};

struct HubListLimits {
  size_t max_files = 100'000;
  size_t max_pages = 2'000;
  uint64_t max_page_bytes = 32 << 20;
};

// All files below the folder, in the hub's order. `listed` hears the number so far after each page.
std::vector<HubFile> ListHubFiles(const HubAddress& address, const HttpSourceOptions& options,
                                  const std::function<void(size_t)>& listed,
                                  const HubListLimits& limits = {});

// The commit that the address's revision is at; nullopt where the hub does not say.
std::optional<std::string> FindHubCommit(const HubAddress& address,
                                         const HttpSourceOptions& options);

}  // namespace hearth::client
