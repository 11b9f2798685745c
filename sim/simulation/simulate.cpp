#include "sim/simulation/simulate.h"

#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <systemc>

#include "hw_models/npu.h"
#include "sim/simulation/counter_stream.h"

namespace tessera::sim {
namespace {

/// Unrelated events at random times: they reorder what the kernel runs at one instant.
class Noise : public sc_core::sc_module {
 public:
  Noise(sc_core::sc_module_name name, std::uint64_t seed) : sc_module(name), random_(seed) {
    for (sc_core::sc_event& event : events_) {
      sc_core::sc_spawn_options options;
      options.spawn_method();
      options.set_sensitivity(&event);
      sc_core::sc_spawn([this, &event] { rouse(event); }, sc_core::sc_gen_unique_name("rouse"),
                        &options);
    }
  }

 private:
  void rouse(sc_core::sc_event& event) {
    if (left_-- <= 0) return;
    // Whole nanoseconds, so that many fall on the units' own instants.
    event.notify(sc_core::sc_time(static_cast<double>(random_() % 500), sc_core::SC_NS));
  }

  std::mt19937_64 random_;
  sc_core::sc_event events_[16];
  int left_ = 20'000;
};

hw::Counters empty_counters(const hw::HardwareConfig& hardware, int operator_count) {
  hw::Counters counters;
  counters.operators.resize(static_cast<std::size_t>(operator_count));
  for (hw::OperatorCounters& op : counters.operators) {
    op.buffers.resize(hardware.buffers.size());
    op.buffer_accesses.resize(hardware.buffers.size());
  }
  counters.buffers.resize(hardware.buffers.size());
  return counters;
}

}  // namespace

hw::Counters simulate(const hw::HardwareConfig& hardware, hw::CommandSource& program,
                      int operator_count, const SimulateOptions& options) {
  static bool used = false;
  if (used) throw std::logic_error("simulate() runs once per process: use simulate_isolated()");
  used = true;
  setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  sc_core::sc_set_time_resolution(1, sc_core::SC_FS);
  hw::Counters counters = empty_counters(hardware, operator_count);
  hw::Npu npu("npu", hardware, program, counters);
  std::unique_ptr<Noise> noise;
  if (options.noise_seed != 0) noise = std::make_unique<Noise>("noise", options.noise_seed);
  sc_core::sc_start();
  const std::string stuck = npu.deadlock();
  if (!stuck.empty()) throw std::runtime_error("deadlock: " + stuck);
  npu.finish(counters);
  counters.events = static_cast<std::int64_t>(sc_core::sc_delta_count());
  return counters;
}

IsolatedSimulation::IsolatedSimulation(
    const hw::HardwareConfig& hardware,
    const std::function<std::unique_ptr<hw::CommandSource>()>& make_program, int operator_count,
    const SimulateOptions& options)
    : call_([&] {
        const std::unique_ptr<hw::CommandSource> program = make_program();
        return write_counters(simulate(hardware, *program, operator_count, options));
      }) {}

hw::Counters IsolatedSimulation::wait() { return read_counters(call_.wait()); }

hw::Counters simulate_isolated(
    const hw::HardwareConfig& hardware,
    const std::function<std::unique_ptr<hw::CommandSource>()>& make_program, int operator_count,
    const SimulateOptions& options) {
  return IsolatedSimulation(hardware, make_program, operator_count, options).wait();
}

}  // namespace tessera::sim
