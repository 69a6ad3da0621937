// Unicode normal forms and lower case with alignments, for the normalizers that need them.
#pragma once

#include "text/unicode.h"
#include "tokenizers/normalized_string.h"

namespace hearth::tokenizers::internal {

void ApplyForm(NormalizationForm form, NormalizedString* text);
void ApplyLowercase(NormalizedString* text);

}  // namespace hearth::tokenizers::internal
