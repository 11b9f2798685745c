// Fused attention computes what scores, softmax and context compute one after the other.
#include <catch2/catch.hpp>

#include "sim/check/numerics.h"
#include "sim/check/online_softmax.h"
#include "sim/check/reference.h"
#include "sim/mapper/attention_mapping.h"
#include "sim/mapper/placement.h"
#include "tests/sim/check/check_fixtures.h"

using namespace tessera;
using namespace tessera::test;

namespace {

using workloads::Softmax;

workloads::Graph attention_graph(Dice& dice, const workloads::Precision& precision, bool fused,
                                 Softmax softmax = Softmax::kThreePass) {
  workloads::PhaseRequest request = random_request(dice);
  workloads::Fusion fusion;
  fusion.epilogue = dice.coin();
  fusion.softmax = softmax;
  fusion.attention = fused ? workloads::FusionSwitch::kOn : workloads::FusionSwitch::kOff;
  return workloads::fuse(workloads::apply_precision(workloads::build_graph({request}), precision),
                         fusion);
}

sim::AttentionChoice random_choice(Dice& dice, const sim::AttentionProblem& problem,
                                   const hw::HardwareConfig& machine) {
  sim::AttentionChoice choice;
  choice.dataflow = dice.of(machine.array.dataflows);
  choice.rows = dice.pick(1, problem.scores.m);
  choice.keys = dice.pick(1, problem.scores.n);
  choice.softmax_rows = dice.pick(1, choice.rows);
  choice.resident = dice.coin();
  choice.online = problem.kind == Softmax::kOnline && choice.keys < problem.scores.n;
  for (int* count : {&choice.q, &choice.keys_values, &choice.scores, &choice.score_sums,
                     &choice.sums, &choice.outputs}) {
    *count = static_cast<int>(dice.pick(1, 2));
  }
  return choice;
}

/// Other mappings than the mapper's, where they fit: it would hardly choose most of them.
void remap_attention(Dice& dice, Lowered& lowered) {
  for (std::size_t i = 0; i < lowered.graph.operators.size(); ++i) {
    sim::OperatorPlan& plan = lowered.plan.operators[i];
    if (!plan.is_attention) continue;
    const auto problem =
        sim::attention_problem(lowered.graph, lowered.graph.operators[i], lowered.hardware);
    sim::OperatorPlan tried = plan;
    tried.attention = sim::attention_mapping(
        problem, random_choice(dice, problem, lowered.hardware), lowered.hardware);
    std::vector<hw::Bytes> used(lowered.hardware.buffers.size(), 0);
    for (const sim::Slots* slots : sim::slots_of(tried)) {
      used[static_cast<std::size_t>(slots->buffer)] += slots->bytes * slots->count;
    }
    bool fits = true;
    for (std::size_t b = 0; b < used.size(); ++b) {
      fits = fits && used[b] <= lowered.hardware.buffers[b].capacity;
    }
    if (fits) plan = tried;
  }
  sim::place_slots(lowered.plan.operators, lowered.hardware);
  lowered.program.clear();
  const auto source = sim::lower(lowered.graph, lowered.plan, lowered.hardware);
  while (auto command = source->next()) lowered.program.push_back(std::move(*command));
}

Lowered random_attention(Dice& dice, const workloads::Precision& precision, bool narrow,
                         Softmax softmax = Softmax::kThreePass) {
  while (true) {
    const workloads::Graph graph = attention_graph(dice, precision, true, softmax);
    hw::HardwareConfig machine = random_machine(dice, narrow);
    machine.sequencer.loop = {};
    try {
      Lowered lowered = lower_all(graph, machine);
      if (dice.coin()) remap_attention(dice, lowered);
      return lowered;
    } catch (const sim::MappingError&) {
      // Too small a machine: another one.
    }
  }
}

/// What the programs exercise: how many operators do.
struct Census {
  int grouped = 0, causal = 0, key_edges = 0, row_edges = 0, streamed = 0, resident = 0,
      doubled = 0, cut_softmax = 0, caches = 0, dataflows[3] = {0, 0, 0};

  void add(const Lowered& lowered) {
    for (std::size_t i = 0; i < lowered.graph.operators.size(); ++i) {
      const workloads::Operator& op = lowered.graph.operators[i];
      const sim::AttentionMapping& mapping = lowered.plan.operators[i].attention;
      if (op.kind != workloads::OperatorKind::kAttention) continue;
      const auto& keys = lowered.graph.tensors[static_cast<std::size_t>(op.inputs[1].tensor)];
      grouped += op.group > 1;
      causal += op.mask == workloads::Mask::kCausal;
      key_edges += mapping.keys < op.n && op.n % mapping.keys != 0;
      row_edges += mapping.rows < op.m * op.group && op.m * op.group % mapping.rows != 0;
      streamed += !mapping.resident;
      resident += mapping.resident;
      doubled += mapping.scores.count == 2;
      cut_softmax += mapping.softmax_rows < mapping.rows;
      caches += keys.cls == workloads::TensorClass::kKvCache;
      ++dataflows[static_cast<int>(mapping.dataflow)];
    }
  }
};

}  // namespace

TEST_CASE("random programs of fused attention compute the reference exactly") {
  Dice dice(77);
  Census census;
  for (int i = 0; i < 240; ++i) {
    const auto& precision = precisions()[static_cast<std::size_t>(i) % precisions().size()];
    const Lowered lowered = random_attention(dice, precision, dice.pick(0, 3) == 0);
    census.add(lowered);
    const sim::CheckResult result = check(lowered);
    INFO("case " << i << ": w" << precision.weights.bits << "a" << precision.activations.bits
                 << "\n"
                 << faults_text(result));
    CHECK(result.passed());
    CHECK(result.values_checked);
  }
  const std::vector<std::pair<std::string, int>> features{
      {"query groups", census.grouped},
      {"causal masks", census.causal},
      {"blocks of keys that do not divide", census.key_edges},
      {"blocks of rows that do not divide", census.row_edges},
      {"streamed keys and values", census.streamed},
      {"resident keys and values", census.resident},
      {"two slots of scores", census.doubled},
      {"softmax in several commands", census.cut_softmax},
      {"keys of a cache", census.caches},
      {"weight stationary", census.dataflows[0]},
      {"output stationary", census.dataflows[1]},
      {"input stationary", census.dataflows[2]}};
  for (const auto& [feature, seen] : features) {
    INFO(feature << ": " << seen << " operators");
    CHECK(seen >= 5);
  }
}

TEST_CASE("fused attention of BF16 and FP16 elements computes the reference bit for bit") {
  Dice dice(78);
  for (int i = 0; i < 40; ++i) {
    sim::CheckOptions options;
    options.numbers = i % 2 == 0 ? sim::Numbers::kBf16 : sim::Numbers::kFp16;
    const Lowered lowered = random_attention(dice, {16, 16, 16}, false);
    const sim::CheckResult result = check(lowered, options);
    INFO("case " << i << "\n" << faults_text(result));
    CHECK(result.passed());
    CHECK(result.values_checked);
  }
}

TEST_CASE("fused and unfused attention have the same values") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Dice one(seed), other(seed);
    const workloads::Graph fused = attention_graph(one, {8, 8, 8}, true);
    const workloads::Graph unfused = attention_graph(other, {8, 8, 8}, false);
    REQUIRE(fused.operators.size() < unfused.operators.size());
    sim::Reference left(fused, sim::Numbers::kInteger, 32, seed);
    sim::Reference right(unfused, sim::Numbers::kInteger, 32, seed);
    left.run();
    right.run();
    const auto result = fused.operators.back().outputs[0].tensor;
    const sim::TensorImage &a = left.tensor(result), &b = right.tensor(result);
    bool equal = true;
    for (std::int64_t i = 0; i < a.rows * a.cols; ++i) equal = equal && a.get(i) == b.get(i);
    CHECK(equal);
  }
}

namespace {

/// A program in which every kind of mistake can be made: several blocks of everything.
Lowered blocked_attention() {
  Dice dice(5);
  while (true) {
    Lowered lowered = random_attention(dice, {8, 8, 8}, false);
    for (std::size_t i = 0; i < lowered.graph.operators.size(); ++i) {
      const sim::AttentionMapping& mapping = lowered.plan.operators[i].attention;
      const workloads::Operator& op = lowered.graph.operators[i];
      if (mapping.rows > 0 && mapping.keys < op.n && mapping.rows > 1 && mapping.rows < op.m) {
        return lowered;
      }
    }
  }
}

bool in_attention(const Lowered& lowered, const hw::Command& command) {
  return lowered.plan.operators[static_cast<std::size_t>(command.op)].is_attention;
}

}  // namespace

TEST_CASE("the check finds a softmax over the wrong rows, keys out of turn, a row left out") {
  const Lowered original = blocked_attention();
  REQUIRE(check(original).passed());
  const auto broken = [&](auto change) {
    Lowered lowered = original;
    for (hw::Command& command : lowered.program) {
      if (in_attention(lowered, command) && change(command)) break;
    }
    return !check(lowered).passed();
  };
  CHECK(broken([](hw::Command& command) {
    if (command.kind != hw::CommandKind::kVector) return false;
    std::swap(command.vector.inputs[0], command.vector.inputs[1]);
    return true;
  }));
  CHECK(broken([](hw::Command& command) {
    if (command.kind != hw::CommandKind::kVector) return false;
    command.vector.inputs.pop_back();
    command.vector.outputs.pop_back();
    return true;
  }));
  CHECK(broken([](hw::Command& command) {
    if (command.kind != hw::CommandKind::kGemm || !command.gemm.accumulate) return false;
    command.gemm.accumulate = false;
    return true;
  }));
  CHECK(broken([](hw::Command& command) {
    if (command.kind != hw::CommandKind::kVector) return false;
    command.vector.operations = {"relu"};
    return true;
  }));
  CHECK(broken([](hw::Command& command) {
    if (command.kind != hw::CommandKind::kGemm || !command.gemm.epilogue) return false;
    command.gemm.epilogue->output.bits = 4;
    return true;
  }));
}

TEST_CASE("every wait of a softmax for its scores is needed") {
  const Lowered original = blocked_attention();
  int dropped = 0;
  std::size_t latest = 0;  // Gemm that the vector unit waits for so far
  for (std::size_t i = 0; i < original.program.size() && dropped < 20; ++i) {
    const hw::Command& command = original.program[i];
    if (!in_attention(original, command) || command.kind != hw::CommandKind::kVector) continue;
    for (std::size_t w = 0; w < command.waits.size(); ++w) {
      const auto awaited = static_cast<std::size_t>(command.waits[w].command);
      const bool data = command.waits[w].hazard == hw::Hazard::kReadAfterWrite;
      if (!data || original.program[awaited].kind != hw::CommandKind::kGemm) continue;
      if (awaited <= latest) continue;  // a command ahead in its queue has waited for it
      latest = awaited;
      Lowered mutant = original;
      mutant.program[i].waits.erase(mutant.program[i].waits.begin() + static_cast<long>(w));
      ++dropped;
      CHECK_FALSE(check(mutant).passed());
      break;
    }
  }
  CHECK(dropped > 0);
}

namespace {

/// How many operators of the program take their keys in several blocks, online.
int online_operators(const Lowered& lowered) {
  int count = 0;
  for (const sim::OperatorPlan& op : lowered.plan.operators) {
    count += op.is_attention && op.attention.online;
  }
  return count;
}

Lowered online_attention() {
  Dice dice(6);
  while (true) {
    Lowered lowered = random_attention(dice, {8, 8, 8}, false, Softmax::kOnline);
    for (const sim::OperatorPlan& op : lowered.plan.operators) {
      if (op.attention.online && op.attention.rows > 1) return lowered;
    }
  }
}

}  // namespace

TEST_CASE("random programs of online softmax compute the reference exactly") {
  Dice dice(79);
  int online = 0;
  for (int i = 0; i < 160; ++i) {
    const auto& precision = precisions()[static_cast<std::size_t>(i) % precisions().size()];
    const Lowered lowered =
        random_attention(dice, precision, dice.pick(0, 3) == 0, Softmax::kOnline);
    online += online_operators(lowered);
    const sim::CheckResult result = check(lowered);
    INFO("case " << i << ": w" << precision.weights.bits << "a" << precision.activations.bits
                 << "\n"
                 << faults_text(result));
    CHECK(result.passed());
    CHECK(result.values_checked);
  }
  CHECK(online >= 50);
}

TEST_CASE("online softmax of BF16 and FP16 elements computes the reference bit for bit") {
  Dice dice(80);
  int online = 0;
  for (int i = 0; i < 40; ++i) {
    sim::CheckOptions options;
    options.numbers = i % 2 == 0 ? sim::Numbers::kBf16 : sim::Numbers::kFp16;
    const Lowered lowered = random_attention(dice, {16, 16, 16}, false, Softmax::kOnline);
    online += online_operators(lowered);
    const sim::CheckResult result = check(lowered, options);
    INFO("case " << i << "\n" << faults_text(result));
    CHECK(result.passed());
  }
  CHECK(online >= 10);
}

TEST_CASE("online softmax adds up to softmax, whatever the blocks") {
  Dice dice(81);
  for (int i = 0; i < 50; ++i) {
    std::vector<double> scores, values;
    const std::int64_t keys = dice.pick(1, 40);
    for (std::int64_t k = 0; k < keys; ++k) {
      scores.push_back(static_cast<double>(dice.pick(-4000, 4000)) / 100);
      values.push_back(static_cast<double>(dice.pick(-100, 100)));
    }
    const std::vector<double> shares = sim::evaluate({"softmax"}, {0, 0, {scores}, {}});
    double wanted = 0;
    for (std::size_t k = 0; k < scores.size(); ++k) wanted += shares[k] * values[k];
    sim::RowStatistics row;
    double sum = 0;
    for (std::size_t first = 0; first < scores.size();) {
      const std::size_t end =
          std::min(scores.size(), first + static_cast<std::size_t>(dice.pick(1, 9)));
      std::vector<double> block(scores.begin() + static_cast<long>(first),
                                scores.begin() + static_cast<long>(end));
      sim::online_softmax(block, row, keys);
      sum *= row.factor;
      for (std::size_t k = first; k < end; ++k) sum += block[k - first] * values[k];
      first = end;
    }
    CHECK(sum == Approx(wanted).epsilon(1e-5).margin(1e-3));
  }
}

TEST_CASE("the check finds sums that are not rescaled, or by statistics of other keys") {
  const Lowered original = online_attention();
  REQUIRE(check(original).passed());
  const auto broken = [&](auto change) {
    Lowered lowered = original;
    bool changed = false;
    for (hw::Command& command : lowered.program) {
      if (!in_attention(lowered, command) || command.kind != hw::CommandKind::kVector) continue;
      changed = change(command.vector);
      if (changed) break;
    }
    REQUIRE(changed);
    return !check(lowered).passed();
  };
  const auto rescales = [](const hw::VectorCommand& vector) {
    return vector.operations == std::vector<std::string>{sim::kRescale};
  };
  CHECK(broken([&](hw::VectorCommand& vector) {
    if (!rescales(vector)) return false;
    vector.operations = {"relu"};
    return true;
  }));
  CHECK(broken([&](hw::VectorCommand& vector) {
    if (!rescales(vector)) return false;
    vector.inputs[1] = vector.inputs[0];
    return true;
  }));
  // A block that forgets the ones before it.
  CHECK(broken([&](hw::VectorCommand& vector) {
    if (rescales(vector) || vector.inputs.size() != 2) return false;
    vector.inputs.pop_back();
    return true;
  }));
  // A rescaling left out: the softmax behind it does its work instead.
  CHECK(broken([&, skipped = hw::VectorCommand()](hw::VectorCommand& vector) mutable {
    if (!rescales(vector)) {
      skipped = vector;
      return false;
    }
    vector = skipped;
    return true;
  }));
}
