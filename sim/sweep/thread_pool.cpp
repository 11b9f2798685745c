// Threads that share a list of pieces.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "sim/sweep/workers.h"

namespace tessera::sim {
namespace {

constexpr std::chrono::milliseconds kTick(100);

WorkEnd carry_out(const Work& work, std::int64_t item) {
  const auto start = std::chrono::steady_clock::now();
  WorkEnd end;
  end.item = item;
  try {
    end.answer = work(item);
  } catch (const std::exception& error) {
    end.failure = error.what();
    if (end.failure.empty()) end.failure = "failed without a reason";
  }
  end.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return end;
}

/// Ends of pieces on their way from the workers to the caller.
class Ends {
 public:
  void put(WorkEnd end) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ends_.push_back(std::move(end));
    arrived_.notify_one();
  }
  void worker_left() {
    const std::lock_guard<std::mutex> lock(mutex_);
    --workers_;
    arrived_.notify_one();
  }
  void worker_came() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++workers_;
  }
  /// What has arrived; waits a moment when nothing has. `over`: no worker is left.
  std::vector<WorkEnd> take(bool& over) {
    std::unique_lock<std::mutex> lock(mutex_);
    arrived_.wait_for(lock, kTick, [&] { return !ends_.empty() || workers_ == 0; });
    over = workers_ == 0;
    return std::exchange(ends_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<WorkEnd> ends_;
  int workers_ = 0;
};

}  // namespace

bool run_in_threads(const std::vector<std::int64_t>& items, const WorkerLimits& limits,
                    const Work& work, const OnEnds& on_ends, const Stop& stop) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stopped{false};
  Ends ends;
  const auto labour = [&] {
    while (!stopped) {
      const std::size_t i = next++;
      if (i >= items.size()) break;
      ends.put(carry_out(work, items[i]));
    }
    ends.worker_left();
  };
  std::vector<std::thread> threads;
  const auto join = [&] {
    stopped = true;
    for (std::thread& thread : threads) thread.join();
  };
  const std::size_t count = std::min(items.size(), static_cast<std::size_t>(limits.jobs));
  for (std::size_t i = 0; i < count; ++i) {
    ends.worker_came();
    threads.emplace_back(labour);
  }
  try {
    for (bool over = false; !over && !stopped;) {
      const std::vector<WorkEnd> taken = ends.take(over);
      if (!taken.empty()) on_ends(taken);
      if (!over && stop()) stopped = true;
    }
  } catch (...) {
    join();
    throw;
  }
  const bool whole = !stopped;
  join();
  return whole;
}

}  // namespace tessera::sim
