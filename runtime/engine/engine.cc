#include "runtime/engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <variant>

#include "runtime/base/cores.h"
#include "runtime/engine/loop.h"
#include "runtime/engine/router.h"
#include "runtime/engine/validate.h"
#include "runtime/model/config.h"

namespace sgl::engine {

namespace {

// A part of what there is for all replicas; at least 1 where there is something at all.
std::size_t share(std::size_t whole, std::size_t replicas) {
  return whole == 0 ? 0 : std::max<std::size_t>(1, whole / replicas);
}

struct Replica {
  Loop loop;
  std::thread thread;

  Replica(Env env, const EngineOptions& options, const sched::Options& schedule, std::unique_ptr<model::KvStore> kv)
      : loop(std::move(env), options, schedule, std::move(kv)), thread([this] { loop.run(); }) {}
};

void add(EngineStats& sum, const EngineStats& one) {
  sum.requests += one.requests;
  sum.steps += one.steps;
  sum.preemptions += one.preemptions;
  sum.evicted_pages += one.evicted_pages;
  sum.total.prompt_tokens += one.total.prompt_tokens;
  sum.total.cached_tokens += one.total.cached_tokens;
  sum.total.prefill_tokens += one.total.prefill_tokens;
  sum.total.generated_tokens += one.total.generated_tokens;
  sum.total.jump_tokens += one.total.jump_tokens;
  sum.total.recomputed_tokens += one.total.recomputed_tokens;
  sum.prefill_seconds += one.prefill_seconds;
  sum.decode_seconds += one.decode_seconds;
  sum.step_seconds += one.step_seconds;
  sum.kernel_seconds += one.kernel_seconds;
  sum.pages_total += one.pages_total;
  sum.pages_free += one.pages_free;
  sum.pages_cached += one.pages_cached;
}

void refuse(RequestId id, const Events& events) {
  Finished out;
  out.id = id;
  out.reason = FinishReason::kCancelled;
  out.error = base::Error{base::ErrorKind::kCancelled, "the engine is shutting down"};
  if (events.on_finished) events.on_finished(std::move(out));
}

}  // namespace

struct Engine::Impl {
  std::vector<std::unique_ptr<Replica>> replicas;
  Router router;
  std::atomic<std::uint64_t> next_id{1};

  explicit Impl(std::size_t count, std::size_t block) : router(count, block) {}

  const Env& env() const { return replicas.front()->loop.env(); }
  Mailbox& mailbox(RequestId id) { return replicas[id.value % replicas.size()]->loop.mailbox(); }

  // An id that tells the replica, and events that tell the router when the request is over.
  RequestId place(Namespace ns, const Sequence& sequence, Events& events) {
    const std::uint64_t number = next_id.fetch_add(1);
    if (replicas.size() == 1) return RequestId(number);
    const std::size_t replica = router.choose(ns, sequence.tokens());
    events.on_finished = [this, replica, then = std::move(events.on_finished)](Finished finished) {
      router.release(replica);
      if (then) then(std::move(finished));
    };
    return RequestId(number * replicas.size() + replica);
  }

  // A replica that has shut down already, when another one's events ask for more, takes nothing.
  template <typename Command>
  RequestId submit(Command command) {
    const RequestId id = command.id;
    engine::Command posted(std::move(command));
    if (!mailbox(id).post(std::move(posted))) refuse(id, std::get<Command>(posted).events);
    return id;
  }
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

base::Expected<std::unique_ptr<Engine>> Engine::create(std::shared_ptr<const model::Model> model,
                                                       std::shared_ptr<const tokenizer::Tokenizer> tokenizer,
                                                       const EngineOptions& options,
                                                       std::shared_ptr<const constraint::Vocabulary> vocabulary) {
  SGL_TRY_STATUS(validate(options));
  sched::Options schedule;
  schedule.page_size = options.page_size;
  schedule.max_batch = options.max_batch;
  schedule.prefill_chunk = options.prefill_chunk;
  schedule.prefix_cache = options.prefix_cache;
  const std::size_t page_bytes = model->kv_bytes_per_token() * options.page_size;
  schedule.pages = options.pages != 0 ? share(options.pages, options.replicas)
                                      : options.max_kv_bytes / options.replicas / page_bytes;
  if (schedule.pages == 0) {
    return base::invalid(fmt::format("max_kv_bytes ({}) is less than one page of {} bytes for each replica",
                                     options.max_kv_bytes, page_bytes));
  }
  schedule.page_stride = model->kv_stride(options.page_size);
  if (schedule.pages > UINT32_MAX / schedule.page_stride || schedule.pages > SIZE_MAX / 2 / page_bytes) {
    return base::invalid(
        fmt::format("{} pages of {} tokens are more than the engine can address", schedule.pages, options.page_size));
  }
  Env env;
  env.model_vocab = model->config().vocab_size;
  env.sample_vocab = std::min(env.model_vocab, tokenizer->vocab_size());
  env.capacity = std::min(model->config().context, schedule.pages * options.page_size);
  env.vocabulary = vocabulary != nullptr ? std::move(vocabulary) : constraint::Vocabulary::build(tokenizer);
  env.healing = std::make_shared<const HealingIndex>(*tokenizer, env.sample_vocab);
  env.model = std::move(model);
  env.tokenizer = std::move(tokenizer);
  EngineOptions each = options;
  each.threads = share(options.threads == 0 ? base::usable_cores() : options.threads, options.replicas);
  each.max_queue = share(options.max_queue, options.replicas);
  auto impl = std::make_unique<Impl>(options.replicas, options.page_size);
  std::unique_ptr<Engine> engine(new Engine(std::move(impl)));
  for (std::size_t i = 0; i < options.replicas; ++i) {
    std::unique_ptr<model::KvStore> kv = env.model->make_kv(schedule.pages, options.page_size);
    if (kv == nullptr) {
      return base::Error{
          base::ErrorKind::kUnavailable,
          fmt::format("there is no memory for {} pages of KV ({} bytes each)", schedule.pages, page_bytes)};
    }
    engine->impl_->replicas.push_back(std::make_unique<Replica>(env, each, schedule, std::move(kv)));
  }
  return engine;
}

Engine::~Engine() {
  for (const auto& replica : impl_->replicas) replica->loop.mailbox().stop();
  // Each may still hand requests to another, so that none goes before all have ended.
  for (const auto& replica : impl_->replicas) replica->thread.join();
}

RequestId Engine::generate(GenerateRequest request, Events events) {
  const RequestId id = impl_->place(request.ns, request.sequence, events);
  return impl_->submit(NewGenerate{id, std::move(request), std::move(events)});
}

RequestId Engine::score(ScoreRequest request, Events events) {
  const RequestId id = impl_->place(request.ns, request.sequence, events);
  return impl_->submit(NewScore{id, std::move(request), std::move(events)});
}

void Engine::cancel(RequestId id) {
  impl_->mailbox(id).post(Cancel{id});
}

void Engine::flush_cache(Namespace ns) {
  for (const auto& replica : impl_->replicas) replica->loop.mailbox().post(FlushCache{ns});
}

std::size_t Engine::capacity() const {
  return impl_->env().capacity;
}

EngineStats Engine::stats() const {
  EngineStats sum = impl_->replicas.front()->loop.stats();
  for (std::size_t i = 1; i < impl_->replicas.size(); ++i) add(sum, impl_->replicas[i]->loop.stats());
  return sum;
}
const tokenizer::Tokenizer& Engine::tokenizer() const {
  return *impl_->env().tokenizer;
}
std::shared_ptr<const tokenizer::Tokenizer> Engine::shared_tokenizer() const {
  return impl_->env().tokenizer;
}
std::shared_ptr<const constraint::Vocabulary> Engine::vocabulary() const {
  return impl_->env().vocabulary;
}
const model::Model& Engine::model() const {
  return *impl_->env().model;
}

}  // namespace sgl::engine
