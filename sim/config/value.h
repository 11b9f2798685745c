// A configuration as written: a tree of values, each with its place in a file.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::sim::config {

/// A text that was read, and the name it goes by in messages.
struct Source {
  std::string name;       // "runs/siglip_edge.yaml", "<stdin>", "--set"
  std::string directory;  // where the names that it mentions are looked up first
  std::string path;       // canonical path of a file; empty for <stdin> and --set
  std::string text;
  std::vector<std::size_t> line_starts;  // byte of each line; set by index_lines

  void index_lines();
  /// Line `line` (0-based) without its end; empty behind the last. REQUIRES: index_lines.
  std::string_view line_text(int line) const;
};

struct Position {
  std::shared_ptr<const Source> source;
  int line = 0;    // 0-based
  int column = 0;  // 0-based, in bytes
};

/// The place of byte `byte` of the text. REQUIRES: index_lines.
Position at_byte(const std::shared_ptr<const Source>& source, std::size_t byte);

enum class ValueKind { kNull, kScalar, kList, kMap };

struct MapEntry;

/// A scalar, list or map with positions. Scalars keep their text: types are the reader's business.
struct Value {
  ValueKind kind = ValueKind::kNull;
  Position position;
  std::string text;               // scalars
  bool quoted = false;            // scalars: 'x' or "x", which is never a number
  std::vector<Value> items;       // lists
  std::vector<MapEntry> entries;  // maps, in the order of the file, keys distinct
  std::string file;               // `name` of a file's configuration: that file
  bool replaces = false;          // came from a name: merging replaces instead of merging

  bool is_map() const { return kind == ValueKind::kMap; }
  bool is_scalar() const { return kind == ValueKind::kScalar; }
  /// The value of `key` in a map, or nullptr.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  /// Adds or replaces an entry of a map.
  void set(std::string_view key, const Position& key_position, Value value);
  void erase(std::string_view key);
};

struct MapEntry {
  std::string key;
  Position key_position;
  Value value;
};

/// Value as it appears in a message: `12`, `'12'`, "a list", "a mapping", "nothing".
std::string shown(const Value& value);

Value make_scalar(std::string text, const Position& position);
Value make_map(const Position& position);

/// `over` laid over `base`: maps merge, lists, scalars and values that came from a name replace.
Value merge(const Value& base, const Value& over);

/// Throws ConfigError "file:line:column: error: path: message", the line, a caret and the hints.
[[noreturn]] void fail(const Position& position, const std::string& path,
                       const std::string& message, const std::vector<std::string>& hints = {});

/// The candidate nearest to `word` in edit distance, or empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);
/// "did you mean 'x'?", or "allowed: a, b, c" when nothing is near.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

/// "a.b" from "a" and "b"; keys that hold dots are quoted.
std::string join_path(const std::string& path, std::string_view key);

}  // namespace tessera::sim::config
