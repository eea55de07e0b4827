// What talks to the model: generations, selections, options, forks.
#include <algorithm>
#include <limits>

#include "compiler/check/checker.h"
#include "runtime/constraint/constraint.h"
#include "runtime/constraint/plan_types.h"

namespace sgl::compiler {

using plan::GenOption;

namespace {

struct OptionInfo {
  GenOption option;
  char kind;        // f number, i int, s stop, r record, b bool
  double min, max;  // inclusive; of numbers
  bool open_min;    // min itself is not allowed
};

const std::unordered_map<std::string, OptionInfo>& option_table() {
  constexpr double kAny = 9e18;
  static const std::unordered_map<std::string, OptionInfo> kTable = {
      {"temperature", {GenOption::kTemperature, 'f', 0, 100, false}},
      {"top_p", {GenOption::kTopP, 'f', 0, 1, true}},
      {"top_k", {GenOption::kTopK, 'i', 0, kAny, false}},
      {"min_p", {GenOption::kMinP, 'f', 0, 1, false}},
      {"max_tokens", {GenOption::kMaxTokens, 'i', 1, 1'000'000, false}},
      {"min_tokens", {GenOption::kMinTokens, 'i', 0, 1'000'000, false}},
      {"stop", {GenOption::kStop, 's', 0, 0, false}},
      {"seed", {GenOption::kSeed, 'i', -kAny, kAny, false}},
      {"frequency_penalty", {GenOption::kFrequencyPenalty, 'f', -2, 2, false}},
      {"presence_penalty", {GenOption::kPresencePenalty, 'f', -2, 2, false}},
      {"repetition_penalty", {GenOption::kRepetitionPenalty, 'f', 0, 10, true}},
      {"logit_bias", {GenOption::kLogitBias, 'r', 0, 0, false}},
      {"n", {GenOption::kN, 'i', 1, 256, false}},
      {"logprobs", {GenOption::kLogprobs, 'b', 0, 0, false}}};
  return kTable;
}

}  // namespace

std::optional<GenOption> find_gen_option(const std::string& name) {
  const auto it = option_table().find(name);
  if (it == option_table().end()) return std::nullopt;
  return it->second.option;
}

bool Checker::require_model(SourceRange range, const std::string& what) {
  if (fn_.declaration == nullptr) {
    error(DiagKind::kNotConstant, range, fmt::format("{} is not known at compile time", what));
    return false;
  }
  if (fn_.kind != plan::FunctionKind::kFn) return true;
  error(DiagKind::kModelInFn, range, fmt::format("{} cannot stand in a function: functions are pure", what))
      .label(fn_.declaration->name.range, "declared as 'fn' here")
      .suggest(fmt::format("declare it as a prompt: prompt {}(…)", fn_.declaration->name.text));
  return false;
}

// The model writes in blocks of 'assistant' and in bare text. What it wrote while the text of a role is evaluated would
// stand in the message already when that text is appended.
void Checker::check_speaker(SourceRange range, const char* what, const char* keyword) {
  const auto open = fn_.text_of ? fn_.text_of : fn_.role;
  if (!open || (!fn_.text_of && *open == plan::Role::kAssistant)) return;
  const std::string role(plan::role_name(*open));
  auto& diagnostic = error(DiagKind::kGenInRole, range,
                           fmt::format("{} {} '{}'", what, fn_.text_of ? "in the text of" : "inside", role));
  if (!fn_.text_of) {
    diagnostic.suggest(fmt::format("the model speaks as 'assistant': assistant {{ {} … }}", keyword));
  } else if (*open == plan::Role::kAssistant) {
    diagnostic.suggest(fmt::format("write a block, which appends it once: assistant {{ {} … }}", keyword));
  } else {
    diagnostic.suggest(fmt::format("the model speaks as 'assistant': assistant {{ {} x … }}, and after it {} \"{{x}}\"",
                                   keyword, role));
  }
}

void Checker::refuse_forks_in_role(SourceRange range) {
  const auto open = fn_.text_of ? fn_.text_of : fn_.role;
  if (!open) return;
  error(DiagKind::kNestedRole, range, fmt::format("forks inside '{}'", plan::role_name(*open)))
      .suggest(fn_.text_of ? "fork before, and use the value: let x = …" : "close the role first");
}

void Checker::check_option(ast::Option& option, bool constant) {
  const auto it = option_table().find(option.key.text);
  if (it == option_table().end()) {
    std::vector<std::string> known;
    for (const auto& [name, info] : option_table()) known.push_back(name);
    std::sort(known.begin(), known.end());
    error(DiagKind::kUnknownOption, option.key.range, fmt::format("there is no option '{}'", option.key.text))
        .suggest(did_you_mean(option.key.text, known));
    if (option.value) check_expr(*option.value);
    return;
  }
  if (!option.value) return;
  Expr& value = *option.value;
  const OptionInfo& info = it->second;
  const std::string what = fmt::format("option '{}'", option.key.text);
  switch (info.kind) {
    case 'f':
      check_against(value, types_.real(), what);
      break;
    case 'i':
      check_against(value, types_.integer(), what);
      break;
    case 'b':
      check_against(value, types_.boolean(), what);
      break;
    case 's': {
      const TypeId type = check_expr(value, types_.list(types_.string()));
      if (!types_.is_string(type) && !types_.is_subtype(type, types_.list(types_.string()))) {
        error(DiagKind::kTypeMismatch, value.range,
              fmt::format("'stop' is a string or a list of strings, this is '{}'", spell(type)));
      }
      break;
    }
    default: {
      const TypeId type = check_expr(value);
      const Type record = types_.get(type);
      const bool fits = record.kind == TypeKind::kRecord &&
                        std::all_of(record.fields.begin(), record.fields.end(),
                                    [&](const plan::Field& f) { return types_.is_number(f.type); });
      if (!fits && !types_.is_error(type)) {
        error(DiagKind::kTypeMismatch, value.range, "'logit_bias' is a record from texts to numbers")
            .suggest("write { \" yes\": 2.0, \" no\": -1.0 }");
      }
    }
  }
  const auto known = types_.is_error(value.type) ? std::nullopt : known_value(value, value.type);
  const bool must_be_constant = constant || info.option == GenOption::kN || info.option == GenOption::kLogprobs;
  if (must_be_constant && !known && !types_.is_error(value.type)) {
    error(DiagKind::kNotConstant, value.range, fmt::format("option '{}' must be a constant here", option.key.text));
    return;
  }
  if (!known || (info.kind != 'f' && info.kind != 'i')) return;
  if (known->kind != ConstValue::Kind::kInt && known->kind != ConstValue::Kind::kFloat) return;  // reported above
  const double number = known->kind == ConstValue::Kind::kInt ? static_cast<double>(known->number) : known->real;
  if (number < info.min || number > info.max || (info.open_min && number <= info.min) || number != number) {
    const std::string range = info.max > 1e18
                                  ? fmt::format("{} or more", info.min)
                                  : fmt::format("{}{} to {}", info.open_min ? "above " : "", info.min, info.max);
    error(DiagKind::kOptionRange, value.range,
          fmt::format("'{}' is {}, it must be {}", option.key.text, number, range));
  }
}

void Checker::check_options(std::vector<ast::Option>& options, bool constant) {
  std::set<std::string> seen;
  for (ast::Option& option : options) {
    if (!seen.insert(option.key.text).second) {
      error(DiagKind::kDuplicateName, option.key.range, fmt::format("option '{}' is given twice", option.key.text));
    }
    check_option(option, constant);
  }
}

TypeId Checker::gen_result(ast::GenNode& gen) {
  return gen.many ? types_.list(gen.value_type) : gen.value_type;
}

void Checker::check_gen(ast::GenNode& gen, Binding* binding, SourceRange range) {
  gen.value_type = gen.type ? resolve(*gen.type) : types_.string();
  if (require_model(range, "'gen'")) check_speaker(range, "a generation", "gen");
  check_options(gen.options, false);
  check_generable(gen.value_type, gen.type ? gen.type->range : range);
  // Own options win over those of the blocks around, inner blocks over outer ones.
  gen.effective.clear();
  const auto add = [&](const std::vector<ast::Option>& options) {
    for (const ast::Option& option : options) {
      const bool known = std::any_of(gen.effective.begin(), gen.effective.end(),
                                     [&](const ast::Option* o) { return o->key.text == option.key.text; });
      if (!known && find_gen_option(option.key.text) && option.value) gen.effective.push_back(&option);
    }
  };
  add(gen.options);
  for (auto it = with_options_.rbegin(); it != with_options_.rend(); ++it) add(**it);
  std::sort(gen.effective.begin(), gen.effective.end(), [](const ast::Option* a, const ast::Option* b) {
    return *find_gen_option(a->key.text) < *find_gen_option(b->key.text);
  });
  bool logprobs = false;
  for (const ast::Option* option : gen.effective) {
    if (option->key.text == "n") gen.many = true;
    if (option->key.text == "stop") check_stop(gen, *option);
    if (option->key.text == "logprobs") {
      const auto value = known_value(*option->value, types_.boolean());
      logprobs = value && value->number != 0;
    }
  }
  fn_.last_generation = fn_.loops == 0 ? binding : nullptr;  // in a loop the next round sees its text
  if (binding == nullptr) return;
  if (logprobs) binding->companion_kind = Binding::Companion::kLogprobs;
  bind(*binding, gen_result(gen));
}

void Checker::warn_dead_generation() {
  // What a prompt generates stays in its caller's context, so only programs and forks can be judged here.
  if (fn_.kind != plan::FunctionKind::kProgram && fn_.kind != plan::FunctionKind::kFork) return;
  const Binding* const last = fn_.last_generation;
  if (last == nullptr || last->used || last->wants_companion || diag_.has_errors()) return;
  error(DiagKind::kUnusedGeneration, last->name.range,
        fmt::format("'{}' is generated and never used, and nothing after it could see its text", last->name.text))
      .suggest("use its value, or remove the generation");
}

// A stop string that no text of the type contains would silently do nothing.
void Checker::check_stop(const ast::GenNode& gen, const ast::Option& option) {
  const Type type = types_.get(gen.value_type);
  const bool closed = type.kind == TypeKind::kLiteral || type.kind == TypeKind::kBool || type.kind == TypeKind::kInt ||
                      type.kind == TypeKind::kFloat || type.kind == TypeKind::kNull || type.kind == TypeKind::kUnion;
  const auto stops = known_value(*option.value, option.value->type);
  if (!closed || !stops || types_.is_error(gen.value_type)) return;
  const auto literals = types_.alternatives(gen.value_type);
  const auto possible = [&](const std::string& stop) {
    return std::any_of(literals.begin(), literals.end(), [&](TypeId id) {
      const Type& t = types_.get(id);
      switch (t.kind) {
        case TypeKind::kLiteral:
          return (t.literal.kind == plan::Literal::Kind::kString ? t.literal.text : spell_literal(t.literal))
                     .find(stop) != std::string::npos;
        case TypeKind::kNull:
          return std::string_view("null").find(stop) != std::string_view::npos;
        case TypeKind::kBool:
          return std::string_view("true false").find(stop) != std::string_view::npos;
        case TypeKind::kInt:
          return stop.find_first_not_of("-0123456789") == std::string::npos;
        case TypeKind::kFloat:
          return stop.find_first_not_of("-+.eE0123456789") == std::string::npos;
        default:
          return true;
      }
    });
  };
  std::vector<std::string> all;
  if (stops->kind == ConstValue::Kind::kString) all.push_back(stops->text);
  for (const ConstValue& item : stops->items) all.push_back(item.text);
  for (const std::string& stop : all) {
    if (!possible(stop)) {
      error(DiagKind::kImpossibleStop, option.value->range,
            fmt::format("no text of type '{}' contains the stop string {}", spell(gen.value_type),
                        spell_literal({plan::Literal::Kind::kString, stop, 0})))
          .suggest("the generation ends by itself when the value is complete: leave 'stop' out");
    }
  }
}

void Checker::check_select(ast::SelectNode& select, Binding* binding, SourceRange range) {
  fn_.last_generation = nullptr;
  if (require_model(range, "'select'")) check_speaker(range, "a selection", "select");
  if (select.choices) {
    check_against(*select.choices, types_.list(types_.string()), "the list of choices");
    std::optional<ConstValue> known;
    if (!types_.is_error(select.choices->type)) known = known_value(*select.choices, select.choices->type);
    if (const auto* list = std::get_if<Expr::ListLit>(&select.choices->node)) {
      std::set<std::string> seen;
      for (const auto& item : list->items) {
        const auto literal = literal_of(*item);
        if (!literal) continue;
        if (!seen.insert(literal->text).second) {
          error(DiagKind::kDuplicateChoice, item->range,
                fmt::format("the choice {} stands twice", spell_literal(*literal)));
        }
        if (literal->text.empty()) error(DiagKind::kUnsatisfiable, item->range, "an empty text cannot be selected");
      }
    } else if (known && known->kind == ConstValue::Kind::kList) {
      std::set<std::string> seen;
      for (const ConstValue& item : known->items) {
        if (!seen.insert(item.text).second) {
          error(DiagKind::kDuplicateChoice, select.choices->range,
                fmt::format("the choice '{}' stands twice", item.text));
        }
      }
    }
    if (known && known->items.empty())
      error(DiagKind::kUnsatisfiable, select.choices->range, "there is nothing to select from");
  }
  if (select.method_name) {
    static const std::vector<std::string> kMethods = {"token_length_normalized", "greedy_token_selection",
                                                      "unconditional_likelihood_normalized"};
    const auto it = std::find(kMethods.begin(), kMethods.end(), select.method_name->text);
    if (it == kMethods.end()) {
      error(DiagKind::kUnknownMethod, select.method_name->range,
            fmt::format("there is no select method '{}'", select.method_name->text))
          .suggest(did_you_mean(select.method_name->text, kMethods).empty()
                       ? fmt::format("there are {}", fmt::join(kMethods, ", "))
                       : did_you_mean(select.method_name->text, kMethods));
    } else {
      select.method = static_cast<plan::SelectMethod>(it - kMethods.begin());
    }
  }
  for (ast::Option& option : select.options) {
    error(DiagKind::kUnknownOption, option.key.range,
          "'select' takes no options: it compares likelihoods and does not sample");
  }
  if (binding == nullptr) return;
  binding->companion_kind = Binding::Companion::kScores;
  bind(*binding, types_.string());
}

void Checker::check_fork_body(ast::ForkBody& body, std::vector<Binding*> variables, std::optional<TypeId> expected) {
  FunctionContext saved = fn_;
  fn_.kind = plan::FunctionKind::kFork;
  fn_.depth += 1;
  fn_.loops = 0;
  fn_.retries = 0;
  fn_.role.reset();
  fn_.text_of.reset();
  fn_.forks.push_back(&body);
  fn_.yield_expected = expected;
  fn_.yield_type.reset();
  fn_.has_yield = false;
  fn_.last_generation = nullptr;
  body.captures.clear();
  scopes_.emplace_back();
  for (Binding* variable : variables) bind(*variable, variable->type);
  ++conditional_;
  check_block(body.block, true);
  --conditional_;
  scopes_.pop_back();
  warn_dead_generation();
  if (!fn_.has_yield) {
    error(DiagKind::kMissingYield, body.block.range, "this fork yields nothing").suggest("end it with 'yield value'");
    body.result = types_.error();
  } else {
    if (!always_returns(body.block)) {
      error(DiagKind::kMissingYield, body.block.range, "this fork can end without yielding a value")
          .suggest("end every path with 'yield' or 'fail'");
    }
    body.result = expected ? *expected : fn_.yield_type.value_or(types_.error());
  }
  fn_ = std::move(saved);
  fn_.last_generation = nullptr;
}

TypeId Checker::check_parallel(Expr& expr, Expr::ParallelFor& node, std::optional<TypeId> expected) {
  require_model(expr.range, "'parallel for'");
  const TypeId item = item_type(*node.source, "a parallel for").value_or(types_.error());
  if (node.bound) check_against(*node.bound, types_.integer(), "the bound after 'up to'");
  refuse_forks_in_role(expr.range);
  std::optional<TypeId> wanted;
  if (expected) {
    for (const TypeId id : types_.alternatives(*expected)) {
      if (types_.get(id).kind == TypeKind::kList) wanted = types_.get(id).args[0];
    }
  }
  node.vars.item->type = item;
  std::vector<Binding*> variables{node.vars.item.get()};
  if (node.vars.index) {
    node.vars.index->type = types_.integer();
    variables.push_back(node.vars.index.get());
  }
  check_fork_body(node.body, variables, wanted);
  return types_.is_error(node.body.result) ? node.body.result : types_.list(node.body.result);
}

TypeId Checker::check_branch(Expr& expr, Expr::Branch& node, std::optional<TypeId> expected) {
  require_model(expr.range, "'branch'");
  refuse_forks_in_role(expr.range);
  if (node.arms.empty()) error(DiagKind::kMissingYield, expr.range, "a branch needs at least one arm");
  std::vector<plan::Field> fields;
  bool failed = node.arms.empty();
  for (auto& arm : node.arms) {
    std::optional<TypeId> wanted;
    if (expected && types_.get(*expected).kind == TypeKind::kRecord) {
      for (const plan::Field& field : types_.get(*expected).fields) {
        if (field.name == arm.name.text && !field.optional) wanted = field.type;
      }
    }
    check_fork_body(arm.body, {}, wanted);
    failed = failed || types_.is_error(arm.body.result);
    for (const plan::Field& field : fields) {
      if (field.name == arm.name.text)
        error(DiagKind::kDuplicateField, arm.name.range, fmt::format("two arms are named '{}'", arm.name.text));
    }
    fields.push_back({arm.name.text, arm.body.result, false, ""});
  }
  return failed ? types_.error() : types_.record(std::move(fields));
}

}  // namespace sgl::compiler
