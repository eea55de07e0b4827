// JSON text as a value, in time linear in the text. (The library looks at all earlier keys of an object for every new
// one, which takes minutes for an object of some hundred thousand keys.)
#include <unordered_map>

#include "runtime/constraint/schema_refs.h"

namespace sgl::constraint {
namespace {

constexpr std::size_t kFew = 16;  // members up to which an object is searched from end to end

class JsonReader final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    Json object = Json::object();
    object.get_ref<Json::object_t&>().reserve(kFew / 2);  // most have no more members than that
    return open(std::move(object));
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

  // A key that comes again has its first place and its last value.
  bool key(string_t& name) override {
    Open& top = open_.back();
    auto& members = top.value->get_ref<Json::object_t&>();
    std::size_t at = members.size();
    if (members.size() < kFew) {
      at = 0;
      while (at < members.size() && members.data()[at].first != name) ++at;
    } else {
      if (top.keys.empty()) {
        for (std::size_t i = 0; i < members.size(); ++i) top.keys.try_emplace(members.data()[i].first, i);
      }
      at = top.keys.try_emplace(name, members.size()).first->second;
    }
    if (at == members.size()) members.emplace_back(std::move(name), nullptr);
    next_ = &members.data()[at].second;
    return true;
  }

  Json take() { return std::move(root_); }

 private:
  struct Open {
    Json* value = nullptr;
    std::unordered_map<std::string, std::size_t> keys;  // of a large object
  };

  // Where the value goes. What is around it does not move before it is closed.
  Json& place() {
    if (open_.empty()) return root_;
    if (open_.back().value->is_object()) return *next_;
    return open_.back().value->get_ref<Json::array_t&>().emplace_back();
  }
  bool put(Json value) {
    place() = std::move(value);
    return true;
  }
  bool open(Json value) {
    Json& at = place();
    at = std::move(value);
    open_.push_back({&at, {}});
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  Json* next_ = nullptr;  // of an object, the value of the key that was read
  std::vector<Open> open_;
};

}  // namespace

std::optional<Json> read_json(std::string_view text) {
  JsonReader reader;
  if (!Json::sax_parse(text, &reader)) return std::nullopt;
  return reader.take();
}

}  // namespace sgl::constraint
