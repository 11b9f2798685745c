#include "sim/config/run_fields.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/config/hardware_fields.h"
#include "sim/config/model_fields.h"

namespace tessera::sim::config {

namespace {

using workloads::PhaseRequest;

constexpr std::int64_t kOneHourFs = 3'600'000'000'000'000'000;
constexpr double kFsPerSecond = 1e15;

/// A key whose mapping has a reader and a writer of its own.
template <class S, class M>
Field<S> custom(std::string key, M S::*member, std::string help, Json schema,
                std::vector<DocRow> rows, M (*read)(const Value&, const std::string&),
                Json (*write)(const M&)) {
  Field<S> made;
  made.key = std::move(key);
  made.allowed = "mapping";
  made.help = std::move(help);
  made.read = [=](const Value& value, const std::string& path, S& out) {
    out.*member = read(value, path);
  };
  made.write = [=](const S& values) { return write(values.*member); };
  made.schema = std::move(schema);
  made.rows = std::move(rows);
  return made;
}

// ---- workload -----------------------------------------------------------------------------------

Field<PhaseRequest> model_field() {
  Field<PhaseRequest> made;
  made.key = "model";
  made.allowed = "name, path or mapping";
  made.help = "The model: see its keys below.";
  made.required = true;
  made.read = [](const Value& value, const std::string& path, PhaseRequest& out) {
    out.model = read_model(value, path);
  };
  made.write = [](const PhaseRequest& phase) { return write_model(phase.model); };
  made.schema = {
      {"anyOf", Json::array({Json{{"type", "string"}}, Json{{"$ref", "#/$defs/model"}}})}};
  return made;
}

Field<PhaseRequest> not_before_field() {
  const Codec<std::int64_t> codec = duration(0, kOneHourFs);
  Field<PhaseRequest> made;
  made.key = "not_before";
  made.allowed = codec.allowed;
  made.help = "The request's arrival after the start of the run.";
  made.read = [=](const Value& value, const std::string& path, PhaseRequest& out) {
    out.not_before_s = static_cast<double>(codec.parse(value, path)) / kFsPerSecond;
  };
  made.write = [=](const PhaseRequest& phase) {
    return codec.print(std::llround(phase.not_before_s * kFsPerSecond));
  };
  made.schema = codec.schema;
  return made;
}

using workloads::CrossKv;
using workloads::Effort;
using workloads::Family;

Codec<Effort> effort() {
  return choice<Effort>({{"computed", Effort::kComputed}, {"skipped", Effort::kSkipped}});
}

/// A key of some families, left out of the resolved tree of others.
Field<PhaseRequest> of_families(Field<PhaseRequest> field, std::vector<Family> families) {
  const auto goes = [=](const PhaseRequest& phase) {
    return std::find(families.begin(), families.end(), phase.model.family) != families.end();
  };
  field.write = [=, write = field.write](const PhaseRequest& phase) {
    return goes(phase) ? write(phase) : Json();
  };
  return field;
}

/// What only some families ask for.
std::vector<Field<PhaseRequest>> family_fields() {
  using S = PhaseRequest;
  const auto some = [](std::int64_t most) { return optional_integer(1, most); };
  return {of_families(field("kv_length", &S::kv_length, some(1'000'000),
                            "Decoder: keys that the last token sees. Above tokens (then 1 unless "
                            "given), the earlier ones are in the KV cache: decode.")
                          .fallback_is("tokens"),
                      {Family::kDecoder}),
          of_families(field("causal_half", &S::causal_half, effort(),
                            "Scores above a causal mask; skipped by blocks of 128 queries."),
                      {Family::kDecoder, Family::kBert, Family::kDualEncoder, Family::kVlm}),
          of_families(field("images", &S::images, some(1024), "vlm: images of a request.")
                          .fallback_is("the model's cameras"),
                      {Family::kVlm}),
          of_families(field("cameras", &S::images, some(1024), "smolvla: images of a request.")
                          .fallback_is("the model's"),
                      {Family::kSmolVla}),
          of_families(field("steps", &S::steps, some(100'000), "smolvla: denoising steps.")
                          .fallback_is("the model's num_steps"),
                      {Family::kSmolVla}),
          of_families(field("cross_kv", &S::cross_kv,
                            choice<CrossKv>({{"recomputed", CrossKv::kRecomputed},
                                             {"hoisted", CrossKv::kHoisted}}),
                            "smolvla: the expert's keys and values of the prefix, in every step or "
                            "once (in `prefix`)."),
                      {Family::kSmolVla}),
          of_families(field("dead_work", &S::dead_work, effort(),
                            "smolvla: what follows the keys and values of the prefix's last layer; "
                            "nobody reads it."),
                      {Family::kSmolVla})};
}

std::vector<std::string> keys_of(Family family) {
  PhaseRequest phase;
  phase.model.family = family;
  phase.kv_length = phase.images = phase.steps = 1;
  std::vector<std::string> keys;
  for (const Field<PhaseRequest>& each : family_fields()) {
    if (!each.write(phase).is_null()) keys.push_back(each.key);
  }
  return keys;
}

/// `part: text` of a model of several parts: that part alone.
Field<PhaseRequest> part_field() {
  Field<PhaseRequest> made;
  made.key = "part";
  made.allowed = "`vision` \\| `text`";
  made.help = "One part of a model of several, alone.";
  made.fallback = "all";
  made.read = [](const Value& value, const std::string& path, PhaseRequest&) {
    parse_choice(value, path, {"vision", "text"}, {});
  };
  made.write = [](const PhaseRequest&) { return Json(); };
  made.schema = {{"enum", Json::array({"vision", "text"})}};
  return made;
}

/// `single`: the form without phases, where the phase's name is a key.
Table<PhaseRequest> make_phase_table(bool single) {
  using S = PhaseRequest;
  Table<S> table;
  if (single) {
    table.fields.push_back(
        field("name", &S::phase, text("text"), "Name of the only phase.")
            .fallback_is("`vision`, `text`, `decode` or `model`, after the model's family; "
                         "models of several parts: after the parts"));
  }
  table.fields.push_back(model_field());
  table.fields.push_back(part_field());
  table.fields.push_back(
      field("batch", &S::batch, integer(1, 65536), "Images or prompts at once."));
  table.fields.push_back(field("tokens", &S::tokens, optional_integer(1, 1'000'000),
                               "Sequence length of a text model.")
                             .fallback_is("the model's"));
  table.fields.push_back(field("repeat", &S::repeat, integer(1, 100'000),
                               "Times that the phase runs, one after the other."));
  table.fields.push_back(not_before_field());
  for (Field<S>& each : family_fields()) table.fields.push_back(std::move(each));
  return table;
}

const Table<PhaseRequest>& phase_table(bool single) {
  static const Table<PhaseRequest> only = make_phase_table(true), one_of = make_phase_table(false);
  return single ? only : one_of;
}

/// Sizes that an imported graph has already taken in.
void refuse_bound(const Value& value, const std::string& path, const std::string& name) {
  for (const char* key : {"batch", "tokens"}) {
    const Value* found = value.find(key);
    if (!found || (found->is_scalar() && found->text == "1" && std::string(key) == "batch"))
      continue;
    fail(found->position, join_path(path, key),
         fmt::format("{} is an imported graph: its sizes were bound by the import", name),
         {"import the model again, with other --bind"});
  }
}

/// Keys that the model's family does not know.
void refuse_other_families(const PhaseRequest& phase, const Value& value, const std::string& path) {
  const std::vector<std::string> known = keys_of(phase.model.family);
  for (const Field<PhaseRequest>& each : family_fields()) {
    const Value* given = value.find(each.key);
    if (!given || std::find(known.begin(), known.end(), each.key) != known.end()) continue;
    fail(given->position, join_path(path, each.key),
         fmt::format("does not go with {}", phase.model.name));
  }
}

/// Puts the part of the model in its place.
void choose_part(PhaseRequest& phase, const Value& value, const std::string& path) {
  const Value* part = value.find("part");
  if (!part) return;
  const auto& chosen = part->text == "vision" ? phase.model.vision : phase.model.text;
  if (!chosen) {
    fail(part->position, join_path(path, "part"), fmt::format("{} has no parts", phase.model.name));
  }
  phase.model = workloads::ModelDescriptor(*chosen);
}

/// The position of `key`, else of the whole request.
const Position& given_position(const Value& value, const std::string& key) {
  const Value* given = value.find(key);
  return given ? given->position : value.position;
}

void check_positions(const PhaseRequest& phase, const Value& value, const std::string& path,
                     const std::string& key, std::int64_t rows) {
  const std::int64_t most = phase.model.max_position_embeddings;
  if (most == 0 || rows <= most) return;
  fail(given_position(value, key), join_path(path, key),
       fmt::format("{} is not allowed (1 .. {}, max_position_embeddings of {})", rows, most,
                   phase.model.name));
}

void finish_composite(PhaseRequest& phase, const Value& value, const std::string& path) {
  if (phase.repeat > 1) {
    fail(given_position(value, "repeat"), join_path(path, "repeat"),
         fmt::format("does not go with {}, which is several phases", phase.model.name));
  }
  if (phase.tokens == 0) phase.tokens = phase.model.tokens;
  if (phase.tokens == 0) phase.tokens = phase.model.text->tokens;
  if (phase.images == 0) phase.images = phase.model.cameras;
  if (phase.steps == 0) phase.steps = phase.model.num_steps;
  if (phase.tokens == 0) fail(value.position, join_path(path, "tokens"), "the key is missing");
}

void finish_text(PhaseRequest& phase, const Value& value, const std::string& path) {
  if (phase.tokens == 0 && phase.kv_length > 0) phase.tokens = 1;
  if (phase.tokens == 0) phase.tokens = phase.model.tokens;
  if (phase.tokens == 0) {
    fail(given_position(value, "tokens"), join_path(path, "tokens"), "the key is missing");
  }
  check_positions(phase, value, path, "tokens", phase.tokens);
  if (phase.kv_length == 0) return;
  check_positions(phase, value, path, "kv_length", phase.kv_length);
  if (phase.kv_length >= phase.tokens) return;
  fail(given_position(value, "kv_length"), join_path(path, "kv_length"),
       fmt::format("{} is below tokens {}", phase.kv_length, phase.tokens));
}

void finish_phase(PhaseRequest& phase, const Value& value, const std::string& path) {
  if (phase.model.family == Family::kGraph) return refuse_bound(value, path, phase.model.name);
  choose_part(phase, value, path);
  refuse_other_families(phase, value, path);
  if (workloads::is_composite(phase.model.family)) return finish_composite(phase, value, path);
  if (phase.model.family != Family::kVit) return finish_text(phase, value, path);
  const Value* tokens = value.find("tokens");
  if (!tokens) return;
  fail(tokens->position, join_path(path, "tokens"),
       fmt::format("{} takes images: its patches set the sequence length", phase.model.name),
       {"leave tokens out, or change model.image_size"});
}

/// Throws ConfigError for what the families refuse.
void check_request(PhaseRequest phase, const Value& value, const std::string& path) {
  try {
    if (phase.phase.empty() && !workloads::is_composite(phase.model.family)) phase.phase = "text";
    workloads::check_phase(phase);
  } catch (const std::invalid_argument& error) {
    fail(value.position, path, error.what());
  }
}

PhaseRequest read_phase(const Value& value, const std::string& path, bool single) {
  PhaseRequest phase;
  phase_table(single).read(value, path, phase);
  finish_phase(phase, value, path);
  check_sizes(phase, value.find("model")->position, join_path(path, "model"));
  check_request(phase, *value.find("model"), join_path(path, "model"));
  return phase;
}

std::vector<PhaseRequest> read_phases(const Value& value, const std::string& path) {
  check_map(value, path, {});
  if (value.entries.empty()) fail(value.position, path, "lists no phase");
  std::vector<PhaseRequest> phases;
  for (const MapEntry& entry : value.entries) {
    const std::string below = join_path(path, entry.key);
    check_name(entry, below);
    phases.push_back(read_phase(entry.value, below, false));
    phases.back().phase = entry.key;
  }
  return phases;
}

std::string default_name(const PhaseRequest& phase) {
  if (workloads::is_composite(phase.model.family)) return "";
  if (phase.model.family == Family::kVit) return "vision";
  if (phase.model.family == Family::kGraph) return "model";
  return phase.kv_length > phase.tokens ? "decode" : "text";
}

WorkloadSpec read_workload(const Value& value, const std::string& path) {
  WorkloadSpec spec;
  const Value* phases = value.find("phases");
  if (!phases) {
    spec.phases.push_back(read_phase(value, path, true));
    PhaseRequest& only = spec.phases.front();
    if (only.phase.empty()) only.phase = default_name(only);
    return spec;
  }
  for (const MapEntry& entry : value.entries) {
    if (entry.key == "phases") continue;
    fail(entry.key_position, join_path(path, entry.key), "does not go with phases",
         {fmt::format("write it in a phase: {}.phases.NAME.{}", path, entry.key)});
  }
  spec.single = false;
  spec.phases = read_phases(*phases, join_path(path, "phases"));
  return spec;
}

Json write_workload(const WorkloadSpec& spec) {
  const Table<PhaseRequest>& table = phase_table(spec.single);
  if (spec.single) return table.write(spec.phases.front());
  Json phases = Json::object();
  for (const PhaseRequest& phase : spec.phases) phases[phase.phase] = table.write(phase);
  return {{"phases", phases}};
}

Json workload_schema() {
  Json phases = {{"type", "object"},
                 {"patternProperties", Json{{kNamePattern, phase_table(false).schema()}}},
                 {"additionalProperties", false},
                 {"minProperties", 1}};
  Json many = {{"type", "object"},
               {"properties", Json{{"phases", phases}}},
               {"required", Json::array({"phases"})},
               {"additionalProperties", false}};
  return {{"anyOf", Json::array({Json{{"type", "string"}}, phase_table(true).schema(), many})}};
}

std::vector<DocRow> workload_rows() {
  std::vector<DocRow> rows = phase_table(true).rows();
  rows.push_back({"phases", "map of name to mapping", "",
                  "Several phases in place of the keys above, run in order on one machine."});
  for (DocRow row : phase_table(false).rows()) {
    row.path = "phases.NAME." + row.path;
    rows.push_back(std::move(row));
  }
  return rows;
}

// ---- fusion -------------------------------------------------------------------------------------

Codec<workloads::FusionSwitch> fusion_codec() {
  using workloads::FusionSwitch;
  Codec<FusionSwitch> codec = choice<FusionSwitch>(
      {{"true", FusionSwitch::kOn}, {"false", FusionSwitch::kOff}, {"auto", FusionSwitch::kAuto}});
  codec.print = [](FusionSwitch chosen) {
    return chosen == FusionSwitch::kAuto ? Json("auto") : Json(chosen == FusionSwitch::kOn);
  };
  codec.schema = {{"enum", Json::array({true, false, "auto"})}};
  return codec;
}

Codec<workloads::Softmax> softmax_codec() {
  using workloads::Softmax;
  return choice<Softmax>({{"three_pass", Softmax::kThreePass},
                          {"online", Softmax::kOnline},
                          {"auto", Softmax::kAuto}});
}

Table<workloads::Fusion> fusion_table() {
  using S = workloads::Fusion;
  return {
      {field("epilogue", &S::epilogue, boolean(),
             "Gemm + activation + requantise run as one operator."),
       field("qkv", &S::qkv, fusion_codec(),
             "Projections of one input (Q, K, V) run as one Gemm that reads it once; `auto`: "
             "where the mapper's objective gains."),
       field("gate_up", &S::gate_up, fusion_codec(),
             "Gate, up and the activation that joins them run as one Gemm, only products are "
             "stored; `auto`: where the mapper's objective gains."),
       field("residual", &S::residual, fusion_codec(),
             "A residual addition runs in the epilogue of the Gemm before it; `auto`: where the "
             "mapper's objective gains."),
       field("attention", &S::attention, fusion_codec(),
             "Scores, softmax and context run as one operator, scores stay on chip; `auto`: "
             "where the mapper's objective gains."),
       field("softmax", &S::softmax, softmax_codec(),
             "Of fused attention: `three_pass` over whole rows of scores, which must fit on chip; "
             "`online`, block of keys by block of keys with running maxima and sums; `auto`: what "
             "the mapper's objective prefers.")},
      {{"norm", "fusion of a norm with the Gemm behind it"}}};
}

// ---- mapping ------------------------------------------------------------------------------------

Codec<Objective> objective() {
  return choice<Objective>(
      {{"latency", Objective::kLatency}, {"dram_bytes", Objective::kDramBytes}}, {"energy"});
}

Table<ObjectiveConfig> objective_table() {
  using S = ObjectiveConfig;
  return {{field("minimize", &S::minimize, objective(), "What the mapper minimises first."),
           field("within", &S::within, share(false), "How much of it it may give up for `then`."),
           field("then", &S::then, objective(), "What it minimises among what remains.")
               .fallback_is("the other one")},
          {}};
}

ObjectiveSpec read_objective(const Value& value, const std::string& path) {
  ObjectiveSpec spec;
  objective_table().read(value, path, spec.config);
  if (!value.find("then")) {
    const bool latency = spec.config.minimize == Objective::kLatency;
    spec.config.then = latency ? Objective::kDramBytes : Objective::kLatency;
  }
  return spec;
}

Json write_objective(const ObjectiveSpec& spec) { return objective_table().write(spec.config); }

template <class S>
Table<S> tile_table(std::int64_t S::*m, std::int64_t S::*k, std::int64_t S::*n) {
  const Codec<std::int64_t> size = optional_integer(1, 1'000'000'000);
  return {{field("m", m, size, "Rows of A."), field("k", k, size, "The reduction."),
           field("n", n, size, "Columns of B.")},
          {}};
}

Field<MappingPin> tile_field() {
  const Table<MappingPin> table =
      tile_table(&MappingPin::tile_m, &MappingPin::tile_k, &MappingPin::tile_n);
  Field<MappingPin> made;
  made.key = "tile";
  made.allowed = "mapping";
  made.help = "Sizes of the resident tile; any of them.";
  made.read = [=](const Value& value, const std::string& path, MappingPin& out) {
    table.read(value, path, out);
  };
  made.write = [=](const MappingPin& pin) {
    Json tile = table.write(pin);
    return tile.empty() ? Json() : tile;
  };
  made.schema = table.schema();
  made.rows = table.rows();
  return made;
}

Codec<std::string> dataflow_name() {
  std::vector<std::pair<std::string, std::string>> names;
  for (const auto& [name, dataflow] : dataflow_names()) names.emplace_back(name, name);
  return choice<std::string>(names);
}

Field<MappingPin> operands_field(const std::string& key, std::vector<std::string> MappingPin::*list,
                                 bool MappingPin::*given, const std::vector<std::string>& names,
                                 const std::string& help) {
  std::vector<std::pair<std::string, std::string>> options;
  for (const std::string& name : names) options.emplace_back(name, name);
  const auto codec = list_of(choice<std::string>(options), 0);
  Field<MappingPin> made = field(key, list, codec, help);
  made.fallback = "free";
  made.read = [=](const Value& value, const std::string& path, MappingPin& out) {
    out.*list = codec.parse(value, path);
    out.*given = true;
  };
  made.write = [=](const MappingPin& pin) { return pin.*given ? codec.print(pin.*list) : Json(); };
  return made;
}

Table<MappingPin> pin_table() {
  using S = MappingPin;
  const Codec<std::string> order = choice<std::string>({{"mkn", "mkn"},
                                                        {"mnk", "mnk"},
                                                        {"kmn", "kmn"},
                                                        {"knm", "knm"},
                                                        {"nmk", "nmk"},
                                                        {"nkm", "nkm"}});
  return {{field("dataflow", &S::dataflow, dataflow_name(), "What stays in the array.")
               .fallback_is("free"),
           tile_field(),
           field("loop_order", &S::loop_order, order, "Loops over tiles, outer first.")
               .fallback_is("free"),
           operands_field("double_buffered", &S::double_buffered, &S::has_double_buffered,
                          {"a", "b", "accumulators", "outputs"}, "Operands with two slots."),
           operands_field("resident", &S::resident, &S::has_resident, {"a", "b"},
                          "Operands loaded once and kept.")},
          {}};
}

void check_pattern(const MapEntry& entry, const std::string& path) {
  bool good = entry.key.size() <= 200;
  for (const char c : entry.key) {
    good =
        good && (std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '*');
  }
  if (good) return;
  fail(entry.key_position, path, "not an operator pattern (letters, digits, _ . and *)");
}

const OpenMap<MappingPin> kPatterns{"PATTERN", "^[A-Za-z0-9_.*]{1,200}$", check_pattern};

std::vector<MappingPin> read_pins(const Value& value, const std::string& path) {
  std::vector<MappingPin> pins;
  for (auto& [pattern, pin] : read_open_map(value, path, kPatterns, record(pin_table()))) {
    pins.push_back(std::move(pin));
    pins.back().pattern = pattern;
  }
  return pins;
}

Json write_pins(const std::vector<MappingPin>& pins) {
  const Table<MappingPin> table = pin_table();
  Json tree = Json::object();
  for (const MappingPin& pin : pins) tree[pin.pattern] = table.write(pin);
  return tree;
}

Table<LayoutConfig> layout_table() {
  using S = LayoutConfig;
  const auto layout = choice<Layout>({{"row_major", Layout::kRowMajor}, {"tiled", Layout::kTiled}});
  return {{field("weights", &S::weights, layout, "Row after row, or in blocks of some rows."),
           field("activations", &S::activations, layout, "The same, of activations."),
           field("kv_cache", &S::kv_cache, layout, "The same, of keys and values kept."),
           field("block_rows", &S::block_rows, integer(2, 65536), "Rows of a block."),
           field("block_width", &S::block_width, bytes(16, 64 << 10, true),
                 "Bytes of a block's rows, at most: the largest power of two that divides a row. "
                 "Rows that no whole DRAM burst divides stay row major.")},
          {}};
}

Json named_or(const Json& schema) {
  return {{"anyOf", Json::array({Json{{"type", "string"}}, schema})}};
}

Table<MappingSpec> mapping_table() {
  using S = MappingSpec;
  Field<S> objective_field =
      custom("objective", &S::objective, "What the mapper looks for; see the short forms below.",
             Json{{"anyOf", Json::array({Json{{"enum", Json::array({"latency", "dram_bytes"})}},
                                         objective_table().schema()})}},
             objective_table().rows(), read_objective, write_objective);
  Field<S> pin_field =
      custom("pin", &S::pins, "Fixes part of the mapping of every operator that matches.",
             open_map_schema(kPatterns, pin_table().schema()),
             open_map_rows(kPatterns, pin_table().rows()), read_pins, write_pins);
  pin_field.allowed = "map of operator pattern to mapping";
  Field<S> layout_field = section("layout", &S::layout, layout_table(),
                                  "How tensors lie in DRAM; matters to `dram.model: timing`.");
  layout_field.schema = named_or(layout_field.schema);
  return {{objective_field, pin_field, layout_field,
           field("residency", &S::residency,
                 choice<ResidencyChoice>(
                     {{"auto", ResidencyChoice::kAuto}, {"none", ResidencyChoice::kNone}}),
                 "Activations that stay on chip from one operator to the next: where it pays, or "
                 "none."),
           field("plan", &S::plan, text("file"),
                 "A plan written by `describe --stage plan --format yaml`, used as it is.")},
          {}};
}

// ---- the run ------------------------------------------------------------------------------------

Table<RooflineSpec> roofline_table() {
  return {{field("bandwidth", &RooflineSpec::at_peak,
                 choice<bool>({{"peak", true}, {"sustained", false}}),
                 "DRAM bandwidth that the ridge is stated with.")},
          {}};
}

Field<RunSpec> hardware_field() {
  Field<RunSpec> made = custom(
      "hardware", &RunSpec::hardware, "The machine: see its keys below.",
      named_or(Json{{"$ref", "#/$defs/hardware"}}), {}, read_hardware,
      +[](const hw::HardwareConfig& hardware) { return hardware_table().write(hardware); });
  made.allowed = "name, path or mapping";
  return std::move(made).needed();
}

Field<RunSpec> workload_field() {
  Field<RunSpec> made = custom("workload", &RunSpec::workload, "What runs on it.",
                               workload_schema(), workload_rows(), read_workload, write_workload);
  made.allowed = "model name or mapping";
  return std::move(made).needed();
}

Table<RunSpec> make_run_table() {
  using S = RunSpec;
  Field<S> precision =
      custom("precision", &S::precision, "Widths of the operands.", named_or(precision_schema()),
             precision_rows(), read_precision, write_precision);
  Field<S> fusion = section("fusion", &S::fusion, fusion_table(), "Which fusions are on.");
  fusion.schema = named_or(fusion.schema);
  Field<S> expectations =
      custom("expect", &S::expectations, "What `tessera run` judges of the report: exit code 1.",
             expressions::expectations_schema(), {}, expressions::read_expectations,
             expressions::write_expectations);
  expectations.allowed = "list of comparisons, or mapping of figure to condition";
  std::vector<DocRow> below = hardware_table().rows();
  for (DocRow& row : below) row.path = "hardware." + row.path;
  return {{field("name", &S::name, text("text"), "What reports call it.")
               .fallback_is("the file's name"),
           hardware_field(), workload_field(), precision, fusion,
           section("mapping", &S::mapping, mapping_table(), "How operators are tiled."),
           field("fidelity", &S::fidelity,
                 choice<Fidelity>({{"transaction", Fidelity::kTransaction},
                                   {"analytical", Fidelity::kAnalytical}},
                                  {"pe"}),
                 "`transaction`: the machine is simulated. `analytical`: bounds, traffic and an "
                 "estimate in closed form."),
           section("roofline", &S::roofline, roofline_table(), "How the roofline is stated."),
           expectations},
          {{"energy", "the energy model"}},
          below};
}

Table<RunSpec> make_machine_run_table() {
  Table<RunSpec> table = make_run_table();
  const auto of_workload = [](const Field<RunSpec>& field) {
    return field.key == "workload" || field.key == "fusion" || field.key == "fidelity" ||
           field.key == "expect";
  };
  table.fields.erase(std::remove_if(table.fields.begin(), table.fields.end(), of_workload),
                     table.fields.end());
  table.unbuilt.clear();
  return table;
}

}  // namespace

const Table<RunSpec>& run_table() {
  static const Table<RunSpec> table = make_run_table();
  return table;
}

RunSpec read_run(const Value& value) {
  RunSpec spec;
  run_table().read(value, "", spec);
  check_precision(spec.precision, spec.hardware, value);
  if (spec.name.empty()) spec.name = "inline";
  return spec;
}

const Table<RunSpec>& machine_run_table() {
  static const Table<RunSpec> table = make_machine_run_table();
  return table;
}

RunSpec read_machine_run(const Value& value) {
  RunSpec spec;
  machine_run_table().read(value, "", spec);
  return spec;
}

}  // namespace tessera::sim::config
