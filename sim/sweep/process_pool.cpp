// Forked workers: one process a piece.
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <new>
#include <stdexcept>

#include <fmt/format.h>

#include "sim/sweep/workers.h"

namespace tessera::sim {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTickMilliseconds = 100;  // how soon a stop is noticed
constexpr int kTries = 3;
constexpr char kEnd = '\4';  // of an answer; no text holds it

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void write_all(int descriptor, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t put = write(descriptor, text.data() + at, text.size() - at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;
    at += static_cast<std::size_t>(put);
  }
}

void limit_memory(std::int64_t bytes) {
  if (bytes <= 0) return;
  const rlimit limit{static_cast<rlim_t>(bytes), static_cast<rlim_t>(bytes)};
  setrlimit(RLIMIT_AS, &limit);
}

/// '+' and the answer, or '-' and the reason; kEnd says that all of it is there.
std::string answer_of(const Work& work, std::int64_t item, std::int64_t memory_bytes) {
  try {
    return "+" + work(item) + kEnd;
  } catch (const std::bad_alloc&) {
    return fmt::format("-out of memory (limit {} MiB)", memory_bytes >> 20) + kEnd;
  } catch (const std::exception& error) {
    return std::string("-") + error.what() + kEnd;
  }
}

[[noreturn]] void be_child(int descriptor, pid_t parent, const Work& work, std::int64_t item,
                           const WorkerLimits& limits) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it died before the line above
  signal(SIGINT, SIG_IGN);            // a terminal's Ctrl-C is the parent's business
  signal(SIGTERM, SIG_DFL);
  limit_memory(limits.memory_bytes);
  write_all(descriptor, answer_of(work, item, limits.memory_bytes));
  _exit(0);
}

struct Child {
  std::int64_t item = 0;
  int tries = 1;
  pid_t process = -1;
  int descriptor = -1;
  Clock::time_point start;
  std::string answer;
  bool timed_out = false;
};

std::string signal_text(int number) {
  const char* const name = sigdescr_np(number);
  return fmt::format("signal {} ({})", number, name != nullptr ? name : "unknown");
}

class Pool {
 public:
  Pool(const WorkerLimits& limits, const Work& work, const OnEnds& on_ends)
      : limits_(limits), work_(work), on_ends_(on_ends) {}
  ~Pool() {
    for (Child& child : running_) {
      kill(child.process, SIGKILL);
      waitpid(child.process, nullptr, 0);
      close(child.descriptor);
    }
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  bool run(const std::vector<std::int64_t>& items, const Stop& stop) {
    std::size_t next = 0;
    while (!stop()) {
      while (running_.size() < static_cast<std::size_t>(limits_.jobs)) {
        if (!again_.empty()) {
          const auto [item, tries] = again_.front();
          again_.pop_front();
          start(item, tries);
        } else if (next < items.size()) {
          start(items[next++], 1);
        } else {
          break;
        }
      }
      if (running_.empty()) return true;
      listen();
      end_late_ones();
    }
    return false;
  }

 private:
  void start(std::int64_t item, int tries) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("cannot create a pipe for a worker");
    const pid_t parent = getpid();
    const pid_t process = fork();
    if (process < 0) {
      close(ends[0]);
      close(ends[1]);
      throw std::runtime_error(fmt::format("cannot fork a worker: {}", std::strerror(errno)));
    }
    if (process == 0) {
      close(ends[0]);
      be_child(ends[1], parent, work_, item, limits_);
    }
    close(ends[1]);
    Child child;
    child.item = item;
    child.tries = tries;
    child.process = process;
    child.descriptor = ends[0];
    child.start = Clock::now();
    running_.push_back(std::move(child));
  }

  void listen() {
    std::vector<pollfd> polled;
    for (const Child& child : running_) polled.push_back({child.descriptor, POLLIN, 0});
    if (poll(polled.data(), polled.size(), kTickMilliseconds) <= 0) return;
    for (std::size_t i = polled.size(); i-- > 0;) {
      if (polled[i].revents != 0 && !read_some(running_[i])) finish(i);
    }
  }

  /// False at the end of the answer.
  static bool read_some(Child& child) {
    char block[65536];
    const ssize_t got = read(child.descriptor, block, sizeof block);
    if (got < 0) return errno == EINTR;
    child.answer.append(block, static_cast<std::size_t>(got));
    return got > 0;
  }

  void end_late_ones() {
    if (limits_.timeout_s <= 0) return;
    for (Child& child : running_) {
      if (child.timed_out || seconds_since(child.start) < limits_.timeout_s) continue;
      child.timed_out = true;
      kill(child.process, SIGKILL);  // its pipe closes
    }
  }

  void finish(std::size_t index) {
    Child child = std::move(running_[index]);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(index));
    close(child.descriptor);
    int status = 0;
    rusage usage{};
    while (wait4(child.process, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    WorkEnd end;
    end.item = child.item;
    end.wall_s = seconds_since(child.start);
    end.peak_bytes = usage.ru_maxrss * 1024;
    judge(child, status, end);
    const bool from_outside = end.failure.compare(0, std::strlen(kKilled), kKilled) == 0;
    if (from_outside && child.tries < kTries) {
      again_.emplace_back(child.item, child.tries + 1);
    } else {
      on_ends_({end});
    }
  }

  void judge(const Child& child, int status, WorkEnd& end) const {
    const std::string& answer = child.answer;
    if (child.timed_out) {
      end.failure = fmt::format("time-out after {} s", limits_.timeout_s);
    } else if (answer.size() >= 2 && answer.back() == kEnd) {
      const std::string text = answer.substr(1, answer.size() - 2);
      (answer.front() == '+' ? end.answer : end.failure) = text;
      if (answer.front() == '-' && text.empty()) end.failure = "failed without a reason";
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
      end.failure = fmt::format("{} from outside, {} times", kKilled, kTries);
    } else if (WIFSIGNALED(status)) {
      end.failure = "crashed: " + signal_text(WTERMSIG(status));
    } else {
      end.failure = fmt::format("ended early with exit code {}", WEXITSTATUS(status));
    }
  }

  const WorkerLimits& limits_;
  const Work& work_;
  const OnEnds& on_ends_;
  std::vector<Child> running_;
  std::deque<std::pair<std::int64_t, int>> again_;
};

}  // namespace

bool run_in_processes(const std::vector<std::int64_t>& items, const WorkerLimits& limits,
                      const Work& work, const OnEnds& on_ends, const Stop& stop) {
  return Pool(limits, work, on_ends).run(items, stop);
}

}  // namespace tessera::sim
