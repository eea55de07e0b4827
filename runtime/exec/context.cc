#include "runtime/exec/context.h"

#include <algorithm>

#include "runtime/exec/ops.h"
#include "runtime/exec/state.h"

namespace sgl::exec {
namespace {

// Stands for the content of an open message, to find what the template puts before it. No template and no user text
// contains it; templates may trim it, so it has no white space at its ends.
constexpr std::string_view kMarker = "\xEF\xB7\x90sgl-open-message\xEF\xB7\x91";  // U+FDD0, U+FDD1: noncharacters

void append_rendered(tokenizer::Rendered& out, const tokenizer::Rendered& more) {
  const std::size_t base = out.text.size();
  out.text += more.text;
  for (const auto& [begin, end] : more.content_spans) out.content_spans.push_back({base + begin, base + end});
}

void append_content(tokenizer::Rendered& out, std::string_view text) {
  if (text.empty()) return;
  const std::size_t begin = out.text.size();
  out.text += text;
  if (!out.content_spans.empty() && out.content_spans.back().end == begin) {
    out.content_spans.back().end = out.text.size();
  } else {
    out.content_spans.push_back({begin, out.text.size()});
  }
}

void truncate(tokenizer::Rendered& rendered, std::size_t size) {
  rendered.text.resize(size);
  auto& spans = rendered.content_spans;
  while (!spans.empty() && spans.back().begin >= size) spans.pop_back();
  if (!spans.empty()) spans.back().end = std::min(spans.back().end, size);
}

// The part of `rendered` from byte `begin` on.
tokenizer::Rendered tail_of(const tokenizer::Rendered& rendered, std::size_t begin) {
  tokenizer::Rendered out;
  out.text = rendered.text.substr(begin);
  for (const auto& [from, to] : rendered.content_spans) {
    if (to > begin) out.content_spans.push_back({std::max(from, begin) - begin, to - begin});
  }
  return out;
}

}  // namespace

base::Expected<std::shared_ptr<const Renderer>> Renderer::create(
    std::shared_ptr<const tokenizer::Tokenizer> tokenizer) {
  auto renderer = std::make_shared<Renderer>();
  renderer->has_template_ = tokenizer->chat_template().has_value();
  const std::string_view source = renderer->has_template_ ? *tokenizer->chat_template() : tokenizer::kPlainTemplate;
  SGL_TRY(renderer->template_, tokenizer::ChatTemplate::parse(source));
  renderer->tokenizer_ = std::move(tokenizer);
  return std::shared_ptr<const Renderer>(std::move(renderer));
}

base::Expected<tokenizer::Rendered> Renderer::render_messages(const std::vector<tokenizer::ChatMessage>& messages,
                                                              bool open, bool first) const {
  tokenizer::ChatRenderOptions options;
  options.bos_token = std::string(tokenizer_->bos_text());
  options.eos_token = std::string(tokenizer_->eos_text());
  std::vector<tokenizer::ChatMessage> rendered_messages = messages;
  std::string open_text;
  const bool generation = open && messages.back().role == "assistant";
  if (open) {
    open_text = messages.back().content;
    if (generation) {
      rendered_messages.pop_back();
      options.add_generation_prompt = true;
    } else {
      rendered_messages.back().content = std::string(kMarker);
    }
  }
  SGL_TRY(tokenizer::Rendered out, template_->render_marked(rendered_messages, options));
  if (open && !generation) {
    const std::size_t at = out.text.find(kMarker);
    if (at == std::string::npos) return base::invalid("the chat template drops the content of an open message");
    truncate(out, at);
  }
  append_content(out, open_text);
  // Only the transcript's beginning may carry the beginning-of-text token.
  if (!first && !options.bos_token.empty() && out.text.starts_with(options.bos_token)) {
    out = tail_of(out, options.bos_token.size());
  }
  return out;
}

base::Expected<tokenizer::Rendered> Renderer::render(const std::vector<Part>& parts) const {
  tokenizer::Rendered out;
  std::size_t at = 0;
  if (!parts.empty() && !parts[0].role) out.text = tokenizer_->bos_text();
  while (at < parts.size()) {
    if (!parts[at].role) {
      append_content(out, parts[at++].text);
      continue;
    }
    std::vector<tokenizer::ChatMessage> run;
    const bool first = at == 0;
    bool open = false;
    for (; at < parts.size() && parts[at].role; ++at) {
      run.push_back({std::string(plan::role_name(*parts[at].role)), parts[at].text});
      open = parts[at].open;
    }
    SGL_TRY(const tokenizer::Rendered rendered, render_messages(run, open, first));
    append_rendered(out, rendered);
  }
  return out;
}

// A message or raw text, or a piece of one that goes on in the next node or in the tail.
struct Context::Node {
  Node(std::shared_ptr<const Node> before, Renderer::Part p, bool goes_on)
      : previous(std::move(before)), part(std::move(p)), continued(goes_on) {
    if (Heap* const heap = current_heap()) heap->used += bytes();
  }
  ~Node() {
    if (Heap* const heap = current_heap()) heap->used -= bytes();
    // One after another: a chain of messages may be longer than the stack is deep.
    std::shared_ptr<const Node> next = std::move(previous);
    while (next && next.use_count() == 1) next = std::move(next->previous);
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  std::int64_t bytes() const { return static_cast<std::int64_t>(sizeof(Node) + part.text.size()); }

  mutable std::shared_ptr<const Node> previous;  // taken by the destructor of a later one
  Renderer::Part part;
  bool continued;
};

bool Context::fits(Machine& machine, std::size_t bytes) {
  const Heap& heap = machine.heap;
  const auto wanted = static_cast<std::int64_t>(sizeof(Node) + std::min<std::size_t>(bytes, SIZE_MAX / 4));
  return wanted <= heap.limit - heap.used || too_large(machine);
}

void Context::close(bool continued) {
  closed_ = std::make_shared<const Node>(closed_, Renderer::Part{tail_.role, std::move(tail_.text), false}, continued);
  tail_.text.clear();
}

bool Context::begin_role(Machine& machine, plan::Role role) {
  if (open_) return machine.fail(base::ErrorKind::kFailed, "a role cannot open inside another");
  if (!fits(machine, tail_.text.size())) return false;
  if (!tail_.text.empty() || begun_ > 0) close(false);
  tail_ = {role, "", true};
  open_ = true;
  begun_ = 0;
  return true;
}

bool Context::end_role(Machine& machine) {
  if (!open_) return machine.fail(base::ErrorKind::kFailed, "no role is open");
  if (!fits(machine, tail_.text.size())) return false;
  close(false);
  tail_ = {};
  open_ = false;
  begun_ = 0;
  return true;
}

bool Context::append_text(Machine& machine, std::string_view text) {
  // A context of this size exceeds every model; refused early so that a loop cannot fill memory.
  constexpr std::size_t kMaxOpenText = std::size_t{64} << 20;
  if (begun_ + tail_.text.size() + text.size() > kMaxOpenText) {
    return machine.fail(base::ErrorKind::kLimit, "a message grew beyond 64 MiB");
  }
  if (!fits(machine, tail_.text.size() + text.size())) return false;
  append(text);
  return true;
}

// What is copied when a context forks stays short: longer texts are shared.
void Context::append(std::string_view text) {
  constexpr std::size_t kMaxTail = 4096;  // bytes
  tail_.text += text;
  if (tail_.text.size() <= kMaxTail) return;
  begun_ += tail_.text.size();
  close(true);
}

std::vector<Renderer::Part> Context::parts() const {
  std::vector<Renderer::Part> out;
  std::vector<const Node*> nodes;
  for (const Node* node = closed_.get(); node != nullptr; node = node->previous.get()) nodes.push_back(node);
  std::string begun;
  for (auto it = nodes.rbegin(); it != nodes.rend(); ++it) {
    begun += (*it)->part.text;
    if ((*it)->continued) continue;
    out.push_back({(*it)->part.role, std::exchange(begun, {}), (*it)->part.open});
  }
  begun += tail_.text;
  if (open_ || !begun.empty()) out.push_back({tail_.role, std::move(begun), tail_.open});
  return out;
}

base::Expected<Prompt> Context::prompt(const Renderer& renderer) {
  const std::vector<Renderer::Part> all = parts();
  SGL_TRY(tokenizer::Rendered rendered, renderer.render(all));
  const tokenizer::Tokenizer& tokenizer = renderer.tokenizer();
  if (!rendered.text.starts_with(*committed_text_)) {
    committed_ = engine::Sequence();
    committed_text_ = std::make_shared<std::string>();
  }
  const bool fresh = committed_.size() == 0;
  const tokenizer::Rendered delta = tail_of(rendered, committed_text_->size());
  std::vector<tokenizer::TokenId> tokens =
      tokenizer.encode(delta.text, {.parse_added_tokens = true, .continuation = !fresh}, delta.content_spans);
  // A model that has a beginning-of-text token expects it, whether or not its template says so.
  if (fresh && tokenizer.bos() && (tokens.empty() || tokens.front() != *tokenizer.bos()) &&
      !renderer.has_chat_template()) {
    tokens.insert(tokens.begin(), *tokenizer.bos());
  }
  committed_.append(tokens);
  committed_text_ = std::make_shared<std::string>(std::move(rendered.text));
  if (committed_.size() == 0) return base::invalid("there is nothing to generate from: the context is empty");
  const bool ends_in_content = !delta.content_spans.empty() && delta.content_spans.back().end == delta.text.size();
  const bool plain_prompt = !renderer.has_chat_template() && !delta.text.empty();
  return Prompt{committed_, ends_in_content || plain_prompt};
}

void Context::append_generated(std::string_view text, const std::vector<tokenizer::TokenId>& tokens,
                               std::size_t healed) {
  if (healed > 0) {
    std::vector<tokenizer::TokenId> all = committed_.tokens();
    all.resize(all.size() - std::min(healed, all.size()));
    committed_ = engine::Sequence();
    committed_.append(all);
  }
  committed_.append(tokens);
  committed_text_ = std::make_shared<std::string>(*committed_text_ + std::string(text));
  append(text);
}

std::string Context::transcript() const {
  std::string out;
  for (const Renderer::Part& part : parts()) {
    if (part.role) out += "[" + std::string(plan::role_name(*part.role)) + "]";
    out += part.text + "\n";
  }
  return out;
}

}  // namespace sgl::exec
