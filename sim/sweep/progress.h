// One line on a terminal: how far a sweep is, and how long it will still take.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace tessera::sim {

class Progress {
 public:
  /// `shown` false: silent. `done` of `all` pieces were there before.
  Progress(bool shown, std::string what, std::size_t all, std::size_t done);
  /// Clears the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void add(bool succeeded);

 private:
  void draw();

  bool shown_;
  std::string what_;
  std::size_t all_, before_, done_, failed_ = 0;
  std::chrono::steady_clock::time_point start_, drawn_;
};

/// "2 h 05 min", "12 min", "40 s".
std::string rough_duration(double seconds);

}  // namespace tessera::sim
