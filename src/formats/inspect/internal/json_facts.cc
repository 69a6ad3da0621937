#include "formats/inspect/internal/json_facts.h"

#include "base/error.h"

namespace hearth {

bool IsNamed(std::string_view name, std::string_view wanted) {
  size_t slash = name.rfind('/');
  return (slash == std::string_view::npos ? name : name.substr(slash + 1)) == wanted;
}

std::string ReadWhole(ByteSource& source, uint64_t max_bytes) {
  if (source.size_bytes() > max_bytes) {
    throw Error(Code::kTooLarge,
                "the file is larger than " + std::to_string(max_bytes >> 20) + " MiB");
  }
  return source.Read(0, static_cast<size_t>(source.size_bytes()));
}

Json ReadJsonObject(ByteSource& source, uint64_t max_bytes) {
  Json json = Json::Parse(ReadWhole(source, max_bytes));
  if (!json.is_object()) throw Error(Code::kInvalidArgument, "the file is no JSON object");
  return json;
}

const Json* FindPath(const Json& object, std::string_view path) {
  const Json* at = &object;
  while (at != nullptr && !path.empty()) {
    size_t dot = path.find('.');
    at = at->Find(path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return at == nullptr || at->is_null() ? nullptr : at;
}

void AddKeys(const Json& object, std::initializer_list<std::string_view> keys, Inspection* out) {
  for (std::string_view key : keys) {
    const Json* value = FindPath(object, key);
    if (value != nullptr) out->Add(std::string(key), *value, "key " + std::string(key));
  }
}

}  // namespace hearth
