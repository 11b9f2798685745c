// A plan as YAML and back.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "sim/config/config.h"
#include "sim/config/fields.h"
#include "sim/config/hardware_fields.h"
#include "sim/config/search_path.h"
#include "sim/config/yaml_reader.h"
#include "sim/config/yaml_writer.h"

namespace tessera::sim {

namespace {

using config::Codec;
using config::Field;
using config::Json;
using config::MapEntry;
using config::Table;
using config::Value;

constexpr const char* kSchema = "tessera-plan/1";
constexpr std::int64_t kMost = 1'000'000'000'000;

Codec<std::int64_t> count_from(std::int64_t low) { return config::integer(low, kMost); }
Codec<std::int64_t> any_bytes() { return config::bytes(0, std::int64_t{1} << 50); }

Codec<int> buffer_codec(const hw::HardwareConfig& hardware) {
  std::vector<std::pair<std::string, int>> names;
  for (const hw::BufferConfig& buffer : hardware.buffers) {
    names.emplace_back(buffer.name, static_cast<int>(names.size()));
  }
  return config::choice<int>(names);
}

/// Left out where slots lie one behind the other.
Field<Slots> stride_field() {
  Field<Slots> made =
      config::field("stride", &Slots::stride, any_bytes(), "From slot to slot; absent: bytes.");
  made.write = [write = made.write](const Slots& slots) {
    return slots.stride == 0 ? Json() : write(slots);
  };
  return made;
}

/// Slots lie inside their buffer. Unused ones (count 0) are left out.
Codec<Slots> slots_codec(const hw::HardwareConfig& hardware) {
  const Table<Slots> table{
      {config::field("buffer", &Slots::buffer, buffer_codec(hardware), "Buffer.").needed(),
       config::field("offset", &Slots::offset, any_bytes(), "Of the first slot.").needed(),
       config::field("bytes", &Slots::bytes, any_bytes(), "Of one slot.").needed(),
       config::field("count", &Slots::count, config::integer(1, 1'000'000), "Slots.").needed(),
       stride_field()},
      {}};
  Codec<Slots> codec = config::record(table);
  codec.print = [=](const Slots& slots) { return slots.count == 0 ? Json() : table.write(slots); };
  codec.parse = [parse = codec.parse, buffers = hardware.buffers](const Value& value,
                                                                  const std::string& path) {
    const Slots slots = parse(value, path);
    const Bytes capacity = buffers[static_cast<std::size_t>(slots.buffer)].capacity;
    const bool bad_stride = slots.stride > 0 && slots.stride < slots.bytes;
    if (bad_stride) config::fail(value.position, path, "the stride is less than a slot's bytes");
    const bool huge = slots.offset > capacity || slots.step() > capacity;
    if (huge || slots.end() > capacity) {
      config::fail(value.position, path,
                   fmt::format("{} x {} at {} reach beyond '{}' ({})", slots.count,
                               config::bytes_text(slots.bytes), config::bytes_text(slots.offset),
                               buffers[static_cast<std::size_t>(slots.buffer)].name,
                               config::bytes_text(capacity)));
    }
    return slots;
  };
  return codec;
}

Codec<std::vector<Slots>> slots_list(const hw::HardwareConfig& hardware) {
  const Codec<Slots> item = slots_codec(hardware);
  Codec<std::vector<Slots>> codec;
  codec.parse = [=](const Value& value, const std::string& path) {
    if (value.kind != config::ValueKind::kList) config::not_allowed(value, path, "a list");
    std::vector<Slots> all;
    for (const Value& each : value.items) {
      const bool kept = each.is_scalar() && each.text == "kept";
      all.push_back(kept ? Slots{} : item.parse(each, path));
    }
    return all;
  };
  codec.print = [=](const std::vector<Slots>& all) {
    Json list = Json::array();
    for (const Slots& each : all) {
      list.push_back(each.count == 0 ? Json("kept") : item.print(each));  // on chip
    }
    return list;
  };
  return codec;
}

Codec<std::array<LoopDim, 3>> order_codec() {
  constexpr LoopDim kM = LoopDim::kM, kK = LoopDim::kK, kN = LoopDim::kN;
  return config::choice<std::array<LoopDim, 3>>({{"mkn", {kM, kK, kN}},
                                                 {"mnk", {kM, kN, kK}},
                                                 {"kmn", {kK, kM, kN}},
                                                 {"knm", {kK, kN, kM}},
                                                 {"nmk", {kN, kM, kK}},
                                                 {"nkm", {kN, kK, kM}}});
}

Field<GemmMapping> resident_field() {
  const auto codec = config::list_of(config::choice<std::string>({{"a", "a"}, {"b", "b"}}), 0);
  Field<GemmMapping> made;
  made.key = "resident";
  made.allowed = codec.allowed;
  made.read = [=](const Value& value, const std::string& path, GemmMapping& out) {
    for (const std::string& operand : codec.parse(value, path)) {
      (operand == "a" ? out.resident_a : out.resident_b) = true;
    }
  };
  made.write = [](const GemmMapping& mapping) {
    Json list = Json::array();
    if (mapping.resident_a) list.push_back("a");
    if (mapping.resident_b) list.push_back("b");
    return list;
  };
  return made;
}

Table<GemmMapping> gemm_table(const hw::HardwareConfig& hardware) {
  using S = GemmMapping;
  const Table<TileShape> tile{
      {config::field("m", &TileShape::m, count_from(1), "Rows of A.").needed(),
       config::field("k", &TileShape::k, count_from(1), "The reduction.").needed(),
       config::field("n", &TileShape::n, count_from(1), "Columns of B.").needed()},
      {}};
  const Codec<Slots> slots = slots_codec(hardware);
  const auto dataflow = config::choice<hw::Dataflow>(config::dataflow_names());
  return {
      {config::field("dataflow", &S::dataflow, dataflow, "What stays.").needed(),
       config::section("tile", &S::tile, tile, "The resident tile.").needed(),
       config::field("loop_order", &S::order, order_codec(), "Outer first.").needed(),
       resident_field(), config::field("a", &S::a, slots, "Left operand; absent: kept on chip."),
       config::field("b", &S::b, slots, "Right operand.").needed(),
       config::field("accumulators", &S::accumulators, slots, "Partial sums.").needed(),
       config::field("outputs", &S::outputs, slots, "Results; absent: in place, or kept on chip.")},
      {}};
}

Table<AttentionMapping> attention_table(const hw::HardwareConfig& hardware) {
  using S = AttentionMapping;
  const Codec<Slots> slots = slots_codec(hardware);
  const auto dataflow = config::choice<hw::Dataflow>(config::dataflow_names());
  return {{config::field("dataflow", &S::dataflow, dataflow, "Of both Gemms.").needed(),
           config::field("rows", &S::rows, count_from(1), "Query rows of a block.").needed(),
           config::field("keys", &S::keys, count_from(1), "Keys of a block.").needed(),
           config::field("softmax_rows", &S::softmax_rows, count_from(1), "Rows of one softmax.")
               .needed(),
           config::field("resident", &S::resident, config::boolean(), "Keys and values stay."),
           config::field("q", &S::q, slots, "Queries; absent: kept on chip."),
           config::field("k", &S::k, slots, "Keys.").needed(),
           config::field("v", &S::v, slots, "Values.").needed(),
           config::field("scores", &S::scores, slots, "Scores, then probabilities.").needed(),
           config::field("score_sums", &S::score_sums, slots, "Sums of scores.").needed(),
           config::field("sums", &S::sums, slots, "Sums of results.").needed(),
           config::field("outputs", &S::outputs, slots, "Results; absent: kept on chip."),
           config::field("online", &S::online, config::boolean(), "Online softmax."),
           config::field("statistics", &S::statistics, slots, "Of online softmax.")},
          {}};
}

Table<VectorMapping> vector_table(const hw::HardwareConfig& hardware) {
  using S = VectorMapping;
  return {{config::field("rows", &S::rows, count_from(0), "Rows of a block.").needed(),
           config::field("cols", &S::cols, count_from(0), "Columns of a block.").needed(),
           config::field("inputs", &S::inputs, slots_list(hardware), "One per input view."),
           config::field("outputs", &S::outputs, slots_list(hardware), "One per output view."),
           config::field("parameters", &S::parameters, slots_codec(hardware), "Back to back.")},
          {}};
}

/// `none`, or the byte address.
Codec<std::int64_t> address_codec() {
  Codec<std::int64_t> codec = any_bytes();
  codec.parse = [parse = codec.parse](const Value& value, const std::string& path) {
    return value.is_scalar() && value.text == "none" ? -1 : parse(value, path);
  };
  codec.print = [print = codec.print](std::int64_t address) {
    return address < 0 ? Json("none") : print(address);
  };
  return codec;
}

Table<TensorAllocation> tensor_table(const hw::HardwareConfig& hardware) {
  using S = TensorAllocation;
  const auto layout =
      config::choice<Layout>({{"row_major", Layout::kRowMajor}, {"tiled", Layout::kTiled}});
  const auto blocks = config::optional_integer(1, 1'000'000'000);
  const auto lifetime = config::choice<Lifetime>({{"weight", Lifetime::kWeight},
                                                  {"activation", Lifetime::kActivation},
                                                  {"persistent", Lifetime::kPersistent}});
  const auto use = config::integer(-1, 1'000'000'000);
  return {{config::field("address", &S::address, address_codec(), "In DRAM.").needed(),
           config::field("bytes", &S::bytes, any_bytes(), "As stored, with pitch.").needed(),
           config::field("pitch", &S::pitch, any_bytes(), "From row to row.").needed(),
           config::field("layout", &S::layout, layout, "Layout.").needed(),
           config::field("block_rows", &S::block_rows, blocks, "Tiled: rows of a block."),
           config::field("block_width", &S::block_width, blocks, "Tiled: bytes of its rows."),
           config::field("alignment", &S::alignment, any_bytes(), "Of the address.").needed(),
           config::field("lifetime", &S::lifetime, lifetime, "How long it lives.").needed(),
           config::field("kept", &S::kept, slots_codec(hardware), "On chip, in place of DRAM."),
           config::field("first_use", &S::first_use, use, "Operator index.").needed(),
           config::field("last_use", &S::last_use, use, "Operator index, inclusive.").needed()},
          {}};
}

/// No key that is not in `names`; the names that the mapping leaves out are the ones meant.
void check_names(const Value& value, const std::string& path, const std::vector<std::string>& names,
                 const std::string& what) {
  const std::set<std::string> known(names.begin(), names.end());
  std::set<std::string> absent = known;
  for (const MapEntry& entry : value.entries) absent.erase(entry.key);
  for (const MapEntry& entry : value.entries) {
    if (known.count(entry.key) > 0) continue;
    std::string near = config::nearest(entry.key, {absent.begin(), absent.end()});
    if (near.empty()) near = config::nearest(entry.key, names);
    std::string hint = near.empty() ? "" : fmt::format("did you mean '{}'?", near);
    if (near.empty() && !absent.empty()) {  // the plan of another run
      const auto first = std::find_if(names.begin(), names.end(),
                                      [&](const auto& name) { return absent.count(name) > 0; });
      hint = fmt::format("the {} '{}' of the run is missing", what, *first);
    }
    config::fail(entry.key_position, config::join_path(path, entry.key),
                 fmt::format("the run has no such {}", what), {hint});
  }
}

/// Entries of a mapping by key, all of them in `names`, in the order of `names`.
std::vector<const Value*> entries_in_order(const Value& value, const std::string& path,
                                           const std::vector<std::string>& names,
                                           const std::string& what) {
  config::check_map(value, path, {});
  std::map<std::string, const MapEntry*> entries;
  for (const MapEntry& entry : value.entries) entries[entry.key] = &entry;
  check_names(value, path, names, what);
  std::vector<const Value*> ordered;
  for (const std::string& name : names) {
    const auto found = entries.find(name);
    if (found == entries.end()) {
      config::fail(value.position, path,
                   fmt::format("the {} '{}' of the run is missing", what, name));
    }
    ordered.push_back(&found->second->value);
  }
  return ordered;
}

const Value& required(const Value& tree, const char* key) {
  const Value* found = tree.find(key);
  if (!found) config::fail(tree.position, key, "the key is missing");
  return *found;
}

void check_top(const Value& tree) {
  for (const MapEntry& entry : tree.entries) {
    if (entry.key != "schema" && entry.key != "operators" && entry.key != "tensors") {
      config::unknown_key(entry, "", {"schema", "operators", "tensors"}, {});
    }
  }
  config::parse_choice(required(tree, "schema"), "schema", {kSchema}, {});
}

std::vector<OperatorPlan> read_operators(const Value& value, const workloads::Graph& graph,
                                         const hw::HardwareConfig& hardware) {
  std::vector<std::string> names;
  for (const workloads::Operator& op : graph.operators) names.push_back(qualified_name(op));
  const std::vector<const Value*> entries = entries_in_order(value, "operators", names, "operator");
  const Table<GemmMapping> gemms = gemm_table(hardware);
  const Table<AttentionMapping> attentions = attention_table(hardware);
  const Table<VectorMapping> vectors = vector_table(hardware);
  std::vector<OperatorPlan> operators;
  for (std::size_t i = 0; i < names.size(); ++i) {
    OperatorPlan plan;
    plan.name = names[i];
    plan.is_gemm = workloads::is_gemm(graph.operators[i]);
    plan.is_attention = graph.operators[i].kind == workloads::OperatorKind::kAttention;
    plan.pinned = true;
    const std::string path = config::join_path("operators", plan.name);
    if (plan.is_gemm) {
      gemms.read(*entries[i], path, plan.gemm);
    } else if (plan.is_attention) {
      attentions.read(*entries[i], path, plan.attention);
    } else {
      vectors.read(*entries[i], path, plan.vector);
    }
    operators.push_back(std::move(plan));
  }
  return operators;
}

std::vector<TensorAllocation> read_tensors(const Value& value, const workloads::Graph& graph,
                                           const hw::HardwareConfig& hardware) {
  std::vector<std::string> names;
  for (const workloads::Tensor& tensor : graph.tensors) names.push_back(tensor.name);
  const std::vector<const Value*> entries = entries_in_order(value, "tensors", names, "tensor");
  const Table<TensorAllocation> table = tensor_table(hardware);
  std::vector<TensorAllocation> tensors;
  for (std::size_t i = 0; i < names.size(); ++i) {
    TensorAllocation allocation;
    allocation.name = names[i];
    table.read(*entries[i], config::join_path("tensors", names[i]), allocation);
    tensors.push_back(std::move(allocation));
  }
  return tensors;
}

}  // namespace

std::string write_plan_yaml(const Plan& plan, const hw::HardwareConfig& hardware) {
  const Table<GemmMapping> gemms = gemm_table(hardware);
  const Table<AttentionMapping> attentions = attention_table(hardware);
  const Table<VectorMapping> vectors = vector_table(hardware);
  const Table<TensorAllocation> allocations = tensor_table(hardware);
  Json operators = Json::object();
  for (const OperatorPlan& each : plan.operators) {
    operators[each.name] = each.is_gemm        ? gemms.write(each.gemm)
                           : each.is_attention ? attentions.write(each.attention)
                                               : vectors.write(each.vector);
  }
  Json tensors = Json::object();
  for (const TensorAllocation& each : plan.tensors) tensors[each.name] = allocations.write(each);
  return "# Plan for " + hardware.name +
         ": edit it and run it with 'mapping: {plan: FILE}'. Costs are computed, not read.\n" +
         config::yaml_text({{"schema", kSchema}, {"operators", operators}, {"tensors", tensors}});
}

Plan read_plan_file(const std::string& path, const workloads::Graph& graph,
                    const hw::HardwareConfig& hardware) {
  const auto source = config::read_source(path, config::display_name(path), config::kPlanFileLimit);
  const Value tree = config::parse_document(source);
  check_top(tree);
  Plan plan;
  plan.operators = read_operators(required(tree, "operators"), graph, hardware);
  plan.tensors = read_tensors(required(tree, "tensors"), graph, hardware);
  return plan;
}

}  // namespace tessera::sim
