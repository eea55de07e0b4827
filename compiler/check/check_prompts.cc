// A prompt appends where its caller is: what it opens and generates must fit the role that is open there.
#include "compiler/check/checker.h"

namespace sgl::compiler {

namespace {

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

// What a function does outside of roles of its own, and so in that of its caller: the first place of each, its own or
// that of a prompt it calls.
struct PromptFacts {
  std::optional<SourceRange> role;
  std::optional<SourceRange> generation;
  std::optional<SourceRange> forks;
};

struct PromptCall {
  const Decl* caller;
  const Decl* callee;
  SourceRange range;
  std::optional<plan::Role> role;  // open around the call
  bool in_text;                    // of that role, where that is an expression
};

// Collects facts and calls of one function after the other.
class PromptWalk {
 public:
  void function(const Decl& decl) {
    const auto* node = std::get_if<Decl::Function>(&decl.node);
    if (node == nullptr || node->kind == plan::FunctionKind::kFn || !node->body) return;
    current_ = &decl;
    functions.push_back(current_);
    block(*node->body);
  }

  std::vector<const Decl*> functions;  // in the order of their declarations
  std::vector<PromptCall> calls;
  std::unordered_map<const Decl*, PromptFacts> facts;

 private:
  void block(const Block& it) {
    for (const auto& stmt : it.statements) statement(*stmt);
  }

  void options(const std::vector<ast::Option>& list) {
    for (const ast::Option& option : list) expr(option.value);
  }

  void generation(SourceRange range) {
    auto& first = facts[current_].generation;
    if (!role_ && !first) first = range;
  }

  void forks(SourceRange range) {
    auto& first = facts[current_].forks;
    if (!role_ && !first) first = range;
  }

  void fork(const ast::ForkBody& body) {
    // One inside a role is refused as such.
    const auto role = std::exchange(role_, std::nullopt);
    block(body.block);
    role_ = role;
  }

  void role(const Stmt::Role& node) {
    auto& first = facts[current_].role;
    if (!role_ && !first) first = node.keyword;
    const auto outer = std::exchange(role_, node.role);
    const bool in_text = std::exchange(in_text_, node.text != nullptr);
    expr(node.text);
    if (node.body) block(*node.body);
    role_ = outer;
    in_text_ = in_text;
  }

  void statement(const Stmt& it) {
    std::visit(Overloaded{
                   [&](const Stmt::Let& node) { expr(node.value); },
                   [&](const Stmt::Assign& node) {
                     expr(node.target);
                     expr(node.value);
                   },
                   [&](const Stmt::If& node) {
                     expr(node.condition);
                     block(node.then);
                     if (node.otherwise) block(*node.otherwise);
                   },
                   [&](const Stmt::While& node) {
                     expr(node.condition);
                     block(node.body);
                   },
                   [&](const Stmt::For& node) {
                     expr(node.source);
                     block(node.body);
                   },
                   [&](const Stmt::Return& node) { expr(node.value); },
                   [&](const Stmt::Yield& node) { expr(node.value); },
                   [&](const Stmt::Fail& node) { expr(node.message); },
                   [&](const Stmt::With& node) {
                     options(node.options);
                     block(node.body);
                   },
                   [&](const Stmt::Role& node) { role(node); },
                   [&](const Stmt::Gen& node) {
                     options(node.gen.options);
                     generation(it.range);
                   },
                   [&](const Stmt::Select& node) {
                     expr(node.select.choices);
                     generation(it.range);
                   },
                   [&](const Stmt::Try& node) {
                     block(node.body);
                     block(node.handler);
                   },
                   [&](const Stmt::Assert& node) {
                     expr(node.condition);
                     expr(node.message);
                   },
                   [&](const Stmt::Expression& node) { expr(node.value); },
                   [](const auto&) {},
               },
               it.node);
  }

  void call(const Expr::Call& node) {
    expr(node.callee);
    for (const ast::Argument& argument : node.arguments) expr(argument.value);
    const Decl* const callee = node.resolved.kind == ast::Callee::Kind::kFunction ? node.resolved.declaration : nullptr;
    if (callee == nullptr || std::get<Decl::Function>(callee->node).kind != plan::FunctionKind::kPrompt) return;
    calls.push_back({current_, callee, node.callee->range, role_, in_text_});
  }

  void expr(const ast::ExprPtr& it) {
    if (!it) return;
    std::visit(Overloaded{
                   [&](const Expr::StringLit& node) {
                     for (const auto& part : node.parts) expr(part.value);
                   },
                   [&](const Expr::Member& node) { expr(node.object); },
                   [&](const Expr::Call& node) { call(node); },
                   [&](const Expr::Index& node) {
                     expr(node.object);
                     expr(node.index);
                   },
                   [&](const Expr::Slice& node) {
                     expr(node.object);
                     expr(node.lo);
                     expr(node.hi);
                   },
                   [&](const Expr::Negate& node) { expr(node.operand); },
                   [&](const Expr::Not& node) { expr(node.operand); },
                   [&](const Expr::Binary& node) {
                     expr(node.left);
                     expr(node.right);
                   },
                   [&](const Expr::Conditional& node) {
                     expr(node.condition);
                     expr(node.then);
                     expr(node.otherwise);
                   },
                   [&](const Expr::ListLit& node) {
                     for (const auto& item : node.items) expr(item);
                   },
                   [&](const Expr::Comprehension& node) {
                     expr(node.source);
                     expr(node.condition);
                     expr(node.element);
                   },
                   [&](const Expr::RecordLit& node) {
                     for (const auto& field : node.fields) expr(field.value);
                   },
                   [&](const Expr::Gen& node) {
                     options(node.gen.options);
                     generation(it->range);
                   },
                   [&](const Expr::Select& node) {
                     expr(node.select.choices);
                     generation(it->range);
                   },
                   [&](const Expr::ParallelFor& node) {
                     forks(it->range);
                     expr(node.source);
                     expr(node.bound);
                     fork(node.body);
                   },
                   [&](const Expr::Branch& node) {
                     forks(it->range);
                     for (const auto& arm : node.arms) fork(arm.body);
                   },
                   [&](const Expr::Retry& node) {
                     expr(node.count);
                     block(node.body);
                   },
                   [](const auto&) {},
               },
               it->node);
  }

  const Decl* current_ = nullptr;
  std::optional<plan::Role> role_;
  bool in_text_ = false;
};

// What a prompt does, its callers do; each learns of a role, of a generation and of forks once.
void pass_on(PromptWalk& walk) {
  std::unordered_map<const Decl*, std::vector<const Decl*>> callers;
  for (const PromptCall& call : walk.calls) {
    if (!call.role) callers[call.callee].push_back(call.caller);
  }
  std::vector<const Decl*> open = walk.functions;
  while (!open.empty()) {
    const Decl* const decl = open.back();
    open.pop_back();
    const PromptFacts known = walk.facts[decl];
    for (const Decl* const caller : callers[decl]) {
      PromptFacts& facts = walk.facts[caller];
      const bool learns =
          (known.role && !facts.role) || (known.generation && !facts.generation) || (known.forks && !facts.forks);
      if (!facts.role) facts.role = known.role;
      if (!facts.generation) facts.generation = known.generation;
      if (!facts.forks) facts.forks = known.forks;
      if (learns) open.push_back(caller);
    }
  }
}

}  // namespace

void Checker::check_prompt_calls() {
  PromptWalk walk;
  for (const auto& module : modules_) {
    for (const auto& decl : module->declarations) walk.function(*decl);
  }
  pass_on(walk);
  for (const PromptCall& call : walk.calls) {
    if (!call.role) continue;
    const PromptFacts& facts = walk.facts[call.callee];
    const std::string_view prompt = call.callee->name.text;
    const std::string role(plan::role_name(*call.role));
    if (facts.role) {
      error(DiagKind::kNestedRole, call.range, fmt::format("prompt '{}' opens a role inside '{}'", prompt, role))
          .label(*facts.role, "opened here")
          .suggest("call it before, and use its value");
    } else if (facts.forks) {
      error(DiagKind::kNestedRole, call.range, fmt::format("prompt '{}' forks inside '{}'", prompt, role))
          .label(*facts.forks, "forked here")
          .suggest("call it before, and use its value");
    } else if (facts.generation && (call.in_text || *call.role != plan::Role::kAssistant)) {
      error(DiagKind::kGenInRole, call.range,
            fmt::format("prompt '{}' generates {} '{}'", prompt, call.in_text ? "in the text of" : "inside", role))
          .label(*facts.generation, "generated here")
          .suggest("call it before, and use its value");
    }
  }
}

}  // namespace sgl::compiler
