// Work in a forked child, whose answer comes back as text.
#pragma once

#include <functional>
#include <string>

namespace tessera::sim {

class IsolatedCall {
 public:
  /// Starts the child; `work` runs there. Throws std::runtime_error when it cannot fork.
  explicit IsolatedCall(const std::function<std::string()>& work);
  IsolatedCall(IsolatedCall&& other) noexcept;
  IsolatedCall& operator=(IsolatedCall&&) = delete;
  ~IsolatedCall();

  /// Waits for the child. Once. Throws std::runtime_error with the message of what `work` threw, or
  /// with what ended the child.
  std::string wait();
  /// Readable as soon as the child answers or ends: for poll().
  int descriptor() const { return answer_; }

 private:
  int child_ = -1;
  int answer_ = -1;  // the read end of its pipe
};

}  // namespace tessera::sim
