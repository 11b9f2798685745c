// JSON Schema (draft 2020-12) of report.json.
#include "sim/report/writers.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;

Json integer() { return {{"type", "integer"}, {"minimum", 0}}; }
Json number() { return {{"type", "number"}, {"minimum", 0}}; }
Json text() { return {{"type", "string"}}; }
Json texts() { return {{"type", "array"}, {"items", text()}}; }

Json or_null(Json schema) {
  schema["type"] = Json::array({schema["type"], "null"});
  return schema;
}

/// Null in an analytical report.
Json known_if_simulated() { return or_null(integer()); }

Json one_of(const std::vector<std::string>& values) {
  return {{"type", "string"}, {"enum", values}};
}

Json reference(const std::string& name) { return {{"$ref", "#/$defs/" + name}}; }

/// An object that must have all of `properties`; others may follow.
Json object(const Json& properties) {
  Json required = Json::array();
  for (const auto& item : properties.items()) required.push_back(item.key());
  return {{"type", "object"}, {"properties", properties}, {"required", required}};
}

Json map_of(const Json& values) { return {{"type", "object"}, {"additionalProperties", values}}; }

Json causes() {
  Json properties;
  for (int c = 0; c < hw::kCauses; ++c) {
    properties[to_string(static_cast<hw::Cause>(c))] = known_if_simulated();
  }
  return object(properties);
}

Json traffic_by_class() {
  Json properties;
  for (int c = 0; c < hw::kTrafficClasses; ++c) {
    properties[to_string(static_cast<hw::TrafficClass>(c))] = reference("read_write");
  }
  return object(properties);
}

Json dram_traffic() {
  Json schema = traffic_by_class();
  for (const char* name :
       {"bus_bytes", "compulsory_bytes", "fusion_saved_bytes", "residency_saved_bytes"}) {
    schema["properties"][name] = integer();
    schema["required"].push_back(name);
  }
  return schema;
}

Json traffic() {
  Json schema = object({{"dram", reference("dram_traffic")}});
  schema["additionalProperties"] = reference("traffic_by_class");
  return schema;
}

/// Null where the DRAM model has no rows, or nothing moved.
Json dram_streams() {
  const Json fraction = {{"type", "number"}, {"minimum", 0}, {"maximum", 1}};
  const Json stream = object({{"bursts", or_null(integer())},
                              {"row_hit_rate", or_null(fraction)},
                              {"sustained_fraction", or_null(fraction)}});
  Json properties;
  for (int c = 0; c < hw::kTrafficClasses; ++c) {
    properties[to_string(static_cast<hw::TrafficClass>(c))] = stream;
  }
  return object(properties);
}

Json dram_commands() {
  return or_null(object({{"activates", integer()},
                         {"precharges", integer()},
                         {"reads", integer()},
                         {"writes", integer()},
                         {"refreshes_all", integer()},
                         {"refreshes_bank", integer()}}));
}

/// Null parts: nothing stands behind them. `activate_j` holds the precharges.
Json dram_energy() {
  return or_null(object({{"activate_j", or_null(number())},
                         {"read_j", number()},
                         {"write_j", number()},
                         {"refresh_j", or_null(number())},
                         {"background_j", or_null(number())},
                         {"total_j", number()},
                         {"by", one_of({"command", "bit"})},
                         {"source", text()}}));
}

Json bounds() {
  return object({{"compute_cycles", integer()},
                 {"as_mapped_cycles", integer()},
                 {"dram_cycles", integer()},
                 {"dram_as_mapped_cycles", integer()},
                 {"scratchpad_cycles", known_if_simulated()},
                 {"vector_cycles", integer()}});
}

Json roofline() {
  const Json bound = one_of({"compute", "dram", "scratchpad", "vector"});
  const Json fraction = {{"type", "number"}, {"minimum", 0}, {"maximum", 1}};
  return object({{"operational_intensity", or_null(number())},
                 {"ridge", number()},
                 {"ridge_bandwidth", one_of({"peak", "sustained"})},
                 {"bound", bound},
                 {"achieved_fraction", fraction},
                 {"next_bound", bound},
                 {"next_bound_distance", fraction},
                 {"as_mapped_bound", bound},
                 {"as_mapped_next_bound", bound},
                 {"as_mapped_next_share", fraction},
                 {"bytes", integer()}});
}

Json mapping() {
  return object({{"dataflow", or_null(text())},
                 {"tile", object({{"m", integer()}, {"k", integer()}, {"n", integer()}})},
                 {"loop_order", or_null(text())},
                 {"double_buffered", texts()},
                 {"resident", texts()},
                 {"dram_bytes", integer()},
                 {"least_dram_bytes", integer()},
                 {"lower_bound_bytes", integer()},
                 {"gap", {{"type", Json::array({"number", "null"})}}},
                 {"analytical_cycles", integer()}});
}

Json vector_cycles() {
  return object(
      {{"hidden_cycles", known_if_simulated()}, {"exposed_cycles", known_if_simulated()}});
}

/// What totals, phases and operators have in common.
Json figures() {
  return {{"cycles", integer()},
          {"span_cycles", known_if_simulated()},
          {"time_s", number()},
          {"macs", integer()},
          {"utilization", {{"type", "number"}, {"minimum", 0}, {"maximum", 1}}},
          {"energy_j", or_null(number())},
          {"bounds", reference("bounds")},
          {"attribution", reference("attribution")},
          {"traffic", reference("traffic")},
          {"dram_streams", reference("dram_streams")},
          {"reuse", object({{"weights", or_null(number())}, {"activations", or_null(number())}})},
          {"roofline", reference("roofline")},
          {"vector", reference("vector_cycles")}};
}

Json row(Json properties) {
  properties.update(figures());
  return object(properties);
}

Json operator_row() {
  return row({{"name", text()},
              {"phase", text()},
              {"layer", or_null(integer())},
              {"core", integer()},
              {"kind", text()},
              {"m", integer()},
              {"k", integer()},
              {"n", integer()},
              {"count", integer()},
              {"members", texts()},
              {"mapping", reference("mapping")}});
}

Json phase_row() {
  return row({{"name", text()},
              {"title", text()},
              {"unit", text()},
              {"units", integer()},
              {"repeat", integer()}});
}

Json definitions() {
  return {{"read_write",
           object({{"read_bytes", known_if_simulated()}, {"write_bytes", known_if_simulated()}})},
          {"traffic_by_class", traffic_by_class()},
          {"dram_traffic", dram_traffic()},
          {"traffic", traffic()},
          {"dram_streams", dram_streams()},
          {"bounds", bounds()},
          {"attribution", causes()},
          {"roofline", or_null(roofline())},  // null: nothing crosses the DRAM
          {"mapping", mapping()},
          {"vector_cycles", vector_cycles()},
          {"operator", operator_row()},
          {"phase", phase_row()},
          {"totals", row({{"title", text()}, {"unit", text()}, {"units", integer()}})}};
}

/// Sides are numbers in base units, or words; null where a figure is not known.
Json expectation() {
  const Json side{{"type", Json::array({"number", "string", "null"})}};
  return object({{"expect", text()},
                 {"holds", {{"type", "boolean"}}},
                 {"left", side},
                 {"right", side},
                 {"margin", or_null(number())},
                 {"reason", or_null(text())}});
}

void append_machine(Json& properties) {
  properties["units"] = map_of(object(
      {{"busy_cycles", integer()}, {"stalled_cycles", integer()}, {"idle_cycles", integer()}}));
  properties["vector"] = reference("vector_cycles");
  properties["buffers"] = map_of(object({{"capacity_bytes", integer()},
                                         {"peak_bytes", known_if_simulated()},
                                         {"first_size_that_changes", or_null(text())}}));
  properties["dram"] = object({{"sustained_fraction", or_null(number())},
                               {"row_hit_rate", or_null(number())},
                               {"bursts", known_if_simulated()},
                               {"commands", dram_commands()},
                               {"energy", dram_energy()},
                               {"peak_bytes_per_second", number()}});
  properties["array"] = object({{"peak_macs_per_cycle", number()}, {"core_hz", number()}});
  properties["model_notes"] = texts();
}

}  // namespace

nlohmann::ordered_json report_schema() {
  Json properties;
  properties["schema"] = {{"const", "tessera-report/1"}};
  for (const char* name :
       {"tool_version", "model_version", "run", "hardware", "precision", "fidelity"}) {
    properties[name] = text();
  }
  properties["config"] = {{"type", Json::array({"object", "null"})}};
  properties["totals"] = reference("totals");
  properties["phases"] = {{"type", "array"}, {"items", reference("phase")}};
  properties["operators"] = {{"type", "array"}, {"items", reference("operator")}};
  append_machine(properties);
  properties["expectations"] = {{"type", "array"}, {"items", expectation()}};
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"$id", "tessera-report/1"},
                 {"title", "Report of a Tessera run"}};
  schema.update(object(properties));
  schema["$defs"] = definitions();
  return schema;
}

}  // namespace tessera::sim
