#include "runtime/tokenizer/gguf_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "runtime/base/utf8.h"

namespace sgl::tokenizer {
namespace {

using Json = nlohmann::json;
using base::Expected;
using base::invalid;

// tokenizer.ggml.token_type
enum TokenType : std::int64_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

// Bytes of a token: published vocabularies have under 600. Finding the merges of a SentencePiece token takes the square
// of it.
constexpr std::size_t kMaxTokenBytes = 1024;

// How texts are divided before merging, by the names that llama.cpp's converter gives (convert_hf_to_gguf_update.py).
struct Division {
  std::string_view names;  // separated by spaces
  std::string_view pattern;
  bool nfc = false, ignore_merges = false,
       begins = false;  // begins: texts begin with the bos token unless the file says no
};
constexpr std::string_view kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr Division kDivisions[] = {
    {"gpt-2 phi-2 jina-es jina-de mpt olmo roberta-bpe", kGpt2},
    {"llama-bpe llama3 llama-v3 falcon3 pixtral", kLlama3, false, true, true},
    {"qwen2 deepseek-r1-qwen stablelm2 megrez", kQwen2, true},
};

// Control tokens that end a turn though a file's eos_token_id names another one.
constexpr std::string_view kTurnEnds[] = {"<|im_end|>", "<|eot_id|>",    "<|eom_id|>",
                                          "<|end|>",    "<end_of_turn>", "<|endoftext|>"};

class Converter {
 public:
  explicit Converter(const gguf::Contents& file) : file_(file) {}

  Expected<TokenizerFiles> convert() {
    SGL_TRY(const auto model, file_.text("tokenizer.ggml.model"));
    if (!model) return invalid("the file has no tokenizer ('tokenizer.ggml.model')");
    SGL_TRY_STATUS(read_tokens());
    out_.tokenizer = Json::object();
    out_.config = Json::object();
    if (*model == "gpt2") {
      SGL_TRY_STATUS(bytes_bpe());
    } else if (*model == "llama") {
      SGL_TRY_STATUS(sentencepiece());
    } else {
      return invalid(fmt::format("the tokenizer '{}' is not supported in GGUF files (supported: gpt2, llama)", *model));
    }
    add_vocabulary();
    SGL_TRY_STATUS(add_specials());
    SGL_TRY(const auto chat, file_.text("tokenizer.chat_template"));
    if (chat) out_.config["chat_template"] = *chat;
    return std::move(out_);
  }

 private:
  base::Status read_tokens() {
    SGL_TRY(tokens_, file_.array<std::string_view>("tokenizer.ggml.tokens"));
    SGL_TRY(types_, file_.array<std::int64_t>("tokenizer.ggml.token_type"));
    if (tokens_ == nullptr || tokens_->empty()) return invalid("the file has no metadata 'tokenizer.ggml.tokens'");
    if (types_ != nullptr && types_->size() != tokens_->size()) {
      return invalid("'tokenizer.ggml.token_type' has not one type per token");
    }
    for (std::size_t i = 0; i < tokens_->size(); ++i) {
      if ((*tokens_)[i].size() > kMaxTokenBytes) {
        return invalid(fmt::format("'tokenizer.ggml.tokens' has a token of {} bytes, over the limit of {}",
                                   (*tokens_)[i].size(), kMaxTokenBytes));
      }
      if (!ids_.emplace((*tokens_)[i], i).second) {
        return invalid(fmt::format("'tokenizer.ggml.tokens' has the token '{}' twice", (*tokens_)[i]));
      }
    }
    return {};
  }

  std::int64_t type(std::size_t id) const { return types_ == nullptr ? kNormal : (*types_)[id]; }

  base::Status bytes_bpe() {
    SGL_TRY(const auto name, file_.text("tokenizer.ggml.pre"));
    if (!name)
      return invalid(
          "the file has no metadata 'tokenizer.ggml.pre'; it was made by an old converter, convert the model again");
    const Division* division = nullptr;
    for (const Division& d : kDivisions) {
      if (fmt::format(" {} ", d.names).find(fmt::format(" {} ", *name)) != std::string::npos) division = &d;
    }
    if (division == nullptr) {
      return invalid(fmt::format(
          "the pre-tokenizer '{}' ('tokenizer.ggml.pre') is not supported; use the model's Hugging Face folder",
          *name));
    }
    begins_ = division->begins;
    const Json bytes = {
        {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", false}};
    const Json split = {
        {"type", "Split"}, {"pattern", {{"Regex", division->pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
    if (division->nfc) out_.tokenizer["normalizer"] = {{"type", "NFC"}};
    out_.tokenizer["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {split, bytes}}};
    out_.tokenizer["decoder"] = bytes;
    out_.tokenizer["model"] = {{"type", "BPE"}, {"ignore_merges", division->ignore_merges}};
    SGL_TRY(const auto* merges, file_.array<std::string_view>("tokenizer.ggml.merges"));
    if (merges == nullptr) return invalid("the file has no metadata 'tokenizer.ggml.merges'");
    Json& list = out_.tokenizer["model"]["merges"] = Json::array();
    for (const std::string_view merge : *merges) list.emplace_back(merge);
    return {};
  }

  base::Status sentencepiece() {
    begins_ = true;
    SGL_TRY(const auto prefix, file_.flag("tokenizer.ggml.add_space_prefix"));
    SGL_TRY(const auto* scores, file_.array<double>("tokenizer.ggml.scores"));
    if (scores == nullptr || scores->size() != tokens_->size()) {
      return invalid("'tokenizer.ggml.scores' is missing or has not one score per token");
    }
    const Json spaces = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}};
    Json steps = Json::array(), back = Json::array();
    if (prefix.value_or(true)) steps.push_back({{"type", "Prepend"}, {"prepend", "\u2581"}});
    steps.push_back(spaces);
    back.push_back({{"type", "Replace"}, {"pattern", {{"String", "\u2581"}}}, {"content", " "}});
    back.push_back({{"type", "ByteFallback"}});
    back.push_back({{"type", "Fuse"}});
    if (prefix.value_or(true)) back.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    out_.tokenizer["normalizer"] = {{"type", "Sequence"}, {"normalizers", steps}};
    out_.tokenizer["decoder"] = {{"type", "Sequence"}, {"decoders", back}};
    out_.tokenizer["model"] = {{"type", "BPE"}, {"byte_fallback", true}, {"fuse_unk", true}};
    SGL_TRY(const auto unknown, special("unknown_token_id"));
    if (unknown) out_.tokenizer["model"]["unk_token"] = (*tokens_)[*unknown];
    out_.tokenizer["model"]["merges"] = merges_of(*scores);
    return {};
  }

  // Every way to put a token together from two others, the highest score of the result first: what SentencePiece does
  // with scores, as rules (`generate_merges` of transformers' convert_slow_tokenizer.py).
  Json merges_of(const std::vector<double>& scores) const {
    struct Merge {
      double score;
      std::size_t result, left, right;
    };
    std::vector<Merge> found;
    for (std::size_t id = 0; id < tokens_->size(); ++id) {
      const std::string_view token = (*tokens_)[id];
      if (type(id) != kNormal && type(id) != kUserDefined) continue;
      for (std::size_t at = 0; at < token.size();) {
        at += base::decode_utf8(token, at).bytes;
        const auto left = ids_.find(token.substr(0, at)), right = ids_.find(token.substr(at));
        if (left != ids_.end() && right != ids_.end()) found.push_back({scores[id], id, left->second, right->second});
      }
    }
    std::sort(found.begin(), found.end(), [](const Merge& a, const Merge& b) {
      return std::tuple(-a.score, a.result, a.left, a.right) < std::tuple(-b.score, b.result, b.left, b.right);
    });
    Json out = Json::array();
    for (const Merge& m : found) out.push_back(Json::array({(*tokens_)[m.left], (*tokens_)[m.right]}));
    return out;
  }

  void add_vocabulary() {
    Json& vocabulary = out_.tokenizer["model"]["vocab"] = Json::object();
    Json& added = out_.tokenizer["added_tokens"] = Json::array();
    for (std::size_t id = 0; id < tokens_->size(); ++id) {
      vocabulary[std::string((*tokens_)[id])] = id;
      if (type(id) != kControl && type(id) != kUserDefined) continue;
      if ((*tokens_)[id].empty()) continue;
      added.push_back({{"id", id},
                       {"content", (*tokens_)[id]},
                       {"special", type(id) == kControl},
                       {"normalized", false},
                       {"single_word", false},
                       {"lstrip", false},
                       {"rstrip", false}});
    }
  }

  // The token that a key names.
  Expected<std::optional<std::size_t>> special(std::string_view name) const {
    const std::string key = fmt::format("tokenizer.ggml.{}", name);
    SGL_TRY(const auto id, file_.count(key));
    if (!id) return std::optional<std::size_t>();
    if (*id >= tokens_->size()) return invalid(fmt::format("the metadata '{}' is not a token of the vocabulary", key));
    return std::optional(static_cast<std::size_t>(*id));
  }

  base::Status add_specials() {
    SGL_TRY(const auto bos, special("bos_token_id"));
    SGL_TRY(const auto eos, special("eos_token_id"));
    SGL_TRY(const auto add_bos, file_.flag("tokenizer.ggml.add_bos_token"));
    SGL_TRY(const auto add_eos, file_.flag("tokenizer.ggml.add_eos_token"));
    if (bos) out_.config["bos_token"] = (*tokens_)[*bos];
    if (eos) out_.config["eos_token"] = (*tokens_)[*eos];
    Json ends = Json::array();
    for (const char* name : {"eos_token_id", "eot_token_id", "eom_token_id"}) {
      SGL_TRY(const auto id, special(name));
      if (id) ends.push_back(*id);
    }
    for (const std::string_view spelling : kTurnEnds) {
      const auto it = ids_.find(spelling);
      if (it != ids_.end() && type(it->second) == kControl) ends.push_back(it->second);
    }
    out_.generation = {{"eos_token_id", ends}};
    Json single = Json::array(), specials = Json::object();
    const auto add = [&](std::size_t id) {
      const std::string spelling((*tokens_)[id]);
      single.push_back({{"SpecialToken", {{"id", spelling}, {"type_id", 0}}}});
      specials[spelling] = {{"id", spelling}, {"ids", {id}}, {"tokens", {spelling}}};
    };
    if (bos && add_bos.value_or(begins_)) add(*bos);
    single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
    if (eos && add_eos.value_or(false)) add(*eos);
    out_.tokenizer["post_processor"] = {
        {"type", "TemplateProcessing"}, {"single", single}, {"pair", Json::array()}, {"special_tokens", specials}};
    return {};
  }

  const gguf::Contents& file_;
  const std::vector<std::string_view>* tokens_ = nullptr;
  const std::vector<std::int64_t>* types_ = nullptr;
  std::unordered_map<std::string_view, std::size_t> ids_;
  bool begins_ = false;
  TokenizerFiles out_;
};

}  // namespace

Expected<TokenizerFiles> gguf_tokenizer(const gguf::Contents& file) {
  return Converter(file).convert();
}

}  // namespace sgl::tokenizer
