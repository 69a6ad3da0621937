// Pictures that browsers show. An SVG is handed over as an image by a data address, where no script
// in it runs and nothing is loaded; the hub itself serves it as text.
#include <algorithm>

#include "codec/base64.h"
#include "server/pages/viewers/viewer.h"
#include "text/utf8.h"

namespace hearth::server {
namespace {

constexpr std::string_view kEndings[] = {"png",  "jpg", "jpeg", "gif", "webp",
                                         "avif", "bmp", "ico",  "svg"};

bool Accepts(const BlobSubject& subject) {
  if (std::find(std::begin(kEndings), std::end(kEndings), subject.ending) == std::end(kEndings))
    return false;
  return subject.ending != "svg" || (subject.whole() && !subject.binary);
}

void Fill(const BlobSubject& subject, Json* data) {
  if (subject.ending != "svg") return;
  data->Set("picture", "data:image/svg+xml;base64," + Base64Encode(subject.head));
  FillText({subject.head, "xml", true, subject.wanted_line}, data);
}

}  // namespace

Viewer Make_picture() { return {"picture", Accepts, Fill}; }

}  // namespace hearth::server
