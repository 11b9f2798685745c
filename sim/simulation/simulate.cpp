#include "sim/simulation/simulate.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <systemc>
#include <utility>

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

namespace {

std::string read_all(int descriptor) {
  std::string all;
  char block[65536];
  for (ssize_t got = 0; (got = read(descriptor, block, sizeof block)) > 0;) {
    all.append(block, static_cast<std::size_t>(got));
  }
  return all;
}

void write_all(int descriptor, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t put = write(descriptor, text.data() + at, text.size() - at);
    if (put <= 0) return;
    at += static_cast<std::size_t>(put);
  }
}

}  // namespace

IsolatedSimulation::IsolatedSimulation(
    const hw::HardwareConfig& hardware,
    const std::function<std::unique_ptr<hw::CommandSource>()>& make_program, int operator_count,
    const SimulateOptions& options) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("cannot create a pipe for a simulation");
  child_ = fork();
  if (child_ < 0) throw std::runtime_error("cannot fork a simulation");
  if (child_ == 0) {
    close(ends[0]);
    std::string answer;
    try {
      const std::unique_ptr<hw::CommandSource> program = make_program();
      answer = "+" + write_counters(simulate(hardware, *program, operator_count, options));
    } catch (const std::exception& error) {
      answer = std::string("-") + error.what();
    }
    write_all(ends[1], answer);
    _exit(0);
  }
  close(ends[1]);
  answer_ = ends[0];
}

IsolatedSimulation::IsolatedSimulation(IsolatedSimulation&& other) noexcept
    : child_(std::exchange(other.child_, -1)), answer_(std::exchange(other.answer_, -1)) {}

/// A child that nobody waited for has no reader left: it is ended.
IsolatedSimulation::~IsolatedSimulation() {
  if (child_ < 0) return;
  close(answer_);
  kill(child_, SIGKILL);
  waitpid(child_, nullptr, 0);
}

hw::Counters IsolatedSimulation::wait() {
  const std::string answer = read_all(answer_);
  close(answer_);
  waitpid(std::exchange(child_, -1), nullptr, 0);
  if (answer.empty()) throw std::runtime_error("a simulation ended without an answer");
  if (answer[0] == '-') throw std::runtime_error(answer.substr(1));
  return read_counters(answer.substr(1));
}

hw::Counters simulate_isolated(
    const hw::HardwareConfig& hardware,
    const std::function<std::unique_ptr<hw::CommandSource>()>& make_program, int operator_count,
    const SimulateOptions& options) {
  return IsolatedSimulation(hardware, make_program, operator_count, options).wait();
}

}  // namespace tessera::sim
