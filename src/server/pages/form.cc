#include "server/pages/form.h"

#include "base/bytes.h"
#include "base/error.h"
#include "net/multipart.h"

namespace hearth::server {

Form::Form(const net::Request& request) {
  std::string type = request.headers.Get("Content-Type");
  if (std::optional<std::string> boundary = net::MultipartBoundary(type)) {
    body_ = request.body.ReadAll();
    for (net::FormPart& part : net::ParseMultipart(body_, *boundary)) {
      if (!part.file_name) {
        fields_.emplace_back(std::move(part.name), std::string(part.content));
      } else if (!part.file_name->empty()) {
        files_.push_back({*std::move(part.file_name), part.content});
      }
    }
  } else if (AsciiLower(type).starts_with("application/x-www-form-urlencoded")) {
    fields_ = net::ParseForm(request.body.ReadAll());
  }
}

std::optional<std::string> Form::Raw(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string Form::Text(std::string_view name) const {
  return std::string(TrimAscii(Raw(name).value_or("")));
}

std::string Form::Require(std::string_view name, std::string_view label) const {
  std::string text = Text(name);
  if (text.empty()) {
    throw Error(Code::kInvalidArgument, "Please fill in: " + std::string(label));
  }
  return text;
}

std::vector<std::string> Form::All(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : fields_) {
    if (key == name) values.push_back(value);
  }
  return values;
}

bool Form::Has(std::string_view name) const { return Raw(name).has_value(); }

Json Form::Values() const {
  Json values = Json::Obj();
  for (const auto& [key, value] : fields_) {
    bool secret = key == "csrf_token" || key.find("password") != std::string::npos;
    if (!secret && values.Find(key) == nullptr) values.Set(key, value);
  }
  return values;
}

}  // namespace hearth::server
