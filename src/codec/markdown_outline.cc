#include "codec/markdown_outline.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/internal/html_policy.h"
#include "codec/internal/html_tokens.h"
#include "codec/internal/markdown_tree.h"
#include "codec/markdown.h"

namespace hearth {
namespace {

using Kind = MarkdownBlock::Kind;

constexpr size_t kMaxDepth = 100;
constexpr size_t kMaxLinksOfBlock = 1000;

struct IterDeleter {
  void operator()(cmark_iter* iter) const { cmark_iter_free(iter); }
};

void AddLink(const char* url, MarkdownBlock* block) {
  if (url != nullptr && *url != '\0' && block->links.size() < kMaxLinksOfBlock)
    block->links.emplace_back(url);
}

// The text of inline nodes, as a reader sees it.
void CollectInline(cmark_node* node, cmark_event_type event, MarkdownBlock* block) {
  if (event != CMARK_EVENT_ENTER) return;
  cmark_node_type type = cmark_node_get_type(node);
  if (type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE) {
    if (const char* literal = cmark_node_get_literal(node)) block->text += literal;
  } else if (type == CMARK_NODE_SOFTBREAK || type == CMARK_NODE_LINEBREAK) {
    block->text += ' ';
  } else if (type == CMARK_NODE_LINK || type == CMARK_NODE_IMAGE) {
    AddLink(cmark_node_get_url(node), block);
  }
}

// Raw HTML: its headings, and the text between its tags.
class HtmlBlock {
 public:
  HtmlBlock(std::string_view html, size_t line, std::vector<MarkdownBlock>* out)
      : tokens_(html), counted_(html.data()), line_(line), out_(out) {}

  void Run() {
    Begin(Kind::kText, 0);
    while (true) {
      html::Tokenizer::Kind kind = tokens_.Next();
      if (kind == html::Tokenizer::Kind::kEnd) break;
      if (kind == html::Tokenizer::Kind::kTag) {
        Tag(tokens_.tag());
      } else {
        Text(tokens_.text());
      }
    }
    Flush();
  }

 private:
  void Tag(const html::Tag& tag) {
    std::string_view name = tag.name;
    bool heading = name.size() == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6';
    if (heading) {
      Flush();
      Begin(tag.closing ? Kind::kText : Kind::kHeading, tag.closing ? 0 : name[1] - '0');
    } else {
      if (block_.kind == Kind::kText) block_.text += ' ';
    }
  }

  // The text lies in the block, so that what was passed before it can be counted.
  void Text(std::string_view text) {
    size_t blanks = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    const char* begin = text.data() + blanks;
    line_ += static_cast<size_t>(std::count(counted_, begin, '\n'));
    counted_ = begin;
    if (TrimAscii(block_.text).empty()) block_.line = line_;
    block_.text += html::DecodeReferences(text);
  }

  void Begin(Kind kind, int level) {
    block_ = {};
    block_.kind = kind;
    block_.level = level;
    block_.line = line_;
  }

  void Flush() {
    if (block_.kind == Kind::kHeading) block_.id = HeadingSlug(block_.text);
    block_.text = std::string(TrimAscii(block_.text));
    if (!block_.text.empty()) out_->push_back(std::move(block_));
  }

  html::Tokenizer tokens_;
  const char* counted_;  // lines up to here are in line_
  size_t line_;
  std::vector<MarkdownBlock>* out_;
  MarkdownBlock block_;
};

class Outliner {
 public:
  explicit Outliner(std::string_view markdown) : tree_(ParseMarkdownTree(markdown, kMaxDepth)) {}

  std::vector<MarkdownBlock> Run() {
    std::unique_ptr<cmark_iter, IterDeleter> iter(cmark_iter_new(tree_.document.get()));
    for (cmark_event_type event; (event = cmark_iter_next(iter.get())) != CMARK_EVENT_DONE;) {
      Visit(cmark_iter_get_node(iter.get()), event);
    }
    return std::move(blocks_);
  }

 private:
  void Visit(cmark_node* node, cmark_event_type event) {
    std::string_view type = cmark_node_get_type_string(node);
    if (open_ != nullptr) {
      if (node == open_ && event == CMARK_EVENT_EXIT) {
        Close();
      } else if (type == "table_cell" && event == CMARK_EVENT_EXIT) {
        block_.text += '\t';
      } else {
        CollectInline(node, event, &block_);
      }
      return;
    }
    if (event != CMARK_EVENT_ENTER) return;
    if (type == "heading") {
      Open(node, Kind::kHeading);
      block_.level = cmark_node_get_heading_level(node);
    } else if (type == "paragraph") {
      Open(node, Kind::kText);
    } else if (type == "table_row" || type == "table_header") {
      Open(node, Kind::kTable);
    } else if (type == "code_block") {
      Open(node, Kind::kCode);
      if (const char* info = cmark_node_get_fence_info(node)) {
        std::string_view words = TrimAscii(info);
        block_.language = std::string(words.substr(0, words.find_first_of(" \t,{")));
      }
      if (const char* literal = cmark_node_get_literal(node)) block_.text = literal;
      Close();
    } else if (type == "html_block") {
      const char* literal = cmark_node_get_literal(node);
      if (literal != nullptr)
        HtmlBlock(literal, tree_.LineOf(cmark_node_get_start_line(node)), &blocks_).Run();
    }
  }

  void Open(cmark_node* node, Kind kind) {
    open_ = node;
    block_ = {};
    block_.kind = kind;
    block_.line = tree_.LineOf(cmark_node_get_start_line(node));
  }

  void Close() {
    open_ = nullptr;
    if (block_.kind == Kind::kHeading) block_.id = HeadingSlug(block_.text);
    if (block_.kind == Kind::kTable && !block_.text.empty()) block_.text.pop_back();
    blocks_.push_back(std::move(block_));
  }

  MarkdownTree tree_;
  cmark_node* open_ = nullptr;
  MarkdownBlock block_;
  std::vector<MarkdownBlock> blocks_;
};

// (level, id) of the headings of a rendered page, in order.
std::vector<std::pair<int, std::string>> RenderedIds(const std::string& page) {
  std::vector<std::pair<int, std::string>> ids;
  const std::string mark = " id=\"" + std::string(html::kIdPrefix);
  for (size_t at = page.find("<h"); at != std::string::npos; at = page.find("<h", at + 2)) {
    if (at + 3 >= page.size() || page[at + 2] < '1' || page[at + 2] > '6') continue;
    size_t end = page.find('>', at);
    size_t id = page.find(mark, at);
    if (end == std::string::npos || id == std::string::npos || id > end) continue;
    size_t begin = id + mark.size() - html::kIdPrefix.size();
    ids.emplace_back(page[at + 2] - '0', page.substr(begin, page.find('"', begin) - begin));
  }
  return ids;
}

// "limits" and "limits-2" are ids of headings "Limits".
bool IsIdOf(std::string_view id, std::string_view slug) {
  id.remove_prefix(std::min(id.size(), html::kIdPrefix.size()));
  if (slug.empty() || !id.starts_with(slug)) return false;
  id.remove_prefix(slug.size());
  return id.empty() || (id[0] == '-' && ParseUint(id.substr(1)).has_value());
}

// Headings come with their slug for an id. A page that is too large to be shown (an empty one here)
// cannot be linked to.
void SetIds(const std::string& page, std::vector<MarkdownBlock>* blocks) {
  std::vector<std::pair<int, std::string>> ids = RenderedIds(page);
  auto next = ids.begin();
  for (MarkdownBlock& block : *blocks) {
    if (block.kind != Kind::kHeading) continue;
    std::string slug = std::exchange(block.id, "");
    auto found = std::find_if(next, ids.end(), [&](const auto& id) {
      return id.first == block.level && IsIdOf(id.second, slug);
    });
    if (found == ids.end()) continue;
    block.id = found->second;
    next = found + 1;
  }
}

}  // namespace

std::vector<MarkdownBlock> OutlineMarkdown(std::string_view markdown, size_t max_bytes) {
  if (markdown.size() > max_bytes)
    throw Error(Code::kTooLarge, "the text has more than " + std::to_string(max_bytes) + " bytes");
  std::vector<MarkdownBlock> blocks = Outliner(markdown).Run();
  bool headings = std::any_of(blocks.begin(), blocks.end(), [](const MarkdownBlock& block) {
    return block.kind == Kind::kHeading;
  });
  if (!headings) return blocks;
  MarkdownOptions options;
  options.max_input_bytes = max_bytes;
  std::string page;
  try {
    page = RenderMarkdown(markdown, options);
  } catch (const Error& error) {
    if (error.code() != Code::kTooLarge) throw;
  }
  SetIds(page, &blocks);
  return blocks;
}

}  // namespace hearth
