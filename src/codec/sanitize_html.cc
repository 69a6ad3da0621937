#include <algorithm>
#include <unordered_map>

#include <simdjson.h>

#include "base/error.h"
#include "codec/internal/html_policy.h"
#include "codec/internal/html_tokens.h"
#include "codec/internal/markdown_tree.h"
#include "codec/json.h"
#include "codec/markdown.h"

namespace hearth {
namespace {

using html::Element;
using html::Tag;
using html::Tokenizer;
using html::Treatment;

bool IsHeading(std::string_view name) {
  return name.size() == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6';
}

class Sanitizer {
 public:
  Sanitizer(std::string_view html, const MarkdownOptions& options, bool anchors)
      : tokens_(html), options_(options), anchors_(anchors) {}

  std::string Run() {
    while (true) {
      Tokenizer::Kind kind = tokens_.Next();
      if (kind == Tokenizer::Kind::kEnd) break;
      if (kind == Tokenizer::Kind::kTag) {
        tokens_.tag().closing ? Close(tokens_.tag().name) : Open(tokens_.tag());
      } else {
        Text(tokens_.text());
      }
      if (out_.size() > options_.max_output_bytes) {
        throw Error(Code::kTooLarge, "the rendered text is too large");
      }
    }
    while (!open_.empty()) PopElement();
    return std::move(out_);
  }

 private:
  void Text(std::string_view text) {
    html::AppendText(text, &out_);
    if (heading_depth_ > 0) heading_text_ += html::DecodeReferences(text);
  }

  void Open(const Tag& tag) {
    switch (html::TreatmentOf(tag.name)) {
      case Treatment::kDropTag:
        return;
      case Treatment::kDropRawText:
        return tokens_.SkipRawText(std::string(tag.name));
      case Treatment::kDropContent:
        return SkipElement(tag.name);
      case Treatment::kKeep:
        break;
    }
    const Element& element = *html::FindElement(tag.name);
    CloseImplied(element);
    if (!element.is_void && open_.size() >= options_.max_depth) return;
    if (element.name == "input" && !IsCheckbox(tag)) return;
    WriteTag(tag, element);
    if (element.is_void) return;
    open_.push_back(&element);
    if (anchors_ && heading_depth_ == 0 && IsHeading(element.name)) {
      heading_depth_ = open_.size();
      heading_text_.clear();
    }
  }

  // Inside a dropped element only its own nesting matters.
  void SkipElement(const std::string& dropped) {
    std::string name = dropped;
    if (name == "embed") return;  // has no content
    size_t depth = 1;
    while (depth > 0) {
      Tokenizer::Kind kind = tokens_.Next();
      if (kind == Tokenizer::Kind::kEnd) return;
      if (kind != Tokenizer::Kind::kTag || tokens_.tag().name != name) continue;
      depth = tokens_.tag().closing ? depth - 1 : depth + 1;
    }
  }

  static bool IsCheckbox(const Tag& tag) {
    return std::any_of(tag.attributes.begin(), tag.attributes.end(), [](const auto& attribute) {
      return attribute.first == "type" && attribute.second == "checkbox";
    });
  }

  void WriteTag(const Tag& tag, const Element& element) {
    out_ += '<';
    out_ += element.name;
    insert_id_at_ =
        anchors_ && heading_depth_ == 0 && IsHeading(element.name) ? out_.size() : insert_id_at_;
    bool has_id = false, external = false;
    if (element.name == "input") {
      out_ += " type=\"checkbox\" disabled=\"\"";
      for (const auto& attribute : tag.attributes) {
        if (attribute.first == "checked") out_ += " checked=\"\"";
      }
      out_ += '>';
      return;
    }
    for (const auto& [name, raw] : tag.attributes) {
      if (name == "id" && IsHeading(element.name) && anchors_) continue;
      auto value = html::CleanAttribute(element.name, name, raw, options_);
      if (!value) continue;
      // Old documents name their anchors; one id is enough.
      bool is_id = name == "id" || name == "name";
      if (is_id && has_id) continue;
      has_id = has_id || is_id;
      external = external || (name == "href" && !value->starts_with('#'));
      out_ += ' ';
      out_ += is_id ? "id" : name;
      out_ += "=\"";
      html::AppendAttributeValue(*value, &out_);
      out_ += '"';
    }
    if (external) out_ += " rel=\"nofollow noopener\"";
    out_ += '>';
  }

  bool IsOpen(std::string_view name) const {
    return std::any_of(open_.begin(), open_.end(),
                       [&](const Element* element) { return element->name == name; });
  }

  // Closes `names` that are open inside of the nearest of `limits`.
  void CloseUpTo(std::initializer_list<std::string_view> names,
                 std::initializer_list<std::string_view> limits) {
    auto is_in = [](auto list, std::string_view name) {
      return std::find(list.begin(), list.end(), name) != list.end();
    };
    for (size_t i = open_.size(); i-- > 0;) {
      if (is_in(limits, open_[i]->name)) return;
      if (!is_in(names, open_[i]->name)) continue;
      while (open_.size() > i) PopElement();
      return;
    }
  }

  // End tags that HTML lets authors leave out.
  void CloseImplied(const Element& element) {
    if (element.is_block) {
      CloseUpTo({"p"}, {"table", "td", "th", "li", "blockquote", "div", "figure", "details"});
    }
    if (element.name == "li") CloseUpTo({"li"}, {"ul", "ol"});
    if (element.name == "dt" || element.name == "dd") CloseUpTo({"dt", "dd"}, {"dl"});
    if (element.name == "td" || element.name == "th") CloseUpTo({"td", "th"}, {"tr", "table"});
    if (element.name == "tr") CloseUpTo({"tr"}, {"table", "thead", "tbody", "tfoot"});
    if (element.name == "a" && IsOpen("a")) CloseUpTo({"a"}, {});
    if (IsHeading(element.name)) CloseUpTo({"h1", "h2", "h3", "h4", "h5", "h6"}, {"table"});
  }

  void Close(std::string_view name) {
    // Browsers make a line break of this one; authors mean one too.
    if (name == "br") {
      out_ += "<br>";
      return;
    }
    for (size_t i = open_.size(); i-- > 0;) {
      if (open_[i]->name == name) {
        while (open_.size() > i) PopElement();
        return;
      }
      // A stray end tag must not close the cell or table around it.
      if (open_[i]->name == "table" || open_[i]->name == "td" || open_[i]->name == "th") {
        if (name != "table" && name != "tr" && name != "thead" && name != "tbody" &&
            name != "tfoot") {
          return;
        }
      }
    }
  }

  void PopElement() {
    const Element& element = *open_.back();
    if (heading_depth_ == open_.size() && heading_depth_ > 0) FinishHeading();
    open_.pop_back();
    out_ += "</";
    out_ += element.name;
    out_ += '>';
  }

  void FinishHeading() {
    heading_depth_ = 0;
    std::string slug = HeadingSlug(heading_text_);
    if (slug.empty()) return;
    size_t& uses = slugs_[slug];
    if (uses++ > 0) slug += "-" + std::to_string(uses - 1);
    std::string id(html::kIdPrefix);
    html::AppendAttributeValue(slug, &id);
    // The tail that moves is the heading itself.
    out_.insert(insert_id_at_, " id=\"" + id + "\"");
    out_ += "<a class=\"anchor\" href=\"#" + id + "\" aria-label=\"Link to this section\"></a>";
  }

  Tokenizer tokens_;
  const MarkdownOptions& options_;
  bool anchors_;
  std::string out_;
  std::vector<const Element*> open_;
  size_t heading_depth_ = 0;  // of open_ when a heading opened; 0 = none
  size_t insert_id_at_ = 0;
  std::string heading_text_;
  std::unordered_map<std::string, size_t> slugs_;
};

std::string Sanitize(std::string_view html, const MarkdownOptions& options, bool anchors) {
  if (simdjson::validate_utf8(html.data(), html.size()))
    return Sanitizer(html, options, anchors).Run();
  // Json's writer already replaces bytes that are not UTF-8; reuse its rule.
  std::string clean = *Json::Parse(Json(html).Dump()).AsString();
  return Sanitizer(clean, options, anchors).Run();
}

}  // namespace

// As GitHub and the hub make them: lower case, blanks to hyphens, punctuation away.
std::string HeadingSlug(std::string_view text) {
  std::string slug;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') {
      slug += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               (c & 0x80) != 0) {
      slug += c;
    } else if (c == ' ') {
      slug += '-';
    }
  }
  return slug;
}

std::string SanitizeHtml(std::string_view html, const MarkdownOptions& options) {
  // What markup adds to Markdown is at most a small factor.
  if (html.size() > options.max_output_bytes) {
    throw Error(Code::kTooLarge, "the HTML is too large");
  }
  return Sanitize(html, options, /*anchors=*/true);
}

}  // namespace hearth
