#include "runtime/pipeline/text_collector.h"

#include <utility>

namespace hearth::runtime {
namespace {

Finish FinishOf(StopReason reason) {
  switch (reason) {
    case StopReason::kStopString:
    case StopReason::kConstraint:
      return Finish::kStop;
    case StopReason::kLength:
    case StopReason::kTime:
      return Finish::kLength;
    default:
      return Finish::kEnd;
  }
}

}  // namespace

TextCollector::~TextCollector() {
  if (open_) engine_.Cancel(number_);
}

void TextCollector::Submit(GenerationRequest request) {
  number_ = engine_.Submit(std::move(request), [queue = queue_](const GenerationEvent& event) {
    std::lock_guard lock(queue->mutex);
    queue->events.push_back(event);
    queue->wake.notify_one();
    return true;
  });
  open_ = true;
}

GeneratedText TextCollector::Wait(const TextCallback& on_text) {
  GeneratedText made;
  while (open_) {
    GenerationEvent event;
    {
      std::unique_lock lock(queue_->mutex);
      queue_->wake.wait(lock, [&] { return !queue_->events.empty(); });
      event = std::move(queue_->events.front());
      queue_->events.pop_front();
    }
    if (event.is_last()) open_ = false;
    if (event.error) throw *event.error;
    made.text += event.text;
    made.prompt_tokens = event.prompt_tokens;
    made.generated_tokens = event.generated_tokens;
    made.finish = FinishOf(event.stop);
    bool goes_on = !on_text || event.text.empty() || on_text(event.text);
    if (goes_on || !open_) continue;
    engine_.Cancel(number_);
    open_ = false;
    made.finish = Finish::kCancelled;
  }
  return made;
}

}  // namespace hearth::runtime
