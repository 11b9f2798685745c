#include "sim/simulation/isolated_call.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>
#include <utility>

namespace tessera::sim {
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

std::string end_text(int status) {
  if (!WIFSIGNALED(status)) return "a child process ended without an answer";
  return std::string("a child process was ended: ") + strsignal(WTERMSIG(status));
}

}  // namespace

IsolatedCall::IsolatedCall(const std::function<std::string()>& work) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("cannot create a pipe for a child process");
  child_ = fork();
  if (child_ < 0) throw std::runtime_error("cannot fork a child process");
  if (child_ == 0) {
    close(ends[0]);
    std::string answer;
    try {
      answer = "+" + work();
    } catch (const std::exception& error) {
      answer = std::string("-") + error.what();
    }
    write_all(ends[1], answer);
    _exit(0);
  }
  close(ends[1]);
  answer_ = ends[0];
}

IsolatedCall::IsolatedCall(IsolatedCall&& other) noexcept
    : child_(std::exchange(other.child_, -1)), answer_(std::exchange(other.answer_, -1)) {}

/// A child that nobody waited for has no reader left: it is ended.
IsolatedCall::~IsolatedCall() {
  if (child_ < 0) return;
  close(answer_);
  kill(child_, SIGKILL);
  waitpid(child_, nullptr, 0);
}

std::string IsolatedCall::wait() {
  const std::string answer = read_all(answer_);
  close(answer_);
  int status = 0;
  waitpid(std::exchange(child_, -1), &status, 0);
  if (answer.empty()) throw std::runtime_error(end_text(status));
  if (answer[0] == '-') throw std::runtime_error(answer.substr(1));
  return answer.substr(1);
}

}  // namespace tessera::sim
