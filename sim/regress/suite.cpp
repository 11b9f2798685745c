#include "sim/regress/suite.h"

#include <algorithm>
#include <filesystem>

#include "sim/config/config.h"
#include "sim/config/fields.h"
#include "sim/config/yaml_reader.h"

namespace tessera::sim {
namespace {

namespace fs = std::filesystem;
using config::DocRow;
using config::Field;
using config::Json;
using config::Table;
using config::Value;

/// A run, or the whole suite, as written.
struct RunEntry {
  std::string name;
  Value run;
  std::vector<config::Setting> settings;
  std::vector<expressions::Expectation> expectations;
  std::vector<GoldenFigure> goldens;
  bool has_goldens = false;
  config::Position position;
};

struct SuiteEntry {
  std::vector<RunEntry> runs;
  std::vector<config::Setting> settings;
  std::vector<expressions::Expectation> relations;
  std::vector<GoldenFigure> goldens;
  bool has_goldens = false;
  std::vector<std::string> validated;
};

std::vector<config::Setting> read_settings(const Value& value, const std::string& path) {
  config::check_map(value, path, {});
  std::vector<config::Setting> settings;
  for (const config::MapEntry& entry : value.entries) {
    settings.push_back({config::key_path(entry.key, entry.key_position), entry.value});
  }
  return settings;
}

GoldenFigure read_golden(const Value& item, const std::string& path) {
  const std::string& text = config::scalar_text(item, path, "a figure: latency_cycles within 1 %");
  const config::Position start = expressions::text_position(item);
  try {
    return {expressions::parse_figure(text), start};
  } catch (const expressions::ExpressionError& error) {
    expressions::fail_at(start, path, error);
  }
}

std::vector<GoldenFigure> read_goldens(const Value& value, const std::string& path) {
  if (value.kind != config::ValueKind::kList) {
    config::not_allowed(value, path, "a list of figures: [latency_cycles, dram_bytes within 1 %]");
  }
  std::vector<GoldenFigure> goldens;
  for (const Value& item : value.items) goldens.push_back(read_golden(item, path));
  return goldens;
}

/// The keys that a run and a suite share.
template <class S>
Field<S> plain_field(const std::string& key, const std::string& allowed, const std::string& help,
                     Json schema, std::function<void(const Value&, const std::string&, S&)> read) {
  Field<S> made;
  made.key = key;
  made.allowed = allowed;
  made.help = help;
  made.fallback = "none";
  made.read = std::move(read);
  made.write = [](const S&) { return Json(); };
  made.schema = std::move(schema);
  return made;
}

template <class S>
Field<S> set_field(const std::string& help) {
  return plain_field<S>("set", "map of path.to.key to value", help, {{"type", "object"}},
                        [](const Value& value, const std::string& path, S& out) {
                          out.settings = read_settings(value, path);
                        });
}

template <class S>
Field<S> golden_field(const std::string& help) {
  const Json schema{{"type", "array"}, {"items", {{"type", "string"}}}};
  return plain_field<S>("golden", "list of figures", help, schema,
                        [](const Value& value, const std::string& path, S& out) {
                          out.goldens = read_goldens(value, path);
                          out.has_goldens = true;
                        });
}

Table<RunEntry> run_entry_table() {
  using S = RunEntry;
  const Json run_schema{{"type", Json::array({"string", "object"})}};
  return {{plain_field<S>("run", "name, path or mapping", "The run: see its keys.", run_schema,
                          [](const Value& value, const std::string&, S& out) { out.run = value; })
               .needed(),
           set_field<S>("What changes of it, as --set does."),
           plain_field<S>("expect", "list of comparisons, or mapping of figure to condition",
                          "What its report has to say.", expressions::expectations_schema(),
                          [](const Value& value, const std::string& path, S& out) {
                            out.expectations = expressions::read_expectations(value, path);
                          }),
           golden_field<S>("Figures kept in the goldens, in place of the suite's.")
               .fallback_is("the suite's")},
          {}};
}

/// A name alone means the run of that name.
RunEntry read_run_entry(const config::MapEntry& entry, const std::string& path) {
  RunEntry run;
  run.name = entry.key;
  run.position = entry.key_position;
  if (entry.value.is_scalar()) {
    run.run = entry.value;
  } else {
    run_entry_table().read(entry.value, path, run);
  }
  return run;
}

std::vector<RunEntry> read_runs(const Value& value, const std::string& path) {
  config::check_map(value, path, {});
  std::vector<RunEntry> runs;
  for (const config::MapEntry& entry : value.entries) {
    const std::string below = config::join_path(path, entry.key);
    config::check_name(entry, below);
    runs.push_back(read_run_entry(entry, below));
  }
  return runs;
}

Json runs_schema() {
  const Json entry{{"anyOf", Json::array({Json{{"type", "string"}}, run_entry_table().schema()})}};
  return {{"type", "object"},
          {"patternProperties", Json{{config::kNamePattern, entry}}},
          {"additionalProperties", false}};
}

const Table<SuiteEntry>& suite_table() {
  using S = SuiteEntry;
  static const Table<S> table{
      {plain_field<S>("runs", "map of name to run", "What is simulated.", runs_schema(),
                      [](const Value& value, const std::string& path, S& out) {
                        out.runs = read_runs(value, path);
                      }),
       set_field<S>("What changes of every run, before its own `set`."),
       plain_field<S>("expect", "list of comparisons, or mapping of figure to condition",
                      "Relations between runs: paths begin with a run's name.",
                      expressions::expectations_schema(),
                      [](const Value& value, const std::string& path, S& out) {
                        out.relations = expressions::read_expectations(value, path);
                      }),
       golden_field<S>("Figures of every run that are kept in the goldens.")
           .fallback_is("[latency_cycles, dram_bytes]"),
       plain_field<S>("validate", "list of patterns",
                      "Engines of `tessera validate` whose targets have to hold.",
                      {{"type", "array"}, {"items", {{"type", "string"}}}},
                      [](const Value& value, const std::string& path, S& out) {
                        out.validated =
                            config::list_of(config::text("pattern"), 1).parse(value, path);
                      })},
      {}};
  return table;
}

std::vector<GoldenFigure> default_goldens() {
  return {{expressions::parse_figure("latency_cycles"), {}},
          {expressions::parse_figure("dram_bytes"), {}}};
}

SuiteRun make_run(const RunEntry& entry, const SuiteEntry& suite) {
  SuiteRun run;
  run.name = entry.name;
  run.run = std::make_shared<const RunTemplate>(
      config::load_run_tree(entry.run, "runs." + entry.name + ".run"));
  run.settings = suite.settings;
  run.settings.insert(run.settings.end(), entry.settings.begin(), entry.settings.end());
  run.expectations = entry.expectations;
  run.goldens = entry.has_goldens   ? entry.goldens
                : suite.has_goldens ? suite.goldens
                                    : default_goldens();
  run.position = entry.position;
  return run;
}

Suite load_suite(const std::string& path) {
  const std::string shown = config::display_name(path);
  const Value tree = config::parse_document(config::read_source(path, shown));
  SuiteEntry entry;
  suite_table().read(tree, "", entry);
  if (entry.runs.empty() && entry.validated.empty()) {
    config::fail(tree.position, "", "the suite has no runs and validates nothing");
  }
  Suite suite;
  suite.name = fs::path(path).stem().string();
  suite.file = shown;
  suite.path = path;
  for (const RunEntry& run : entry.runs) suite.runs.push_back(make_run(run, entry));
  suite.relations = entry.relations;
  suite.validated = entry.validated;
  return suite;
}

std::vector<std::string> files_of(const std::string& subject) {
  if (!fs::is_directory(subject)) {
    return {config::find_config(config::ConfigKind::kSuite, subject, {}, "")};
  }
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(subject)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) config::fail({}, subject, "has no suites (*.yaml)");
  return files;
}

}  // namespace

std::vector<Suite> load_suites(const std::string& subject) {
  std::vector<Suite> suites;
  for (const std::string& file : files_of(subject)) suites.push_back(load_suite(file));
  return suites;
}

Json suite_schema() {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "Tessera suite"}};
  schema.update(suite_table().schema());
  return schema;
}

}  // namespace tessera::sim
