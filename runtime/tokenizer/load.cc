#include <algorithm>

#include "runtime/base/file.h"
#include "runtime/gguf/gguf.h"
#include "runtime/tokenizer/gguf_tokenizer.h"
#include "runtime/tokenizer/tokenizer_impl.h"

namespace sgl::tokenizer {

using base::Expected;
using base::Status;

// Reads the files of a tokenizer into Tokenizer::Impl.
class TokenizerLoader {
 public:
  Status read(const Json& tokenizer, const Json& config);
  // "eos_token_id" of generation_config.json or config.json: an id or a list of them.
  Status add_eos(const Json& config);
  void set_chat_template(std::string text) { impl_->chat_template = std::move(text); }
  std::shared_ptr<const Tokenizer> finish() && {
    return std::shared_ptr<const Tokenizer>(new Tokenizer(std::move(impl_)));
  }

 private:
  Status read_added(const Fields& root, const Fields& config);
  Status add_token(const Fields& fields, TokenId id);
  Status index_added();
  void fill_bytes();
  Status read_post_processor(const Fields& fields, int depth);
  Status read_template(const Fields& fields);
  Status read_config(const Fields& config);
  Expected<std::string> special_spelling(const Fields& config, std::string_view key);
  Status add_eos_id(const Json& id);
  bool known(TokenId id) const { return id >= 0 && static_cast<std::size_t>(id) < impl_->token_bytes.size(); }

  std::unique_ptr<Tokenizer::Impl> impl_ = std::make_unique<Tokenizer::Impl>();
};

Status TokenizerLoader::read(const Json& tokenizer, const Json& config) {
  const Fields root{tokenizer, ""}, settings{config, ""};
  SGL_TRY(impl_->normalizer, Normalizer::from_json(root.find("normalizer")));
  SGL_TRY(impl_->pre_tokenizer, PreTokenizer::from_json(root.find("pre_tokenizer")));
  const Json* model = root.find("model");
  if (model == nullptr || !model->is_object()) return root.wrong("model", "an object");
  SGL_TRY(impl_->bpe, Bpe::from_json(Fields{*model, "model"}, impl_->pre_tokenizer.byte_level()));
  SGL_TRY(impl_->decoder, Decoder::from_json(root.find("decoder")));
  SGL_TRY_STATUS(read_added(root, settings));
  fill_bytes();
  if (const Json* post = root.find("post_processor")) {
    SGL_TRY_STATUS(read_post_processor(Fields{*post, "post_processor"}, 0));
  }
  return read_config(settings);
}

Status TokenizerLoader::read_added(const Fields& root, const Fields& config) {
  if (root.find("added_tokens") != nullptr) {
    SGL_TRY(const Json* list, root.array("added_tokens"));
    for (std::size_t i = 0; i < list->size(); ++i) {
      const Fields fields{(*list)[i], fmt::format("added_tokens[{}]", i)};
      SGL_TRY(const std::int64_t id, fields.count("id", kMaxTokenId));
      SGL_TRY_STATUS(add_token(fields, static_cast<TokenId>(id)));
    }
  }
  // transformers also adds what only tokenizer_config.json lists.
  if (const Json* more = config.find("added_tokens_decoder"); more != nullptr) {
    if (!more->is_object()) return config.wrong("added_tokens_decoder", "an object");
    for (const auto& [key, value] : more->items()) {
      const Fields fields{value, fmt::format("added_tokens_decoder[\"{}\"]", key)};
      const bool digits = !key.empty() && key.size() <= 8 &&
                          std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
      const std::int64_t id = digits ? std::stol(key) : -1;
      if (id < 0 || id > kMaxTokenId) return base::invalid(fmt::format("{}: the key is not a token id", fields.path));
      const auto same = [&](const AddedToken& token) { return token.id == id; };
      if (std::none_of(impl_->added.begin(), impl_->added.end(), same)) {
        SGL_TRY_STATUS(add_token(fields, static_cast<TokenId>(id)));
      }
    }
  }
  return index_added();
}

Status TokenizerLoader::add_token(const Fields& fields, TokenId id) {
  AddedToken token;
  token.id = id;
  SGL_TRY(token.content, fields.text("content"));
  if (token.content.empty()) return fields.wrong("content", "a text that is not empty");
  SGL_TRY(token.special, fields.flag_or("special", false));
  SGL_TRY(token.normalized, fields.flag_or("normalized", !token.special));
  SGL_TRY(token.single_word, fields.flag_or("single_word", false));
  SGL_TRY(token.lstrip, fields.flag_or("lstrip", false));
  SGL_TRY(token.rstrip, fields.flag_or("rstrip", false));
  const std::int32_t in_vocab = impl_->bpe.find(token.content);
  const StringPool& spellings = impl_->bpe.spellings();
  const bool taken =
      static_cast<std::size_t>(id) < spellings.size() && !spellings[static_cast<std::size_t>(id)].empty();
  if ((in_vocab >= 0 && in_vocab != id) || (taken && in_vocab != id)) {
    return base::invalid(
        fmt::format("{}: id {} and content '{}' contradict the vocabulary", fields.path, id, token.content));
  }
  impl_->added.push_back(std::move(token));
  return {};
}

Status TokenizerLoader::index_added() {
  std::unordered_map<TokenId, std::string_view> by_id;
  for (std::size_t i = 0; i < impl_->added.size(); ++i) {
    const AddedToken& token = impl_->added[i];
    const auto [other, fresh] = by_id.try_emplace(token.id, token.content);
    if (!fresh && other->second != token.content) {
      return base::invalid(
          fmt::format("added tokens '{}' and '{}' have the same id {}", other->second, token.content, token.id));
    }
    const auto [entry, first] = impl_->added_ids.try_emplace(token.content, token.id);
    if (!first && entry->second != token.id) {
      return base::invalid(
          fmt::format("added token '{}' has two ids, {} and {}", token.content, entry->second, token.id));
    }
    if (token.normalized) {
      impl_->normalized_added.insert(impl_->normalizer.apply(token.content, true), static_cast<std::uint32_t>(i));
    } else {
      impl_->raw_added.insert(token.content, static_cast<std::uint32_t>(i));
    }
  }
  return {};
}

void TokenizerLoader::fill_bytes() {
  const StringPool& spellings = impl_->bpe.spellings();
  std::size_t size = spellings.size();
  for (const AddedToken& token : impl_->added) size = std::max(size, static_cast<std::size_t>(token.id) + 1);
  impl_->special.assign(size, false);
  impl_->token_bytes.resize(size);
  impl_->special_text.resize(size);
  std::vector<bool> added(size, false);
  for (const AddedToken& token : impl_->added) {
    const auto id = static_cast<std::size_t>(token.id);
    added[id] = true;
    impl_->special[id] = token.special;
    (token.special ? impl_->special_text : impl_->token_bytes).set(id, impl_->decoder.bytes(token.content));
  }
  for (std::size_t id = 0; id < spellings.size(); ++id) {
    if (!added[id] && !spellings[id].empty()) impl_->token_bytes.set(id, impl_->decoder.bytes(spellings[id]));
  }
}

Status TokenizerLoader::read_post_processor(const Fields& fields, int depth) {
  if (depth > 16) return base::invalid(fmt::format("{}: nested too deeply", fields.path));
  SGL_TRY(const std::string type, fields.text("type"));
  if (type == "ByteLevel") return {};  // works on offsets only
  if (type == "TemplateProcessing") return read_template(fields);
  if (type == "Sequence") {
    SGL_TRY(const Json* children, fields.array("processors"));
    for (std::size_t i = 0; i < children->size(); ++i) {
      const Fields child{(*children)[i], fmt::format("{}[{}]", fields.name("processors"), i)};
      SGL_TRY_STATUS(read_post_processor(child, depth + 1));
    }
    return {};
  }
  if (type == "RobertaProcessing" || type == "BertProcessing") {
    for (const char* key : {"cls", "sep"}) {
      const Json* pair = fields.find(key);
      const bool well = pair != nullptr && pair->is_array() && pair->size() == 2 && (*pair)[1].is_number_unsigned();
      if (!well || (*pair)[1].get<std::uint64_t>() >= impl_->token_bytes.size())
        return fields.wrong(key, "a token and its id");
      (std::string_view(key) == "cls" ? impl_->prefix : impl_->suffix).push_back((*pair)[1].get<TokenId>());
    }
    return {};
  }
  return base::invalid(fmt::format("{}: post-processor type '{}' is not supported", fields.path, type));
}

Status TokenizerLoader::read_template(const Fields& fields) {
  SGL_TRY(const Json* items, fields.array("single"));
  const Json none = Json::object();
  const Json* specials = fields.find("special_tokens");
  const Fields known_specials{specials != nullptr ? *specials : none, fields.name("special_tokens")};
  bool after_text = false;
  for (std::size_t i = 0; i < items->size(); ++i) {
    const Fields item{(*items)[i], fmt::format("{}[{}]", fields.name("single"), i)};
    if (item.find("Sequence") != nullptr) {
      if (after_text) return base::invalid(fmt::format("{}: the text may stand only once", item.path));
      after_text = true;
      continue;
    }
    const Json* special = item.find("SpecialToken");
    if (special == nullptr) return base::invalid(fmt::format("{}: expected Sequence or SpecialToken", item.path));
    SGL_TRY(const std::string id, Fields({*special, item.name("SpecialToken")}).text("id"));
    const Json* entry = known_specials.find(id);
    if (entry == nullptr) return base::invalid(fmt::format("{}: '{}' is not among special_tokens", item.path, id));
    SGL_TRY(const Json* ids, Fields({*entry, known_specials.name(id)}).array("ids"));
    for (const Json& token : *ids) {
      if (!token.is_number_unsigned() || token.get<std::uint64_t>() >= impl_->token_bytes.size()) {
        return base::invalid(fmt::format("{}.ids: not a token of the vocabulary", known_specials.name(id)));
      }
      (after_text ? impl_->suffix : impl_->prefix).push_back(token.get<TokenId>());
    }
  }
  return {};
}

Expected<std::string> TokenizerLoader::special_spelling(const Fields& config, std::string_view key) {
  const Json* field = config.find(key);
  if (field == nullptr) return std::string();
  if (field->is_object()) return Fields({*field, config.name(key)}).text("content");
  return config.text(key);
}

Status TokenizerLoader::read_config(const Fields& config) {
  SGL_TRY(impl_->bos_text, special_spelling(config, "bos_token"));
  SGL_TRY(impl_->eos_text, special_spelling(config, "eos_token"));
  const auto id_of = [&](const std::string& text) -> std::int32_t {
    const auto it = impl_->added_ids.find(text);
    return it != impl_->added_ids.end() ? it->second : impl_->bpe.find(text);
  };
  if (!impl_->bos_text.empty()) {
    impl_->bos = id_of(impl_->bos_text);
    if (*impl_->bos < 0) return base::invalid(fmt::format("bos_token: '{}' is not in the vocabulary", impl_->bos_text));
  }
  if (!impl_->eos_text.empty()) {
    impl_->eos.push_back(id_of(impl_->eos_text));
    if (impl_->eos[0] < 0)
      return base::invalid(fmt::format("eos_token: '{}' is not in the vocabulary", impl_->eos_text));
  }
  const Json* chat = config.find("chat_template");
  if (chat == nullptr) return {};
  if (chat->is_string()) return impl_->chat_template = chat->get<std::string>(), Status();
  // A list of named templates: the one called "default".
  if (!chat->is_array()) return config.wrong("chat_template", "a string or a list of templates");
  for (std::size_t i = 0; i < chat->size(); ++i) {
    const Fields entry{(*chat)[i], fmt::format("chat_template[{}]", i)};
    SGL_TRY(const std::string name, entry.text("name"));
    if (name == "default") {
      SGL_TRY(impl_->chat_template, entry.text("template"));
    }
  }
  return {};
}

Status TokenizerLoader::add_eos_id(const Json& id) {
  if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= impl_->token_bytes.size()) {
    return base::invalid("eos_token_id: not a token of the vocabulary");
  }
  const auto token = id.get<TokenId>();
  if (std::find(impl_->eos.begin(), impl_->eos.end(), token) == impl_->eos.end()) impl_->eos.push_back(token);
  return {};
}

Status TokenizerLoader::add_eos(const Json& config) {
  const Fields fields{config, ""};
  const Json* field = fields.find("eos_token_id");
  if (field == nullptr) return {};
  if (!field->is_array()) return add_eos_id(*field);
  for (const Json& id : *field) SGL_TRY_STATUS(add_eos_id(id));
  return {};
}

namespace {

Expected<Json> parse_object(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return base::invalid("not valid JSON");
  if (!json.is_object()) return base::invalid("not a JSON object");
  return json;
}

base::Error in_file(const std::filesystem::path& path, base::Error error) {
  error.message = fmt::format("{}: {}", path.string(), error.message);
  return error;
}

// The object in a file, an empty one when there is no such file.
Expected<Json> read_optional(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return Json(Json::object());
  SGL_TRY(const std::string text, base::read_file(path));
  auto json = parse_object(text);
  if (!json) return in_file(path, json.error());
  return json;
}

}  // namespace

Expected<std::shared_ptr<const Tokenizer>> Tokenizer::load(const std::filesystem::path& folder) {
  if (gguf::is_gguf(folder)) {
    SGL_TRY(const gguf::File file, gguf::File::open(folder));
    auto files = gguf_tokenizer(file.contents());
    if (!files) return in_file(folder, files.error());
    TokenizerLoader loader;
    if (Status s = loader.read(files->tokenizer, files->config); !s) return in_file(folder, s.error());
    if (Status s = loader.add_eos(files->generation); !s) return in_file(folder, s.error());
    return std::move(loader).finish();
  }
  const std::filesystem::path file = folder / "tokenizer.json";
  TokenizerLoader loader;
  SGL_TRY(const Json config, read_optional(folder / "tokenizer_config.json"));
  {
    SGL_TRY(const std::string text, base::read_file(file));
    auto json = parse_object(text);
    if (!json) return in_file(file, json.error());
    if (Status status = loader.read(*json, config); !status) return in_file(file, status.error());
  }
  for (const char* name : {"generation_config.json", "config.json"}) {
    SGL_TRY(const Json more, read_optional(folder / name));
    if (Status status = loader.add_eos(more); !status) return in_file(folder / name, status.error());
  }
  if (const auto path = folder / "chat_template.jinja"; std::filesystem::exists(path)) {
    SGL_TRY(std::string text, base::read_file(path));
    loader.set_chat_template(std::move(text));
  }
  return std::move(loader).finish();
}

Expected<std::shared_ptr<const Tokenizer>> Tokenizer::from_json(std::string_view tokenizer_json,
                                                                std::string_view tokenizer_config_json) {
  auto tokenizer = parse_object(tokenizer_json);
  if (!tokenizer) return in_file("tokenizer.json", tokenizer.error());
  auto config = parse_object(tokenizer_config_json);
  if (!config) return in_file("tokenizer_config.json", config.error());
  TokenizerLoader loader;
  if (Status status = loader.read(*tokenizer, *config); !status) return in_file("tokenizer.json", status.error());
  return std::move(loader).finish();
}

}  // namespace sgl::tokenizer
