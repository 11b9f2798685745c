// The field table: one list of keys per struct from which come the reader, the resolved tree, the
// reference page and the JSON Schema.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/config/codecs.h"
#include "sim/config/value.h"

namespace tessera::sim::config {

/// One key of a mapping that fills struct S.
template <class S>
struct Field {
  std::string key;
  std::string allowed;
  std::string help;
  std::string fallback;  // the default as text where it is not S{}'s
  bool required = false;
  std::function<void(const Value&, const std::string& path, S&)> read;
  std::function<Json(const S&)> write;  // null: leave the key out
  Json schema;
  std::vector<DocRow> rows;  // keys below this one, relative to it

  Field needed() && {
    required = true;
    return std::move(*this);
  }
  Field fallback_is(std::string text) && {
    fallback = std::move(text);
    return std::move(*this);
  }
};

/// A key known to come later: giving it is an error that says so.
struct Unbuilt {
  std::string key;
  std::string what;
};

void check_map(const Value& value, const std::string& path, const std::vector<std::string>& keys);
[[noreturn]] void unknown_key(const MapEntry& entry, const std::string& path,
                              const std::vector<std::string>& keys,
                              const std::vector<DocRow>& rows);
/// Lower-case letters, digits and _; a letter first; 40 at most.
void check_name(const MapEntry& entry, const std::string& path);
constexpr const char* kNamePattern = "^[a-z][a-z0-9_]{0,39}$";
std::string default_text(const Json& value);

template <class S>
struct Table {
  std::vector<Field<S>> fields;
  std::vector<Unbuilt> unbuilt;
  std::vector<DocRow> elsewhere = {};  // keys of other tables, for suggestions

  std::vector<std::string> keys() const {
    std::vector<std::string> names;
    for (const Field<S>& field : fields) names.push_back(field.key);
    return names;
  }

  /// Reads the keys of `value` into `out`, in the order of the file; absent keys stay as they are.
  void read(const Value& value, const std::string& path, S& out) const {
    check_map(value, path, keys());
    for (const MapEntry& entry : value.entries) read_entry(entry, path, out);
    for (const Field<S>& field : fields) {
      if (field.required && !value.find(field.key)) {
        fail(value.position, join_path(path, field.key), "the key is missing",
             {"allowed: " + plain(field.allowed)});
      }
    }
  }

  Json write(const S& values) const {
    Json tree = Json::object();
    for (const Field<S>& field : fields) {
      Json written = field.write(values);
      if (!written.is_null()) tree[field.key] = std::move(written);
    }
    return tree;
  }

  Json schema() const {
    Json properties = Json::object();
    Json required = Json::array();
    for (const Field<S>& field : fields) {
      Json property = field.schema;
      property["description"] = field.help;
      properties[field.key] = std::move(property);
      if (field.required) required.push_back(field.key);
    }
    Json schema = {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
    if (!required.empty()) schema["required"] = required;
    return schema;
  }

  std::vector<DocRow> rows() const {
    std::vector<DocRow> all;
    for (const Field<S>& field : fields) {
      all.push_back({field.key, field.allowed, fallback_of(field), field.help});
      for (DocRow row : field.rows) {
        row.path = field.key + "." + row.path;
        all.push_back(std::move(row));
      }
    }
    return all;
  }

  static std::string plain(std::string allowed) {
    std::string text;
    for (const char c : allowed) {
      if (c != '`' && c != '\\') text += c;
    }
    return text;
  }

 private:
  void read_entry(const MapEntry& entry, const std::string& path, S& out) const {
    for (const Field<S>& field : fields) {
      if (field.key == entry.key) {
        field.read(entry.value, join_path(path, entry.key), out);
        return;
      }
    }
    for (const Unbuilt& later : unbuilt) {
      if (later.key == entry.key) {
        not_built(entry.key_position, join_path(path, entry.key), later.what, keys());
      }
    }
    std::vector<DocRow> below = rows();
    below.insert(below.end(), elsewhere.begin(), elsewhere.end());
    unknown_key(entry, path, keys(), below);
  }

  static std::string fallback_of(const Field<S>& field) {
    if (field.required) return "required";
    if (!field.fallback.empty()) return field.fallback;
    return field.rows.empty() ? default_text(field.write(S{})) : "";
  }
};

/// A key whose value fills `member` by `codec`.
template <class S, class M, class T>
Field<S> field(std::string key, M S::*member, Codec<T> codec, std::string help) {
  Field<S> made;
  made.key = std::move(key);
  made.allowed = codec.allowed;
  made.help = std::move(help);
  made.read = [=](const Value& value, const std::string& path, S& out) {
    out.*member = static_cast<M>(codec.parse(value, path));
  };
  made.write = [=](const S& values) { return codec.print(static_cast<T>(values.*member)); };
  made.schema = codec.schema;
  made.rows = codec.rows;
  return made;
}

/// A nested mapping; keys that it leaves out keep what `member` holds.
template <class S, class M>
Field<S> section(std::string key, M S::*member, Table<M> table, std::string help) {
  Field<S> made;
  made.key = std::move(key);
  made.allowed = "mapping";
  made.help = std::move(help);
  made.read = [=](const Value& value, const std::string& path, S& out) {
    table.read(value, path, out.*member);
  };
  made.write = [=](const S& values) { return table.write(values.*member); };
  made.schema = table.schema();
  made.rows = table.rows();
  return made;
}

/// A whole record as one value, starting from its defaults each time.
template <class S>
Codec<S> record(Table<S> table) {
  Codec<S> codec;
  codec.parse = [=](const Value& value, const std::string& path) {
    S out{};
    table.read(value, path, out);
    return out;
  };
  codec.print = [=](const S& values) { return table.write(values); };
  codec.schema = table.schema();
  codec.allowed = "mapping";
  codec.rows = table.rows();
  return codec;
}

/// An open map: any key that matches `pattern` (a JSON Schema regular expression; `check` enforces
/// it), each with a value of type T. `start` is what a key's value begins with.
template <class T>
struct OpenMap {
  std::string placeholder;  // "NAME" in the reference
  std::string pattern;
  std::function<void(const MapEntry&, const std::string& path)> check;
};

template <class T>
Json open_map_schema(const OpenMap<T>& keys, const Json& value_schema) {
  return {{"type", "object"},
          {"patternProperties", Json{{keys.pattern, value_schema}}},
          {"additionalProperties", false}};
}

template <class T>
std::vector<DocRow> open_map_rows(const OpenMap<T>& keys, const std::vector<DocRow>& rows) {
  std::vector<DocRow> all;
  for (DocRow row : rows) {
    row.path = keys.placeholder + "." + row.path;
    all.push_back(std::move(row));
  }
  return all;
}

/// Keys and values in file order.
template <class T>
std::vector<std::pair<std::string, T>> read_open_map(const Value& value, const std::string& path,
                                                     const OpenMap<T>& keys,
                                                     const Codec<T>& codec) {
  check_map(value, path, {});
  std::vector<std::pair<std::string, T>> all;
  for (const MapEntry& entry : value.entries) {
    const std::string below = join_path(path, entry.key);
    keys.check(entry, below);
    all.emplace_back(entry.key, codec.parse(entry.value, below));
  }
  return all;
}

}  // namespace tessera::sim::config
