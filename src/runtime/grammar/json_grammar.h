// JSON as constraints on output: any value, any object, or the values of a JSON schema.
//
// What a schema may say: type (one or several), properties, required, additionalProperties,
// items, prefixItems, minItems, maxItems, enum, const, anyOf, oneOf (where no value can fit two
// branches), allOf (where its parts can be merged), $ref into the same document (recursion too),
// $defs, definitions, pattern, format (date-time, date, time, uuid, email, ipv4), minLength,
// maxLength, minimum, maximum, exclusiveMinimum, exclusiveMaximum, nullable. Annotations (title,
// description, default, examples, ...) say nothing about values and are passed over. Everything
// else is refused: a constraint that forgot a keyword would break its promise.
//
// The texts are those of valid values, and never others; not every spelling of a value is offered:
// properties come in the order of the schema, the others after them; numbers with bounds have no
// exponent; characters of patterns, constants and names are escaped only where JSON demands it.
//
// Pure. Errors: kInvalidArgument (not a schema), kUnimplemented (a keyword that is not supported;
// detail "path"), kUnprocessable (no value fits), kTooLarge; messages name the place as a path
// ("#/properties/age/minimum").
// Source: JSON Schema 2020-12, with the older forms of items and exclusive bounds.
#pragma once

#include <cstdint>
#include <string>

#include "codec/json.h"
#include "runtime/grammar/byte_grammar.h"

namespace hearth::runtime {

struct JsonGrammarOptions {
  // White space allowed between the parts of a value, in characters; a model cannot stay in it for
  // ever. 0: none.
  uint32_t max_whitespace = 64;
  // What an object may have besides its properties where the schema does not say: anything, as the
  // standard has it, or nothing, as is usual for constraining models.
  bool additional_properties = true;
};

// Adds the rule of the schema at a place of a document ("#": all of it, "#/properties/age").
uint32_t AddJsonSchema(const Json& schema, const std::string& reference,
                       const JsonGrammarOptions& options, GrammarBuilder* builder);
ByteGrammar JsonSchemaGrammar(const Json& schema, const JsonGrammarOptions& options = {});
ByteGrammar AnyJsonObjectGrammar(const JsonGrammarOptions& options = {});
ByteGrammar AnyJsonValueGrammar(const JsonGrammarOptions& options = {});

}  // namespace hearth::runtime
