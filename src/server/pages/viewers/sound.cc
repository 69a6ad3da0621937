// Sound, played by the browser.
#include <algorithm>

#include "server/pages/viewers/viewer.h"

namespace hearth::server {
namespace {

constexpr std::string_view kEndings[] = {"mp3", "wav", "flac", "ogg", "oga", "opus", "m4a", "aac"};

bool Accepts(const BlobSubject& subject) {
  return std::find(std::begin(kEndings), std::end(kEndings), subject.ending) != std::end(kEndings);
}

void Fill(const BlobSubject&, Json*) {}

}  // namespace

Viewer Make_sound() { return {"sound", Accepts, Fill}; }

}  // namespace hearth::server
