// One descriptor in its loop's epoll set. Registered once, for as long as the object stands: with
// EPOLLET, waiting for the next readiness costs no system call, where re-arming would cost one for
// each request.
//
// An edge tells only that something came since the descriptor last said EAGAIN, so whoever waits
// must have seen EAGAIN (or a read shorter than its buffer) first; edges that arrive while nobody
// waits must be remembered or made up for by trying. Without EPOLLET a ready descriptor is reported
// in every turn of the loop.
//
// The loop's own thread only, except the destructor after the loop has ended. Does not own the
// descriptor, which must stay open until Stop.
#pragma once

#include <sys/epoll.h>

#include <cstdint>

namespace hearth::net {

class Loop;

class Watch {
 public:
  Watch() = default;
  ~Watch() { Stop(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // From now on (owner->*Method)(uint32_t events) runs in the loop for what `events` asks for, and
  // for errors and hang-ups. The method may stop or destroy the watch. Throws Error when the kernel
  // refuses.
  template <auto Method, typename Owner>
  void Start(Loop& loop, int fd, uint32_t events, Owner* owner) {
    Open(loop, fd, events);
    owner_ = owner;
    call_ = [](void* target, uint32_t seen) { (static_cast<Owner*>(target)->*Method)(seen); };
  }
  void Stop();
  bool active() const { return loop_ != nullptr; }

 private:
  friend class Loop;
  void Open(Loop& loop, int fd, uint32_t events);

  Loop* loop_ = nullptr;
  int fd_ = -1;
  void* owner_ = nullptr;
  void (*call_)(void* owner, uint32_t events) = nullptr;
};

}  // namespace hearth::net
