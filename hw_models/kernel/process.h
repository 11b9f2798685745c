// How a unit gets its one process.
#pragma once

#include <functional>
#include <systemc>
#include <utility>
#include <vector>

namespace tessera::hw {

/// Runs `step` as a method of the module under construction, at the start and whenever one of
/// `events` happens.
inline void spawn_step(std::function<void()> step,
                       const std::vector<const sc_core::sc_event*>& events) {
  sc_core::sc_spawn_options options;
  options.spawn_method();
  for (const sc_core::sc_event* event : events) options.set_sensitivity(event);
  sc_core::sc_spawn(std::move(step), "step", &options);
}

}  // namespace tessera::hw
