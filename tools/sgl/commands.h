// The subcommands of sgl: what they take, and functions that do them and return the exit code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/common/load_choice.h"

namespace sgl::tools {

struct RunCommand {
  std::string file, program, model;
  std::vector<std::string> arguments;  // name=value, name=@file
  std::string arguments_file;          // JSON object; "-": standard input
  std::vector<std::string> limits;     // tokens=…, time=…, forks=…, fuel=…, memory=…
  std::uint64_t seed = 0;
  int max_tokens = 256;
  std::size_t threads = 0;
  std::string tools;        // file that binds tools (tools.toml)
  bool allow_exec = false;  // local commands may be bound
  LoadChoice load;
  bool interpret = false;
  bool stats = false, json = false, quiet = false, trace = false;
  // Batch runs:
  std::string batch;   // file of arguments, one JSON object a line; "": a single run
  std::string output;  // file of results
  std::size_t concurrency = 64;
  bool restart = false;
};

struct TokenizeCommand {
  std::string folder;
  bool jsonl = false, decode = false, special = false, plain = false;
};

struct ModelInfoCommand {
  std::string folder;
  bool json = false;
};

struct LogitsCommand {
  std::string folder, ids, text, output;
  bool last = false;
  std::size_t threads = 0;
  LoadChoice load;
};

struct QuantizeCommand {
  std::string source, target, format;
};

// What sgl constrain compiles, and how. One of schema, regex, grammar, tags and suite is given.
struct ConstrainOptions {
  std::string schema, regex, grammar, tags, suite;  // files, but for the expression
  int indent = -1;  // spaces a level; -1: no fixed indentation
  bool any_order = false, any_whitespace = false, ignore_unsupported = false, annotate_formats = false;
  double timeout = 10;  // seconds per record
};

struct ConstrainCheckCommand {
  ConstrainOptions options;
  std::string tokenizer;
  bool cold = false, json = false;
  std::size_t verify_masks = 0;
  std::uint64_t seed = 0;
};

struct ConstrainBenchCommand {
  ConstrainOptions options;
  std::string tokenizer;
  int rounds = 3;
  int every = 1;  // measure each so manieth record of a suite
  bool ablate = false, json = false;
};

struct ConstrainExplainCommand {
  ConstrainOptions options;
  int samples = 5;
  std::size_t max_bytes = 200;
  std::uint64_t seed = 0;
  bool json = false;
};

constexpr int kConstrainRefused = 2;  // what was given could not be compiled
constexpr int kConstrainUsage = 64;   // wrong usage (sysexits.h), a file that cannot be used

int run(const RunCommand& command);
// A result on standard output: compact JSON, or readable on a terminal.
int print_value(const RunCommand& command, const std::string& value);
int tokenize(const TokenizeCommand& command);
int model_info(const ModelInfoCommand& command);
int model_logits(const LogitsCommand& command);
int model_quantize(const QuantizeCommand& command);
int constrain_check(const ConstrainCheckCommand& command);
int constrain_bench(const ConstrainBenchCommand& command);
int constrain_explain(const ConstrainExplainCommand& command);

}  // namespace sgl::tools
