// Messages between modules that do not depend on the order in which SystemC runs them.
#pragma once

#include <algorithm>
#include <systemc>
#include <utility>
#include <vector>

namespace tessera::hw {

/// Many senders, one receiver. What is posted in one evaluation phase arrives together in the next
/// delta cycle, sorted by `T::operator<`: arbitration never sees the kernel's same-time order.
/// REQUIRES: messages of one phase differ under operator<, or are interchangeable.
template <class T>
class Mailbox : public sc_core::sc_prim_channel {
 public:
  explicit Mailbox(const char* name) : sc_core::sc_prim_channel(name) {}

  void post(T message) {
    posted_.push_back(std::move(message));
    request_update();
  }
  /// Takes all that has arrived; valid until the next take().
  const std::vector<T>& take() {
    taken_.clear();
    taken_.swap(arrived_);
    return taken_;
  }
  bool empty() const { return arrived_.empty(); }
  const sc_core::sc_event& arrived() const { return event_; }

 private:
  void update() override {
    if (posted_.size() > 1) std::sort(posted_.begin(), posted_.end());
    if (arrived_.empty()) {
      arrived_.swap(posted_);
    } else {
      std::move(posted_.begin(), posted_.end(), std::back_inserter(arrived_));
    }
    posted_.clear();
    event_.notify(sc_core::SC_ZERO_TIME);
  }

  std::vector<T> posted_, arrived_, taken_;
  sc_core::sc_event event_;
};

}  // namespace tessera::hw
