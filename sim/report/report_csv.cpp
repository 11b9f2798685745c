// The operators of a report as CSV: report.json flattened, so that the two cannot differ.
#include "sim/report/csv.h"
#include "sim/report/writers.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;

struct Field {
  std::string path, value;
};

/// Scalars of `json` by their path; a list is one field, joined with spaces.
void flatten(const Json& json, const std::string& path, std::vector<Field>& fields) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      flatten(value, path.empty() ? key : path + "." + key, fields);
    }
    return;
  }
  std::string text;
  if (json.is_array()) {
    for (const auto& item : json) text += (text.empty() ? "" : " ") + scalar_text(item);
  } else {
    text = scalar_text(json);
  }
  fields.push_back({path, text});
}

void append_line(std::string& csv, const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) csv += (i > 0 ? "," : "") + csv_cell(cells[i]);
  csv += '\n';
}

}  // namespace

std::string scalar_text(const Json& json) {
  if (json.is_null()) return "";
  return json.is_string() ? json.get<std::string>() : json.dump();
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string report_csv(const Report& report) {
  std::string csv;
  const Json json = report_json(report);
  for (const Json& row : json.at("operators")) {
    std::vector<Field> fields;
    flatten(row, "", fields);
    std::vector<std::string> header{"run"}, cells{report.run_name};
    for (const Field& field : fields) {
      header.push_back(field.path);
      cells.push_back(field.value);
    }
    if (csv.empty()) append_line(csv, header);
    append_line(csv, cells);
  }
  return csv;
}

}  // namespace tessera::sim
