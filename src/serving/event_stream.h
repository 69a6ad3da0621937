// Server-sent events of requests that are being generated.
//
// The engine's thread pushes, the network's pool pulls. When the client goes away the body is
// destroyed, and with it the requests are cancelled.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/http.h"
#include "runtime/engine/engine.h"

namespace hearth::serving {

class EventStream {
 public:
  explicit EventStream(runtime::Engine& engine) : engine_(engine) {}
  ~EventStream();

  // The stream cancels it when it dies.
  void Owns(uint64_t request);
  // "data: <text>\n\n"
  void Push(const std::string& data);
  // "<text>\n", for streams of JSON lines.
  void PushLine(const std::string& text);
  void Close();
  // Blocks until there is something; false at the end.
  bool Next(std::string* chunk);

 private:
  runtime::Engine& engine_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::string pending_;
  bool closed_ = false;
  std::vector<uint64_t> requests_;
};

net::Response EventAnswer(std::shared_ptr<EventStream> stream);

}  // namespace hearth::serving
