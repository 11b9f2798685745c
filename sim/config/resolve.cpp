#include "sim/config/resolve.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/config/codecs.h"
#include "sim/config/dram_fields.h"
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
  const char* const attention[] = {"false", "false", "true", "true", "auto"};
  const std::size_t chosen =
      parse_choice(*fusion, "fusion", words, {"norm", "residual", "gate_up"});
  const Position position = fusion->position;
  Value expanded = make_map(position);
  expanded.set("epilogue", position, make_scalar(epilogue[chosen], position));
  expanded.set("attention", position, make_scalar(attention[chosen], position));
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

struct Segment {
  std::string key;
  int column = 0;
};

/// Splits `a.b."c.d"=` and returns the column behind the `=`.
std::size_t split_path(const std::shared_ptr<const Source>& source,
                       std::vector<Segment>& segments) {
  const std::string& text = source->text;
  std::size_t i = 0;
  while (true) {
    Segment segment;
    segment.column = static_cast<int>(i);
    if (i < text.size() && text[i] == '"') {
      const std::size_t end = text.find('"', i + 1);
      if (end == std::string::npos)
        fail({source, 0, segment.column}, "", "the quote is not closed");
      segment.key = text.substr(i + 1, end - i - 1);
      i = end + 1;
    } else {
      const std::size_t end = std::min(text.find_first_of(".=", i), text.size());
      segment.key = text.substr(i, end - i);
      i = end;
    }
    const Position here{source, 0, static_cast<int>(i)};
    if (i == text.size() || (text[i] != '.' && text[i] != '=')) {
      fail(here, "", "no '=': write path.to.key=value");
    }
    if (segment.key.empty()) fail(here, "", "a key is missing: write path.to.key=value");
    segments.push_back(std::move(segment));
    if (text[i++] == '=') return i;
  }
}

/// What a --set puts in: maps merge with what is there, anything else replaces it.
void put(Value& map, const Segment& segment, const Position& position, Value value) {
  const Value* known = map.find(segment.key);
  if (value.find("base")) value.replaces = true;
  map.set(segment.key, position, known ? merge(*known, value) : value);
}

}  // namespace

Value load_tree(ConfigKind kind, const std::string& subject) {
  if (subject == "-") return complete(kind, parse_document(read_standard_input()), "stdin", {});
  return load_file(kind, find_config(kind, subject, {}, ""), {}, "", {});
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
  std::vector<Segment> segments;
  const std::size_t column = split_path(source, segments);
  const Value value = parse_value(source, column);
  Value* map = &run;
  std::string path;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    const Position position{source, 0, segment.column};
    if (!map->is_map()) {
      fail(position, join_path(path, segment.key),
           fmt::format("{} has no keys: it is {}", path, shown(*map)));
    }
    path = join_path(path, segment.key);
    if (i + 1 == segments.size()) {
      put(*map, segment, position, value);
      break;
    }
    if (!map->find(segment.key)) map->set(segment.key, position, make_map(position));
    map = map->find(segment.key);
  }
  normalise_run(run, {});
}

}  // namespace tessera::sim::config
