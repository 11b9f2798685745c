#include "sim/sweep/sweep_fields.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/config/config.h"
#include "sim/config/yaml_reader.h"

namespace tessera::sim {
namespace {

using config::Codec;
using config::ConfigKind;
using config::fail;
using config::Field;
using config::Json;
using config::Position;
using config::Table;
using config::Value;
using config::ValueKind;

// ---- keys ---------------------------------------------------------------------------------------

/// A key that takes any value, kept as written.
template <class S>
Field<S> as_written(std::string key, Value S::*member, std::string allowed, std::string help,
                    Json schema) {
  Field<S> made;
  made.key = std::move(key);
  made.allowed = std::move(allowed);
  made.help = std::move(help);
  made.fallback = "none";
  made.read = [=](const Value& value, const std::string& path, S& out) {
    if (value.kind == ValueKind::kNull) fail(value.position, path, "the value is missing");
    out.*member = value;
  };
  made.write = [](const S&) { return Json(); };
  made.schema = std::move(schema);
  return made;
}

/// A text and where it stands.
Field<AxisText> positioned(std::string key, std::string AxisText::*member,
                           Position AxisText::*position, std::string what, std::string help) {
  Field<AxisText> made = config::field(std::move(key), member, config::text(what), std::move(help))
                             .fallback_is("none");
  made.read = [=, read = made.read](const Value& value, const std::string& path, AxisText& out) {
    read(value, path, out);
    out.*position = value.position;
  };
  return made;
}

Json any_of(std::vector<const char*> types) {
  Json names = Json::array();
  for (const char* type : types) names.push_back(type);
  return {{"type", names}};
}

Table<AxisText> axis_table() {
  using S = AxisText;
  const Json quantity = any_of({"number", "string"});
  return {
      {as_written("values", &S::values, "list",
                  "Values in the order of the grid. With several keys, a list of as many values "
                  "gives each its own. With `times`: factors, such as 1/8.",
                  Json{{"type", "array"}, {"minItems", 1}}),
       as_written("from", &S::from, "number or quantity", "First value of a range.", quantity),
       as_written("to", &S::to, "number or quantity", "End of the range, included where it is met.",
                  quantity),
       as_written("step", &S::step, "number or quantity", "Between values, on a linear scale.",
                  quantity),
       config::field("points", &S::points, config::optional_integer(1, kMostAxisValues),
                     "How many values, evenly spaced on the scale, in place of steps.")
           .fallback_is("none"),
       config::field("scale", &S::scale,
                     config::choice<AxisScale>({{"linear", AxisScale::kLinear},
                                                {"log2", AxisScale::kLog2},
                                                {"log10", AxisScale::kLog10}}),
                     "`log2` doubles from value to value, `log10` takes ten times as much."),
       as_written("sets", &S::sets, "key or list of keys",
                  "What the value is given to: keys as of `--set`; several change together.",
                  any_of({"string", "array"}))
           .needed(),
       positioned("times", &S::times, &S::times_position, "name of an axis",
                  "The values are factors of that axis' value (it stands further up)."),
       positioned("when", &S::when, &S::when_position, "condition",
                  "`AXIS OP VALUE`: only then; else the run keeps its own value, and the axis adds "
                  "no points.")},
      {}};
}

Table<StrategySpec> strategy_table() {
  using S = StrategySpec;
  return {{config::field("kind", &S::kind,
                         config::choice<SweepStrategy>({{"grid", SweepStrategy::kGrid},
                                                        {"random", SweepStrategy::kRandom},
                                                        {"sobol", SweepStrategy::kSobol}}),
                         "`grid`: every combination. `random`, `sobol`: a sample of the grid."),
           config::field("points", &S::points, config::optional_integer(1, kMostPoints),
                         "How many points a sample has.")
               .fallback_is("none"),
           config::field("seed", &S::seed, config::integer(0, 1'000'000'000),
                         "`random`: equal seeds give equal points.")},
          {}};
}

/// `strategy: grid` is `{kind: grid}`.
Field<SweepText> strategy_field() {
  const Table<StrategySpec> table = strategy_table();
  Field<SweepText> made =
      config::section("strategy", &SweepText::strategy, table, "Which points are tried.");
  made.read = [=](const Value& value, const std::string& path, SweepText& out) {
    Value tree = value;
    if (value.is_scalar()) {
      tree = config::make_map(value.position);
      tree.set("kind", value.position, value);
    }
    table.read(tree, path, out.strategy);
    const bool sample = out.strategy.kind != SweepStrategy::kGrid;
    const Value* const points = tree.find("points");
    if (sample && !points) fail(value.position, path + ".points", "a sample needs points");
    if (!sample && points) fail(points->position, path + ".points", "does not go with grid");
    const Value* const seed = tree.find("seed");
    if (seed && out.strategy.kind != SweepStrategy::kRandom) {
      fail(seed->position, path + ".seed", "goes with random only");
    }
  };
  made.allowed = "`grid` or mapping";
  return made;
}

Field<SweepText> axes_field() {
  const Codec<AxisText> codec = config::record(axis_table());
  const config::OpenMap<AxisText> keys{"NAME", config::kNamePattern, config::check_name};
  Field<SweepText> made;
  made.key = "axes";
  made.allowed = "map of name to mapping";
  made.help = "What varies, the last axis fastest.";
  made.required = true;
  made.read = [=](const Value& value, const std::string& path, SweepText& out) {
    out.axes = config::read_open_map(value, path, keys, codec);
    if (out.axes.empty()) fail(value.position, path, "lists no axis");
    for (const config::MapEntry& entry : value.entries) {
      out.axis_positions.push_back(entry.key_position);
    }
  };
  made.write = [](const SweepText&) { return Json(); };
  made.schema = config::open_map_schema(keys, codec.schema);
  made.rows = config::open_map_rows(keys, codec.rows);
  return made;
}

Table<SweepText> make_sweep_table() {
  using S = SweepText;
  const Json texts = any_of({"string", "array"});
  Field<S> run = as_written("run", &S::run, "name, path or mapping", "The run that is varied.",
                            any_of({"string", "object"}));
  return {
      {config::field("name", &S::name, config::text("text"), "What reports call it.")
           .fallback_is("the file's name"),
       config::field("title", &S::title, config::text("text"), "The question it answers.")
           .fallback_is("none"),
       std::move(run).needed(), axes_field(),
       as_written("require", &S::require, "condition or list",
                  "What a point must meet: `FIGURE <= QUANTITY`.", texts),
       as_written("minimize", &S::minimize, "figure or list", "What less of is better.", texts),
       as_written("maximize", &S::maximize, "figure or list", "What more of is better.", texts),
       strategy_field(),
       config::field("fidelity", &S::fidelity,
                     config::choice<SweepFidelity>({{"analytical", SweepFidelity::kAnalytical},
                                                    {"transaction", SweepFidelity::kTransaction},
                                                    {"both", SweepFidelity::kBoth}}),
                     "`analytical`: closed forms. `transaction`: every point is simulated. `both`: "
                     "the estimated front and its neighbours are.")},
      {}};
}

// ---- meaning ------------------------------------------------------------------------------------

/// A text, or a list of texts.
std::vector<const Value*> each_text(const Value& value, const std::string& path) {
  std::vector<const Value*> texts;
  if (value.kind == ValueKind::kNull) return texts;
  if (value.is_scalar()) return {&value};
  if (value.kind != ValueKind::kList) config::not_allowed(value, path, "a text or a list of texts");
  for (const Value& item : value.items) {
    config::scalar_text(item, path, "text");
    texts.push_back(&item);
  }
  if (texts.empty()) fail(value.position, path, "the list is empty");
  return texts;
}

/// The place of a key among the sweep's axes so far, or -1.
int axis_index(const std::vector<Axis>& axes, const std::string& name) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

int earlier_axis(const std::vector<Axis>& axes, const std::string& name, const Position& position,
                 const std::string& path) {
  const int index = axis_index(axes, name);
  if (index >= 0) return index;
  std::vector<std::string> names;
  for (const Axis& axis : axes) names.push_back(axis.name);
  fail(position, path, fmt::format("there is no axis '{}' further up", name),
       {config::suggestion(name, names)});
}

void add_keys(const AxisText& text, const std::vector<Axis>& axes, const std::string& path,
              Axis& axis) {
  for (const Value* key : each_text(text.sets, path + ".sets")) {
    if (key->text == "fidelity" || key->text == "name") {
      fail(key->position, path + ".sets", key->text + " cannot vary in a sweep");
    }
    for (const Axis& other : axes) {
      if (std::find(other.keys.begin(), other.keys.end(), key->text) == other.keys.end()) continue;
      if (axis.when || other.when) continue;  // conditions may keep them apart
      fail(key->position, path + ".sets",
           fmt::format("{} is set by the axis '{}' already", key->text, other.name));
    }
    axis.keys.push_back(key->text);
    axis.paths.push_back(config::key_path(key->text, key->position));
  }
}

/// Factors that do not give whole base units are refused here, not in the middle of a sweep.
void check_products(const Axis& axis, const Axis& source, const Position& position,
                    const std::string& path) {
  for (const AxisValue& factor : axis.values) {
    for (const AxisValue& value : source.values) {
      const double product = *factor.number * *value.number;
      if (!axis.measure || product == std::floor(product)) continue;
      fail(position, path,
           fmt::format("{} x {} is not whole in its base unit", factor.label, value.label));
    }
  }
}

void derive(const AxisText& text, const std::vector<Axis>& axes, const std::string& path,
            Axis& axis) {
  axis.times = earlier_axis(axes, text.times, text.times_position, path + ".times");
  const Axis& source = axes[static_cast<std::size_t>(axis.times)];
  if (source.times >= 0) {
    fail(text.times_position, path + ".times", fmt::format("'{}' is derived itself", source.name));
  }
  for (const AxisValue& value : source.values) {
    if (value.number) continue;
    fail(text.times_position, path + ".times",
         fmt::format("{} of '{}' is no number", value.label, source.name));
  }
  axis.measure = parse_amount(source.values.front().values.front().text)->measure;
  axis.values = axis_factors(text, path);
  check_products(axis, source, text.times_position, path);
}

Axis make_axis(const std::string& name, const AxisText& text, const Position& position,
               const std::vector<Axis>& axes) {
  const std::string path = "axes." + name;
  Axis axis;
  axis.name = name;
  if (!text.when.empty()) {
    axis.when = parse_axis_condition(text.when, text.when_position);
  }
  add_keys(text, axes, path, axis);
  if (text.times.empty()) {
    axis.values = axis_values(text, axis.keys.size(), position, path);
  } else {
    derive(text, axes, path, axis);
  }
  return axis;
}

void add_questions(const SweepText& text, SweepSpec& spec) {
  for (const Value* each : each_text(text.require, "require")) {
    spec.require.push_back(parse_requirement(each->text, each->position));
  }
  for (const Value* each : each_text(text.minimize, "minimize")) {
    spec.objectives.push_back({parse_figure(each->text, each->position), false});
  }
  for (const Value* each : each_text(text.maximize, "maximize")) {
    spec.objectives.push_back({parse_figure(each->text, each->position), true});
  }
  if (spec.objectives.empty()) {
    spec.objectives.push_back({parse_figure("latency", text.run.position), false});
  }
}

Value sweep_document(const std::string& subject, std::string& stem, std::string& path) {
  if (subject == "-") {
    stem = "sweep";
    return config::parse_document(config::read_standard_input());
  }
  path = config::find_config(ConfigKind::kSweep, subject, {}, "");
  stem = std::filesystem::path(path).stem().string();
  return config::parse_document(config::read_source(path, config::display_name(path)));
}

}  // namespace

const char* to_string(SweepFidelity fidelity) {
  switch (fidelity) {
    case SweepFidelity::kAnalytical:
      return "analytical";
    case SweepFidelity::kTransaction:
      return "transaction";
    case SweepFidelity::kBoth:
      return "both";
  }
  return "?";
}

std::optional<SweepFidelity> sweep_fidelity(const std::string& name) {
  for (const SweepFidelity each :
       {SweepFidelity::kAnalytical, SweepFidelity::kTransaction, SweepFidelity::kBoth}) {
    if (name == to_string(each)) return each;
  }
  return std::nullopt;
}

const Table<SweepText>& sweep_table() {
  static const Table<SweepText> table = make_sweep_table();
  return table;
}

SweepSpec load_sweep(const std::string& subject, const std::vector<std::string>& sets,
                     const std::optional<SweepFidelity>& fidelity) {
  SweepSpec spec;
  std::string stem;
  const Value tree = sweep_document(subject, stem, spec.path);
  SweepText text;
  sweep_table().read(tree, "", text);
  spec.name = text.name.empty() ? stem : text.name;
  spec.title = text.title;
  spec.run = config::load_run_tree(text.run, "run");
  for (const std::string& set : sets) config::apply_set(spec.run, set);
  if (const Value* const own = spec.run.find("fidelity")) {
    fail(own->position, "fidelity", "a sweep has a fidelity of its own",
         {"write it in the sweep file, or give --fidelity"});
  }
  for (std::size_t i = 0; i < text.axes.size(); ++i) {
    const auto& [name, axis] = text.axes[i];
    spec.axes.push_back(make_axis(name, axis, text.axis_positions[i], spec.axes));
  }
  add_questions(text, spec);
  spec.strategy = text.strategy.kind;
  spec.points = text.strategy.points;
  spec.seed = static_cast<std::uint64_t>(text.strategy.seed);
  spec.fidelity = fidelity.value_or(text.fidelity);
  return spec;
}

Json sweep_schema() {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "A Tessera sweep"}};
  schema.update(sweep_table().schema());
  return schema;
}

std::string sweep_reference() {
  std::string text = "| key | values | default | meaning |\n|---|---|---|---|\n";
  for (const config::DocRow& row : sweep_table().rows()) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", row.path, row.allowed, row.fallback, row.help);
  }
  return text;
}

}  // namespace tessera::sim
