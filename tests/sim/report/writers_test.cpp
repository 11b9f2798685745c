#include <catch2/catch.hpp>

#include <sstream>

#include "sample.h"
#include "sim/report/format.h"
#include "sim/report/yaml_text.h"

using namespace tessera;
using namespace tessera::sim;
using namespace tessera::sim::test;
using Json = nlohmann::ordered_json;
using Catch::Contains;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string line_with(const std::string& text, const std::string& part) {
  for (const auto& line : lines_of(text)) {
    if (line.find(part) != std::string::npos) return line;
  }
  return "";
}

bool has_type(const Json& value, const std::string& type) {
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  if (type == "null") return value.is_null();
  return type == "object" && value.is_object();
}

/// Where `value` breaks the part of JSON Schema that report_schema() uses; empty: nowhere.
std::string violation(const Json& root, Json schema, const Json& value, const std::string& path);

std::string object_violation(const Json& root, const Json& schema, const Json& value,
                             const std::string& path) {
  for (const auto& name : schema.value("required", Json::array())) {
    if (!value.contains(name.get<std::string>())) return path + ": no " + name.dump();
  }
  const Json properties = schema.value("properties", Json::object());
  for (const auto& item : value.items()) {
    Json below = properties.value(item.key(), Json(nullptr));
    if (below.is_null()) below = schema.value("additionalProperties", Json(nullptr));
    if (below.is_null()) continue;
    const auto found = violation(root, below, item.value(), path + "." + item.key());
    if (!found.empty()) return found;
  }
  return "";
}

std::string violation(const Json& root, Json schema, const Json& value, const std::string& path) {
  if (schema.contains("$ref")) {
    schema = root.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1)));
  }
  if (schema.contains("const") && schema["const"] != value) return path + ": not the constant";
  if (schema.contains("type")) {
    const Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
    bool fits = false;
    for (const auto& type : types) fits = fits || has_type(value, type.get<std::string>());
    if (!fits) return path + ": type of " + value.dump();
  }
  if (schema.contains("enum")) {
    const Json& allowed = schema["enum"];
    if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) return path + ": enum";
  }
  if (value.is_number() && schema.contains("minimum") && value < schema["minimum"]) {
    return path + ": minimum";
  }
  if (value.is_number() && schema.contains("maximum") && value > schema["maximum"]) {
    return path + ": maximum";
  }
  if (value.is_array() && schema.contains("items")) {
    for (const auto& item : value) {
      const auto found = violation(root, schema["items"], item, path + "[]");
      if (!found.empty()) return found;
    }
  }
  return value.is_object() ? object_violation(root, schema, value, path) : "";
}

void check_names(const Json& json, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    INFO(name);
    CHECK(json.contains(name));
  }
}

}  // namespace

TEST_CASE("report.json has the names of the contract") {
  const Json json = report_json(encoder_sample().report());
  CHECK(json["schema"] == "tessera-report/1");
  check_names(json, {"tool_version", "model_version", "config", "totals", "phases", "operators",
                     "units", "vector", "buffers", "dram"});
  const Json& op = json["operators"][0];
  check_names(
      op, {"name",     "phase",  "layer",       "core",        "kind",   "m",        "k",
           "n",        "count",  "cycles",      "span_cycles", "time_s", "macs",     "utilization",
           "energy_j", "bounds", "attribution", "traffic",     "reuse",  "roofline", "mapping"});
  check_names(op["vector"], {"hidden_cycles", "exposed_cycles"});
  check_names(op["bounds"], {"compute_cycles", "as_mapped_cycles", "dram_cycles",
                             "scratchpad_cycles", "vector_cycles"});
  check_names(op["attribution"], {"compute", "preload", "fill_drain", "wait_weights",
                                  "wait_activations", "wait_accumulator", "wait_scratchpad",
                                  "wait_vector", "wait_store", "wait_dispatch", "tail"});
  check_names(op["traffic"], {"dram", "weights", "accumulators", "activations"});
  check_names(op["traffic"]["dram"],
              {"weights", "activations", "outputs", "partial_sums", "kv_cache", "bus_bytes"});
  check_names(op["roofline"], {"operational_intensity", "ridge", "ridge_bandwidth", "bound",
                               "achieved_fraction", "next_bound", "next_bound_distance"});
  check_names(op["mapping"], {"dataflow", "tile", "loop_order", "double_buffered", "dram_bytes",
                              "least_dram_bytes", "lower_bound_bytes", "gap"});
  check_names(json["phases"][0], {"repeat", "cycles", "bounds"});
  check_names(json["buffers"]["weights"], {"capacity_bytes", "peak_bytes"});
  check_names(json["dram"], {"sustained_fraction", "row_hit_rate", "bursts"});
  check_names(json["vector"], {"hidden_cycles", "exposed_cycles"});
}

TEST_CASE("hidden and exposed vector time of the operators add up to that of the run") {
  const Sample sample = encoder_sample();
  const Report report = sample.report();
  const Json json = report_json(report);
  Cycles busy = 0;
  for (const auto& op : sample.counters.operators) busy += op.vector_busy;
  Cycles hidden = 0, exposed = 0;
  for (const Json& op : json["operators"]) {
    hidden += op["vector"]["hidden_cycles"].get<Cycles>();
    exposed += op["vector"]["exposed_cycles"].get<Cycles>();
  }
  CHECK(hidden + exposed == busy);
  CHECK(json["vector"]["hidden_cycles"] == hidden);
  CHECK(json["vector"]["exposed_cycles"] == exposed);
  const std::string text = report_text(report, {}, {160, false, false});
  CHECK_THAT(text, Contains(" hidden\n"));
}

/// The sample on 2 channels of `standard`, with round counts of commands and its cycles as ns.
Sample dram_sample(const std::string& standard, hw::DramModel model) {
  Sample sample = encoder_sample();
  hw::DramConfig& dram = sample.config.hardware.dram;
  dram.standard = standard;
  dram.device = *hw::find_dram_device(standard);
  dram.channels = 2;
  dram.model = model;
  sample.counters.dram_bursts = 1'000'000;
  if (model == hw::DramModel::kTiming) {
    sample.counters.dram_commands = {10'000, 9'000, 800'000, 200'000, 10, 0};
  }
  return sample;
}

TEST_CASE("the DRAM's energy is the sum of its commands and its time") {
  const Sample sample = dram_sample("DDR4-3200", hw::DramModel::kTiming);
  const Json energy = report_json(sample.report())["dram"]["energy"];
  const hw::DramCommandEnergy& each = *sample.config.hardware.dram.device.energy.commands;
  const double seconds = 1e-9 * static_cast<double>(sample.counters.total);
  const double activate = 1e-15 * 1e4 * each.activate, read = 1e-15 * 8e5 * each.read;
  const double write = 1e-15 * 2e5 * each.write, refresh = 1e-15 * 10 * each.refresh_all;
  const double background = 1e-6 * 2 * seconds * each.background;
  CHECK(energy["activate_j"].get<double>() == Approx(activate));
  CHECK(energy["read_j"].get<double>() == Approx(read));
  CHECK(energy["write_j"].get<double>() == Approx(write));
  CHECK(energy["refresh_j"].get<double>() == Approx(refresh));
  CHECK(energy["background_j"].get<double>() == Approx(background));
  CHECK(energy["total_j"].get<double>() == Approx(activate + read + write + refresh + background));
  CHECK(energy["by"] == "command");
  CHECK_THAT(energy["source"].get<std::string>(), Contains("DRAMsim3"));
}

TEST_CASE("the bandwidth model knows no activates and no refreshes") {
  const Sample sample = dram_sample("DDR4-3200", hw::DramModel::kBandwidth);
  const Json energy = report_json(sample.report())["dram"]["energy"];
  const hw::DramCommandEnergy& each = *sample.config.hardware.dram.device.energy.commands;
  CHECK(energy["activate_j"].is_null());
  CHECK(energy["refresh_j"].is_null());
  CHECK(energy["background_j"].get<double>() > 0);
  const double bursts = energy["read_j"].get<double>() / (1e-15 * each.read) +
                        energy["write_j"].get<double>() / (1e-15 * each.write);
  CHECK(bursts == Approx(1e6));
}

TEST_CASE("energy by bit has reads and writes alone") {
  const Sample sample = dram_sample("LPDDR5-6400", hw::DramModel::kTiming);
  const Json energy = report_json(sample.report())["dram"]["energy"];
  for (const char* part : {"activate_j", "refresh_j", "background_j"}) {
    CHECK(energy[part].is_null());
  }
  CHECK(energy["total_j"].get<double>() == Approx(1e6 * 32 * 8 * 5e-12));
  CHECK(energy["by"] == "bit");
  CHECK_THAT(energy["source"].get<std::string>(), Contains("an assumption"));
}

TEST_CASE("the energy of the DRAM is a line of the text, and on-chip energy is left out") {
  const Report report = dram_sample("DDR4-3200", hw::DramModel::kTiming).report();
  for (const int width : {80, 100, 160}) {
    const std::string text = report_text(report, {}, {width, false, false});
    CHECK_THAT(text, Contains("\n DRAM energy ") && Contains("background") && Contains("pJ/bit") &&
                         Contains("IDD of DRAMsim3"));
    CHECK_THAT(text, Contains("no on-chip energy"));
    for (const auto& line : lines_of(text)) CHECK(display_width(line) <= width);
  }
  const std::string none = report_text(encoder_sample().report(), {}, {100, false, false});
  CHECK_THAT(none, !Contains("DRAM energy") && Contains("no energy model"));
}

TEST_CASE("a source of any length keeps to the page") {
  Sample sample = dram_sample("LPDDR5-6400", hw::DramModel::kTiming);
  sample.config.hardware.dram.device.energy.source = std::string(200, 'x');
  for (const auto& line : lines_of(report_text(sample.report(), {}, {80, false, false}))) {
    CHECK(display_width(line) <= 80);
  }
}

TEST_CASE("what has no model is null never 0") {
  const Json json = report_json(encoder_sample().report());
  CHECK(json["totals"]["energy_j"].is_null());
  CHECK(json["dram"]["row_hit_rate"].is_null());
  CHECK(json["dram"]["energy"].is_null());
  CHECK(json["operators"][1]["reuse"]["weights"].is_null());  // Softmax loads none
  CHECK(json["operators"][1]["mapping"]["dataflow"].is_null());
}

TEST_CASE("a report obeys its schema and the schema notices when it does not") {
  const Json schema = report_schema();
  Json json = report_json(encoder_sample().report());
  CHECK(violation(schema, schema, json, "report").empty());
  for (const char* standard : {"DDR4-3200", "LPDDR5-6400"}) {
    for (const auto model : {hw::DramModel::kBandwidth, hw::DramModel::kTiming}) {
      const Json with_energy = report_json(dram_sample(standard, model).report());
      CHECK(violation(schema, schema, with_energy, "report").empty());
    }
  }
  Json broken = json;
  broken["totals"].erase("cycles");
  CHECK_THAT(violation(schema, schema, broken, "report"), Contains("no \"cycles\""));
  broken = json;
  broken["operators"][0]["roofline"]["bound"] = "bandwidth";
  CHECK_THAT(violation(schema, schema, broken, "report"), Contains("roofline.bound: enum"));
  broken = json;
  broken["operators"][0]["utilization"] = 1.5;
  CHECK_THAT(violation(schema, schema, broken, "report"), Contains("utilization: maximum"));
}

TEST_CASE("reuse counts array uses per byte loaded") {
  const Json op = report_json(gate_sample().report())["operators"][0];
  CHECK(op["reuse"]["weights"].get<double>() == Approx(50.0));        // every weight meets M rows
  CHECK(op["reuse"]["activations"].get<double>() == Approx(2560.0));  // every input, N columns
}

TEST_CASE("the same input gives the same bytes") {
  CHECK(report_json(encoder_sample().report()).dump() ==
        report_json(encoder_sample().report()).dump());
}

TEST_CASE("CSV has one header a row per operator and layer and stacks by its run column") {
  const auto lines = lines_of(report_csv(encoder_sample().report()));
  REQUIRE(lines.size() == 7);
  CHECK(lines[0].rfind("run,name,phase,layer,core,kind,m,k,n,count,", 0) == 0);
  CHECK_THAT(lines[0], Contains("bounds.compute_cycles") && Contains("attribution.wait_vector") &&
                           Contains("traffic.dram.weights.read_bytes") &&
                           Contains("mapping.tile.m") && Contains("roofline.bound") &&
                           Contains("vector.hidden_cycles") && Contains("vector.exposed_cycles"));
  CHECK(lines[1].rfind("sample_run,Attn_Q,vision,0,0,", 0) == 0);
  const auto commas = [](const std::string& line) {
    return std::count(line.begin(), line.end(), ',');
  };
  for (const auto& line : lines) CHECK(commas(line) == commas(lines[0]));
  Sample other = encoder_sample();
  other.config.name = "other, with a comma";
  const auto others = lines_of(report_csv(other.report()));
  CHECK(others[0] == lines[0]);
  CHECK(others[1].rfind("\"other, with a comma\",", 0) == 0);
}

TEST_CASE("the text never exceeds its width") {
  Sample sample = encoder_sample();
  add_phase(sample, "a_phase_with_a_long_name",
            "A model whose title does not fit anywhere, 1 image");
  add_gemm(sample, "An_operator_whose_name_is_quite_long", 0, 16384, 12288, 49152, 123456789);
  const Report report = sample.report();
  const std::vector<WhatIf> what_ifs{
      {"hardware.buffers.activations.capacity: 1 MiB", true, "MLP_FC1: wait_weights -1.2 M", 1000,
       1e-3, 5},
      {"hardware.array.cols: 64", false, "does not fit: accumulators by 131072 bytes of them all",
       0, 0, 0}};
  for (const int width : {80, 100, 160}) {
    for (const bool all : {false, true}) {
      for (const auto& line : lines_of(report_text(report, what_ifs, {width, all, true}))) {
        INFO(line);
        CHECK(display_width(line) <= width);
      }
    }
  }
}

TEST_CASE("the text answers first with the reports own numbers") {
  const Sample sample = encoder_sample();
  const Report report = sample.report();
  const std::string text = report_text(report, {}, {100, false, false});
  const auto lines = lines_of(text);
  CHECK(lines[0] == "sample_run   Test-ViT, 1 image, w8a8   edge_32x32, transaction");
  // 2 x (589824 + 500 + 1372000 + 2359296 + 2000) cycles at 1 GHz
  CHECK_THAT(lines[2], Contains("8.647 ms") && Contains("8,647,240 cycles") &&
                           Contains("116 images/s") && Contains("of 2.05 TOPS (68.2 %)") &&
                           Contains("1.47 x its bound"));
  CHECK_THAT(line_with(text, " bounds "), Contains("array 5.898 ms") && Contains("DRAM ") &&
                                              Contains("vector 2.744 ms (0.000 hidden)"));
  CHECK_THAT(text, Contains("ridge 80 ops/B (peak)"));
  CHECK_THAT(line_with(text, "computing"),
             Contains("5.898") && Contains("68.2 %") && Contains("███"));
  CHECK_THAT(line_with(text, "vector unit"), Contains("Softmax 2.7") && Contains("31.7 %"));
  CHECK_THAT(line_with(text, "12288 x 1024"),
             Contains("12288 x 1024") && Contains(" 31.7 ") && Contains("vector  DRAM 72 %"));
  CHECK_THAT(line_with(text, " BUFFERS "), Contains("weights 240 of 256 KiB, not full") &&
                                               Contains("accumulators 128 of 128 KiB"));
  CHECK_THAT(text, Contains("DRAM model `bandwidth`: no rows, no refresh"));
}

TEST_CASE("at 80 columns the verdicts stay at 160 the tiles come") {
  const Report report = encoder_sample().report();
  const std::string narrow = report_text(report, {}, {80, false, false});
  const std::string wide = report_text(report, {}, {160, false, false});
  CHECK_THAT(line_with(narrow, "OPERATOR"), Contains("limit") && Contains("share"));
  CHECK_THAT(line_with(narrow, "OPERATOR"), !Contains("tile"));
  CHECK_THAT(line_with(wide, "OPERATOR"),
             Contains("tile") && Contains("alone") && Contains("flow"));
  CHECK_THAT(line_with(wide, " MLP_FC1 "), Contains("1024x768x64") && Contains("WS"));
}

TEST_CASE("layers fold unless all are asked for") {
  const Report report = encoder_sample().report();
  CHECK_THAT(report_text(report, {}, {100, false, false}), !Contains("L1.Softmax"));
  CHECK_THAT(report_text(report, {}, {100, true, false}),
             Contains("L0.Softmax") && Contains("L1.Softmax"));
  const auto causes = [&](bool all) {
    const std::string text = report_text(report, {}, {100, all, false});
    const std::size_t begin = text.find("ARRAY CYCLES");
    return text.substr(begin, text.find("OPERATOR") - begin);
  };
  CHECK(causes(true) == causes(false));
}

TEST_CASE("many small operators end in one line that adds them up") {
  Sample sample = encoder_sample();
  for (int i = 0; i < 9; ++i) add_gemm(sample, "Tiny_" + std::to_string(i), -1, 32, 32, 32, 968);
  const std::string text = report_text(sample.report(), {}, {100, false, false});
  const std::string line = line_with(text, "... ");
  CHECK_THAT(line, Contains("... 7 more") && Contains("(--all)"));
  CHECK_THAT(line, Contains("0.007"));  // 7 x (32 + 968) cycles
  CHECK_THAT(report_text(sample.report(), {}, {100, true, false}), !Contains("more"));
}

TEST_CASE("a roofline that differs from the mappings limit is said with its ridge") {
  const std::string text = report_text(gate_sample(2.0).report(), {}, {100, false, false});
  CHECK_THAT(text,
             Contains("MLP_Gate: roofline says array, 93.3 ops/B against a ridge of 80 (peak)") &&
                 Contains("as mapped: DRAM"));
  CHECK_THAT(report_text(gate_sample().report(), {}, {100, false, false}),
             !Contains("roofline says"));
}

TEST_CASE("several phases get a table") {
  Sample sample = encoder_sample();
  add_phase(sample, "text", "Test-LM, 1 prompt of 50 tokens");
  add_gemm(sample, "MLP_Gate", 0, 50, 960, 2560, 1000);
  const std::string text = report_text(sample.report(), {}, {100, false, false});
  CHECK_THAT(text, Contains(" PHASE") && Contains("requests/s") && Contains("text.MLP_Gate"));
  CHECK_THAT(line_with(text, "Test-LM"), Contains("121,000"));
}

TEST_CASE("what-if lines show time change and traffic and why one cannot be") {
  const Report report = encoder_sample().report();
  const std::vector<WhatIf> what_ifs{
      {"hardware.vector.lanes: 64", true, "Softmax: wait_vector -1.372 M cycles", 7275240,
       7.27524e-3, 66715648},
      {"hardware.array.cols: 64", false, "does not fit", 0, 0, 0}};
  const std::string text = report_text(report, what_ifs, {100, false, false});
  CHECK_THAT(line_with(text, "vector.lanes"), Contains("7.275") && Contains("-15.9 %"));
  CHECK_THAT(line_with(text, "array.cols"), Contains("does not fit"));
}

TEST_CASE("colour appears only when asked for") {
  const Report report = encoder_sample().report();
  CHECK_THAT(report_text(report, {}, {100, false, false}), !Contains("\x1b["));
  CHECK_THAT(report_text(report, {}, {100, false, true}), Contains("\x1b["));
}

TEST_CASE("a report without work is still a report") {
  Sample sample = edge_sample();
  add_phase(sample, "vision", "empty");
  const Report report = sample.report();
  CHECK_NOTHROW(report_text(report, {}, {80, false, false}));
  const Json schema = report_schema();
  CHECK(violation(schema, schema, report_json(report), "report").empty());
}

TEST_CASE("numbers and bars") {
  CHECK(grouped(126230269) == "126,230,269");
  CHECK(grouped(-1234) == "-1,234");
  CHECK(grouped(-123) == "-123");
  CHECK(fixed(1566.25, 1) == "1,566.2");
  CHECK(significant(0.01234, 3) == "0.01");
  CHECK(bar(1.0, 2) == "██");
  CHECK(bar(0.5, 1) == "▌");
  CHECK(bar(0.0001, 10) == "▏");
  CHECK(bar(0.0, 10).empty());
  CHECK(display_width("a█▌\x1b[1mb\x1b[0m") == 4);
  CHECK(clip("abcdef", 4) == "abc…");
  CHECK(of_capacity(392 << 10, 512 << 10) == "392 of 512 KiB");
}

TEST_CASE("the graph as CSV has the columns of operators.csv layers summed") {
  const auto lines = lines_of(describe_graph(encoder_sample().graph, "csv"));
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] ==
        "model,phase,batch,seq,operator,kind,M,K,N,count,macs,weight_elems,in_elems,out_elems");
  CHECK(lines[1] ==
        "Test-ViT,vision,1,1024,Attn_Q,gemm,1024,768,768,2,1207959552,1179648,"
        "1572864,1572864");
}

TEST_CASE("the plan as text shows each operators traffic and its gap") {
  const Sample sample = encoder_sample();
  const std::string text = describe_plan(sample.graph, sample.plan, sample.config.hardware, "text");
  CHECK_THAT(line_with(text, "MLP_FC1"),
             Contains("50.0 %") && Contains("9,437.2") && Contains("6,291.5"));
  CHECK_THAT(describe_plan(sample.graph, sample.plan, sample.config.hardware, "csv"),
             Contains("vision.L1.MLP_FC1,1024,768,3072"));
  const Json json =
      Json::parse(describe_plan(sample.graph, sample.plan, sample.config.hardware, "json"));
  CHECK(json["operators"][2]["gap"].get<double>() == Approx(0.5));
}

namespace {

/// Two commands: a load, then a Gemm that waits for it.
class TwoCommands : public hw::CommandSource {
 public:
  std::optional<hw::Command> next() override {
    if (next_ == 2) return std::nullopt;
    hw::Command command;
    command.id = next_;
    command.op = 0;
    if (next_++ == 0) {
      command.transfer.dram.row_bytes = 64;
      command.transfer.region = {0, 0, 64};
      return command;
    }
    command.kind = hw::CommandKind::kGemm;
    command.gemm.m = command.gemm.k = command.gemm.n = 8;
    command.waits = {{0, hw::Hazard::kReadAfterWrite, false}};
    return command;
  }

 private:
  int next_ = 0;
};

std::string program_as(const std::string& format) {
  const Sample sample = gate_sample();
  TwoCommands program;
  std::ostringstream out;
  describe_program(program, sample.graph, sample.config.hardware, format, out);
  return out.str();
}

}  // namespace

TEST_CASE("the program prints as text JSON CSV and YAML") {
  const auto text = lines_of(program_as("text"));
  REQUIRE(text.size() == 2);
  CHECK_THAT(text[0],
             Contains("load") && Contains("text.L0.MLP_Gate") && Contains("weights[0,64)"));
  CHECK_THAT(text[1], Contains("gemm") && Contains("waits raw:0"));
  const Json json = Json::parse(program_as("json"));
  REQUIRE(json.size() == 2);
  CHECK(json[1]["waits"][0]["command"] == 0);
  CHECK(lines_of(program_as("csv")).size() == 3);
  CHECK_THAT(program_as("yaml"), Contains("kind: gemm"));
  CHECK_THROWS_AS(program_as("xml"), std::invalid_argument);
}

TEST_CASE("YAML quotes what it could mistake") {
  CHECK(yaml_text({{"a", "no"}, {"b", "plain"}, {"c", "1x"}, {"d", {1, 2}}}) ==
        "a: \"no\"\nb: plain\nc: \"1x\"\nd: [1, 2]\n");
}

TEST_CASE("the hosts figures have their own document") {
  HostFigures host;
  host.wall_s = 1.5;
  host.events = 7;
  CHECK(host_json(host)["events"] == 7);
  CHECK_THAT(host_footer(host), Contains("1.50 s wall"));
}
