// The fields of a form that a browser has sent, urlencoded or multipart. A value of one request.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "net/http.h"

namespace hearth::server {

class Form {
 public:
  // Throws kInvalidArgument for a malformed body. A body of another type has no fields.
  explicit Form(const net::Request& request);
  Form(const Form&) = delete;  // files point into this object
  Form& operator=(const Form&) = delete;

  // Without space at both ends; "" when absent.
  std::string Text(std::string_view name) const;
  // As it was sent; nullopt when absent. For texts of files and passwords.
  std::optional<std::string> Raw(std::string_view name) const;
  // kInvalidArgument "Please fill in <label>" when absent or blank.
  std::string Require(std::string_view name, std::string_view label) const;
  std::vector<std::string> All(std::string_view name) const;
  bool Has(std::string_view name) const;  // check boxes, named buttons

  struct File {
    std::string name;  // as the browser gave it, maybe with folders
    std::string_view content;
  };
  const std::vector<File>& files() const { return files_; }
  // What was typed, for showing the form again: name -> first value. Secrets are left out.
  Json Values() const;

 private:
  std::string body_;
  std::vector<std::pair<std::string, std::string>> fields_;
  std::vector<File> files_;
};

}  // namespace hearth::server
