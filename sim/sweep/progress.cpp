#include "sim/sweep/progress.h"

#include <cmath>
#include <cstdio>

#include <fmt/format.h>

namespace tessera::sim {
namespace {

constexpr double kRedrawSeconds = 0.2;

double seconds_between(std::chrono::steady_clock::time_point a,
                       std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

}  // namespace

std::string rough_duration(double seconds) {
  const long whole = std::lround(seconds);
  if (whole < 90) return fmt::format("{} s", whole);
  if (whole < 5400) return fmt::format("{} min", (whole + 30) / 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

Progress::Progress(bool shown, std::string what, std::size_t all, std::size_t done)
    : shown_(shown),
      what_(std::move(what)),
      all_(all),
      before_(done),
      done_(done),
      start_(std::chrono::steady_clock::now()) {
  if (shown_) draw();
}

Progress::~Progress() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
}

void Progress::add(bool succeeded) {
  ++done_;
  if (!succeeded) ++failed_;
  const auto now = std::chrono::steady_clock::now();
  if (shown_ && (done_ == all_ || seconds_between(drawn_, now) >= kRedrawSeconds)) draw();
}

void Progress::draw() {
  drawn_ = std::chrono::steady_clock::now();
  std::string line = fmt::format("\r\x1b[K {}: {} of {} points", what_, done_, all_);
  if (failed_ > 0) line += fmt::format(", {} failed", failed_);
  if (done_ > before_ && done_ < all_) {
    const double each = seconds_between(start_, drawn_) / static_cast<double>(done_ - before_);
    line += ", " + rough_duration(each * static_cast<double>(all_ - done_)) + " left";
  }
  std::fputs(line.c_str(), stderr);
}

}  // namespace tessera::sim
