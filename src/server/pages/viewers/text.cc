// Text with numbered lines.
#include <optional>

#include "base/error.h"
#include "server/pages/viewers/viewer.h"
#include "text/direction.h"

namespace hearth::server {
namespace {

bool Accepts(const BlobSubject& subject) { return !subject.binary; }

// Files of one long line are made readable: that is what minified JSON is. What is no JSON is shown
// as it stands.
std::optional<std::string> LaidOut(const BlobSubject& subject) {
  bool one_line = subject.ending == "json" && subject.whole() && subject.head.size() > 200 &&
                  subject.head.find('\n') >= subject.head.size() - 1;
  if (!one_line) return std::nullopt;
  try {
    return Json::Parse(subject.head).Dump(2);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void Fill(const BlobSubject& subject, Json* data) {
  data->Set("turned", ChangesDirection(subject.head));
  if (std::optional<std::string> laid_out = LaidOut(subject)) {
    FillText({*laid_out, "json", true, subject.wanted_line}, data);
    data->Set("laid_out", true);
    return;
  }
  FillText({subject.head, LanguageOf(subject), subject.whole(), subject.wanted_line}, data);
}

}  // namespace

Viewer Make_text() { return {"text", Accepts, Fill}; }

}  // namespace hearth::server
