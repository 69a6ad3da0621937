// Video, played by the browser.
#include <algorithm>

#include "server/pages/viewers/viewer.h"

namespace hearth::server {
namespace {

constexpr std::string_view kEndings[] = {"mp4", "webm", "ogv", "mov", "m4v"};

bool Accepts(const BlobSubject& subject) {
  return std::find(std::begin(kEndings), std::end(kEndings), subject.ending) != std::end(kEndings);
}

void Fill(const BlobSubject&, Json*) {}

}  // namespace

Viewer Make_video() { return {"video", Accepts, Fill}; }

}  // namespace hearth::server
