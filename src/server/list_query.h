// The parameters of a list of repositories, as the API and the pages take them: search, filters,
// facets (hub/facets.h), sort and page. Pure.
#pragma once

#include "hub/catalog.h"
#include "net/http.h"

namespace hearth::server {

struct ListQuery {
  hub::CatalogQuery query;
  bool nothing = false;  // asks for what this hub cannot have: the list is empty
};

// Throws kInvalidArgument for a malformed value; unknown parameters are passed over.
ListQuery ReadListQuery(const net::Request& request, hub::RepoType type);

}  // namespace hearth::server
