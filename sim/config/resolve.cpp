#include "sim/config/resolve.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/config/codecs.h"
#include "sim/config/dram_fields.h"
#include "sim/config/fields.h"
#include "sim/config/hf_file.h"
#include "sim/config/yaml_reader.h"

namespace tessera::sim::config {

namespace {

/// Files being read, outermost first: a file that comes up again is a cycle.
using Chain = std::vector<std::string>;

void normalise_run(Value& run, const Chain& chain);
void normalise_dram(Value& hardware, const Chain& chain);
void normalise_model(Value& model, const std::string& path, const Chain& chain);
Value load_file(ConfigKind kind, const std::string& file, const Position& from,
                const std::string& path, Chain chain);

std::string cycle_text(const Chain& chain, const std::string& file) {
  std::vector<std::string> names;
  for (const std::string& each : chain) {
    if (names.empty() && each != file) continue;
    names.push_back(std::filesystem::path(each).filename().string());
  }
  names.push_back(std::filesystem::path(file).filename().string());
  return fmt::format("{}", fmt::join(names, " -> "));
}

const std::string& name_in(const Value& value, const std::string& path) {
  return scalar_text(value, path, "a name or a path");
}

/// A workload of one form does not merge with one of the other form (one model, phases).
void separate_workloads(const Value& below, Value& tree) {
  const Value* base = below.find("workload");
  Value* over = tree.find("workload");
  if (!base || !over) return;
  const bool to_phases = base->find("model") && over->find("phases");
  const bool to_model = base->find("phases") && over->find("model");
  if (to_phases || to_model) over->replaces = true;
}

/// `tree` laid over what its `base:` names.
Value with_base(ConfigKind kind, Value tree, const std::string& path, const Chain& chain) {
  const Value* base = tree.find("base");
  if (!base) return tree;
  if (kind == ConfigKind::kDram && base->is_scalar() && is_known_standard(base->text)) return tree;
  const std::string key = join_path(path, "base");
  const std::string file = find_config(kind, name_in(*base, key), base->position, key);
  const Value below = load_file(kind, file, base->position, key, chain);
  tree.erase("base");
  if (kind == ConfigKind::kRun) separate_workloads(below, tree);
  tree.replaces = false;  // over what it names, it merges
  Value merged = merge(below, tree);
  merged.replaces = true;
  return merged;
}

/// A file's own mapping with everything it names.
Value complete(ConfigKind kind, Value tree, const std::string& stem, const Chain& chain) {
  if (!tree.find("name")) tree.set("name", tree.position, make_scalar(stem, tree.position));
  if (kind == ConfigKind::kRun) normalise_run(tree, chain);
  if (kind == ConfigKind::kHardware) normalise_dram(tree, chain);
  if (kind == ConfigKind::kModel) normalise_model(tree, "", chain);
  return with_base(kind, std::move(tree), "", chain);
}

/// The mapping that a file writes; a model's may be its config.json.
Value document(ConfigKind kind, const std::shared_ptr<const Source>& source,
               const std::string& stem) {
  const bool json = std::filesystem::path(source->path).extension() == ".json";
  if (kind != ConfigKind::kModel || !json || !is_hf_config(*source)) return parse_document(source);
  workloads::HfOptions options;
  options.name = stem;
  return model_tree(import_hf_text(source, options), source);
}

Value load_file(ConfigKind kind, const std::string& file, const Position& from,
                const std::string& path, Chain chain) {
  const std::string canonical = std::filesystem::weakly_canonical(file).string();
  if (std::find(chain.begin(), chain.end(), canonical) != chain.end()) {
    fail(from, path, "the files name each other in a circle: " + cycle_text(chain, canonical));
  }
  chain.push_back(canonical);
  const std::size_t limit = kind == ConfigKind::kModel ? kPlanFileLimit : kConfigFileLimit;
  const auto source = read_source(file, display_name(file), limit);
  const std::string stem = std::filesystem::path(file).stem().string();
  Value tree = complete(kind, document(kind, source, stem), stem, chain);
  if (Value* name = tree.find("name")) name->file = canonical;
  return tree;
}

/// An ONNX file is no model file yet.
void refuse_onnx(const Value& value, const std::string& path) {
  if (std::filesystem::path(value.text).extension() != ".onnx") return;
  fail(value.position, path, "'" + value.text + "' has to be imported first",
       {"tessera import onnx " + value.text + " --out MODEL.yaml, then name MODEL.yaml"});
}

/// A name or path becomes the mapping it means; an inline mapping gets its base.
void resolve_reference(ConfigKind kind, Value& value, const std::string& path, const Chain& chain) {
  if (value.is_scalar()) {
    if (kind == ConfigKind::kModel) refuse_onnx(value, path);
    const std::string file = find_config(kind, name_in(value, path), value.position, path);
    const Position position = value.position;
    value = load_file(kind, file, position, path, chain);
    value.replaces = true;
  } else if (value.is_map()) {
    if (kind == ConfigKind::kModel) normalise_model(value, path, chain);
    value = with_base(kind, std::move(value), path, chain);
  }
}

/// A standard that is not known by name is a file.
void normalise_dram(Value& hardware, const Chain& chain) {
  Value* dram = hardware.is_map() ? hardware.find("dram") : nullptr;
  Value* standard = dram && dram->is_map() ? dram->find("standard") : nullptr;
  if (!standard) return;
  if (standard->is_scalar() && is_known_standard(standard->text)) return;
  resolve_reference(ConfigKind::kDram, *standard, "hardware.dram.standard", chain);
}

/// The parts of a model are models.
void normalise_model(Value& model, const std::string& path, const Chain& chain) {
  for (const char* part : {"vision", "text", "expert"}) {
    if (Value* value = model.find(part)) {
      resolve_reference(ConfigKind::kModel, *value, join_path(path, part), chain);
    }
  }
}

/// `key: word` becomes `key: {inner: word}`, which replaces what a base says.
void expand(Value& run, const std::string& key, const std::string& inner) {
  Value* found = run.find(key);
  if (!found || !found->is_scalar()) return;
  Value expanded = make_map(found->position);
  expanded.set(inner, found->position, *found);
  expanded.replaces = true;
  *found = std::move(expanded);
}

void normalise_workload(Value& run, const Chain& chain) {
  expand(run, "workload", "model");
  Value* workload = run.find("workload");
  if (!workload || !workload->is_map()) return;
  if (Value* model = workload->find("model")) {
    resolve_reference(ConfigKind::kModel, *model, "workload.model", chain);
  }
  Value* phases = workload->find("phases");
  if (!phases || !phases->is_map()) return;
  for (MapEntry& phase : phases->entries) {
    if (phase.value.is_scalar()) {
      Value expanded = make_map(phase.value.position);
      expanded.set("model", phase.value.position, phase.value);
      phase.value = std::move(expanded);
    }
    const std::string path = join_path("workload.phases", phase.key);
    if (Value* model = phase.value.find("model")) {
      resolve_reference(ConfigKind::kModel, *model, path + ".model", chain);
    }
  }
}

void normalise_fusion(Value& run) {
  Value* fusion = run.find("fusion");
  if (!fusion || !fusion->is_scalar()) return;
  const std::vector<std::string> words{"none", "epilogue", "attention", "all", "auto"};
  const char* const epilogue[] = {"false", "true", "false", "true", "true"};
  const char* const others[] = {"false", "false", "false", "true", "auto"};
  const char* const attention[] = {"false", "false", "true", "true", "auto"};
  const std::size_t chosen = parse_choice(*fusion, "fusion", words, {"norm"});
  const Position position = fusion->position;
  Value expanded = make_map(position);
  const auto set = [&](const char* key, const char* const* by_word) {
    expanded.set(key, position, make_scalar(by_word[chosen], position));
  };
  set("epilogue", epilogue);
  for (const char* key : {"qkv", "gate_up", "residual"}) set(key, others);
  set("attention", attention);
  const char* const softmax[] = {"three_pass", "three_pass", "three_pass", "three_pass", "auto"};
  set("softmax", softmax);
  *fusion = std::move(expanded);
}

/// `objective: latency` is the strict optimum: {minimize: latency, within: 0}.
void normalise_objective(Value& run) {
  Value* mapping = run.find("mapping");
  if (!mapping || !mapping->is_map()) return;
  const Value* objective = mapping->find("objective");
  const bool short_form = objective && objective->is_scalar();
  expand(*mapping, "objective", "minimize");
  if (!short_form) return;
  Value* expanded = mapping->find("objective");
  expanded->set("within", expanded->position, make_scalar("0", expanded->position));
}

/// `layout: tiled` is meant of every class.
void normalise_layout(Value& run) {
  Value* mapping = run.find("mapping");
  Value* layout = mapping && mapping->is_map() ? mapping->find("layout") : nullptr;
  if (!layout || !layout->is_scalar()) return;
  const Value word = *layout;
  Value expanded = make_map(word.position);
  for (const char* key : {"weights", "activations", "kv_cache"}) {
    expanded.set(key, word.position, word);
  }
  *layout = std::move(expanded);
}

/// Writes out short forms and replaces names. Changes nothing the second time.
void normalise_run(Value& run, const Chain& chain) {
  if (Value* hardware = run.find("hardware")) {
    resolve_reference(ConfigKind::kHardware, *hardware, "hardware", chain);
    normalise_dram(*hardware, chain);
  }
  normalise_workload(run, chain);
  expand(run, "precision", "default");
  normalise_fusion(run);
  normalise_objective(run);
  normalise_layout(run);
}

std::string wanted_form(const std::string& ends) {
  return ends.empty() ? "path.to.key" : "path.to.key=value";
}

/// Reads `a.b."c.d"` of `text`, which stands at `start`, up to a byte of `ends`
/// (none: to its end). Where it ended.
std::size_t split_path(const Position& start, const std::string& text, const std::string& ends,
                       const std::string& wanted, std::vector<KeyStep>& steps) {
  const auto at = [&](std::size_t i) {
    return Position{start.source, start.line, start.column + static_cast<int>(i)};
  };
  std::size_t i = 0;
  while (true) {
    KeyStep step;
    step.position = at(i);
    if (i < text.size() && text[i] == '"') {
      const std::size_t end = text.find('"', i + 1);
      if (end == std::string::npos) fail(step.position, "", "the quote is not closed");
      step.key = text.substr(i + 1, end - i - 1);
      i = end + 1;
    } else {
      const std::size_t end = std::min(text.find_first_of("." + ends, i), text.size());
      step.key = text.substr(i, end - i);
      i = end;
    }
    const bool ended = i == text.size() ? ends.empty() : ends.find(text[i]) != std::string::npos;
    if (!ended && (i == text.size() || text[i] != '.')) fail(at(i), "", wanted);
    if (step.key.empty()) fail(at(i), "", "a key is missing: write " + wanted_form(ends));
    steps.push_back(std::move(step));
    if (ended) return i;
    ++i;
  }
}

/// What a --set puts in: maps merge with what is there, anything else replaces it.
void put(Value& map, const KeyStep& step, Value value) {
  const Value* known = map.find(step.key);
  if (value.find("base")) value.replaces = true;
  map.set(step.key, step.position, known ? merge(*known, value) : value);
}

}  // namespace

Value load_tree(ConfigKind kind, const std::string& subject) {
  if (subject == "-") return complete(kind, parse_document(read_standard_input()), "stdin", {});
  return load_file(kind, find_config(kind, subject, {}, ""), {}, "", {});
}

Value load_run_tree(const Value& reference, const std::string& path) {
  if (reference.is_scalar()) {
    const std::string& word = name_in(reference, path);
    const std::string file = find_config(ConfigKind::kRun, word, reference.position, path);
    return load_file(ConfigKind::kRun, file, reference.position, path, {});
  }
  check_map(reference, path, {});
  const std::filesystem::path file = reference.position.source->path;
  return complete(ConfigKind::kRun, reference, file.empty() ? "inline" : file.stem().string(), {});
}

std::vector<KeyStep> key_path(const std::string& text, const Position& position) {
  std::vector<KeyStep> steps;
  split_path(position, text, "", "not a key: write path.to.key", steps);
  return steps;
}

void apply_setting(Value& run, const Setting& setting) {
  Value* map = &run;
  std::string path;
  for (std::size_t i = 0; i < setting.path.size(); ++i) {
    const KeyStep& step = setting.path[i];
    if (!map->is_map()) {
      fail(step.position, join_path(path, step.key),
           fmt::format("{} has no keys: it is {}", path, shown(*map)));
    }
    path = join_path(path, step.key);
    if (i + 1 == setting.path.size()) {
      put(*map, step, setting.value);
      break;
    }
    if (!map->find(step.key)) map->set(step.key, step.position, make_map(step.position));
    map = map->find(step.key);
  }
  normalise_run(run, {});
}

void apply_set(Value& run, const std::string& argument) {
  auto source = std::make_shared<Source>();
  source->name = "--set";
  source->directory = ".";
  source->text = argument;
  source->index_lines();
  if (argument.find_first_of("\n\r") != std::string::npos) {
    fail({source, 0, 0}, "", "a --set argument is one line");
  }
  Setting setting;
  const std::size_t equals =
      split_path({source, 0, 0}, argument, "=", "no '=': write path.to.key=value", setting.path);
  setting.value = parse_value(source, equals + 1);
  apply_setting(run, setting);
}

}  // namespace tessera::sim::config
