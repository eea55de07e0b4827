// sgl: runs programs, one at a time or in batches, and looks into models.
#include <charconv>

#include "tools/common/cli.h"
#include "tools/common/version.h"
#include "tools/sgl/bench/bench.h"
#include "tools/sgl/commands.h"
#include "tools/sgl/remote/remote.h"
#include "tools/sgl/serve/serve.h"

namespace sgl::tools {
namespace {

struct Commands {
  RunCommand run;
  RemoteCommand remote;
  TokenizeCommand tokenize;
  ModelInfoCommand info;
  LogitsCommand logits;
  QuantizeCommand quantize;
  ConstrainCheckCommand check;
  ConstrainBenchCommand bench;
  ConstrainExplainCommand explain;
};

constexpr const char* kModelHelp =
    "model folder in Hugging Face's format; default: the variable SGL_MODEL, else the bundled model";
constexpr const char* kTokenizerHelp =
    "folder with tokenizer.json; default: the variable SGL_MODEL, else the bundled model";

void add_model_option(CLI::App& app, std::string& folder) {
  app.add_option("-m,--model", folder, kModelHelp);
}

void add_load_options(CLI::App& app, LoadChoice& load) {
  app.add_option("--quantize", load.quantize, kQuantizeHelp)->check(CLI::IsMember({"none", "q8", "q4", "q4a"}));
  app.add_option("--kv-cache-dtype", load.kv_cache_dtype, kKvCacheHelp)->check(CLI::IsMember({"auto", "f32", "f16", "q8"}));
}

constexpr const char* kRunFooter =
    "Text goes to standard error while it is generated (forks as `[0] name: line`), the result to standard output as "
    "JSON.\n\n"
    "Examples:\n"
    "  sgl run judge.sgl --arg essay=@essay.txt\n"
    "  sgl run judge.sgl --model models/small --arg essay=@essay.txt\n"
    "  sgl run judge.sglp --args arguments.json --seed 7 --quiet | jq .grade\n"
    "  sgl run trip.sgl --tools tools.toml --arg city=Graz\n"
    "  sgl run judge.sgl --batch essays.jsonl -o reports.jsonl --concurrency 32\n\n"
    "Values of --arg are text where the parameter is a string, else JSON. A batch reads one JSON object of arguments "
    "a\n"
    "line and writes one result a line, in the same order; after a crash the same command continues where it "
    "stopped.\n\n"
    "Exit codes: 0 fine; 1 the program failed (in a batch: at least one input did); 2 wrong usage, or a program, "
    "model\n"
    "or file that cannot be used; 130 interrupted.";

void add_remote_options(CLI::App& sub, RemoteOptions& remote, bool required) {
  sub.add_option("--remote", remote.url, "address of a server: https://HOST:PORT")
      ->envname("SGL_REMOTE")
      ->required(required);
  sub.add_option("--token-file", remote.token_file, "file with the token for it (else the variable SGL_TOKEN)");
  sub.add_option("--cacert", remote.ca, "certificate of its authority, PEM, where the system does not know it");
}

void add_run(CLI::App& app, Commands& commands, std::function<int()>& action) {
  RunCommand& command = commands.run;
  CLI::App* sub = app.add_subcommand("run", "Run a program");
  sub->add_option("file", command.file, "source or plan file, - for standard input")->required();
  add_model_option(*sub, command.model);
  sub->add_option("-a,--arg", command.arguments, "argument name=value, or name=@file; may be repeated")
      ->allow_extra_args(false);
  sub->add_option("--args", command.arguments_file, "file with a JSON object of arguments, - for standard input");
  sub->add_option("--program", command.program, "program to run, if the file has several");
  sub->add_option("--seed", command.seed, "same seed, same everything: same result (0)");
  sub->add_option("--max-tokens", command.max_tokens, "longest generation where the program says nothing (256)")
      ->check(CLI::Range(1, 1'000'000));
  sub->add_option(
         "--limit", command.limits,
         "lower what the program may spend: tokens=N, time=30s, forks=N, fuel=N or memory=BYTES; may be repeated")
      ->allow_extra_args(false);
  sub->add_option("--threads", command.threads, "threads for the model (0: one per physical core)")
      ->check(CLI::Range(0, 1024));
  sub->add_option("--tools", command.tools, "file that says what the program's tools are bound to (TOML)")
      ->envname("SGL_TOOLS");
  sub->add_flag("--allow-exec", command.allow_exec, "that file may bind tools to local commands");
  add_load_options(*sub, command.load);
  sub->add_option_function<std::string>(
         "--exec", [&command](const std::string& value) { command.interpret = value == "interp"; },
         "how functions are executed: jit (default), compiled; interp, interpreted")
      ->check(CLI::IsMember({"jit", "interp"}));
  sub->add_flag("--stats", command.stats, "print tokens, cache hits and times to standard error");
  sub->add_flag("--json", command.json, "compact JSON also on a terminal");
  sub->add_flag("-q,--quiet", command.quiet, "nothing on standard error but errors");
  sub->add_flag("--trace", command.trace, "print what happened, event by event, to standard error at the end");
  CLI::Option* batch = sub->add_option("--batch", command.batch, "file of arguments, one JSON object a line");
  CLI::Option* output = sub->add_option("-o,--output", command.output, "file of results of a batch");
  batch->needs(output);
  output->needs(batch);
  sub->add_option("--concurrency", command.concurrency, "inputs of a batch that run at the same time (64)")
      ->needs(batch)
      ->check(CLI::Range(1, 10'000));
  sub->add_flag("--restart", command.restart, "begin a batch anew, throwing away results that are there")->needs(batch);
  sub->footer(kRunFooter);
  add_remote_options(*sub, commands.remote.remote, false);
  sub->callback([&] {
    action = [&] {
      return commands.remote.remote.url.empty() ? run(command) : run_remote(command, commands.remote.remote);
    };
  });
}

void add_remote(CLI::App& app, RemoteCommand& command, std::function<int()>& action) {
  CLI::App* sub = app.add_subcommand("submit", "Run a program on a server in the background; prints the run's id");
  sub->add_option("file", command.run.file, "source or plan file")->required();
  sub->add_option("-a,--arg", command.run.arguments, "argument name=value, or name=@file; may be repeated")
      ->allow_extra_args(false);
  sub->add_option("--args", command.run.arguments_file, "file with a JSON object of arguments, - for standard input");
  sub->add_option("--program", command.run.program, "program to run, if the file has several");
  sub->add_option("--seed", command.run.seed, "same seed, same everything: same result (0)");
  sub->add_option("--limit", command.run.limits, "as for sgl run; may be repeated")->allow_extra_args(false);
  add_remote_options(*sub, command.remote, true);
  sub->footer(
      "Example:\n  run=$(sgl submit judge.sgl --arg essay=@essay.txt --remote https://host:30000 --token-file "
      "token.txt)\n"
      "  sgl result $run --wait --remote https://host:30000 --token-file token.txt");
  sub->callback([&] { action = [&] { return submit(command); }; });
  const auto add = [&](const char* name, const char* help, int (*run)(const RemoteCommand&)) {
    CLI::App* one = app.add_subcommand(name, help);
    one->add_option("id", command.id, "id of the run")->required();
    add_remote_options(*one, command.remote, true);
    one->callback([&command, &action, run] { action = [&command, run] { return run(command); }; });
    return one;
  };
  add("status", "State of a run: queued, running, succeeded, failed, cancelled", status);
  add("result", "Result of a run", result)->add_flag("--wait", command.wait, "wait until it is there");
  add("cancel", "End a run", cancel);
}

void add_tokenize(CLI::App& app, TokenizeCommand& command, std::function<int()>& action) {
  CLI::App* sub = app.add_subcommand("tokenize", "Turn text into token ids and back");
  sub->add_option("-t,--tokenizer,-m,--model", command.folder, kTokenizerHelp);
  sub->add_flag("--jsonl", command.jsonl, "standard input has one object a line: {\"text\": …} or {\"ids\": […]}");
  sub->add_flag("--decode", command.decode, "standard input is a JSON list of ids; print its text as a JSON string");
  sub->add_flag("--special", command.special, "add the tokens that begin and end a text; when decoding, show them");
  sub->add_flag("--plain", command.plain, "the text is data: spellings of added tokens in it are just characters");
  sub->footer(
      "Examples:\n"
      "  echo -n 'Once upon a time' | sgl tokenize --tokenizer models/small\n"
      "  echo '[403, 407, 261]' | sgl tokenize --tokenizer models/small --decode\n"
      "  sgl tokenize --tokenizer models/small --jsonl < texts.jsonl > ids.jsonl\n\n"
      "Exit codes: 0 fine; 2 wrong usage, or a tokenizer or input that cannot be used.");
  sub->callback([&] { action = [&] { return tokenize(command); }; });
}

void add_quantize(CLI::App& model, QuantizeCommand& command, std::function<int()>& action) {
  CLI::App* sub = model.add_subcommand("quantize", "Write a model with 8- or 4-bit weights, which loads at once");
  sub->add_option("source", command.source, "model folder")->required();
  sub->add_option("target", command.target, "folder to write; it must be new or empty")->required();
  sub->add_option("--to", command.format, "q8 (8 bits), q4 (4 bits) or q4a (4 bits with a minimum per group)")
      ->required()
      ->check(CLI::IsMember({"q8", "q4", "q4a"}));
  sub->footer(
      "Examples:\n"
      "  sgl model quantize --to q8 models/small models/small-q8\n"
      "  sgl run judge.sgl --model models/small-q8");
  sub->callback([&] { action = [&] { return model_quantize(command); }; });
}

void add_model(CLI::App& app, Commands& commands, std::function<int()>& action) {
  CLI::App* model = app.add_subcommand("model", "Look into a model, quantise it");
  model->require_subcommand(1);
  model->footer(
      "Examples:\n"
      "  sgl model info models/small\n"
      "  sgl model logits --model models/small --text 'Once upon' -o logits.npy\n"
      "  sgl model quantize --to q4 models/small models/small-q4");
  CLI::App* info = model->add_subcommand("info", "Print what a model is");
  info->add_option("folder", commands.info.folder, kModelHelp);
  info->add_flag("--json", commands.info.json, "as JSON");
  info->footer(
      "Examples:\n"
      "  sgl model info models/small\n"
      "  sgl model info models/small --json | jq .kv_bytes_per_token");
  info->callback([&] { action = [&] { return model_info(commands.info); }; });

  LogitsCommand& logits = commands.logits;
  CLI::App* sub = model->add_subcommand("logits", "Write the logits of a text to a NumPy file");
  add_model_option(*sub, logits.folder);
  CLI::Option* ids = sub->add_option("--ids", logits.ids, "token ids, separated by commas");
  sub->add_option("--text", logits.text, "text, tokenised with the tokens that begin a text")->excludes(ids);
  sub->add_option("-o,--output", logits.output, "file to write: float32, positions × vocabulary")->required();
  sub->add_flag("--last", logits.last, "only the last position");
  sub->add_option("--threads", logits.threads, "threads (0: one per physical core)")->check(CLI::Range(0, 1024));
  add_load_options(*sub, logits.load);
  sub->footer(
      "Examples:\n"
      "  sgl model logits --model models/small --ids 1,403,407 -o logits.npy\n"
      "  sgl model logits --model models/small --text 'Once upon' --last -o next.npy");
  sub->callback([&] { action = [&] { return model_logits(logits); }; });
  add_quantize(*model, commands.quantize, action);
}

void set_whitespace(const std::string& value, ConstrainOptions& options) {
  constexpr std::string_view kIndent = "indent:";
  options.any_whitespace = value == "any";
  options.indent = -1;
  if (value == "any" || value == "compact") return;
  int spaces = -1;
  const char* end = value.data() + value.size();
  if (value.starts_with(kIndent)) {
    const auto [at, error] = std::from_chars(value.data() + kIndent.size(), end, spaces);
    if (error != std::errc() || at != end) spaces = -1;
  }
  if (spaces < 0 || spaces > 16) throw CLI::ValidationError("--whitespace", "expected compact, any, or indent:0 to indent:16");
  options.indent = spaces;
}

void add_constrain_options(CLI::App& sub, ConstrainOptions& options, bool suites) {
  CLI::Option_group* what = sub.add_option_group("what to compile");
  what->add_option("--schema", options.schema, "file with a JSON Schema");
  what->add_option("--regex", options.regex, "regular expression, of the whole text");
  what->add_option("--grammar", options.grammar,
                   "file with a grammar in Lark's notation, or in GBNF (.gbnf, or by its ::=)");
  what->add_option("--tags", options.tags, "file with structural tags, as JSON");
  if (suites) {
    what->add_option("--suite", options.suite,
                     "file of records {\"id\", \"schema\", \"tests\"}, one a line; may be gzip");
  }
  what->require_option(1);
  sub.add_option_function<std::string>(
         "--property-order", [&](const std::string& value) { options.any_order = value == "any"; },
         "order of an object's keys: schema (default) or any")
      ->check(CLI::IsMember({"schema", "any"}));
  sub.add_option_function<std::string>(
         "--whitespace", [&](const std::string& value) { set_whitespace(value, options); },
         "between JSON's parts: compact (default), none; any; indent:N, lines that are indented by N (0 to 16) spaces a level");
  sub.add_option_function<std::string>(
         "--unsupported", [&](const std::string& value) { options.ignore_unsupported = value == "ignore"; },
         "a keyword that cannot be enforced: error (default), or ignore, which lists it")
      ->check(CLI::IsMember({"error", "ignore"}));
  sub.add_option_function<std::string>(
         "--formats", [&](const std::string& value) { options.annotate_formats = value == "annotate"; },
         "`format` of strings: assert (default), enforced where known; annotate, not enforced")
      ->check(CLI::IsMember({"assert", "annotate"}));
  sub.add_option("--timeout", options.timeout, "seconds for one record (10)")->check(CLI::Range(0.001, 86400.0));
}

void add_constrain_tokenizer(CLI::App& sub, std::string& folder) {
  sub.add_option("-t,--tokenizer,-m,--model", folder, kTokenizerHelp);
}

void add_constrain(CLI::App& app, Commands& commands, std::function<int()>& action) {
  CLI::App* constrain = app.add_subcommand("constrain", "Try constraints: JSON Schemas, grammars, patterns, tags");
  constrain->require_subcommand(1);
  constrain->footer(
      "Examples:\n"
      "  sgl constrain explain --schema person.json\n"
      "  sgl constrain check --tokenizer models/small --schema person.json < instances.jsonl\n"
      "  sgl constrain bench --tokenizer models/small --suite schemas.jsonl.gz");
  ConstrainCheckCommand& check = commands.check;
  CLI::App* sub = constrain->add_subcommand("check", "Check that texts are accepted or rejected as they should be");
  add_constrain_options(*sub, check.options, true);
  add_constrain_tokenizer(*sub, check.tokenizer);
  sub->add_flag("--cold", check.cold, "nothing learnt from one text or record helps the next");
  sub->add_option("--verify-masks", check.verify_masks, "compare so many masks, spread over all, with brute force");
  sub->add_option("--seed", check.seed, "seed of the choice of those masks (0)");
  sub->add_flag("--json", check.json, "one JSON object a line for every event");
  sub->footer("Standard input (without --suite) has one object a line: {\"text\": …, \"valid\": true or false, or absent}.\n\n"
              "Examples:\n"
              "  sgl constrain check --tokenizer models/small --schema person.json < instances.jsonl\n"
              "  sgl constrain check -t models/small --grammar sums.lark --verify-masks 100 < instances.jsonl\n"
              "  echo '{\"text\": \"ab\"}' | sgl constrain check --tokenizer models/small --regex 'a[bc]' --json\n"
              "  sgl constrain check -t models/small --suite schemas.jsonl.gz --whitespace any --property-order any --cold\n\n"
              "Exit codes: 0 all as expected; 1 a text was not accepted or rejected as labelled, or a mask is wrong;\n"
              "2 not compiled; 64 wrong usage.");
  sub->callback([&] { action = [&] { return constrain_check(commands.check); }; });

  ConstrainBenchCommand& bench = commands.bench;
  sub = constrain->add_subcommand("bench", "Measure masks and compiling");
  add_constrain_options(*sub, bench.options, true);
  add_constrain_tokenizer(*sub, bench.tokenizer);
  sub->add_option("--rounds", bench.rounds, "times that texts are walked again, warm (3)")->check(CLI::Range(0, 1000));
  sub->add_option("--every", bench.every, "only each N-th record of a suite (1)")->check(CLI::Range(1, 1'000'000));
  sub->add_flag("--ablate", bench.ablate,
                "measure again without memo, without slices and without interning; much slower, so best with --every");
  sub->add_flag("--json", bench.json, "as JSON");
  sub->footer("Examples:\n"
              "  sgl constrain bench --tokenizer models/small --suite schemas.jsonl.gz --whitespace any\n"
              "  sgl constrain bench --tokenizer models/small --suite schemas.jsonl.gz --every 25 --ablate\n"
              "  sgl constrain bench --tokenizer models/small --schema person.json --rounds 100 < instances.jsonl\n\n"
              "Exit codes: 0 fine; 64 wrong usage.");
  sub->callback([&] { action = [&] { return constrain_bench(commands.bench); }; });

  ConstrainExplainCommand& explain = commands.explain;
  sub = constrain->add_subcommand("explain", "Say what a constraint accepts");
  add_constrain_options(*sub, explain.options, false);
  sub->add_option("--samples", explain.samples, "accepted texts to print (5)")->check(CLI::Range(0, 10'000));
  sub->add_option("--max-bytes", explain.max_bytes, "length of samples (200)")->check(CLI::Range(1, 1'000'000));
  sub->add_option("--seed", explain.seed, "same seed: same samples (0)");
  sub->add_flag("--json", explain.json, "as JSON");
  sub->footer(
      "Examples:\n"
      "  sgl constrain explain --schema person.json --seed 3\n"
      "  sgl constrain explain --regex '[A-Z]{2}[0-9]+' --samples 20 --json | jq .samples\n\n"
      "Exit codes: 0 fine; 2 not compiled; 64 wrong usage.");
  sub->callback([&] { action = [&] { return constrain_explain(commands.explain); }; });
}

// Commands with a command line of their own: so many options that they also come from files.
struct OwnCommand {
  const char* name;
  const char* help;
  int (*run)(int, char**);
};
constexpr OwnCommand kOwnCommands[] = {
    {"bench", "Measure how fast a model runs on this machine", bench},
    {"serve", "Serve a model and programs over HTTP(S)", serve},
    {"doctor", "Check the security of a server's options and files", doctor},
    {"cert", "Make a self-signed certificate", cert},
    {"token", "Make, list and revoke access tokens", token},
    {"audit", "Check audit logs", audit},
};

int start(int argc, char** argv) {
  for (const OwnCommand& own : kOwnCommands) {
    if (argc > 1 && std::string_view(argv[1]) == own.name) return own.run(argc - 1, argv + 1);
  }
  CLI::App app{"Runs programs of SGL, the structured generation language.", "sgl"};
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  sgl run judge.sgl --arg essay=@essay.txt\n"
      "  sgl run judge.sgl --model models/small --arg essay=@essay.txt\n"
      "  sgl model info\n"
      "  sgl serve --port 8080\n\n"
      "The model is what --model names, else the variable SGL_MODEL, else the small one that ships with sgl.\n"
      "`sgl COMMAND --help` says more. Programs are checked and compiled by `sglc`.");
  app.set_version_flag("--version", version_text("sgl"));
  Commands commands;
  std::function<int()> action;
  add_run(app, commands, action);
  add_remote(app, commands.remote, action);
  add_tokenize(app, commands.tokenize, action);
  add_model(app, commands, action);
  add_constrain(app, commands, action);
  for (const OwnCommand& own : kOwnCommands) app.add_subcommand(own.name, own.help);
  app.add_subcommand("version", "Print the version")->callback([&] {
    action = [] { return print_out(version_text("sgl") + "\n"); };
  });
  const bool constrain = argc > 1 && std::string_view(argv[1]) == "constrain";
  return parse_and_run(app, argc, argv, action, constrain ? kConstrainUsage : kUsage);
}

}  // namespace
}  // namespace sgl::tools

int main(int argc, char** argv) {
  return sgl::tools::start(argc, argv);
}
