#include "server/api/json.h"

#include <fmt/format.h>

#include <set>
#include <utility>
#include <vector>

namespace sgl::server {
namespace {

class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(Json& out, int max_depth) : out_(out), max_depth_(max_depth) {}
  const JsonMistake& mistake() const { return mistake_; }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& value) override { return add(std::move(value)); }
  bool start_object(std::size_t) override {
    keys_.emplace_back();
    return begin(Json::object());
  }
  bool start_array(std::size_t) override { return begin(Json::array()); }
  bool end_object() override {
    keys_.pop_back();
    open_.pop_back();
    return true;
  }
  bool end_array() override {
    open_.pop_back();
    return true;
  }
  bool key(string_t& name) override {
    if (!keys_.back().insert(name).second) return refuse(fmt::format("the key '{}' occurs twice in one object", name));
    // Appended without a search: it is not there.
    auto& members = open_.back()->get_ref<Json::object_t&>();
    member_ = &members.Container::emplace_back(std::move(name), Json()).second;
    return true;
  }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::detail::exception&) override {
    mistake_.position = at;
    return false;
  }

 private:
  Json& place() {
    if (open_.empty()) return out_;
    return open_.back()->is_array() ? open_.back()->get_ref<Json::array_t&>().emplace_back() : *member_;
  }
  bool add(Json value) {
    place() = std::move(value);
    return true;
  }
  bool begin(Json empty) {
    if (open_.size() >= static_cast<std::size_t>(max_depth_))
      return refuse(fmt::format("the JSON is nested more than {} levels deep", max_depth_));
    Json& at = place();
    at = std::move(empty);
    open_.push_back(&at);
    return true;
  }
  bool refuse(std::string why) {
    mistake_.why = std::move(why);
    return false;
  }

  Json& out_;
  const int max_depth_;
  std::vector<Json*> open_;  // what contains the next value, outermost first; none moves while it is open
  std::vector<std::set<std::string>> keys_;  // of the open objects
  Json* member_ = nullptr;                   // where the value of the last key goes
  JsonMistake mistake_;
};

}  // namespace

std::optional<JsonMistake> parse_json(std::string_view text, Json& out, int max_depth) {
  out = Json();
  Builder builder(out, max_depth);
  if (Json::sax_parse(text, &builder)) return std::nullopt;
  return builder.mistake();
}

std::string text_member(const Json& object, const char* name, std::string_view otherwise) {
  const auto it = object.find(name);
  if (it == object.end()) return std::string(otherwise);
  return it->is_string() ? it->get<std::string>() : std::string();
}

}  // namespace sgl::server
