#include "sim/config/precision_fields.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tessera::sim::config {
namespace {

using workloads::ElementType;
using workloads::NumberKind;
using workloads::OperandTypes;

const std::vector<std::string> kUnbuiltFormats{"fp8"};

const std::vector<std::string>& pairs() {
  static const std::vector<std::string> all{"w4a4",   "w4a8",   "w4a16",  "w8a4",  "w8a8", "w8a16",
                                            "w16a4",  "w16a8",  "w16a16", "fp16",  "bf16", "fp32",
                                            "w4fp16", "w8fp16", "w4bf16", "w8bf16"};
  return all;
}

Codec<std::string> pair_codec() {
  std::vector<std::pair<std::string, std::string>> options;
  for (const std::string& pair : pairs()) options.emplace_back(pair, pair);
  return choice<std::string>(options, kUnbuiltFormats);
}

Codec<ElementType> type_codec() {
  return choice<ElementType>({{"int4", 4},
                              {"int8", 8},
                              {"int16", 16},
                              {"fp16", {16, NumberKind::kFloat}},
                              {"bf16", {16, NumberKind::kBfloat}},
                              {"fp32", {32, NumberKind::kFloat}}},
                             kUnbuiltFormats);
}

Table<workloads::QuantisationGroups> groups_table() {
  using S = workloads::QuantisationGroups;
  return {{field("size", &S::size, integer(2, 1 << 20),
                 "Elements of a stored row of weights that share a scale.")
               .fallback_is("one scale a tensor, not counted"),
           field("scale", &S::scale_bits, integer(4, 32), "Bits of one scale.")},
          {}};
}

/// Left out where it was not given.
Field<PrecisionSpec> type_field(const char* key, ElementType PrecisionSpec::*member,
                                const char* help, const char* fallback) {
  return field(key, member, type_codec(), help).fallback_is(fallback);
}

Field<PrecisionSpec> groups_field() {
  using S = PrecisionSpec;
  Field<S> made =
      section("groups", &S::groups, groups_table(), "Groups of integer weights with one scale.");
  const auto write = made.write;
  made.write = [=](const S& spec) { return spec.groups.size > 0 ? write(spec) : Json(); };
  return made;
}

Table<PrecisionSpec> precision_table() {
  using S = PrecisionSpec;
  return {
      {field("default", &S::pair, pair_codec(), "Weights and activations of every operator."),
       type_field("weights", &S::weights, "Weights, in place of the default's.", "the default's"),
       type_field("activations", &S::activations, "Activations, in place of the default's.",
                  "the default's"),
       type_field("kv_cache", &S::kv_cache, "Keys and values in the cache.", "as activations"),
       type_field("softmax", &S::softmax, "What softmax reads: the scores.", "as activations"),
       type_field("norm", &S::norm, "What norms read: the residual stream.", "as activations"),
       groups_field()},
      {}};
}

bool is_pattern(const std::string& key) { return key.find_first_of(".*") != std::string::npos; }

/// `denoise: {"*": w4a8}` is the pattern `denoise.*`, as --set makes it.
void read_rules(const Value& value, const std::string& path, const std::string& prefix,
                std::vector<workloads::PrecisionRule>& rules) {
  static const Codec<std::string> pair = pair_codec();
  for (const MapEntry& entry : value.entries) {
    const std::string pattern = prefix + entry.key;
    const std::string at = join_path(path, entry.key);
    if (entry.value.is_map()) {
      read_rules(entry.value, at, pattern + ".", rules);
    } else {
      rules.push_back({pattern, workloads::operand_types(pair.parse(entry.value, at))});
    }
  }
}

/// The entries of `value` that are patterns, or else the others.
Value entries_of(const Value& value, const Table<PrecisionSpec>& table, bool patterns) {
  Value part = value;
  const std::vector<std::string> keys = table.keys();
  part.entries.clear();
  for (const MapEntry& entry : value.entries) {
    const bool known = std::find(keys.begin(), keys.end(), entry.key) != keys.end();
    const bool nested = entry.value.is_map() && !known;
    if ((is_pattern(entry.key) || nested) == patterns) part.entries.push_back(entry);
  }
  return part;
}

/// Every pair of operands that a Gemm may find, and why.
std::vector<std::pair<OperandTypes, std::string>> needed_pairs(const PrecisionSpec& spec) {
  const workloads::Precision precision = spec.resolved();
  const OperandTypes pair{precision.weights, precision.activations};
  std::vector<std::pair<OperandTypes, std::string>> needed{{pair, ""}};
  needed.push_back({{precision.activations, precision.activations},
                    ", which attention needs with " + pair_name(pair)});
  for (const workloads::PrecisionRule& rule : precision.rules) {
    needed.push_back({rule.types, ", which " + rule.pattern + " asks for"});
  }
  return needed;
}

}  // namespace

workloads::Precision PrecisionSpec::resolved() const {
  const OperandTypes types = workloads::operand_types(pair);
  const auto or_else = [](const ElementType& given, const ElementType& fallback) {
    return given.bits > 0 ? given : fallback;
  };
  workloads::Precision made;
  made.weights = or_else(weights, types.weights);
  made.activations = or_else(activations, types.activations);
  made.kv_cache = or_else(kv_cache, made.activations);
  if (softmax.bits > 0) made.softmax = softmax;
  if (norm.bits > 0) made.norm = norm;
  made.groups = groups;
  made.rules = rules;
  return made;
}

PrecisionSpec read_precision(const Value& value, const std::string& path) {
  static const Table<PrecisionSpec> table = precision_table();
  if (!value.is_map()) check_map(value, path, table.keys());
  PrecisionSpec spec;
  table.read(entries_of(value, table, false), path, spec);
  read_rules(entries_of(value, table, true), path, "", spec.rules);
  return spec;
}

Json write_precision(const PrecisionSpec& spec) {
  static const Table<PrecisionSpec> table = precision_table();
  Json json = table.write(spec);
  for (const workloads::PrecisionRule& rule : spec.rules) {
    json[rule.pattern] = pair_name(rule.types);
  }
  return json;
}

Json precision_schema() {
  Json schema = precision_table().schema();
  schema["patternProperties"] = {{"[.*]", pair_codec().schema}};
  return schema;
}

std::vector<DocRow> precision_rows() {
  std::vector<DocRow> rows = precision_table().rows();
  rows.push_back({"PATTERN", pair_codec().allowed, "",
                  "Of the operators that a key with a dot or a star matches (`denoise.*`, "
                  "`*.MLP_*`); the last that matches wins."});
  return rows;
}

void check_precision(const PrecisionSpec& spec, const hw::HardwareConfig& hardware,
                     const Value& value) {
  for (const auto& [types, why] : needed_pairs(spec)) {
    const std::string pair = pair_name(types);
    if (hw::pair_rate(hardware.array, pair)) continue;
    std::vector<std::string> known;
    for (const auto& [each, macs] : hardware.array.throughput) known.push_back(each);
    const Value* precision = value.find("precision");
    fail(precision ? precision->position : value.position, "precision",
         fmt::format("the array of {} cannot run {}{}", hardware.name, pair, why),
         {fmt::format("allowed by hardware.array.throughput: {}", fmt::join(known, ", "))});
  }
}

}  // namespace tessera::sim::config
