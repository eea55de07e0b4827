#include "runtime/engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "runtime/engine/loop.h"
#include "runtime/engine/validate.h"
#include "runtime/model/config.h"

namespace sgl::engine {

struct Engine::Impl {
  Loop loop;
  std::atomic<std::uint64_t> next_id{1};
  std::thread thread;

  Impl(Env env, const EngineOptions& options, const sched::Options& schedule, std::unique_ptr<model::KvStore> kv)
      : loop(std::move(env), options, schedule, std::move(kv)), thread([this] { loop.run(); }) {}
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

base::Expected<std::unique_ptr<Engine>> Engine::create(std::shared_ptr<const model::Model> model,
                                                       std::shared_ptr<const tokenizer::Tokenizer> tokenizer,
                                                       const EngineOptions& options) {
  SGL_TRY_STATUS(validate(options));
  sched::Options schedule;
  schedule.page_size = options.page_size;
  schedule.max_batch = options.max_batch;
  schedule.prefill_chunk = options.prefill_chunk;
  schedule.prefix_cache = options.prefix_cache;
  const std::size_t page_bytes = model->kv_bytes_per_token() * options.page_size;
  schedule.pages = options.pages != 0 ? options.pages : options.max_kv_bytes / page_bytes;
  if (schedule.pages == 0) {
    return base::invalid(
        fmt::format("max_kv_bytes ({}) is less than one page of {} bytes", options.max_kv_bytes, page_bytes));
  }
  if (schedule.pages > UINT32_MAX / options.page_size || schedule.pages > SIZE_MAX / 2 / page_bytes) {
    return base::invalid(
        fmt::format("{} pages of {} tokens are more than the engine can address", schedule.pages, options.page_size));
  }
  std::unique_ptr<model::KvStore> kv = model->make_kv(schedule.pages * options.page_size);
  if (kv == nullptr) {
    return base::Error{
        base::ErrorKind::kUnavailable,
        fmt::format("there is no memory for {} pages of KV ({} bytes each)", schedule.pages, page_bytes)};
  }
  Env env;
  env.model_vocab = model->config().vocab_size;
  env.sample_vocab = std::min(env.model_vocab, tokenizer->vocab_size());
  env.capacity = std::min(model->config().context, schedule.pages * options.page_size);
  env.vocabulary = constraint::Vocabulary::build(tokenizer);
  env.healing = std::make_shared<const HealingIndex>(*tokenizer, env.sample_vocab);
  env.model = std::move(model);
  env.tokenizer = std::move(tokenizer);
  return std::unique_ptr<Engine>(new Engine(std::make_unique<Impl>(std::move(env), options, schedule, std::move(kv))));
}

Engine::~Engine() {
  impl_->loop.mailbox().stop();
  impl_->thread.join();
}

RequestId Engine::generate(GenerateRequest request, Events events) {
  const RequestId id(impl_->next_id.fetch_add(1));
  impl_->loop.mailbox().post(NewGenerate{id, std::move(request), std::move(events)});
  return id;
}

RequestId Engine::score(ScoreRequest request, Events events) {
  const RequestId id(impl_->next_id.fetch_add(1));
  impl_->loop.mailbox().post(NewScore{id, std::move(request), std::move(events)});
  return id;
}

void Engine::cancel(RequestId id) {
  impl_->loop.mailbox().post(Cancel{id});
}

void Engine::flush_cache(Namespace ns) {
  impl_->loop.mailbox().post(FlushCache{ns});
}

std::size_t Engine::capacity() const {
  return impl_->loop.env().capacity;
}

EngineStats Engine::stats() const {
  return impl_->loop.stats();
}
const tokenizer::Tokenizer& Engine::tokenizer() const {
  return *impl_->loop.env().tokenizer;
}
std::shared_ptr<const tokenizer::Tokenizer> Engine::shared_tokenizer() const {
  return impl_->loop.env().tokenizer;
}
std::shared_ptr<const constraint::Vocabulary> Engine::vocabulary() const {
  return impl_->loop.env().vocabulary;
}
const model::Model& Engine::model() const {
  return *impl_->loop.env().model;
}

}  // namespace sgl::engine
