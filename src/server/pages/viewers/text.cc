// Text with numbered lines.
#include "server/pages/viewers/viewer.h"

namespace hearth::server {
namespace {

bool Accepts(const BlobSubject& subject) { return !subject.binary; }

void Fill(const BlobSubject& subject, Json* data) {
  // Files of one long line are made readable: that is what minified JSON is.
  bool one_line = subject.ending == "json" && subject.whole() && subject.head.size() > 200 &&
                  subject.head.find('\n') >= subject.head.size() - 1;
  if (one_line) {
    std::string laid_out = Json::Parse(subject.head).Dump(2);
    FillText({laid_out, "json", true, subject.wanted_line}, data);
    data->Set("laid_out", true);
    return;
  }
  FillText({subject.head, LanguageOf(subject), subject.whole(), subject.wanted_line}, data);
}

}  // namespace

Viewer Make_text() { return {"text", Accepts, Fill}; }

}  // namespace hearth::server
