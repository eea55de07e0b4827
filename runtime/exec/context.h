// A conversation as a program builds it: messages and raw text, and the tokens that the model sees for them.
// Forking is O(1): the transcript and the committed tokens are shared, immutable storage. The texts count towards what
// the values of an instance may occupy (Heap), once for all contexts that share them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/engine/sequence.h"
#include "runtime/plan/plan.h"
#include "runtime/tokenizer/chat_template.h"
#include "runtime/tokenizer/tokenizer.h"

namespace sgl::exec {

struct Machine;

// How transcripts become tokens for one model: its tokenizer and chat template. Shared by all contexts of a run.
class Renderer {
 public:
  // Without a chat template in the tokenizer, roles render as plain lines ("User: …"), see tokenizer::kPlainTemplate.
  static base::Expected<std::shared_ptr<const Renderer>> create(std::shared_ptr<const tokenizer::Tokenizer> tokenizer);

  const tokenizer::Tokenizer& tokenizer() const { return *tokenizer_; }
  bool has_chat_template() const { return has_template_; }

  struct Part {
    std::optional<plan::Role> role;  // nullopt: raw text
    std::string text;
    bool open = false;  // more may follow in this message
  };
  // The rendered transcript. An open assistant message at the end is preceded by the generation prompt, any other open
  // message by what the template puts before its content; nothing follows an open message's text.
  base::Expected<tokenizer::Rendered> render(const std::vector<Part>& parts) const;

 private:
  base::Expected<tokenizer::Rendered> render_messages(const std::vector<tokenizer::ChatMessage>& messages, bool open,
                                                      bool first) const;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer_;
  std::optional<tokenizer::ChatTemplate> template_;
  bool has_template_ = false;
};

// What a generation starts from.
struct Prompt {
  engine::Sequence sequence;
  bool heal = false;  // the text ends in user-written text, whose last token may have been cut short
};

class Context {
 public:
  // These append; false and a recorded failure when it does not fit (a role inside a role, no memory left).
  bool begin_role(Machine& machine, plan::Role role);
  bool end_role(Machine& machine);
  bool append_text(Machine& machine, std::string_view text);

  // Tokens of everything so far. Commits what was appended since the last call: tokens never change once committed,
  // unless the template rewrites earlier text, and then all are made anew.
  base::Expected<Prompt> prompt(const Renderer& renderer);
  // Appends what the model generated after `prompt`.
  void append_generated(std::string_view text, const std::vector<tokenizer::TokenId>& tokens, std::size_t healed);

  Context fork() const { return *this; }
  bool in_role() const { return open_; }
  std::string transcript() const;  // for traces: roles and text, no template

 private:
  struct Node;
  std::vector<Renderer::Part> parts() const;
  // Whether the heap has room for so many bytes of text, and the failure when it has not.
  static bool fits(Machine& machine, std::size_t bytes);
  void append(std::string_view text);
  // The tail becomes a node: the end of a message or text, or (continued) a piece of it.
  void close(bool continued);

  std::shared_ptr<const Node> closed_;  // finished messages and raw texts, and what the tail begins with
  Renderer::Part tail_;                 // the end of the open message, or of the raw text so far: a short text
  std::size_t begun_ = 0;               // bytes of that message or text in closed_
  bool open_ = false;                   // tail_ is an open message
  engine::Sequence committed_;
  std::shared_ptr<const std::string> committed_text_ = std::make_shared<std::string>();
};

}  // namespace sgl::exec
