#include "sim/config/value.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/config/config.h"

namespace tessera::sim::config {

namespace {

constexpr std::size_t kShownColumns = 120;

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

int characters(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), starts_character));
}

/// The offending line and a caret below it, cut to a readable width around the caret.
std::string excerpt(const Position& position) {
  std::string_view line = position.source->line_text(position.line);
  const std::size_t column = std::min<std::size_t>(position.column, line.size());
  std::size_t begin = column > kShownColumns - 20 ? column - (kShownColumns / 2) : 0;
  while (begin < column && !starts_character(line[begin])) ++begin;
  std::size_t end = std::min(line.size(), begin + kShownColumns);
  while (end < line.size() && !starts_character(line[end])) ++end;
  std::string shown_line(line.substr(begin, end - begin));
  std::replace(shown_line.begin(), shown_line.end(), '\t', ' ');
  const int caret = characters(line.substr(begin, column - begin));
  return fmt::format("  {}\n  {}^", shown_line, std::string(caret, ' '));
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

}  // namespace

void Source::index_lines() {
  line_starts.assign(1, 0);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') line_starts.push_back(i + 1);
  }
}

std::string_view Source::line_text(int line) const {
  const std::size_t index = static_cast<std::size_t>(line);
  if (index >= line_starts.size()) return {};
  std::string_view rest = std::string_view(text).substr(line_starts[index]);
  rest = rest.substr(0, rest.find('\n'));
  if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
  return rest;
}

Position at_byte(const std::shared_ptr<const Source>& source, std::size_t byte) {
  Position position{source, 0, 0};
  for (std::size_t i = 0; i < byte; ++i) {
    ++position.column;
    if (source->text[i] == '\n') {
      ++position.line;
      position.column = 0;
    }
  }
  return position;
}

const Value* Value::find(std::string_view key) const {
  for (const MapEntry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Value* Value::find(std::string_view key) {
  return const_cast<Value*>(static_cast<const Value*>(this)->find(key));
}

void Value::set(std::string_view key, const Position& key_position, Value value) {
  if (Value* known = find(key)) {
    *known = std::move(value);
  } else {
    entries.push_back({std::string(key), key_position, std::move(value)});
  }
}

void Value::erase(std::string_view key) {
  entries.erase(std::remove_if(entries.begin(), entries.end(),
                               [&](const MapEntry& entry) { return entry.key == key; }),
                entries.end());
}

std::string shown(const Value& value) {
  switch (value.kind) {
    case ValueKind::kNull:
      return "nothing";
    case ValueKind::kList:
      return "a list";
    case ValueKind::kMap:
      return "a mapping";
    case ValueKind::kScalar:
      break;
  }
  std::string text = value.text;
  if (text.size() > 60) {
    std::size_t end = 57;
    while (!starts_character(text[end])) --end;
    text = text.substr(0, end) + "...";
  }
  return value.quoted ? "'" + text + "'" : text;
}

Value make_scalar(std::string text, const Position& position) {
  Value value;
  value.kind = ValueKind::kScalar;
  value.position = position;
  value.text = std::move(text);
  return value;
}

Value make_map(const Position& position) {
  Value value;
  value.kind = ValueKind::kMap;
  value.position = position;
  return value;
}

Value merge(const Value& base, const Value& over) {
  if (!base.is_map() || !over.is_map() || over.replaces) return over;
  Value merged = base;
  merged.position = over.position;
  for (const MapEntry& entry : over.entries) {
    const Value* below = base.find(entry.key);
    merged.set(entry.key, entry.key_position, below ? merge(*below, entry.value) : entry.value);
  }
  return merged;
}

void fail(const Position& position, const std::string& path, const std::string& message,
          const std::vector<std::string>& hints) {
  const std::string subject = path.empty() ? "" : path + ": ";
  std::string text;
  if (!position.source) {
    text = fmt::format("error: {}{}", subject, message);
  } else {
    const std::string_view line = position.source->line_text(position.line);
    const int column =
        line.empty() ? position.column + 1 : characters(line.substr(0, position.column)) + 1;
    text = fmt::format("{}:{}:{}: error: {}{}", position.source->name, position.line + 1, column,
                       subject, message);
    if (!line.empty()) text += "\n" + excerpt(position);
  }
  for (const std::string& hint : hints) {
    if (!hint.empty()) text += "\n" + hint;
  }
  throw ConfigError(text);
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  if (word.size() <= 2) best_distance = word.size();
  for (const std::string& candidate : candidates) {
    if (candidate.size() > word.size() + best_distance) continue;
    const std::size_t distance = edit_distance(word.substr(0, 100), candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string near = nearest(word, candidates);
  if (!near.empty()) return fmt::format("did you mean '{}'?", near);
  return candidates.empty() ? "" : fmt::format("allowed: {}", fmt::join(candidates, ", "));
}

std::string join_path(const std::string& path, std::string_view key) {
  const bool plain = key.find_first_of(".\" ") == std::string_view::npos;
  const std::string segment = plain ? std::string(key) : fmt::format("\"{}\"", key);
  return path.empty() ? segment : path + "." + segment;
}

}  // namespace tessera::sim::config
