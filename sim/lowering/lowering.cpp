#include "sim/lowering/lowering.h"

#include <cmath>

#include "sim/lowering/attention_lowering.h"
#include "sim/lowering/command_writer.h"
#include "sim/lowering/gemm_lowering.h"
#include "sim/lowering/loop_lowering.h"
#include "sim/lowering/vector_lowering.h"

namespace tessera::sim {

std::unique_ptr<OperatorLowering> lower_operator(CommandWriter& writer, const OperatorSite& site) {
  if (site.plan.is_gemm && writer.hardware().sequencer.loop.exists()) {
    return std::make_unique<LoopLowering>(writer, site);
  }
  if (site.plan.is_gemm) return std::make_unique<GemmLowering>(writer, site);
  if (site.plan.is_attention) return std::make_unique<AttentionLowering>(writer, site);
  return std::make_unique<VectorLowering>(writer, site);
}

namespace {

/// Phases, their repeats, their operators, their steps: one after the other, on demand.
class Program : public hw::CommandSource {
 public:
  Program(const workloads::Graph& graph, const Plan& plan, const hw::HardwareConfig& hardware)
      : graph_(graph), plan_(plan), writer_(graph, plan, hardware) {}

  std::optional<hw::Command> next() override {
    while (writer_.ready().empty()) {
      if (!step()) return std::nullopt;
    }
    hw::Command command = std::move(writer_.ready().front());
    writer_.ready().pop_front();
    return command;
  }

 private:
  bool step() {
    if (lowering_ && lowering_->emit()) return true;
    lowering_.reset();
    if (!next_operator()) return false;
    const auto index = static_cast<std::size_t>(op_);
    const workloads::Phase& phase = graph_.phases[phase_];
    const bool first = op_ == phase.first_operator && repeat_ == 0;
    const double arrival = first ? phase.not_before_s : 0.0;
    writer_.begin_operator(op_, repeat_,
                           static_cast<hw::Femtoseconds>(std::llround(arrival * 1e15)));
    executed_ = workloads::in_repeat(graph_.operators[index], repeat_);
    lowering_ = lower_operator(writer_, {executed_, plan_.operators[index], op_});
    return true;
  }

  bool next_operator() {
    ++op_;
    while (phase_ < graph_.phases.size()) {
      const workloads::Phase& phase = graph_.phases[phase_];
      if (op_ < phase.first_operator) op_ = phase.first_operator;
      if (op_ < phase.last_operator) return true;
      if (++repeat_ < phase.repeat) {
        op_ = phase.first_operator;
        if (op_ < phase.last_operator) return true;
      }
      repeat_ = 0;
      ++phase_;
    }
    return false;
  }

  const workloads::Graph& graph_;
  const Plan& plan_;
  CommandWriter writer_;
  std::size_t phase_ = 0;
  int repeat_ = 0;
  int op_ = -1;
  workloads::Operator executed_;  // operator op_ in repeat repeat_
  std::unique_ptr<OperatorLowering> lowering_;
};

}  // namespace

std::unique_ptr<hw::CommandSource> lower(const workloads::Graph& graph, const Plan& plan,
                                         const hw::HardwareConfig& hardware) {
  return std::make_unique<Program>(graph, plan, hardware);
}

}  // namespace tessera::sim
