// What other routes need of buckets.
#pragma once

#include "server/route.h"

namespace hearth::server {

// {"fromRepo", "toRepo", "type": "bucket"}: the move of repositories serves buckets too.
net::Response MoveBucket(Context& context, const Json& body);

}  // namespace hearth::server
