// The syntax tree. The parser fills the syntactic members; the checker fills those marked "checked".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/source/source.h"
#include "runtime/plan/plan.h"

namespace sgl::compiler::ast {

struct Expr;
struct Stmt;
struct TypeExpr;
using ExprPtr = std::unique_ptr<Expr>;
using StmtPtr = std::unique_ptr<Stmt>;
using TypePtr = std::unique_ptr<TypeExpr>;

struct Name {
  std::string text;
  SourceRange range;
};

// A variable, parameter or generated name. Owned by the statement or declaration that introduces it.
struct Binding {
  Name name;
  bool mutable_ = false;
  plan::TypeId type;                 // checked
  std::uint32_t function_depth = 0;  // checked: forks between the declaration's function and here count up
  int retry_depth = 0;               // checked: retries around the declaration in its function
  bool assigned_in_retry = false;    // checked: by a retry that does not declare it
  bool used = false;                 // checked
  // Hidden companions of gen and select results, made when `.logprobs` or `.scores` is used.
  enum class Companion : std::uint8_t { kNone, kScores, kLogprobs } companion_kind = Companion::kNone;
  bool wants_companion = false;        // checked
  std::unique_ptr<Binding> companion;  // checked
};

struct Block {
  SourceRange range;
  std::vector<StmtPtr> statements;
};

struct Option {
  Name key;
  ExprPtr value;
};

// ---- types ------------------------------------------------------------------------------------------------------

struct Refinement {
  std::optional<Name> key;  // absent: a bare range or number
  SourceRange range;
  bool is_range = false;             // lo..hi
  ExprPtr lo, hi;                    // a plain value is in lo
  std::optional<std::string> regex;  // pattern: /…/
};

struct FieldDecl {
  Name name;
  bool optional = false;
  TypePtr type;
  ExprPtr init;
  std::string doc;
};

struct TypeExpr {
  struct Named {
    std::vector<Name> path;
    std::vector<TypePtr> args;
    std::vector<Refinement> refinements;
  };
  struct LiteralType {
    plan::Literal value;
  };
  struct Null {};
  struct Record {
    std::vector<FieldDecl> fields;
  };
  struct Regex {
    std::string pattern;
    SourceRange pattern_range;
    std::vector<Refinement> refinements;
  };
  struct Union {
    std::vector<TypePtr> alternatives;
  };
  struct Optional {
    TypePtr inner;
  };
  SourceRange range;
  std::variant<Named, LiteralType, Null, Record, Regex, Union, Optional> node;
};

// ---- expressions ------------------------------------------------------------------------------------------------

enum class BinaryOp : std::uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kAnd,
  kOr,
  kIn,
  kNotIn,
  kCoalesce
};
const char* binary_op_text(BinaryOp op);

struct Argument {
  std::optional<Name> name;
  ExprPtr value;
};

struct LoopVars {
  std::unique_ptr<Binding> item;
  std::unique_ptr<Binding> index;  // may be null
};

struct FieldInit {
  bool spread = false;
  Name name;
  ExprPtr value;
};

// The callee of a call, found by the checker.
struct Callee {
  enum class Kind : std::uint8_t { kNone, kFunction, kBuiltin, kSpecial } kind = Kind::kNone;
  struct Decl* declaration = nullptr;  // kFunction
  plan::Builtin builtin = plan::Builtin::kUpper;
  enum class Special : std::uint8_t { kLen, kStr, kToFloat, kPush } special = Special::kLen;
  std::vector<Expr*> arguments;  // in parameter order; receiver of a method first; nullptr: default
};

struct GenNode {
  TypePtr type;  // null: string
  std::vector<Option> options;
  plan::TypeId value_type;               // checked: type of one generated value
  Name label;                            // variable name or "gen"
  std::vector<const Option*> effective;  // checked: own options and those of the with-blocks around, one per key
  bool many = false;                     // checked: `n` is given, the value is a list
};

struct SelectNode {
  ExprPtr choices;
  std::optional<Name> method_name;
  std::vector<Option> options;
  plan::SelectMethod method = plan::SelectMethod::kTokenLengthNormalized;  // checked
  Name label;
};

// Body of a fork: a function of its own; captures are found by the checker.
struct ForkBody {
  Block block;
  std::vector<Binding*> captures;  // checked, in order of first use
  plan::TypeId result;             // checked: type of what it yields
};

struct Expr {
  struct NullLit {};
  struct BoolLit {
    bool value;
  };
  struct IntLit {
    std::int64_t value;
  };
  struct FloatLit {
    double value;
  };
  struct DurationLit {
    std::int64_t milliseconds;
  };
  struct StringPart {
    std::string text;
    ExprPtr value;
    std::string format;
    SourceRange format_range;
  };  // value null: text
  struct StringLit {
    std::vector<StringPart> parts;
  };
  struct NameRef {
    Name name;
    Binding* binding = nullptr;
    struct Decl* constant = nullptr;
  };  // one is set when checked
  struct Member {
    ExprPtr object;
    Name name;
    std::uint32_t field = 0;
    Binding* companion = nullptr;
    struct Decl* constant = nullptr;
  };
  struct Call {
    ExprPtr callee;
    std::vector<Argument> arguments;
    Callee resolved;
  };
  struct Index {
    ExprPtr object;
    ExprPtr index;
  };
  struct Slice {
    ExprPtr object;
    ExprPtr lo, hi;
  };
  struct Negate {
    ExprPtr operand;
  };
  struct Not {
    ExprPtr operand;
  };
  struct Binary {
    BinaryOp op;
    SourceRange op_range;
    ExprPtr left, right;
  };
  struct Conditional {
    ExprPtr condition, then, otherwise;
  };
  struct ListLit {
    std::vector<ExprPtr> items;
  };
  struct Comprehension {
    ExprPtr element;
    LoopVars vars;
    ExprPtr source;
    ExprPtr condition;
  };
  struct RecordLit {
    std::vector<FieldInit> fields;
    std::vector<Expr*> values; /* checked: one per field of the type; nullptr: absent or from the spread */
  };
  struct Gen {
    GenNode gen;
  };
  struct Select {
    SelectNode select;
  };
  struct ParallelFor {
    LoopVars vars;
    ExprPtr source;
    ExprPtr bound;
    ForkBody body;
  };
  struct Arm {
    Name name;
    ForkBody body;
  };
  struct Branch {
    std::vector<Arm> arms;
  };
  struct Retry {
    ExprPtr count;
    Block body;
    int attempts = 0;         // checked: 1 … kMaxAttempts
    plan::TypeId error_type;  // checked: of what a failure is caught into
    bool has_value = false;   // checked: whether the body yields
  };
  SourceRange range;
  std::variant<NullLit, BoolLit, IntLit, FloatLit, DurationLit, StringLit, NameRef, Member, Call, Index, Slice, Negate,
               Not, Binary, Conditional, ListLit, Comprehension, RecordLit, Gen, Select, ParallelFor, Branch, Retry>
      node;
  plan::TypeId type;  // checked
};

// ---- statements -------------------------------------------------------------------------------------------------

struct Stmt {
  struct Let {
    std::unique_ptr<Binding> binding;
    TypePtr annotation;
    ExprPtr value;
  };  // let and var
  struct Assign {
    ExprPtr target;
    std::optional<BinaryOp> op;
    ExprPtr value;
  };
  struct If {
    ExprPtr condition;
    Block then;
    std::optional<Block> otherwise;
  };  // else if: a block of one If
  struct While {
    ExprPtr condition;
    Block body;
    bool has_break = false;  // checked: whether a break leaves it
  };
  struct For {
    LoopVars vars;
    ExprPtr source;
    Block body;
  };
  struct Return {
    ExprPtr value;
  };
  struct Yield {
    ExprPtr value;
  };
  struct Break {};
  struct Continue {};
  struct Fail {
    ExprPtr message;
  };
  struct With {
    std::vector<Option> options;
    Block body;
  };
  struct Role {
    plan::Role role;
    SourceRange keyword;
    ExprPtr text;
    std::optional<Block> body;
  };
  struct Gen {
    GenNode gen;
    std::unique_ptr<Binding> binding;
  };
  struct Select {
    SelectNode select;
    std::unique_ptr<Binding> binding;
  };
  struct Try {
    Block body;
    std::unique_ptr<Binding> error;  // null: not named
    Block handler;
    plan::TypeId error_type;  // checked: the record of an error
  };
  struct Assert {
    ExprPtr condition;
    ExprPtr message;  // null: none given
  };
  struct Expression {
    ExprPtr value;
    bool is_text = false;
  };  // is_text checked: appended
  struct Unsupported {
    std::string what;
  };
  SourceRange range;
  std::variant<Let, Assign, If, While, For, Return, Yield, Break, Continue, Fail, With, Role, Gen, Select, Try, Assert,
               Expression, Unsupported>
      node;
};

// ---- declarations -----------------------------------------------------------------------------------------------

struct Param {
  std::unique_ptr<Binding> binding;
  TypePtr type;
  ExprPtr init;
  std::string doc;
};

struct Decl {
  struct Import {
    std::vector<Name> module;
    std::string path;
    SourceRange target_range;
    std::optional<Name> alias;
  };
  struct Type {
    TypePtr value;
  };
  struct Const {
    TypePtr annotation;
    ExprPtr value;
  };
  struct Function {
    plan::FunctionKind kind = plan::FunctionKind::kFn;
    std::vector<Param> params;
    TypePtr result;      // null: none given
    ExprPtr expression;  // fn f() = e
    std::optional<Block> body;
    std::vector<Option> limits;
    bool tool = false;  // no body: bound to something outside; kind is kProgram, for it never sees the caller's context
  };
  struct Grammar {
    std::string text;                  // as its string means it
    SourceRange text_range;            // of the string, with its quotes
    std::vector<std::uint32_t> lines;  // offsets in the file of its lines' beginnings; none if it is not a raw string
  };
  struct Unsupported {
    std::string what;
  };
  SourceRange range;
  Name name;
  std::string doc;
  std::variant<Import, Type, Const, Function, Grammar, Unsupported> node;
  // checked:
  plan::TypeId type;  // Type, Grammar: itself; Const: of the value; Function: result
  enum class State : std::uint8_t { kUnchecked, kChecking, kChecked } state = State::kUnchecked;
  struct Module* module = nullptr;
};

// A file that json_schema("…") names.
struct SchemaFile {
  std::string path;   // as the source has it
  SourceRange range;  // of its string, the first time
  // Read by the driver; absent: it could not be, which is reported.
  std::optional<std::string> text;
};

// One file.
struct Module {
  FileId file;
  std::string name;  // "std.text" or the path as given
  std::vector<std::unique_ptr<Decl>> declarations;
  std::vector<SchemaFile> schemas;  // each path once
};

}  // namespace sgl::compiler::ast
