// Chat templates that ask for more memory or work than a conversation needs: each ends soon, with an error that says
// so.
#include <doctest/doctest.h>

#include "runtime/tokenizer/chat_template.h"

using namespace sgl::tokenizer;

namespace {

// The rendered text, or the message of the error.
std::string outcome(const std::string& source) {
  const auto parsed = ChatTemplate::parse(source);
  if (!parsed.ok()) return parsed.error().message;
  auto out = parsed->render({{"user", "hi"}}, {});
  if (out.ok()) return *out;
  return out.error().message;
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// `x` in `ns.x`, doubled so many times: short to write, 2^times items to read.
std::string doubled(const std::string& x, int times, const std::string& then) {
  return "{% set ns = namespace(x=" + x + ", y=" + x + ") %}{% for i in range(" + std::to_string(times) +
         ") %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}" + then;
}

}  // namespace

TEST_CASE("templates: lists that share their items are not written out without end") {
  for (const char* use : {"{{ ns.x }}", "{{ ns.x | tojson }}", "{{ ns.x ~ '' }}", "{{ ns.x | join }}",
                          "{% set s = ns.x | string %}", "{{ ns.x | tojson(indent=2) }}"}) {
    const std::string out = outcome(doubled("['a' * 1000]", 100, use));
    CHECK_MESSAGE(has(out, "chat template, line 1: string of more than 16 MB"), use << ": " << out.substr(0, 200));
  }
  for (const char* use : {"{{ ns.x == ns.y }}", "{{ ns.x in [ns.y] }}", "{{ ns.x < ns.y }}",
                          "{{ [ns.x, ns.y] | sort }}", "{{ [ns.x, ns.y] | unique }}"}) {
    const std::string out = outcome(doubled("[]", 100, use));
    CHECK_MESSAGE(has(out, "chat template, line 1: more than 20 million steps"), use << ": " << out.substr(0, 200));
  }
  CHECK(outcome(doubled("['a']", 1, "{{ ns.x }}{{ ns.x == ns.y }}")) == "[['a'], ['a']]True");
}

TEST_CASE("templates: no string grows beyond its limit") {
  for (const char* source :
       {"{{ ('a' * 1000000) | replace('a', 'b' * 100) }}", "{{ ('a' * 1000000).replace('a', 'b' * 100) }}",
        "{{ range(100000) | join('a' * 1000) }}", "{{ ('a' * 1000).join(['x'] + ('y' * 90000) | list) }}",
        "{{ ['a' * 40000000, 'b' * 40000000] | join }}", "{{ ('a' * 40000000) + ('a' * 40000000) }}",
        "{{ ('a\\n' * 100000) | indent(1000) }}"}) {
    const std::string out = outcome(source);
    CHECK_MESSAGE(has(out, "string of more than 16 MB"), source << ": " << out.substr(0, 200));
  }
  const std::string text(1000, 'x');
  CHECK(has(outcome("{% for i in range(100000) %}" + text + "{% endfor %}"), "more than 16 MB of output"));
  CHECK(has(outcome("{% for i in range(100) %}{{ 'x' * 1000000 }}{% endfor %}"), "more than 16 MB of output"));
  // What is written as it was.
  CHECK(outcome("{{ 'aaa'.replace('a', 'bc', 2) }} {{ 'aaa' | replace('a', '') }} {{ 'aba'.replace('', 'x') }}") ==
        "bcbca  aba");
  CHECK(
      outcome(
          "{{ 'ababa'.count('aba') }} {{ 'aaa'.count('a') }} {{ '-'.join(['a', 'b']) }} {{ [1, [2]] | join('-') }}") ==
      "1 3 a-b 1-[2]");
}

TEST_CASE("templates: no list grows beyond its limit") {
  CHECK(has(outcome("{{ ('a ' * 2000000).split(' ') }}"), "more than a million parts"));
  CHECK(has(outcome("{{ ('a ' * 2000000).split() }}"), "more than a million parts"));
  CHECK(has(outcome("{{ ('a' * 2000000) | list }}"), "more than a million characters"));
  CHECK(has(outcome("{% for c in 'a' * 2000000 %}{% endfor %}"), "more than a million characters"));
  CHECK(has(outcome("{{ (range(600000) | list) + (range(600000) | list) }}"), "list of more than a million items"));
  CHECK(outcome("{{ ('b' ~ 'a' * 2000000) | first }}{{ ('a' * 2000000 ~ 'c') | last }}{{ 'abc' | reverse }}") ==
        "bccba");
  CHECK(outcome("{{ ('' | first) is defined }}{{ ([] | last) is defined }}{{ [1, 2] | reverse | list }}") ==
        "FalseFalse[2, 1]");
}

TEST_CASE("templates: all values together have a limit, and those that are gone do not count") {
  const std::string grow = "{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = ns.x + [";
  for (const std::string& source :
       {grow + "'a' * 1000000] %}{% endfor %}", grow + "range(100000)] %}{% endfor %}",
        grow + "{'a' * 1000000: 1}] %}{% endfor %}", grow + "('a,' * 10000) | list] %}{% endfor %}",
        std::string("{{ range(1000000) | map('replace', '1', 'x' * 10000) | list | length }}"),
        std::string("{% set ns = namespace(l=['A' * 1000000]) %}{% for i in range(10) %}{% set ns.l = ns.l + ns.l %}{% "
                    "endfor %}{{ ns.l | sort | length }}"),
        std::string("{% macro m(n) %}{{ 'a' * 16000000 }}{% if n %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(30) }}"),
        std::string(
            "{% for a in range(1000000) %}{% for b in range(1000000) %}{% for c in range(1000000) %}"
            "{% for d in range(1000000) %}{% for e in range(1000000) %}{% for f in range(1000000) %}"
            "{% for g in range(1000000) %}{% for h in range(1000000) %}"
            "{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}")}) {
    const std::string out = outcome(source);
    CHECK_MESSAGE(has(out, "values of more than 256 MB at once"), source << ": " << out.substr(0, 200));
  }
  CHECK(outcome("{% for i in range(40) %}{% set x = 'a' * 15000000 %}{% endfor %}ok") == "ok");
  // Names of what is undefined are kept for messages, and no longer than these show them.
  const std::string name(20'000, 'n');
  CHECK(outcome("{{ range(1000000) | map(attribute='q', default=" + name + ") | list | length }}") == "1000000");
  // Long texts and lists are work by their size.
  CHECK(has(outcome("{% for i in range(1000) %}{% set x = 'a' * 15000000 %}{% endfor %}"), "20 million steps"));
  CHECK(has(
      outcome("{% set s = 'a' * 15000000 %}{% for i in range(1000) %}{% if s | length == i %}{% endif %}{% endfor %}"),
      "20 million steps"));
  CHECK(has(outcome("{% for i in range(1000) %}{% set x = range(1000000) %}{% endfor %}"), "20 million steps"));
  // The next rendering begins with nothing.
  CHECK(outcome("{{ messages[0].content }}") == "hi");
}

TEST_CASE("templates: filters that apply filters go no deeper than they may") {
  std::string chain = "{{ 'a' | map('map'";
  for (int i = 0; i < 50'000; ++i) chain += ", 'map'";
  CHECK(has(outcome(chain + ", 'upper') | list }}"), "too many arguments"));
  CHECK(outcome("{{ [['a'], ['b']] | map('map', 'upper') | map('join') | join }}") == "AB");
  // A name for a message is not a text to keep.
  CHECK(has(outcome("{{ {}['x' * 1000000].y }}"), "is undefined, so it has no 'y'"));
  CHECK(outcome("{{ {}['x' * 1000000].y }}").size() < 300);
}
