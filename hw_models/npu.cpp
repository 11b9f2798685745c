#include "hw_models/npu.h"

#include <algorithm>
#include <string>

#include "hw_models/attribution.h"

namespace tessera::hw {

Npu::Npu(sc_core::sc_module_name name, const HardwareConfig& config, CommandSource& program,
         Counters& counters)
    : sc_module(name), config_(config), scoreboard_("scoreboard") {
  for (int i = 0; i < config.dma.load_queues; ++i) {
    queues_.load.push_back(&make_queue("load" + std::to_string(i)));
  }
  for (int i = 0; i < config.dma.store_queues; ++i) {
    queues_.store.push_back(&make_queue("store" + std::to_string(i)));
  }
  queues_.gemm = &make_queue("gemm");
  queues_.vector = &make_queue("vector");

  std::vector<SramBuffer*> buffers;
  for (std::size_t i = 0; i < config.buffers.size(); ++i) {
    buffers_.push_back(std::make_unique<SramBuffer>(("buffer_" + config.buffers[i].name).c_str(),
                                                    static_cast<int>(i), config.buffers[i],
                                                    config.clocks.core_hz, counters.buffers[i]));
    buffers.push_back(buffers_.back().get());
  }
  dram_ = make_dram(config, counters);
  interconnect_ = std::make_unique<Interconnect>("interconnect", config, *dram_,
                                                 config.dma.load_queues + config.dma.store_queues);
  dma_ = std::make_unique<DmaEngine>("dma", config, queues_, buffers, *interconnect_, scoreboard_,
                                     counters);
  array_ =
      std::make_unique<MacArray>("array", config, *queues_.gemm, buffers, scoreboard_, counters);
  vector_ = std::make_unique<VectorUnit>("vector", config, *queues_.vector, buffers, *array_,
                                         scoreboard_, counters);
  array_->bind_vector_unit(vector_->epilogues);
  for (SramBuffer* buffer : buffers) {
    buffer->bind(kArrayUnit, array_->notices);
    buffer->bind(kVectorUnit, vector_->notices);
    buffer->bind_dma(dma_->grants);
  }
  sequencer_ =
      std::make_unique<Sequencer>("sequencer", config, program, queues_, scoreboard_, counters);
}

CommandQueue& Npu::make_queue(const std::string& name) {
  queue_storage_.push_back(
      std::make_unique<CommandQueue>(("queue_" + name).c_str(), config_.sequencer.queue_depth));
  return *queue_storage_.back();
}

void Npu::finish(Counters& counters) {
  const Cycles total = scoreboard_.last_completion();
  counters.total = total;
  for (const Charge& charge : attribute_tail(scoreboard_, scoreboard_.last_completed(),
                                             array_->last_stream_end(), total)) {
    counters.operators[static_cast<std::size_t>(charge.op)]
        .attribution[static_cast<std::size_t>(charge.cause)] += charge.cycles;
  }
  for (const auto& buffer : buffers_) buffer->finish(total);
  counters.units["core0.array"] = array_->finish(total);
  counters.units["core0.vector"] = vector_->finish(total);
  counters.units["core0.sequencer"] = sequencer_->finish(total);
  const std::vector<UnitCounters> channels = dma_->finish(total);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    counters.units["core0.dma" + std::to_string(i)] = channels[i];
  }
  const Clock core(config_.clocks.core_hz);
  dram_->finish(core.edge(total));
  const Cycles dram_busy = std::min(total, core.edge_at_or_after(counters.dram_busy));
  counters.units["dram"] = {dram_busy, 0, total - dram_busy};
}

std::string Npu::deadlock() const {
  if (sequencer_->finished() && scoreboard_.outstanding() == 0) return {};
  std::string text;
  for (const auto& queue : queue_storage_) {
    if (queue->empty()) continue;
    const CommandRecord* record = scoreboard_.find(queue->front());
    text += std::string(queue->basename()) + ": " + to_string(record->command.kind) + " " +
            std::to_string(queue->front()) + " of operator " + std::to_string(record->command.op) +
            " waits for";
    for (const Wait& wait : record->command.waits) {
      if (!scoreboard_.completed(wait.command)) text += " " + std::to_string(wait.command);
    }
    text += "\n";
  }
  return text.empty() ? "commands outstanding, all queues empty\n" : text;
}

}  // namespace tessera::hw
