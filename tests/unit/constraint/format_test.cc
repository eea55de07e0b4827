// Formats: texts that are in them and texts that are not, many from the JSON Schema Test Suite's optional tests.
#include "runtime/constraint/char_dfa.h"
#include "tests/unit/constraint/support.h"

namespace {

std::string times(const std::string& text, int n) {
  std::string out;
  while (n-- > 0) out += text;
  return out;
}

struct Case {
  const char* format;
  std::vector<std::string> good, bad;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> list{
      {"date",
       {"2024-02-29", "2000-02-29", "1999-12-31", "0001-01-01"},
       {"0000-01-01", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-04-31", "2024-1-01", "20240101",
        "2024-01-01 "}},
      {"time",
       {"00:00:00Z", "23:59:59.123456789012+23:59", "12:00:00z", "12:00:00-00:00"},
       {"24:00:00Z", "12:60:00Z", "23:59:60Z", "12:00Z", "12:00:00", "12:00:00.Z", "12:00:00+24:00", "12:00:00+0100"}},
      {"date-time",
       {"2024-02-29T12:00:00Z", "1985-04-12T23:20:50.52z", "1996-12-19t16:39:57-08:00"},
       {"2024-02-30T12:00:00Z", "2024-02-29 12:00:00Z", "2024-02-29T12:00:00", "0000-01-01T00:00:00Z",
        "2024-02-29T12:00:00ZZ"}},
      {"duration",
       {"P4DT12H30M5S", "P4Y", "PT0S", "P0D", "P1M", "PT1M", "PT36H", "P1DT12H", "P2W", "P1Y2M3D"},
       {"", "P", "PT", "P1", "4DT12H", "P2D1Y", "P1D2H", "P2S", "P1Y2W", "PT1H1S", "P1YT"}},
      {"email",
       {"joe.bloggs@example.com", "te~st@example.com", "~test@example.com", "\"joe bloggs\"@example.com",
        "\"joe@bloggs\"@example.com", "joe@[127.0.0.1]", "joe@[IPv6:::1]", times("a", 64) + "@example.com"},
       {"2962", ".test@example.com", "test.@example.com", "te..st@example.com", "@example.com", "joe@", "joe@example",
        "joe@-a.com", "joe@example.com.", "a@b@c.com", "joe@[127.0.0.300]", times("a", 65) + "@example.com",
        "\"\"@example.com", "joe@ab--c.com"}},
      {"idn-email",
       {"joe.bloggs@example.com", "\u00e9t\u00e9@\u4f8b\u3048.jp", "\u4eca@example.com"},
       {"2962", "\u4eca", "@\u4eca"}},
      {"hostname",
       {"www.example.com", "a", "1", "xn.com", "a-b.c", times("a.", 35) + "a", times("b", 63) + ".com"},
       {"", "-a.b", "a-.b", "a..b", ".a", "a.", "a_b", times("b", 64) + "", "ab--c.d", "x.ab--c",
        times("aaaaa.", 42) + "ab"}},
      {"idn-hostname",
       {"example.com", "\u4f8b\u3048.jp", "b\u00fccher.example"},
       {"", "-\u00fc.de", "\u00fc-.de", "a..b", "\u0300a", "ab--\u00fc",
        "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc"}},
      {"ipv4",
       {"0.0.0.0", "255.255.255.255", "192.168.0.1"},
       {"256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4 ", "0x7f.1.1.1"}},
      {"ipv6",
       {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::8", "::ffff:1.2.3.4",
        "1:2:3:4:5:6:1.2.3.4", "1::3:4", "fe80::a:b:c"},
       {"", ":", "1:2:3:4:5:6:7", ":1", ":::", "1::2::3", "12345::", "::1.2.3", "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::", "fe80::1%eth0", "::1/64", "1:2:3:4:5:6:7:1.2.3.4"}},
      {"uri",
       {"http://foo.bar/?baz=qux#quux", "http://[2001:db8::7]/c=GB?objectClass?one", "mailto:John.Doe@example.com",
        "urn:oasis:names:specification:docbook:dtd:xml:4.1.2", "file:///etc/hosts", "http://a:80", "http://u:p@a:/x",
        "tel:+1-816-555-1212", "http://-.~_!$&'()*+,;=:%40:80%2f::::::@example.com", "a:", "a:/b//c"},
       {"",
        "//foo.bar/",
        "/abc",
        "foo",
        "http:// a",
        "http://a b",
        ":// no",
        "http://a/<>",
        "http://a/{}",
        "http://a^",
        "http://a:80a",
        "http://a:65536",
        "http://[::1",
        "bar,baz:foo",
        "http://",
        "http:///x",
        "http://:80",
        "https:x",
        "http://a/%zz",
        "http://a/\u00e9",
        "1a:b",
        "http://a#b#c"}},
      {"uri-reference",
       {"", "/abc", "abc", "//foo.bar/?x", "#/definitions/x", "?q", "../a:b", "http://foo.bar/"},
       {"\\\\a", "#a#", "a b", "1:b", "//[::1", "http://"}},
      {"iri",
       {"http://\u0192\u00f8\u00f8.\u00df\u00e5r/?\u2202\u00e9=q#x", "http://a/\u00e9"},
       {"http://a b", "\u00e9", "http://"}},
      {"iri-reference", {"", "\u00e9", "#\u0192r\u00e4gm\u00eant"}, {"\\\\\u00e9", "#\u0192\\"}},
      {"uuid",
       {"2EB8AA08-AA98-11EA-B4AA-73B441D16380", "2eb8aa08-aa98-11ea-b4aa-73b441d16380"},
       {"2eb8aa08-aa98-11ea-b4aa-73b441d1638", "2eb8aa08aa98-11ea-b4aa73b441d16380",
        "2eb8aa08-aa98-11ea-b4ga-73b441d16380", "2eb8aa08aa9811eab4aa73b441d16380"}},
      {"uri-template",
       {"", "http://example.com/dictionary/{term:1}/{term}", "{+a,b*}{?x.y}{&z}", "dictionary/%20"},
       {"http://a/{term:1}/{term", "{}", "{a:0}", "{a:10000}", "{!a}", "a b", "%2", "{a:1*}"}},
      {"json-pointer", {"", "/foo/bar~0/baz~1/%a", "/", "//", "/a b/\u00e9"}, {"a", "/~", "/~2", "#/a", "/foo~"}},
      {"relative-json-pointer", {"0", "1", "10/foo", "0#", "1/a~1", "2/"}, {"", "-1", "01", "/foo", "0##", "+1", "1a"}},
  };
  return list;
}

}  // namespace

TEST_CASE("formats accept what they should, and nothing else") {
  for (const Case& c : cases()) {
    const auto dfa = CharDfa::format(c.format, {});
    REQUIRE_MESSAGE(dfa.ok(), c.format << ": " << dfa.error().message);
    REQUIRE(*dfa != nullptr);
    for (const std::string& text : c.good) CHECK_MESSAGE((*dfa)->accepts(text), c.format << ": " << text);
    for (const std::string& text : c.bad) CHECK_MESSAGE(!(*dfa)->accepts(text), c.format << ": " << text);
  }
  CHECK(*CharDfa::format("regex", {}) == nullptr);
  CHECK(*CharDfa::format("", {}) == nullptr);
}
