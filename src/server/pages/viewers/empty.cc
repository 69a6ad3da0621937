// A file without a byte, of whatever kind: that it is empty is all there is to say.
#include "server/pages/viewers/viewer.h"

namespace hearth::server {
namespace {

bool Accepts(const BlobSubject& subject) { return subject.size_bytes == 0; }

void Fill(const BlobSubject& subject, Json* data) {
  FillText({subject.head, LanguageOf(subject), true, 1}, data);  // it can be edited as text
}

}  // namespace

Viewer Make_empty() { return {"empty", Accepts, Fill}; }

}  // namespace hearth::server
