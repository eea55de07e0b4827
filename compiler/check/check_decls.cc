// Declarations: names, signatures, constants, bodies, limits; recursion that cannot end.
#include <algorithm>

#include "compiler/check/checker.h"
#include "runtime/constraint/grammar.h"

namespace sgl::compiler {

void check(const std::vector<std::unique_ptr<Module>>& modules, const ImportMap& imports, TypeTable& types,
           Constants& constants, Diagnostics& diagnostics) {
  Checker(modules, imports, types, constants, diagnostics).run();
}

void Checker::run() {
  for (const auto& module : modules_) declare(*module);
  for (const auto& module : modules_) {
    module_ = module.get();
    for (const auto& decl : module->declarations) check_declaration(*decl);
  }
  for (const auto& module : modules_) {
    module_ = module.get();
    for (const auto& decl : module->declarations) {
      if (std::holds_alternative<Decl::Function>(decl->node)) check_body(*decl);
    }
  }
  check_prompt_calls();
  check_recursion();
}

std::vector<std::string> Checker::names_of(const std::unordered_map<std::string, Decl*>& table) const {
  std::vector<std::string> out;
  if (diag_.errors() > Diagnostics::kMaxErrors) return out;  // nobody will see what is suggested
  for (const auto& [name, decl] : table) out.push_back(name);
  std::sort(out.begin(), out.end());  // so that of two names equally near, the same one is always suggested
  return out;
}

void Checker::unsupported(SourceRange range, const std::string& what) {
  error(DiagKind::kNotSupported, range, fmt::format("{} are not supported yet", what));
}

void Checker::declare(Module& module) {
  ModuleScope& scope = scope_of(module);
  for (const auto& decl : module.declarations) {
    decl->module = &module;
    auto* table = &scope.values;
    std::string name = decl->name.text;
    SourceRange range = decl->name.range;
    if (const auto* import = std::get_if<Decl::Import>(&decl->node)) {
      table = &scope.imports;
      if (import->alias) {
        name = import->alias->text;
        range = import->alias->range;
      } else if (!import->module.empty()) {
        name = import->module.back().text;
        range = import->module.back().range;
      } else {
        const std::size_t slash = import->path.find_last_of('/');
        const std::string file = slash == std::string::npos ? import->path : import->path.substr(slash + 1);
        name = file.substr(0, file.find('.'));
        range = import->target_range;
      }
    } else if (std::holds_alternative<Decl::Type>(decl->node) || std::holds_alternative<Decl::Grammar>(decl->node)) {
      table = &scope.types;
    } else if (const auto* other = std::get_if<Decl::Unsupported>(&decl->node)) {
      unsupported(decl->range, other->what);
    }
    if (name.empty()) continue;
    const auto [it, inserted] = table->emplace(name, decl.get());
    if (!inserted) {
      error(DiagKind::kDuplicateName, range, fmt::format("'{}' is declared twice", name))
          .label(it->second->name.range.end > 0 ? it->second->name.range : it->second->range, "declared here first");
    }
  }
}

void Checker::check_declaration(Decl& decl) {
  if (std::holds_alternative<Decl::Grammar>(decl.node)) {
    check_grammar(decl);
  } else if (std::holds_alternative<Decl::Type>(decl.node)) {
    check_type_declaration(decl);
    if (!types_.is_error(decl.type) && !types_.is_inhabited(decl.type)) {
      error(DiagKind::kInfiniteType, decl.name.range,
            fmt::format("no value of type '{}' can exist: it contains itself without end", decl.name.text))
          .suggest("make the field optional, or put it in a list");
    }
  } else if (std::holds_alternative<Decl::Const>(decl.node)) {
    check_constant(decl);
  } else if (std::holds_alternative<Decl::Function>(decl.node)) {
    check_signature(decl);
  }
}

bool Checker::too_deep(Decl& decl, int levels) {
  // A level is a few frames of the native stack, a kilobyte or two together.
  constexpr int kMaxNesting = 1000;
  if (levels <= kMaxNesting) return false;
  error(DiagKind::kNestedTooDeep, decl.name.range,
        fmt::format("'{}' stands more than {} levels deep in what other declarations refer to", decl.name.text,
                    kMaxNesting))
      .suggest("shorten the chain of declarations that leads to it");
  decl.type = types_.error();
  return true;
}

void Checker::check_grammar(Decl& decl) {
  if (decl.state != Decl::State::kUnchecked) return;
  decl.state = Decl::State::kChecked;
  const auto& node = std::get<Decl::Grammar>(decl.node);
  const auto made = constraint::compile_grammar(node.text);
  if (!made.ok()) {
    Module* const saved = std::exchange(module_, decl.module);
    const auto kind =
        made.status == constraint::GrammarStatus::kUnsatisfiable ? DiagKind::kUnsatisfiable : DiagKind::kBadGrammar;
    SourceRange place = node.text_range;
    if (made.line > 0 && made.line <= node.lines.size()) {
      place.begin = std::min(node.lines[made.line - 1] + static_cast<std::uint32_t>(made.column) - 1, place.end - 1);
      place.end = place.begin + 1;
    }
    error(kind, place, made.message);
    module_ = saved;
    decl.type = types_.error();
    return;
  }
  decl.type = types_.reserve(decl.name.text, decl.doc);
  Type type;
  type.kind = TypeKind::kGrammar;
  type.pattern = node.text;
  type.name = decl.name.text, type.doc = decl.doc;
  types_.define(decl.type, type);
}

void Checker::check_type_declaration(Decl& decl) {
  if (decl.state != Decl::State::kUnchecked) {
    levels_ = std::max(levels_, type_levels_[&decl]);
    return;
  }
  if (too_deep(decl, nesting_)) return;
  decl.state = Decl::State::kChecking;
  const int beside = std::exchange(levels_, 0);
  decl.type = types_.reserve(decl.name.text, decl.doc);
  Module* const saved = std::exchange(module_, decl.module);
  open_types_[&decl] = type_depth_;
  const auto& node = std::get<Decl::Type>(decl.node);
  const TypeId value = node.value ? resolve(*node.value) : types_.error();
  // Copied: define() reads what it overwrites.
  const Type definition = types_.get(value);
  if (types_.is_error(value) || !types_.is_defined(value)) {
    decl.type = value;  // another name for a type around this one, which is not known yet
  } else {
    types_.define(decl.type, definition);
  }
  // Types are walked from the outside in later, however their declarations were ordered.
  if (too_deep(decl, levels_)) levels_ = 0;
  type_levels_[&decl] = levels_;
  levels_ = std::max(beside, levels_);
  module_ = saved;
  open_types_.erase(&decl);
  decl.state = Decl::State::kChecked;
}

void Checker::check_constant(Decl& decl) {
  if (decl.state == Decl::State::kChecked) return;
  if (decl.state == Decl::State::kChecking) {
    error(DiagKind::kNotConstant, decl.name.range, fmt::format("constant '{}' depends on itself", decl.name.text));
    decl.type = types_.error();
    return;
  }
  if (too_deep(decl, nesting_)) return;
  decl.state = Decl::State::kChecking;
  Module* const saved_module = std::exchange(module_, decl.module);
  const FunctionContext saved_fn = std::exchange(fn_, FunctionContext{});
  std::vector<Scope> saved_scopes;
  saved_scopes.swap(scopes_);
  auto& node = std::get<Decl::Const>(decl.node);
  decl.type = types_.error();
  if (node.annotation) {
    const TypeId type = resolve(*node.annotation);
    if (node.value) check_against(*node.value, type, fmt::format("constant '{}'", decl.name.text));
    decl.type = type;
  } else if (node.value) {
    decl.type = check_expr(*node.value);
  }
  if (node.value && !types_.is_error(decl.type) && !types_.is_error(node.value->type) &&
      !known_value(*node.value, decl.type)) {
    error(DiagKind::kNotConstant, node.value->range,
          fmt::format("the value of '{}' is not known at compile time", decl.name.text))
        .suggest("constants are made of literals, other constants and operators, and take 64 MB at most");
    decl.type = types_.error();
  }
  module_ = saved_module;
  fn_ = saved_fn;
  scopes_.swap(saved_scopes);
  decl.state = Decl::State::kChecked;
}

void Checker::check_signature(Decl& decl) {
  auto& node = std::get<Decl::Function>(decl.node);
  std::set<std::string> names;
  for (ast::Param& param : node.params) {
    Binding& binding = *param.binding;
    binding.type = param.type ? resolve(*param.type) : types_.error();
    if (!names.insert(binding.name.text).second) {
      error(DiagKind::kDuplicateName, binding.name.range,
            fmt::format("two parameters are named '{}'", binding.name.text));
    }
    if (!param.init) continue;
    check_against(*param.init, binding.type, fmt::format("default of '{}'", binding.name.text));
    if (!types_.is_error(param.init->type) && !types_.is_error(binding.type) &&
        !known_value(*param.init, binding.type)) {
      error(DiagKind::kNotConstant, param.init->range,
            fmt::format("the default of '{}' is not known at compile time", binding.name.text));
    }
  }
  decl.type = node.result ? resolve(*node.result) : types_.none();
  if (node.tool) {
    const auto [it, inserted] = tools_.emplace(decl.name.text, &decl);
    if (!inserted && it->second->module != decl.module) {
      error(DiagKind::kDuplicateName, decl.name.range,
            fmt::format("another file declares a tool '{}' too", decl.name.text))
          .suggest("declare it in one file, and import that");
    }
  }
  // `fn f(x) = e` may leave its type to the expression; it is found when the body is checked, so calls need it earlier.
  if (!node.result && node.kind == plan::FunctionKind::kFn) {
    error(DiagKind::kTypeMismatch, decl.name.range, fmt::format("function '{}' has no result type", decl.name.text))
        .suggest("write its type after the parameters: fn f(x: int) -> int = …");
    decl.type = types_.error();
  }
  check_limits(decl);
}

void Checker::check_limits(Decl& decl) {
  static const std::vector<std::string> kLimits = {"tokens", "time", "forks", "fuel", "memory"};
  auto& node = std::get<Decl::Function>(decl.node);
  std::set<std::string> seen;
  for (ast::Option& limit : node.limits) {
    const std::string& key = limit.key.text;
    if (std::find(kLimits.begin(), kLimits.end(), key) == kLimits.end()) {
      error(DiagKind::kUnknownLimit, limit.key.range, fmt::format("there is no limit '{}'", key))
          .suggest(did_you_mean(key, kLimits));
      continue;
    }
    if (!seen.insert(key).second)
      error(DiagKind::kDuplicateName, limit.key.range, fmt::format("limit '{}' is given twice", key));
    if (!limit.value) continue;
    const bool duration = std::holds_alternative<Expr::DurationLit>(limit.value->node);
    if (key == "time") {
      if (!duration)
        error(DiagKind::kBadRefinement, limit.value->range, "'time' takes a duration").suggest("write 30s or 500ms");
      continue;
    }
    if (!duration) check_expr(*limit.value);
    const auto value = duration ? std::nullopt : known_value(*limit.value, types_.integer());
    if (!value || value->kind != ConstValue::Kind::kInt || value->number < 0) {
      error(DiagKind::kBadRefinement, limit.value->range,
            fmt::format("limit '{}' takes a constant number that is not negative", key));
    }
  }
}

void Checker::check_body(Decl& decl) {
  auto& node = std::get<Decl::Function>(decl.node);
  if (node.tool) return;
  current_ = &decl;
  conditional_ = 0;
  may_have_left_ = false;
  fn_ = FunctionContext{};
  fn_.kind = node.kind;
  fn_.declaration = &decl;
  if (decl.type != types_.none()) fn_.result = decl.type;
  scopes_.assign(1, Scope{});
  for (ast::Param& param : node.params) bind(*param.binding, param.binding->type);
  if (node.expression) {
    check_against(*node.expression, decl.type, fmt::format("result of '{}'", decl.name.text));
  } else if (node.body) {
    check_block(*node.body, true);
    warn_dead_generation();
    if (fn_.result && !types_.is_error(*fn_.result) && !always_returns(*node.body)) {
      error(DiagKind::kMissingReturn, decl.name.range,
            fmt::format("'{}' can end without returning a value of type '{}'", decl.name.text, spell(*fn_.result)))
          .suggest("end every path with 'return' or 'fail'");
    }
  }
  if (node.kind == plan::FunctionKind::kProgram && fn_.result && !types_.is_inhabited(*fn_.result)) {
    error(DiagKind::kUnsatisfiable, decl.name.range,
          fmt::format("no value of type '{}' can exist", spell(*fn_.result)));
  }
  scopes_.clear();
  current_ = nullptr;
}

// A function that on every path calls itself, directly or through others, never ends.
// Functions on a cycle of calls that nothing avoids: strongly connected components (Tarjan, 1972), without recursion.
void Checker::check_recursion() {
  struct Node {
    std::size_t order = 0, low = 0;
    bool open = true;
  };
  struct Frame {
    Decl* decl;
    std::set<Decl*>::const_iterator next;
  };
  std::unordered_map<const Decl*, Node> nodes;
  std::vector<Decl*> open;
  std::vector<Frame> frames;
  const auto enter = [&](Decl* decl) {
    nodes[decl] = {nodes.size(), nodes.size()};
    open.push_back(decl);
    frames.push_back({decl, calls_[decl].begin()});
  };
  const auto leave = [&](Decl* decl) {
    const Node node = nodes[decl];
    if (node.low < node.order) return;
    const bool endless = open.back() != decl || calls_[decl].count(decl) > 0;
    for (const Decl* member = nullptr; member != decl; open.pop_back()) {
      member = open.back();
      nodes[member].open = false;
      if (!endless) continue;
      error(DiagKind::kUnboundedRecursion, member->name.range,
            fmt::format("'{}' always calls itself and never ends", member->name.text))
          .suggest("return without the call in some case");
    }
  };
  std::vector<Decl*> starts;
  for (const auto& [start, callees] : calls_) starts.push_back(start);
  std::sort(starts.begin(), starts.end(), [](const Decl* a, const Decl* b) {
    return std::pair(a->name.range.file.value, a->name.range.begin) <
           std::pair(b->name.range.file.value, b->name.range.begin);
  });
  for (Decl* const start : starts) {
    if (nodes.count(start) == 0) enter(start);
    while (!frames.empty()) {
      Frame& frame = frames.back();
      Decl* const decl = frame.decl;
      if (frame.next == calls_[decl].end()) {
        leave(decl);
        frames.pop_back();
        if (!frames.empty()) nodes[frames.back().decl].low = std::min(nodes[frames.back().decl].low, nodes[decl].low);
        continue;
      }
      Decl* const callee = *frame.next++;
      if (const auto known = nodes.find(callee); known == nodes.end()) {
        enter(callee);
      } else if (known->second.open) {
        nodes[decl].low = std::min(nodes[decl].low, known->second.order);
      }
    }
  }
}

void Checker::bind(Binding& binding, TypeId type) {
  binding.type = type;
  binding.function_depth = fn_.depth;
  binding.retry_depth = fn_.retries;
  Scope& scope = scopes_.back();
  if (!scope.bindings.emplace(binding.name.text, &binding).second) {
    error(DiagKind::kDuplicateName, binding.name.range, fmt::format("'{}' is already declared here", binding.name.text))
        .label(scope.bindings[binding.name.text]->name.range, "declared here first")
        .suggest("choose another name, or use 'var' and assign");
    scope.bindings[binding.name.text] = &binding;
  }
  scope.order.push_back(&binding);
}

}  // namespace sgl::compiler
