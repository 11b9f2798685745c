// Rows of tests/reference/data as maps from column to text.
#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace tessera::workloads {

using Row = std::map<std::string, std::string>;

inline std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> fields;
  std::stringstream stream(line);
  for (std::string field; std::getline(stream, field, separator);) {
    fields.push_back(field);
  }
  if (!fields.empty() && !fields.back().empty() && fields.back().back() == '\r') {
    fields.back().pop_back();
  }
  return fields;
}

inline std::vector<Row> reference_rows(const std::string& file) {
  const std::string path = std::string(TESSERA_SOURCE_DIR) + "/tests/reference/data/" + file;
  std::ifstream stream(path);
  std::string line;
  if (!std::getline(stream, line)) {
    throw std::runtime_error("cannot read " + path);
  }
  const std::vector<std::string> columns = split(line, ',');
  std::vector<Row> rows;
  while (std::getline(stream, line)) {
    const std::vector<std::string> fields = split(line, ',');
    if (fields.size() < columns.size()) continue;
    Row row;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      row[columns[i]] = fields.at(i);
    }
    rows.push_back(row);
  }
  return rows;
}

inline std::vector<Row> reference_rows(const std::string& file, const std::string& model) {
  std::vector<Row> rows;
  for (const Row& row : reference_rows(file)) {
    if (row.at("model") == model && row.at("phase") != "decode") {
      rows.push_back(row);
    }
  }
  return rows;
}

}  // namespace tessera::workloads
