// Anything else: its size, and a way to take it home.
#include "server/pages/viewers/viewer.h"

namespace hearth::server {
namespace {

bool Accepts(const BlobSubject&) { return true; }

void Fill(const BlobSubject&, Json*) {}

}  // namespace

Viewer Make_binary() { return {"binary", Accepts, Fill}; }

}  // namespace hearth::server
