#include "sim/config/yaml_reader.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace tessera::sim::config {

namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr int kMaxOpenBrackets = 64;

Position at(const std::shared_ptr<const Source>& source, const YAML::Mark& mark) {
  if (mark.is_null()) return {source, 0, 0};
  return {source, mark.line, mark.column};
}

/// Length of the UTF-8 character at `text`, 0 when it is none (overlong and surrogates included).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second > 0x9F;
  const bool beyond = lead == 0xF4 && second > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F;
}

/// Bytes that no configuration has: the line is not shown, it might garble the terminal.
void check_text(const std::shared_ptr<const Source>& source) {
  const std::string_view text = source->text;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0 || is_control(text[i])) {
      auto hidden = std::make_shared<Source>();
      hidden->name = source->name;
      Position position = at_byte(source, i);
      position.source = hidden;
      fail(position, "",
           fmt::format("not a text file: byte 0x{:02X} {}", static_cast<unsigned char>(text[i]),
                       length == 0 ? "is not UTF-8" : "is a control character"));
    }
    i += length;
  }
}

void check_tabs(const std::shared_ptr<const Source>& source) {
  bool indentation = true;
  for (std::size_t i = 0; i < source->text.size(); ++i) {
    const char c = source->text[i];
    if (indentation && c == '\t') fail(at_byte(source, i), "", "a tab indents: use spaces");
    indentation = c == '\n' || (indentation && c == ' ');
  }
}

/// Before yaml-cpp sees the text: unclosed brackets cost it memory long before it refuses them.
void check_brackets(const std::shared_ptr<const Source>& source) {
  int open = 0;
  for (std::size_t i = 0; i < source->text.size(); ++i) {
    const char c = source->text[i];
    if (c == '[' || c == '{') ++open;
    if ((c == ']' || c == '}') && open > 0) --open;
    if (open > kMaxOpenBrackets) fail(at_byte(source, i), "", "brackets are nested too deeply");
  }
}

/// yaml-cpp takes an unclosed bracket at the end of its input for many things.
void check_closed(const std::shared_ptr<const Source>& source, std::size_t column) {
  const std::string_view value = std::string_view(source->text).substr(column);
  if (value.find_first_of("'\"#") != std::string_view::npos) return;
  const auto count = [&](char c) { return std::count(value.begin(), value.end(), c); };
  if (count('[') == count(']') && count('{') == count('}')) return;
  fail({source, 0, static_cast<int>(column)}, "", "a bracket is not closed");
}

[[noreturn]] void refuse_alias(const Position& position) {
  fail(position, "", "aliases (*name) are not used: write the value, or base: FILE",
       {"a pattern that starts with * needs quotes: \"*.MLP_FC1\""});
}

/// Builds the tree from yaml-cpp's events; refuses everything outside the strict subset.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::shared_ptr<const Source> source) : source_(std::move(source)) {}

  bool has_document() const { return has_document_; }
  Value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (has_document_) {
      fail(at(source_, mark), "", "a second document starts here: one file holds one document");
    }
    has_document_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check_anchor(mark, anchor);
    Value value;
    value.position = at(source_, mark);
    add(std::move(value));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_alias(at(source_, mark)); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(ValueKind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(ValueKind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Value value;
    std::set<std::string> keys;
    bool has_key = false;
    std::string key;
    Position key_position;
  };

  void check_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const;
  void check_tag(const YAML::Mark& mark, const std::string& tag) const;
  void check_one_line(const Position& position, const std::string& text, bool quoted) const;
  void open(ValueKind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor);
  void close();
  void add(Value value);
  void add_key(Frame& frame, const Value& key) const;

  std::shared_ptr<const Source> source_;
  bool has_document_ = false;
  Value root_;
  std::vector<Frame> frames_;
};

void TreeBuilder::check_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
  if (anchor == 0) return;
  fail(at(source_, mark), "", "anchors (&name) are not used: write the value, or base: FILE");
}

void TreeBuilder::check_tag(const YAML::Mark& mark, const std::string& tag) const {
  if (tag.empty() || tag == "?" || tag == "!") return;
  fail(at(source_, mark), "", "tags (!name) are not used: remove it");
}

/// The text must stand in its line as it is: folded lines and block text are usually accidents
/// (an unclosed quote swallows the keys behind it).
void TreeBuilder::check_one_line(const Position& position, const std::string& text,
                                 bool quoted) const {
  const std::string_view line = source_->line_text(position.line).substr(position.column);
  if (!quoted) {
    if (line.substr(0, text.size()) != text) {
      fail(position, "", "a value must stand on one line");
    }
    return;
  }
  const char quote = line.empty() ? ' ' : line[0];
  if (quote != '"' && quote != '\'') fail(position, "", "block text (| and >) is not used");
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (quote == '"' && line[i] == '\\') {
      ++i;
    } else if (line[i] == quote) {
      if (quote == '"' || line.substr(i, 2) != "''") return;
      ++i;
    }
  }
  fail(position, "", fmt::format("the quote {} is not closed on its line", quote));
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& text) {
  check_anchor(mark, anchor);
  check_tag(mark, tag);
  Value value = make_scalar(text, at(source_, mark));
  value.quoted = tag == "!";
  check_one_line(value.position, text, value.quoted);
  for (const char c : text) {
    if (is_control(c) || c == '\n') fail(value.position, "", "control characters are not used");
  }
  add(std::move(value));
}

void TreeBuilder::open(ValueKind kind, const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor) {
  check_anchor(mark, anchor);
  check_tag(mark, tag);
  const Position position = at(source_, mark);
  if (frames_.size() >= kMaxDepth) fail(position, "", "nested too deeply (32 levels)");
  if (!frames_.empty() && frames_.back().value.is_map() && !frames_.back().has_key) {
    fail(position, "", "a key must be a word, not a list or a mapping");
  }
  Frame frame;
  frame.value.kind = kind;
  frame.value.position = position;
  frames_.push_back(std::move(frame));
}

void TreeBuilder::close() {
  Value value = std::move(frames_.back().value);
  frames_.pop_back();
  add(std::move(value));
}

void TreeBuilder::add(Value value) {
  if (frames_.empty()) {
    root_ = std::move(value);
    return;
  }
  Frame& frame = frames_.back();
  if (!frame.value.is_map()) {
    frame.value.items.push_back(std::move(value));
  } else if (!frame.has_key) {
    add_key(frame, value);
  } else {
    if (value.kind == ValueKind::kNull) value.position = frame.key_position;
    frame.value.entries.push_back({frame.key, frame.key_position, std::move(value)});
    frame.has_key = false;
  }
}

void TreeBuilder::add_key(Frame& frame, const Value& key) const {
  if (!key.is_scalar() || key.text.empty()) fail(key.position, "", "a key is missing");
  if (key.text == "<<") {
    fail(key.position, "", "merge keys (<<) are not used: write base: FILE");
  }
  if (!frame.keys.insert(key.text).second) {
    fail(key.position, "", fmt::format("the key '{}' is given twice", key.text));
  }
  frame.has_key = true;
  frame.key = key.text;
  frame.key_position = key.position;
}

Value parse(const std::shared_ptr<const Source>& source, const std::string& text) {
  TreeBuilder builder(source);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    const bool alias = error.msg.find("referenced anchor") != std::string::npos;
    if (alias) refuse_alias(at(source, error.mark));
    const bool block = error.msg.find("block scalar") != std::string::npos;
    fail(at(source, error.mark), "", "not YAML: " + error.msg,
         {block ? "a text that begins with > or | stands in quotes: \">= 3 ms\"" : ""});
  }
  return builder.take();
}

/// At most one byte more than `limit`.
std::string read_limited(std::istream& stream, std::size_t limit) {
  constexpr std::size_t kBlock = std::size_t{64} << 10;
  std::string text;
  while (stream && text.size() <= limit) {
    const std::size_t at = text.size();
    text.resize(std::min(at + kBlock, limit + 1));
    stream.read(text.data() + at, static_cast<std::streamsize>(text.size() - at));
    text.resize(at + static_cast<std::size_t>(stream.gcount()));
  }
  return text;
}

std::shared_ptr<const Source> make_source(std::istream& stream, const std::string& path,
                                          const std::string& name, std::size_t limit) {
  auto source = std::make_shared<Source>();
  source->name = name;
  source->text = read_limited(stream, limit);
  if (source->text.size() > limit) {
    fail({}, name, fmt::format("the file is larger than {} MiB: not a configuration", limit >> 20));
  }
  if (!path.empty()) {
    source->path = std::filesystem::weakly_canonical(path).string();
    source->directory = std::filesystem::path(source->path).parent_path().string();
  } else {
    source->directory = ".";
  }
  const std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (source->text.compare(0, 3, byte_order_mark) == 0) source->text.erase(0, 3);
  source->index_lines();
  return source;
}

}  // namespace

std::shared_ptr<const Source> read_source(const std::string& path, const std::string& name,
                                          std::size_t limit) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    fail({}, name, "is a directory, not a file");
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) fail({}, name, "cannot be opened");
  return make_source(stream, path, name, limit);
}

std::shared_ptr<const Source> read_standard_input() {
  return make_source(std::cin, "", "<stdin>", kConfigFileLimit);
}

Value parse_document(const std::shared_ptr<const Source>& source) {
  check_text(source);
  check_tabs(source);
  check_brackets(source);
  Value root = parse(source, source->text);
  if (!root.position.source || root.kind == ValueKind::kNull) {
    fail({source, 0, 0}, "", "the file is empty");
  }
  if (!root.is_map()) {
    fail(root.position, "", "the file must hold keys (key: value), not " + shown(root));
  }
  return root;
}

Value parse_value(const std::shared_ptr<const Source>& source, std::size_t column) {
  check_text(source);
  check_brackets(source);
  check_closed(source, column);
  const std::string padded = std::string(column, ' ') + source->text.substr(column);
  Value value = parse(source, padded);
  if (!value.position.source) value.position = {source, 0, static_cast<int>(column)};
  return value;
}

}  // namespace tessera::sim::config
