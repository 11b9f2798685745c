// Everything that comes from the field table agrees: shipped files, resolved tree, schema, page.
#include <catch2/catch.hpp>

#include <regex>
#include <sstream>

#include "tests/sim/config/config_fixture.h"

namespace tessera::sim {

namespace {

using Json = nlohmann::ordered_json;

/// The parts of JSON Schema that config_schema uses. Returns what is wrong, or "".
class SchemaCheck {
 public:
  explicit SchemaCheck(Json root) : root_(std::move(root)) {}

  std::string check(const Json& value) const { return check(root_, value, "$"); }

 private:
  std::string check(const Json& schema, const Json& value, const std::string& path) const;
  std::string check_object(const Json& schema, const Json& value, const std::string& path) const;
  std::string check_type(const Json& schema, const Json& value) const;

  Json root_;
};

std::string SchemaCheck::check_type(const Json& schema, const Json& value) const {
  const std::string type = schema.value("type", "");
  if (type == "object" && !value.is_object()) return "no object";
  if (type == "array" && !value.is_array()) return "no array";
  if (type == "string" && !value.is_string()) return "no string";
  if (type == "boolean" && !value.is_boolean()) return "no boolean";
  if (type == "integer" && !value.is_number_integer()) return "no integer";
  if (type == "number" && !value.is_number()) return "no number";
  if (value.is_number()) {
    if (schema.contains("minimum") && value < schema["minimum"]) return "too small";
    if (schema.contains("maximum") && value > schema["maximum"]) return "too large";
  }
  if (schema.contains("enum")) {
    const Json& words = schema["enum"];
    if (std::find(words.begin(), words.end(), value) == words.end()) return "not in enum";
  }
  if (schema.contains("pattern") &&
      !std::regex_search(value.get<std::string>(),
                         std::regex(schema["pattern"].get<std::string>()))) {
    return "pattern";
  }
  return "";
}

std::string SchemaCheck::check_object(const Json& schema, const Json& value,
                                      const std::string& path) const {
  const Json properties = schema.value("properties", Json::object());
  const Json patterns = schema.value("patternProperties", Json::object());
  for (const auto& [key, each] : value.items()) {
    const Json* below = properties.contains(key) ? &properties[key] : nullptr;
    for (const auto& [pattern, property] : patterns.items()) {
      if (!below && std::regex_search(key, std::regex(pattern))) below = &property;
    }
    if (!below) return path + "." + key + ": unknown";
    const std::string wrong = check(*below, each, path + "." + key);
    if (!wrong.empty()) return wrong;
  }
  for (const Json& key : schema.value("required", Json::array())) {
    if (!value.contains(key.get<std::string>())) return path + ": misses " + key.dump();
  }
  return "";
}

std::string SchemaCheck::check(const Json& schema, const Json& value,
                               const std::string& path) const {
  if (schema.contains("$ref")) {
    return check(root_.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1))), value,
                 path);
  }
  if (schema.contains("anyOf")) {
    std::string wrong;
    for (const Json& option : schema["anyOf"]) {
      wrong = check(option, value, path);
      if (wrong.empty()) return "";
    }
    return wrong;
  }
  const std::string wrong = check_type(schema, value);
  if (!wrong.empty()) return path + ": " + wrong + " " + value.dump();
  if (value.is_object()) return check_object(schema, value, path);
  if (value.is_array()) {
    for (const Json& each : value) {
      const std::string bad = check(schema["items"], each, path + "[]");
      if (!bad.empty()) return bad;
    }
  }
  return "";
}

std::string reference_path() { return std::string(TESSERA_SOURCE_DIR) + "/docs/configuration.md"; }

}  // namespace

TEST_CASE("every shipped hardware and run loads") {
  for (const ListEntry& entry : list_configs("hardware")) {
    INFO(entry.path);
    CHECK_NOTHROW(load_hardware(entry.path));
  }
  for (const ListEntry& entry : list_configs("runs")) {
    INFO(entry.path);
    CHECK_NOTHROW(load_run(entry.name));
  }
  for (const ListEntry& entry : list_configs("models")) {
    INFO(entry.path);
    CHECK(load_run("siglip_edge", {"workload={model: " + entry.name + "}"}).phases.size() == 1);
  }
}

TEST_CASE("shipped buffers feed the array one row of each operand a cycle") {
  for (const ListEntry& entry : list_configs("hardware")) {
    INFO(entry.name);
    const hw::HardwareConfig machine = load_hardware(entry.name);
    const auto buffer = [&](hw::Role role) {
      return machine.buffers[hw::buffer_of(machine, role)];
    };
    CHECK(buffer(hw::Role::kActivations).width >= machine.array.rows);
    CHECK(buffer(hw::Role::kStationary).width >= machine.array.cols);
    const hw::BufferConfig sums = buffer(hw::Role::kAccumulators);
    CHECK(sums.width * 8 >= machine.array.cols * sums.element_bits);
    // An engine that lives on one port for all operands is the exception.
    if (sums.roles.size() < 4) CHECK(sums.ports >= 2);
    const double interconnect = static_cast<double>(machine.interconnect.width) *
                                static_cast<double>(machine.clocks.interconnect_hz);
    CHECK(interconnect >= machine.dram.peak_bytes_per_second);
  }
}

TEST_CASE("the edge machine is the reference of the shipped runs") {
  const hw::HardwareConfig edge = load_hardware("edge_32x32");
  CHECK(edge.dram.peak_bytes_per_second == 25.6e9);
  CHECK(hw::sram_bytes(edge) == (512 + 256 + 128) << 10);
  CHECK(hw::macs_per_cycle(edge.array, "w8a8") == 1024);
  CHECK(hw::sram_bytes(load_hardware("server_128x128")) == 8 << 20);
}

TEST_CASE("the resolved tree is the same each time and reads back as itself") {
  ConfigFolder folder;
  for (const ListEntry& entry : list_configs("runs")) {
    INFO(entry.name);
    const RunConfig run = load_run(entry.name);
    const std::string text = run.resolved.dump(2);
    CHECK(load_run(entry.name).resolved.dump(2) == text);
    folder.write("again.yaml", text);
    const RunConfig again = load_run("again");
    CHECK(again.resolved.dump(2) == text);
    CHECK(again.name == run.name);
    CHECK(again.hardware.dram.peak_bytes_per_second == run.hardware.dram.peak_bytes_per_second);
    CHECK(again.precision_name == run.precision_name);
    CHECK(text.find(TESSERA_SOURCE_DIR) == std::string::npos);
  }
}

TEST_CASE("a resolved tree with every kind of value reads back as itself") {
  ConfigFolder folder;
  folder.write("case.yaml",
               run_and("mapping: {objective: {minimize: dram_bytes, within: 12.5 %}, pin: {\"*\": "
                       "{tile: {m: 3}, resident: []}}}\nroofline: {bandwidth: sustained}\n"
                       "fusion: none\n"));
  const std::vector<std::string> sets{
      "hardware.clocks={core: 933.25 MHz, interconnect: 1.2 GHz}",
      "hardware.buffers.scratchpad.bank_mapping=interleaved(256 B)",
      "hardware.dram={standard: custom, peak: 1.5 GiB/s, latency: 12.345 ns, efficiency: 0.3}",
      "hardware.array.throughput={w8a8: 0.1}", "workload.not_before=33.3 ms"};
  const RunConfig run = load_run("case", sets);
  CHECK(run.hardware.dram.peak_bytes_per_second == 1.5 * (1 << 30));
  CHECK(run.hardware.dram.latency_fs == 12'345'000);
  folder.write("again.yaml", run.resolved.dump());
  const RunConfig again = load_run("again");
  CHECK(again.resolved.dump(2) == run.resolved.dump(2));
  CHECK(again.hardware.clocks.core_hz == 933'250'000);
  CHECK(again.hardware.dram.latency_fs == 12'345'000);
  CHECK_FALSE(again.ridge_at_peak);
}

TEST_CASE("a standard of one's own reads back with its energy") {
  for (const char* energy :
       {"", ", energy: {per_bit: 4.25 pJ, source: 'ours: a'}",
        ", energy: {activate: 1.2 nJ, read: 0.8 nJ, write: 900 fJ, refresh_all: 32 nJ, "
        "background: 50.5 mW, source: ours}"}) {
    INFO(energy);
    ConfigFolder folder;
    folder.write("hw.yaml", kHardware + "dram: {standard: {base: DDR4-3200, rows: 1024" +
                                std::string(energy) + "}}\n");
    const RunConfig run = load_run("case");
    folder.write("again.yaml", run.resolved.dump());
    CHECK(load_run("again").resolved.dump(2) == run.resolved.dump(2));
    CHECK(run.resolved["hardware"]["dram"]["standard"].contains("energy"));
    const SchemaCheck schema(config_schema("run"));
    CHECK(schema.check(run.resolved) == "");
  }
}

TEST_CASE("the schema accepts every resolved tree and knows every key") {
  const SchemaCheck run_schema(config_schema("run"));
  const SchemaCheck hardware_schema(config_schema("hardware"));
  const SchemaCheck model_schema(config_schema("model"));
  for (const ListEntry& entry : list_configs("runs")) {
    INFO(entry.name);
    const RunConfig run = load_run(entry.name);
    CHECK(run_schema.check(run.resolved) == "");
    CHECK(hardware_schema.check(run.resolved["hardware"]) == "");
  }
  const RunConfig single = load_run("bert_edge");
  CHECK(model_schema.check(single.resolved["workload"]["model"]) == "");
}

TEST_CASE("the schema refuses what the reader refuses") {
  const SchemaCheck schema(config_schema("run"));
  Json run = load_run("bert_edge").resolved;
  run["hardware"]["array"]["rows"] = 0;
  CHECK(schema.check(run) != "");
  run = load_run("bert_edge").resolved;
  run["hardware"]["array"]["rowz"] = 8;
  CHECK(schema.check(run) != "");
  run = load_run("bert_edge").resolved;
  run["hardware"]["buffers"]["weights"]["capacity"] = "512 KB";
  CHECK(schema.check(run) != "");
  CHECK_THROWS_AS(config_schema("sweep"), ConfigError);
}

TEST_CASE("the reference page is the one that the field table generates") {
  std::ifstream file(reference_path());
  std::ostringstream text;
  text << file.rdbuf();
  const bool same = text.str() == config_reference();  // else: test_config "[.update]"
  CHECK(same);
}

TEST_CASE("write the reference page", "[.update]") {
  std::ofstream(reference_path()) << config_reference();
}

}  // namespace tessera::sim
