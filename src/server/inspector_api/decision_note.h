// Decision notes of a request, for their routes and their page.
#pragma once

#include <string>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/compare/decision_note.h"
#include "server/route.h"

namespace hearth::server {

struct NoteRequest {
  std::vector<std::string> repos;    // as in ?repos=
  std::string chosen;                // one of them, by its name or its number from 0; "" = none
  std::vector<std::string> devices;  // as in ?device=; none = as AskedDevices
  inspector::NoteTexts texts;        // `chosen` of it is found from the above
  bool draft_why = false;            // an empty `why` becomes inspector::DraftWhy
};

// The note with the caller's own answers at the pinned commits. Errors as OpenAsked and
// inspector::MakeNote.
Json MakeNoteFor(const Context& context, NoteRequest request);
// "json", "markdown", "html" as a file with a name of its own. Throws kInvalidArgument.
net::Response NoteFile(const Json& note, std::string_view format);
// Commits it (hub/decisions.h): {"repo", "commit", "path", "url"}.
Json SaveNoteFor(const Context& context, const Json& note, const std::string& into);

}  // namespace hearth::server
