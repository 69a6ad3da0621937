#include "serving/event_stream.h"

namespace hearth::serving {

EventStream::~EventStream() {
  for (uint64_t request : requests_) engine_.Cancel(request);
}

void EventStream::Owns(uint64_t request) {
  std::lock_guard lock(mutex_);
  requests_.push_back(request);
}

void EventStream::Push(const std::string& data) { PushLine("data: " + data + "\n"); }

void EventStream::PushLine(const std::string& text) {
  {
    std::lock_guard lock(mutex_);
    pending_ += text + "\n";
  }
  ready_.notify_one();
}

void EventStream::Close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  ready_.notify_one();
}

bool EventStream::Next(std::string* chunk) {
  std::unique_lock lock(mutex_);
  ready_.wait(lock, [&] { return closed_ || !pending_.empty(); });
  if (pending_.empty()) return false;
  chunk->append(pending_);
  pending_.clear();
  return true;
}

net::Response EventAnswer(std::shared_ptr<EventStream> stream) {
  net::Response response;
  response.headers.Set("Content-Type", "text/event-stream");
  response.headers.Set("Cache-Control", "no-cache");
  response.headers.Set("X-Accel-Buffering", "no");
  net::StreamBody body;
  body.next = [stream = std::move(stream)](std::string* chunk) { return stream->Next(chunk); };
  response.body = std::move(body);
  return response;
}

}  // namespace hearth::serving
