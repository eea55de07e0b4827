#include "runtime/tokenizer/normalizer.h"

namespace sgl::tokenizer {

using base::Expected;
using base::Status;

namespace {

constexpr int kMaxDepth = 16;  // Sequences within Sequences

// The pattern of GPT-2, which ByteLevel splits by unless told otherwise.
constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

}  // namespace

Expected<PreTokenizer> PreTokenizer::from_json(const Json* json) {
  PreTokenizer out;
  if (json != nullptr) SGL_TRY_STATUS(out.add(Fields{*json, "pre_tokenizer"}, 0));
  return out;
}

Status PreTokenizer::add(const Fields& fields, int depth) {
  if (depth > kMaxDepth) return base::invalid(fmt::format("{}: nested too deeply", fields.path));
  if (byte_level_) return base::invalid(fmt::format("{}: a step after ByteLevel is not supported", fields.path));
  SGL_TRY(const std::string type, fields.text("type"));
  if (type == "Sequence") {
    SGL_TRY(const Json* children, fields.array("pretokenizers"));
    for (std::size_t i = 0; i < children->size(); ++i) {
      const Fields child{(*children)[i], fmt::format("{}[{}]", fields.name("pretokenizers"), i)};
      SGL_TRY_STATUS(add(child, depth + 1));
    }
    return {};
  }
  if (type == "Split") return add_split(fields);
  if (type == "Metaspace") return add_metaspace(fields);
  if (type == "Whitespace") return add_regex(R"(\w+|[^\w\s]+)", Behavior::kRemoved, true);
  if (type == "WhitespaceSplit") return add_regex(R"(\s)", Behavior::kRemoved);
  if (type == "Digits") {
    SGL_TRY(const bool individual, fields.flag_or("individual_digits", false));
    return add_regex(R"(\p{N})", individual ? Behavior::kIsolated : Behavior::kContiguous);
  }
  if (type == "Punctuation") {
    Behavior how = Behavior::kIsolated;
    if (fields.find("behavior") != nullptr) {
      SGL_TRY(how, behavior(fields));
    }
    return add_regex(R"([!-/:-@\[-`{-~\p{P}])", how);
  }
  if (type == "CharDelimiterSplit") {
    SGL_TRY(std::string delimiter, fields.text("delimiter"));
    if (delimiter.empty()) return fields.wrong("delimiter", "a character");
    Step step;
    step.split = TextPattern::literal(std::move(delimiter));
    step.behavior = Behavior::kRemoved;
    steps_.push_back(std::move(step));
    return {};
  }
  if (type != "ByteLevel") {
    return base::invalid(fmt::format("{}: pre-tokenizer type '{}' is not supported", fields.path, type));
  }
  Step step;
  SGL_TRY(const bool prefix, fields.flag_or("add_prefix_space", true));
  SGL_TRY(const bool split, fields.flag_or("use_regex", true));
  if (prefix) step.prepend = Prepend::kAlways;
  if (split) {
    SGL_TRY(step.split, TextPattern::regex(kGpt2Pattern));
  }
  if (prefix || split) steps_.push_back(std::move(step));
  byte_level_ = true;
  return {};
}

Status PreTokenizer::add_regex(std::string_view source, Behavior behavior, bool invert) {
  Step step;
  SGL_TRY(step.split, TextPattern::regex(source));
  step.behavior = behavior;
  step.invert = invert;
  steps_.push_back(std::move(step));
  return {};
}

Expected<PreTokenizer::Behavior> PreTokenizer::behavior(const Fields& fields) {
  SGL_TRY(const std::string name, fields.text("behavior"));
  if (name == "Removed") return Behavior::kRemoved;
  if (name == "Isolated") return Behavior::kIsolated;
  if (name == "MergedWithPrevious") return Behavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return Behavior::kMergedWithNext;
  if (name == "Contiguous") return Behavior::kContiguous;
  return base::invalid(fmt::format("{}: unknown behavior '{}'", fields.name("behavior"), name));
}

Status PreTokenizer::add_split(const Fields& fields) {
  Step step;
  SGL_TRY(step.split, TextPattern::from_json(fields, "pattern"));
  SGL_TRY(step.behavior, behavior(fields));
  SGL_TRY(step.invert, fields.flag_or("invert", false));
  steps_.push_back(std::move(step));
  return {};
}

Status PreTokenizer::add_metaspace(const Fields& fields) {
  Step step;
  SGL_TRY(step.sign, fields.text_or("replacement", "\u2581"));
  if (step.sign.empty()) return fields.wrong("replacement", "a character");
  SGL_TRY(const bool old_prefix, fields.flag_or("add_prefix_space", true));
  SGL_TRY(const std::string scheme, fields.text_or("prepend_scheme", old_prefix ? "always" : "never"));
  if (scheme == "always") {
    step.prepend = Prepend::kAlways;
  } else if (scheme == "first") {
    step.prepend = Prepend::kFirst;
  } else if (scheme != "never") {
    return fields.wrong("prepend_scheme", "always, first or never");
  }
  step.replace_spaces = true;
  SGL_TRY(const bool split, fields.flag_or("split", true));
  if (split) step.split = TextPattern::literal(step.sign);
  step.behavior = Behavior::kMergedWithNext;
  steps_.push_back(std::move(step));
  return {};
}

void PreTokenizer::split(const Step& step, std::string_view text, std::vector<std::string_view>& out) {
  struct Part {
    std::size_t begin, end;
    bool matched;
  };
  std::vector<Part> parts;
  std::size_t done = 0;
  for (const Regex::Match& m : step.split->find_all(text)) {
    if (m.begin > done) parts.push_back({done, m.begin, step.invert});
    parts.push_back({m.begin, m.end, !step.invert});
    done = m.end;
  }
  if (done < text.size()) parts.push_back({done, text.size(), step.invert});

  // Whether part i continues the piece that part i-1 belongs to.
  const auto joins = [&](std::size_t i) {
    switch (step.behavior) {
      case Behavior::kContiguous:
        return parts[i].matched == parts[i - 1].matched;
      case Behavior::kMergedWithPrevious:
        return parts[i].matched && !parts[i - 1].matched;
      case Behavior::kMergedWithNext:
        return parts[i - 1].matched && !parts[i].matched;
      default:
        return false;
    }
  };
  for (std::size_t i = 0; i < parts.size();) {
    std::size_t end = i + 1;
    while (end < parts.size() && joins(end)) ++end;
    if (step.behavior != Behavior::kRemoved || !parts[i].matched) {
      out.push_back(text.substr(parts[i].begin, parts[end - 1].end - parts[i].begin));
    }
    i = end;
  }
}

void PreTokenizer::apply(std::string_view text, Place place, Pieces& out) const {
  out.views.assign(1, text);
  std::vector<std::string_view> next;
  for (const Step& step : steps_) {
    next.clear();
    for (std::size_t i = 0; i < out.views.size(); ++i) {
      std::string_view piece = out.views[i];
      if (piece.empty()) continue;
      // Continued text never gets a mark where it was cut, only its later pieces do under "always".
      const bool first = i == 0;
      const bool wanted = (step.prepend == Prepend::kAlways && (place.marked || !first)) ||
                          (step.prepend == Prepend::kFirst && place.first && first);
      if (step.replace_spaces && piece.find(' ') != std::string_view::npos) {
        piece = out.owned.emplace_back(TextPattern::literal(" ").replace_all(piece, step.sign));
      }
      if (wanted && !piece.starts_with(step.sign)) piece = out.owned.emplace_back(step.sign + std::string(piece));
      if (step.split) {
        split(step, piece, next);
      } else {
        next.push_back(piece);
      }
    }
    out.views.swap(next);
  }
}

}  // namespace sgl::tokenizer
