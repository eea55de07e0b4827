#include <fmt/format.h>

#include <algorithm>

#include "runtime/constraint/mask_builder.h"

namespace sgl::constraint {

using base::Expected;

struct Matcher::Chunk {
  std::vector<Place> places;
  std::shared_ptr<const Chunk> before;
};

namespace {

// A short text that completes the walk, found by walking: unlike steps, it minds which names and items are taken. The
// same from every place along it, so who follows it finds the rest of it again. Nullopt: more than `most` bytes.
std::optional<std::string> completion(const Machine& machine, Machine::Walk walk, std::uint64_t most) {
  std::string out;
  while (machine.rest(walk.state) > 0) {
    const int byte = out.size() < most ? machine.nearest_byte(walk.state) : -1;
    if (byte < 0) return std::nullopt;
    walk = machine.advance(walk, static_cast<unsigned char>(byte));
    if (walk.state < 0) return std::nullopt;
    out.push_back(static_cast<char>(byte));
  }
  return out;
}

constexpr std::size_t kRecent = 128;  // places that a copy copies; chains of chunks are this much shorter than texts

base::Error over_limit(const Machine& machine) {
  return base::over_limit(fmt::format("the constraint needs more than {} automaton states", machine.max_states()));
}

}  // namespace

Matcher::Matcher(std::shared_ptr<const Constraint> constraint, std::shared_ptr<const Vocabulary> vocabulary,
                 std::string_view healing)
    : machine_(constraint->impl().machine()), vocabulary_(std::move(vocabulary)), healing_(healing) {
  recent_.push_back({Machine::kStart, 0, 0, false});
}
Matcher::~Matcher() = default;
Matcher::Matcher(const Matcher&) = default;
Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(const Matcher&) = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;

void Matcher::push(const Place& place) {
  if (recent_.size() == kRecent) {
    older_ = std::make_shared<const Chunk>(Chunk{std::move(recent_), std::move(older_)});
    recent_.clear();
  }
  recent_.push_back(place);
  ++accepted_;
}

std::size_t Matcher::accepted() const {
  return accepted_;
}

void Matcher::rollback(std::size_t n) {
  SGL_ASSERT(n <= accepted_);
  accepted_ -= n;
  while (n >= recent_.size()) {
    n -= recent_.size();
    recent_ = older_->places;
    older_ = std::shared_ptr<const Chunk>(older_)->before;
  }
  recent_.resize(recent_.size() - n);
}

Expected<std::shared_ptr<const TokenMask>> Matcher::masked(std::optional<std::int64_t> budget) {
  const Machine& machine = *machine_;
  const Vocabulary::Impl& vocabulary = vocabulary_->impl();
  const Place& place = now();
  ++stats_.masks;
  if (place.ended) return std::make_shared<const TokenMask>(vocabulary.bytes.size());
  // Where steps do not tell whether a token leaves enough, those along one text that is known to be whole may come.
  const auto add_completion = [&](MaskBuilder& builder, std::string_view healing) {
    const std::uint64_t most =
        (static_cast<std::uint64_t>(std::max<std::int64_t>(*budget, 0)) + 1) * vocabulary.longest;
    const auto text = completion(machine, {place.state, place.text}, most);
    if (text) builder.along(std::string(healing) + *text);
  };
  if (place.healed < healing_.size()) {
    const std::string_view healing = std::string_view(healing_).substr(place.healed);
    MaskBuilder builder(vocabulary, machine, budget);
    if (!builder.healing(healing)) return over_limit(machine);
    if (builder.doubtful()) add_completion(builder, healing);
    return std::move(builder).take().mask;
  }
  const Vocabulary::Impl::Key key{machine.id(), place.state, budget ? std::max<std::int64_t>(*budget, 0) : -1};
  if (const auto cached = vocabulary.ablation.memo ? vocabulary.cached(key) : std::nullopt) {
    ++stats_.hits;
    return cached->mask;
  }
  if (budget && vocabulary.all_bytes) {
    // With every byte a token, no more tokens than bytes are needed.
    SGL_TRY(std::shared_ptr<const TokenMask> all, masked(std::nullopt));
    const auto whole = vocabulary.cached({machine.id(), place.state, -1});
    if (whole && whole->worst_rest <= static_cast<std::uint64_t>(key.budget)) return all;
  }
  MaskBuilder builder(vocabulary, machine, budget);
  if (!builder.at(place.state)) {
    if (builder.late())
      return base::over_limit(fmt::format("a token mask takes longer than {} ms", machine.mask_time().count()));
    return over_limit(machine);
  }
  const bool walked = builder.doubtful();
  if (walked) add_completion(builder, {});
  const CachedMask made = std::move(builder).take();
  // What was found by walking depends on more than the state.
  if (vocabulary.ablation.memo && (!walked || place.text == 0)) vocabulary.store(key, made);
  return made.mask;
}

Expected<std::shared_ptr<const TokenMask>> Matcher::mask() {
  return masked(std::nullopt);
}
Expected<std::shared_ptr<const TokenMask>> Matcher::mask_within(std::int64_t budget_tokens) {
  return masked(budget_tokens);
}

bool Matcher::accept(TokenId id) {
  const Machine& machine = *machine_;
  const Vocabulary::Impl& vocabulary = vocabulary_->impl();
  if (id < 0 || static_cast<std::size_t>(id) >= vocabulary.bytes.size() || now().ended) return false;
  Place place = now();
  if (vocabulary.is_eos[static_cast<std::size_t>(id)]) {
    if (!is_complete()) return false;
    place.ended = true;
    push(place);
    return true;
  }
  std::string_view bytes = vocabulary.bytes[static_cast<std::size_t>(id)];
  if (bytes.empty()) return false;
  const std::string_view healing = std::string_view(healing_).substr(place.healed);
  const std::size_t shared = std::min(healing.size(), bytes.size());
  if (bytes.substr(0, shared) != healing.substr(0, shared)) return false;
  place.healed += static_cast<std::uint32_t>(shared);
  Machine::Walk walk{place.state, place.text};
  for (char c : bytes.substr(shared)) {
    walk = machine.advance(walk, static_cast<unsigned char>(c));
    if (walk.state < 0) return false;
  }
  walk = machine.settle(walk);
  place.state = walk.state, place.text = walk.text;
  push(place);
  return true;
}

std::string Matcher::forced_bytes() {
  const Machine& machine = *machine_;
  if (now().ended) return {};
  std::string out = healing_.substr(now().healed);
  // Every state leads to an accepting one, so the only way onwards ends.
  for (StateId state = now().state; state >= 0;) {
    const int byte = machine.only_byte(state);
    if (byte < 0) break;
    out.push_back(static_cast<char>(byte));
    state = machine.step(state, static_cast<unsigned char>(byte));
  }
  return out;
}

bool Matcher::is_complete() const {
  return now().healed == healing_.size() && machine_->accepting(now().state);
}

bool Matcher::is_final() {
  return is_complete() && (now().ended || machine_->final(now().state));
}

}  // namespace sgl::constraint
