#include "sim/config/hardware_fields.h"

#include <array>
#include <map>
#include <regex>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/config/dram_fields.h"

namespace tessera::sim::config {

namespace {

using hw::BufferConfig;
using hw::HardwareConfig;
using hw::Role;

constexpr std::int64_t kKiB = 1 << 10;
constexpr std::int64_t kGiB = 1 << 30;
constexpr std::int64_t kMaxCycles = 1'000'000;
constexpr std::size_t kMaxBuffers = 16;
constexpr std::array<Role, 4> kRoles{Role::kStationary, Role::kActivations, Role::kAccumulators,
                                     Role::kOutputs};

Codec<Role> role() {
  std::vector<std::pair<std::string, Role>> names;
  for (const Role each : kRoles) names.emplace_back(hw::to_string(each), each);
  return choice<Role>(names);
}

// ---- clocks, array ------------------------------------------------------------------------------

Table<hw::ClockConfig> clocks_table() {
  using S = hw::ClockConfig;
  return {{field("core", &S::core_hz, frequency(), "Clock of array, vector unit, buffers, DMA."),
           field("interconnect", &S::interconnect_hz, frequency(),
                 "Clock of the interconnect. The DRAM clock comes with its standard.")
               .fallback_is("the core clock")},
          {}};
}

constexpr const char* kPairPattern = "^(w(4|8|16)a(4|8|16)|(w[48])?(fp16|bf16)|fp32)$";

bool is_precision_pair(const std::string& name) {
  static const std::regex pattern(kPairPattern);
  return std::regex_match(name, pattern);
}

void check_pair(const MapEntry& entry, const std::string& path) {
  if (is_precision_pair(entry.key)) return;
  fail(entry.key_position, path, "not a precision pair (w4a4, w4a8, w8a8, w8a16, w16a16, ...)",
       {"w<bits>a<bits> with 4, 8 or 16 bits of weights and of activations",
        "fp16, bf16 or fp32 for both", "w4 or w8 before fp16 or bf16"});
}

Field<hw::ArrayConfig> throughput_field() {
  using S = hw::ArrayConfig;
  const OpenMap<double> keys{"PAIR", kPairPattern, check_pair};
  const Codec<double> rate = number_above(0, 64);
  Field<S> made;
  made.key = "throughput";
  made.allowed = "map of precision pair to " + rate.allowed;
  made.help =
      "MACs per PE and cycle by precision pair (weights, activations). A pair that is not listed "
      "cannot run, but for `dequantise`. In attention both operands are activations or cached.";
  made.read = [=](const Value& value, const std::string& path, S& out) {
    const auto pairs = read_open_map(value, path, keys, rate);
    if (pairs.empty()) fail(value.position, path, "lists no precision pair");
    out.throughput = {pairs.begin(), pairs.end()};
  };
  made.write = [=](const S& values) {
    Json tree = Json::object();
    for (const auto& [pair, macs] : values.throughput) tree[pair] = macs;
    return tree;
  };
  made.schema = open_map_schema(keys, rate.schema);
  return made;
}

Codec<hw::OperandDelivery> delivery() {
  return choice<hw::OperandDelivery>({{"systolic", hw::OperandDelivery::kSystolic},
                                      {"broadcast", hw::OperandDelivery::kBroadcast},
                                      {"semi_systolic", hw::OperandDelivery::kSemiSystolic}});
}

Table<hw::ArrayConfig> array_table() {
  using S = hw::ArrayConfig;
  return {
      {field("rows", &S::rows, integer(1, 4096), "Rows of processing elements."),
       field("cols", &S::cols, integer(1, 4096), "Columns of processing elements."),
       field("dataflows", &S::dataflows, list_of(choice<hw::Dataflow>(dataflow_names()), 1),
             "What the array can keep in place; the mapper chooses among them."),
       throughput_field(),
       field(
           "dequantise", &S::dequantise, integer(0, 1 << 20),
           "Elements of the right operand a cycle that are widened on their way into the array, so "
           "that w4a16 runs as w16a16 and w4bf16 as bf16 where they are not listed; 0: none are."),
       field("delivery", &S::delivery, delivery(),
             "`systolic`: operands hop from PE to PE, a cycle each; `broadcast`: they reach all "
             "PEs of a row or column at once; `semi_systolic`: B reaches a column at once and "
             "partial sums go round through the PEs of a row; output stationary only."),
       field("stages", &S::stages, integer(1, 64),
             "Registers of a PE that partial sums pass, `semi_systolic`: a row makes cols x "
             "stages results."),
       field("preload", &S::preload,
             choice<hw::Preload>({{"exposed", hw::Preload::kExposed},
                                  {"overlapped", hw::Preload::kOverlapped},
                                  {"paired", hw::Preload::kPaired}}),
             "`overlapped`: the next stationary block loads while this one streams; `paired`: "
             "only beside the stream's last row block (at most `rows` rows), and only if it is "
             "at hand when that begins; else behind it."),
       field(
           "fill", &S::fill,
           choice<hw::Fill>({{"per_chain", hw::Fill::kPerChain}, {"per_fold", hw::Fill::kPerFold}}),
           "`per_fold`: every fold waits until the array has emptied (the skew, rows + cols - "
           "2)."),
       field("drain", &S::drain,
             choice<hw::Drain>({{"exposed", hw::Drain::kExposed},
                                {"overlapped", hw::Drain::kOverlapped},
                                {"omitted", hw::Drain::kOmitted}}),
             "Output-stationary results leave in front of the next fold, while it streams, or "
             "in no time (SCALE-Sim's convention)."),
       field("result_registers", &S::result_registers,
             choice<hw::ResultRegisters>({{"single", hw::ResultRegisters::kSingle},
                                          {"double", hw::ResultRegisters::kDouble}}),
             "Of a PE, output stationary. Results of two folds leave at least so many cycles "
             "apart when `drain: overlapped`: the shift-out, `single`: with the skew."),
       field("result_side", &S::result_side,
             choice<hw::ResultSide>(
                 {{"rows", hw::ResultSide::kRows}, {"cols", hw::ResultSide::kCols}}),
             "Output-stationary results shift out in `rows` or in `cols` cycles."),
       field("result_preload", &S::result_preload,
             choice<hw::ResultPreload>({{"accumulating", hw::ResultPreload::kAccumulating},
                                        {"always", hw::ResultPreload::kAlways}}),
             "`always`: output-stationary results that start from zero are loaded too."),
       field("pe_latency", &S::pe_latency, cycles(kMaxCycles),
             "Pipeline of a PE (multiplier, adder), once per chain."),
       field("stream_multiple", &S::stream_multiple, integer(1, 4096),
             "Streamed rows are padded to it: K always, other dimensions in front of another "
             "stationary block."),
       field("stream_minimum", &S::stream_minimum, integer(1, 4096),
             "Least rows of a fold's last row block (at most `rows` rows)."),
       field("startup", &S::startup, cycles(kMaxCycles),
             "From a command to its first operand row."),
       field("issue_ahead", &S::issue_ahead, integer(1, 4096),
             "Commands that may start up while another one streams.")},
      {}};
}

// ---- vector unit --------------------------------------------------------------------------------

Table<hw::VectorOperation> operation_table() {
  using S = hw::VectorOperation;
  return {
      {field("passes", &S::passes, number_above(0, 100), "Passes over the data."),
       field("per_element", &S::per_element, number_above(0, 1000),
             "Cycles per element and lane in each pass."),
       field("per_row", &S::per_row, integer(0, kMaxCycles), "Serial cycles per row."),
       field("reductions", &S::reductions, integer(0, 100),
             "Passes that reduce every row to one value: each costs a command the depth of the "
             "tree, ceil(log2(lanes)) cycles."),
       field("latency", &S::latency, integer(0, kMaxCycles), "Cycles once per command: pipeline.")},
      {}};
}

Field<hw::VectorConfig> operations_field() {
  using S = hw::VectorConfig;
  const Table<hw::VectorOperation> table = operation_table();
  const OpenMap<hw::VectorOperation> keys{"NAME", kNamePattern, check_name};
  Field<S> made;
  made.key = "operations";
  made.allowed = "map of name to mapping";
  made.fallback = "the table below";
  made.help = "Cost of vector operations: an open map. Entries change or extend the defaults.";
  made.read = [=](const Value& value, const std::string& path, S& out) {
    check_map(value, path, {});
    for (const MapEntry& entry : value.entries) {
      const std::string below = join_path(path, entry.key);
      keys.check(entry, below);
      table.read(entry.value, below, out.operations[entry.key]);
    }
  };
  made.write = [=](const S& values) {
    Json tree = Json::object();
    for (const auto& [name, operation] : values.operations) tree[name] = table.write(operation);
    return tree;
  };
  made.schema = open_map_schema(keys, table.schema());
  made.rows = open_map_rows(keys, table.rows());
  return made;
}

Table<hw::VectorConfig> vector_table() {
  using S = hw::VectorConfig;
  return {{field("lanes", &S::lanes, integer(1, 65536), "Elements that one pass step takes."),
           operations_field()},
          {}};
}

// ---- buffers ------------------------------------------------------------------------------------

Field<BufferConfig> bank_mapping_field() {
  const Codec<std::int64_t> interleave = bytes(1, kGiB, true);
  const std::string allowed = "blocked, interleaved(BYTES)";
  const std::string prefix = "interleaved(";
  Field<BufferConfig> made;
  made.key = "bank_mapping";
  made.allowed = "`blocked` \\| `interleaved(256 B)`";
  made.help = "Which bank an address is in: one block per bank, or so many bytes in turn.";
  made.read = [=](const Value& value, const std::string& path, BufferConfig& out) {
    const std::string& text = scalar_text(value, path, allowed);
    if (text == "blocked") {
      out.bank_mapping = hw::BankMapping::kBlocked;
      out.interleave = 0;
      return;
    }
    if (text.compare(0, prefix.size(), prefix) != 0 || text.back() != ')') {
      not_allowed(value, path, allowed);
    }
    Value size = value;
    size.text = text.substr(prefix.size(), text.size() - prefix.size() - 1);
    out.interleave = interleave.parse(size, path);
    out.bank_mapping = hw::BankMapping::kInterleaved;
  };
  made.write = [=](const BufferConfig& buffer) {
    if (buffer.bank_mapping == hw::BankMapping::kBlocked) return Json("blocked");
    return Json(prefix + bytes_text(buffer.interleave) + ")");
  };
  made.schema = {{"type", "string"},
                 {"pattern", "^(blocked|interleaved\\([0-9]+([.][0-9]+)? ?(B|KiB|MiB|GiB)\\))$"}};
  return made;
}

Field<BufferConfig> shared_field() {
  Field<BufferConfig> made;
  made.key = "shared";
  made.allowed = "`false`";
  made.fallback = "false";
  made.help = "Buffers shared between cores are not built yet.";
  made.read = [](const Value& value, const std::string& path, BufferConfig&) {
    if (boolean().parse(value, path)) {
      not_built(value.position, path, "a buffer shared between cores", {"false"});
    }
  };
  made.write = [](const BufferConfig&) { return Json(); };
  made.schema = {{"const", false}};
  return made;
}

bool holds_sums(const BufferConfig& buffer) {
  const auto& roles = buffer.roles;
  return std::find(roles.begin(), roles.end(), Role::kAccumulators) != roles.end();
}

Field<BufferConfig> element_field() {
  Codec<int> codec = choice<int>({{"int8", 8}, {"int16", 16}, {"int32", 32}});
  Field<BufferConfig> made = field("element", &BufferConfig::element_bits, codec,
                                   "Width of one partial sum; only where accumulators are.");
  made.fallback = "int32";
  made.write = [codec](const BufferConfig& buffer) {
    return holds_sums(buffer) ? codec.print(buffer.element_bits) : Json();
  };
  return made;
}

Table<BufferConfig> buffer_table() {
  using S = BufferConfig;
  return {
      {field("capacity", &S::capacity, bytes(1, 64 * kGiB), "Size.").needed(),
       field("banks", &S::banks, integer(1, 1024), "Banks; each takes `ports` accesses a cycle."),
       field("ports", &S::ports, integer(1, 16), "Accesses per bank and cycle."),
       field("width", &S::width, bytes(1, 64 * kKiB), "Bytes of one access."),
       field("latency", &S::latency, cycles(10'000), "From an access to its data."),
       bank_mapping_field(),
       field("policy", &S::policy,
             choice<hw::BankPolicy>({{"dma_first", hw::BankPolicy::kDmaFirst},
                                     {"round_robin", hw::BankPolicy::kRoundRobin},
                                     {"array_first", hw::BankPolicy::kArrayFirst}}),
             "Who wins a bank in a cycle."),
       element_field(),
       field("roles", &S::roles, list_of(role(), 1), "What the buffer holds.")
           .fallback_is("by its name, see below"),
       shared_field()},
      {}};
}

Field<HardwareConfig> buffers_field() {
  const Table<BufferConfig> table = buffer_table();
  const OpenMap<BufferConfig> keys{"NAME", kNamePattern, check_name};
  Field<HardwareConfig> made;
  made.key = "buffers";
  made.allowed = "map of name to mapping, 1 .. 16";
  made.help = "On-chip memories by name; reports and plans use these names.";
  made.read = [=](const Value& value, const std::string& path, HardwareConfig& out) {
    check_map(value, path, {});
    if (value.entries.empty() || value.entries.size() > kMaxBuffers) {
      fail(value.position, path,
           fmt::format("{} buffers are not allowed (1 .. {})", value.entries.size(), kMaxBuffers));
    }
    for (const MapEntry& entry : value.entries) {
      const std::string below = join_path(path, entry.key);
      keys.check(entry, below);
      BufferConfig buffer;
      buffer.name = entry.key;
      buffer.element_bits = 0;  // not given
      table.read(entry.value, below, buffer);
      out.buffers.push_back(std::move(buffer));
    }
  };
  made.write = [=](const HardwareConfig& hardware) {
    Json tree = Json::object();
    for (const BufferConfig& buffer : hardware.buffers) tree[buffer.name] = table.write(buffer);
    return tree;
  };
  made.schema = open_map_schema(keys, table.schema());
  made.schema["minProperties"] = 1;
  made.schema["maxProperties"] = kMaxBuffers;
  made.rows = open_map_rows(keys, table.rows());
  return made;
}

// ---- DMA, interconnect, DRAM, sequencer ---------------------------------------------------------

/// Absent where the default applies.
Field<hw::DmaConfig> slice_field() {
  Field<hw::DmaConfig> made =
      field("slice", &hw::DmaConfig::slice, integer(1, 65536),
            "Requests of a command that go out together, before another queue has its turn.")
          .fallback_is("outstanding / 4, of at most 8 full requests' bytes");
  made.write = [write = made.write](const hw::DmaConfig& dma) {
    return dma.slice > 0 ? write(dma) : Json();
  };
  return made;
}

Table<hw::DmaConfig> dma_table() {
  using S = hw::DmaConfig;
  return {
      {field("channels", &S::channels, integer(1, hw::kMaxDmaChannels),
             "Queue q runs on channel q mod channels."),
       field("load_queues", &S::load_queues, integer(1, hw::kMaxDmaQueues),
             "Queues for loads; 0 is for stationary operands, the others take streamed ones in "
             "turn."),
       field("store_queues", &S::store_queues, integer(1, hw::kMaxDmaQueues),
             "Queues for stores, in turn."),
       field("burst", &S::burst, bytes(16, 64 * kKiB, true),
             "Largest request; requests are naturally aligned."),
       field("request_sizes", &S::sizes,
             choice<hw::RequestSizes>({{"partial", hw::RequestSizes::kPartial},
                                       {"powers_of_two", hw::RequestSizes::kPowersOfTwo}}),
             "`partial`: a request moves what it needs of an aligned piece, in DRAM bursts. "
             "`powers_of_two`: all of an aligned power of two, as on TileLink."),
       field("outstanding", &S::outstanding, integer(1, 65536), "Requests in flight per channel."),
       slice_field(),
       field("descriptor", &S::descriptor, cycles(kMaxCycles), "Set-up of one command.")},
      {}};
}

Table<hw::InterconnectConfig> interconnect_table() {
  using S = hw::InterconnectConfig;
  return {{field("width", &S::width, bytes(1, 64 * kKiB), "Bytes per interconnect cycle."),
           field("latency", &S::latency, cycles(kMaxCycles), "Interconnect cycles, each way."),
           field("arbitration", &S::arbitration,
                 choice<hw::Arbitration>({{"round_robin", hw::Arbitration::kRoundRobin},
                                          {"priority", hw::Arbitration::kPriority}}),
                 "Who goes first when several DMA channels ask.")},
          {}};
}

Table<hw::HardwareLoop> loop_table() {
  using S = hw::HardwareLoop;
  const auto size = integer(1, 65536);
  return {{field("m", &S::m, size, "Rows of A and of results in one command.").needed(),
           field("k", &S::k, size, "Columns of A, rows of B in one command.").needed(),
           field("n", &S::n, size, "Columns of B and of results in one command.").needed(),
           field("row", &S::row, bytes(1, 64 * kKiB),
                 "Bytes of a row that one load or store command moves."),
           field("tiles_in_flight", &S::tiles_in_flight, integer(1, 64),
                 "A tile is loaded once the tile so many before it is stored.")},
          {}};
}

/// Absent unless the machine has one.
Field<hw::SequencerConfig> loop_field() {
  using S = hw::SequencerConfig;
  Field<S> made = section("loop", &S::loop, loop_table(),
                          "A hardware loop: tiles are walked in commands of this size, both "
                          "operands of every tile are loaded. Absent: a tile is one command.");
  made.fallback = "none";
  made.write = [write = made.write](const S& values) {
    return values.loop.exists() ? write(values) : Json();
  };
  return made;
}

Table<hw::SequencerConfig> sequencer_table() {
  using S = hw::SequencerConfig;
  return {{field("queue_depth", &S::queue_depth, integer(1, 65536), "Commands waiting per queue."),
           field("dispatch", &S::dispatch, cycles(kMaxCycles), "Per command."),
           field("operator_launch", &S::operator_launch, cycles(kMaxCycles),
                 "Per operator, before its first command."),
           loop_field()},
          {}};
}

Field<HardwareConfig> cores_field() {
  Field<HardwareConfig> made =
      field("cores", &HardwareConfig::cores, integer(1, 1), "Cores. One is built.");
  made.read = [](const Value& value, const std::string& path, HardwareConfig& out) {
    out.cores = static_cast<int>(integer(1, 1024).parse(value, path));
    if (out.cores > 1) not_built(value.position, path, "more than one core", {"1"});
  };
  return made;
}

Table<HardwareConfig> make_hardware_table() {
  using S = HardwareConfig;
  return {
      {field("name", &S::name, text("text"), "What reports call it.")
           .fallback_is("the file's name"),
       section("clocks", &S::clocks, clocks_table(), "Clocks, whole numbers of hertz."),
       cores_field(), section("array", &S::array, array_table(), "The MAC array, rows x cols PEs."),
       section("vector", &S::vector, vector_table(), "The vector unit."), buffers_field().needed(),
       section("dma", &S::dma, dma_table(), "The DMA engine."),
       section("interconnect", &S::interconnect, interconnect_table(), "Between DMA and DRAM."),
       section("dram", &S::dram, dram_table(), "The memory outside."),
       section("sequencer", &S::sequencer, sequencer_table(),
               "Fetches the program and dispatches its commands.")},
      {{"energy", "the energy model"}}};
}

// ---- what concerns several keys -----------------------------------------------------------------

/// Position of `key` below `value` for messages; the value's own when the key was left out.
Position position_of(const Value& value, const std::string& key) {
  const Value* found = value.find(key);
  return found ? found->position : value.position;
}

void check_buffer_shape(const BufferConfig& buffer, const Value& value, const std::string& path) {
  const auto demand = [&](const char* key, std::int64_t whole, std::int64_t part,
                          const std::string& message) {
    if (whole % part != 0) fail(position_of(value, key), path + "." + key, message);
  };
  const std::string capacity = bytes_text(buffer.capacity);
  demand("capacity", buffer.capacity, buffer.banks,
         fmt::format("{} does not divide into {} banks", capacity, buffer.banks));
  const std::int64_t bank = buffer.capacity / buffer.banks;
  demand("capacity", bank, buffer.width,
         fmt::format("a bank of {} is not a multiple of the width {}", bytes_text(bank),
                     bytes_text(buffer.width)));
  if (buffer.bank_mapping == hw::BankMapping::kBlocked) return;
  demand("bank_mapping", buffer.interleave, buffer.width,
         fmt::format("the interleave {} is not a multiple of the width {}",
                     bytes_text(buffer.interleave), bytes_text(buffer.width)));
  demand("bank_mapping", bank, buffer.interleave,
         fmt::format("a bank of {} is not a multiple of the interleave {}", bytes_text(bank),
                     bytes_text(buffer.interleave)));
}

/// Who serves each role; filled in the order explicit roles, names, left-over roles.
class RoleTable {
 public:
  RoleTable(HardwareConfig& hardware, const Value& value, std::string path)
      : hardware_(hardware), value_(value), path_(std::move(path)) {}

  void assign() {
    for (BufferConfig& buffer : hardware_.buffers) {
      for (const Role each : buffer.roles) take(each, buffer, true);
    }
    for (BufferConfig& buffer : hardware_.buffers) {
      if (buffer.roles.empty()) assign_by_name(buffer);
    }
    for (BufferConfig& buffer : hardware_.buffers) {
      if (by_name_.count(buffer.name) && buffer.name == "activations" && !taken(Role::kOutputs)) {
        take(Role::kOutputs, buffer, false);
      }
    }
    for (BufferConfig& buffer : hardware_.buffers) {
      if (takes_rest(buffer)) assign_rest(buffer);
    }
    check_complete();
  }

 private:
  bool takes_rest(const BufferConfig& buffer) const {
    const bool named = buffer.name == "scratchpad" || buffer.name == "unified";
    return named && buffer.roles.empty();
  }
  bool taken(Role each) const { return owner_.count(each) != 0; }

  void take(Role each, BufferConfig& buffer, bool listed) {
    if (taken(each)) {
      const Value& place = *value_.find(buffer.name);
      fail(position_of(place, "roles"), join_path(path_, buffer.name) + ".roles",
           fmt::format("the role {} is already served by '{}'", hw::to_string(each),
                       owner_.at(each)),
           {"every role is served by exactly one buffer"});
    }
    owner_[each] = buffer.name;
    if (!listed) buffer.roles.push_back(each);
  }

  void assign_by_name(BufferConfig& buffer) {
    static const std::map<std::string, Role> by_name{{"weights", Role::kStationary},
                                                     {"activations", Role::kActivations},
                                                     {"accumulators", Role::kAccumulators},
                                                     {"outputs", Role::kOutputs}};
    const auto found = by_name.find(buffer.name);
    if (found != by_name.end()) {
      take(found->second, buffer, false);
      by_name_.insert(buffer.name);
    } else if (!takes_rest(buffer)) {
      fail(value_.find(buffer.name)->position, join_path(path_, buffer.name),
           "what does it hold? its name has no default role",
           {"allowed: roles: [stationary, activations, accumulators, outputs] (some of them), or "
            "the name weights, activations, accumulators, outputs, scratchpad or unified"});
    }
  }

  void assign_rest(BufferConfig& buffer) {
    for (const Role each : kRoles) {
      if (!taken(each)) take(each, buffer, false);
    }
    if (buffer.roles.empty()) {
      fail(value_.find(buffer.name)->position, join_path(path_, buffer.name),
           "no role is left for it: other buffers serve all of them");
    }
  }

  void check_complete() const {
    for (const Role each : kRoles) {
      if (taken(each)) continue;
      fail(value_.position, path_, fmt::format("no buffer serves the role {}", hw::to_string(each)),
           {"every role is served by exactly one buffer: stationary, activations, accumulators, "
            "outputs"});
    }
  }

  HardwareConfig& hardware_;
  const Value& value_;
  std::string path_;
  std::map<Role, std::string> owner_;
  std::set<std::string> by_name_;
};

void finish_element(BufferConfig& buffer, const Value& value, const std::string& path) {
  if (buffer.element_bits != 0 && !holds_sums(buffer)) {
    fail(position_of(value, "element"), path + ".element",
         "only the buffer of the accumulators has an element width");
  }
  if (buffer.element_bits == 0) buffer.element_bits = BufferConfig{}.element_bits;
}

void finish_buffers(HardwareConfig& hardware, const Value& value, const std::string& path) {
  RoleTable(hardware, value, path).assign();
  for (BufferConfig& buffer : hardware.buffers) {
    const Value& place = *value.find(buffer.name);
    const std::string below = join_path(path, buffer.name);
    finish_element(buffer, place, below);
    check_buffer_shape(buffer, place, below);
  }
}

void check_array(const hw::ArrayConfig& array, const Value* value, const std::string& path) {
  if (array.delivery != hw::OperandDelivery::kSemiSystolic) return;
  if (array.dataflows == std::vector<hw::Dataflow>{hw::Dataflow::kOutputStationary}) return;
  fail(position_of(*value, "dataflows"), path + ".dataflows",
       "delivery: semi_systolic keeps outputs in place", {"allowed: [output_stationary]"});
}

HardwareConfig unfinished_hardware() {
  HardwareConfig hardware;
  hardware.vector.operations = hw::default_vector_operations();
  hardware.dram = unfinished_dram();
  return hardware;
}

}  // namespace

std::vector<std::pair<std::string, hw::Dataflow>> dataflow_names() {
  std::vector<std::pair<std::string, hw::Dataflow>> names;
  for (const hw::Dataflow each : {hw::Dataflow::kWeightStationary, hw::Dataflow::kOutputStationary,
                                  hw::Dataflow::kInputStationary}) {
    names.emplace_back(hw::to_string(each), each);
  }
  return names;
}

const Table<HardwareConfig>& hardware_table() {
  static const Table<HardwareConfig> table = make_hardware_table();
  return table;
}

HardwareConfig read_hardware(const Value& value, const std::string& path) {
  HardwareConfig hardware = unfinished_hardware();
  hardware_table().read(value, path, hardware);
  if (hardware.name.empty()) hardware.name = "inline";
  if (hardware.clocks.interconnect_hz == 0) {
    hardware.clocks.interconnect_hz = hardware.clocks.core_hz;
  }
  check_array(hardware.array, value.find("array"), join_path(path, "array"));
  finish_dram(hardware.dram, value.find("dram"), join_path(path, "dram"));
  finish_buffers(hardware, *value.find("buffers"), join_path(path, "buffers"));
  return hardware;
}

}  // namespace tessera::sim::config
