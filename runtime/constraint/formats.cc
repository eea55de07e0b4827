#include "runtime/constraint/formats.h"

#include <algorithm>

#include "runtime/constraint/pattern.h"

namespace sgl::constraint {
namespace {

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (std::string_view part : parts) out += part;
  return out;
}

constexpr const char* kHex = "[0-9A-Fa-f]";
constexpr const char* kOctet = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";

// RFC 3339. The year 0000 is refused by many, leap seconds depend on tables: both are left out.
constexpr const char* kDate =
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|"
    "1[0-9]|2[0-8]))"
    "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)";
constexpr const char* kYearZero = "0000[\\s\\S]*";
constexpr const char* kClock = "(?:[01][0-9]|2[0-3]):[0-5][0-9]";
std::string time_with(std::string_view fraction, std::string_view utc) {
  return joined({kClock, ":[0-5][0-9](?:\\.[0-9]", fraction, ")?(?:", utc, "|[+-]", kClock, ")"});
}
// RFC 3339, appendix A.
std::string duration() {
  const std::string second = "[0-9]+S", minute = "[0-9]+M(?:" + second + ")?", hour = "[0-9]+H(?:" + minute + ")?";
  const std::string time = "T(?:" + hour + "|" + minute + "|" + second + ")";
  const std::string day = "[0-9]+D", month = "[0-9]+M(?:" + day + ")?", year = "[0-9]+Y(?:" + month + ")?";
  return "P(?:(?:" + day + "|" + month + "|" + year + ")(?:" + time + ")?|" + time + "|[0-9]+W)";
}

// RFC 1123. A label with -- in its third and fourth place is reserved (RFC 5890); whether an xn-- label is right takes
// more than a regular language, so they are left out.
constexpr const char* kLabel = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
constexpr const char* kReservedLabel = "(?:[\\s\\S]*[.@])?[^.@]{2}--[\\s\\S]*";
// A name has at most 253 characters. To count them takes 27,000 states; to bound the labels' lengths by their number,
// 1,500. So names of many long labels are left out.
std::string hostname() {
  const auto labels = [](int length, int least, int most) {
    const std::string label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0," + std::to_string(length - 2) + "}[A-Za-z0-9])?";
    return joined({label, "(?:\\.", label, "){", std::to_string(least - 1), ",", std::to_string(most - 1), "}"});
  };
  return joined({labels(63, 1, 3), "|", labels(62, 4, 4), "|", labels(24, 5, 10), "|", labels(6, 11, 36)});
}
// Letters that IDNA 2008 allows wherever they stand: left-to-right scripts whose letters compose with nothing.
constexpr const char* kIdnLetters =
    "\\u00DF-\\u00F6\\u00F8-\\u00FF\\u0101\\u0103\\u0105\\u0107\\u0109\\u010B\\u010D\\u010F\\u0111\\u0113\\u0115\\u0117"
    "\\u0119\\u011B\\u011D\\u011F\\u0121\\u0123\\u0125\\u0127\\u0129\\u012B\\u012D\\u012F\\u0131\\u0135\\u0137\\u013A"
    "\\u013C\\u013E\\u0142\\u0144\\u0146\\u0148\\u014B\\u014D\\u014F\\u0151\\u0153\\u0155\\u0157\\u0159\\u015B\\u015D"
    "\\u015F\\u0161\\u0163\\u0165\\u0167\\u0169\\u016B\\u016D\\u016F\\u0171\\u0173\\u0175\\u0177\\u017A\\u017C\\u017E"
    "\\u03AC-\\u03CE\\u0430-\\u045F\\u3041-\\u3096\\u30A1-\\u30FA\\u4E00-\\u9FFF\\uAC00-\\uD7A3";
// A label with such letters becomes at most five characters for each of its own, of 63 with the prefix; four labels
// stay under the 253 of a name.
std::string idn_hostname() {
  const std::string inner = joined({"[a-z0-9", kIdnLetters, "-]"}), edge = joined({"[a-z0-9", kIdnLetters, "]"});
  const std::string label =
      joined({"(?:", edge, "(?:", inner, "{0,9}", edge, ")?|[A-Za-z0-9](?:[A-Za-z0-9-]{0,38}[A-Za-z0-9])?)"});
  return joined({label, "(?:\\.", label, "){0,3}"});
}

// RFC 5321 without quoted pairs. Domains have at least two labels, as validators ask.
constexpr const char* kAtomChars = "A-Za-z0-9!#$%&'*+/=?^_`{|}~\\-";
std::string ipv4() {
  return joined({kOctet, "(?:\\.", kOctet, "){3}"});
}
// RFC 4291, by the grammar of RFC 3986.
std::string ipv6() {
  const std::string h = joined({kHex, "{1,4}"}), tail = "(?:" + h + ":" + h + "|" + ipv4() + ")";
  const auto groups = [&](int most) { return "(?:(?:" + h + ":){0," + std::to_string(most) + "}" + h + ")?"; };
  std::string out = "(?:" + h + ":){6}" + tail + "|::(?:" + h + ":){5}" + tail;
  for (int before = 0; before < 5; ++before) {
    out += "|" + groups(before) + "::(?:" + h + ":){" + std::to_string(4 - before) + "}" + tail;
  }
  return out + "|" + groups(5) + "::" + h + "|" + groups(6) + "::";
}
std::string email_local(std::string_view more) {
  const std::string atom = joined({"[", kAtomChars, more, "]+"});
  return joined({"(?:", atom, "(?:\\.", atom, ")*|\"[ !#-\\[\\]-~", more, "]+\")"});
}
constexpr const char* kLongLocal = "[^@\"]{65}[\\s\\S]*|\"[^\"]{63}[\\s\\S]*";
std::string email() {
  return joined(
      {email_local(""), "@(?:", kLabel, "(?:\\.", kLabel, ")+|\\[(?:", ipv4(), "|IPv6:(?:", ipv6(), "))\\])"});
}
std::string idn_email() {
  return joined({email_local(kIdnLetters), "@", idn_hostname()});
}

// RFC 3986 and, with more characters, RFC 3987.
struct UriGrammar {
  std::string uri, reference;
};
UriGrammar uri_grammar(std::string_view more, std::string_view in_query) {
  const std::string unreserved = joined({"A-Za-z0-9._~", more});  // in brackets, and a dash at the end
  const std::string percent = joined({"%", kHex, "{2}"});
  const auto chars = [&](std::string_view extra) {
    return joined({"(?:[", unreserved, "!$&'()*+,;=", extra, "-]|", percent, ")"});
  };
  const std::string pchar = chars(":@"), segment = pchar + "*", segments = "(?:/" + segment + ")*";
  const std::string literal = "\\[(?:" + ipv6() + "|[vV]" + kHex + "+\\.[A-Za-z0-9._~!$&'()*+,;=:-]+)\\]";
  const std::string port = "(?:[0-9]{0,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
  const std::string authority = "(?:" + chars(":") + "*@)?(?:" + literal + "|" + chars("") + "*)(?::" + port + ")?";
  const std::string with_authority = "//" + authority + segments;
  const std::string absolute = "/(?:" + pchar + "+" + segments + ")?", rootless = pchar + "+" + segments;
  const std::string noscheme = chars("@") + "+" + segments;
  const std::string rest = joined({"(?:\\?", chars(joined({":@/?", in_query})), "*)?(?:#", chars(":@/?"), "*)?"});
  const std::string uri =
      "[A-Za-z][A-Za-z0-9+.-]*:(?:" + with_authority + "|" + absolute + "|" + rootless + ")?" + rest;
  return {uri, "(?:" + uri + "|(?:" + with_authority + "|" + absolute + "|" + noscheme + ")?" + rest + ")"};
}
// These schemes have a host (RFC 9110, 6455, 1738).
constexpr const char* kNoHost =
    "(?:[Hh][Tt][Tt][Pp][Ss]?|[Ww][Ss][Ss]?|[Ff][Tt][Pp]):(?:[^/][\\s\\S]*|/(?:[^/][\\s\\S]*)?|"
    "//(?:[^/?#@\\[]*@)?(?:[/?#:][\\s\\S]*)?)?";
constexpr const char* kUcs =
    "\\u00A0-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFEF\\u{10000}-\\u{1FFFD}\\u{20000}-\\u{2FFFD}\\u{30000}-\\u{3FFFD}"
    "\\u{40000}-\\u{4FFFD}\\u{50000}-\\u{5FFFD}\\u{60000}-\\u{6FFFD}\\u{70000}-\\u{7FFFD}\\u{80000}-\\u{8FFFD}"
    "\\u{90000}-\\u{9FFFD}\\u{A0000}-\\u{AFFFD}\\u{B0000}-\\u{BFFFD}\\u{C0000}-\\u{CFFFD}\\u{D0000}-\\u{DFFFD}"
    "\\u{E1000}-\\u{EFFFD}";
constexpr const char* kPrivate = "\\uE000-\\uF8FF\\u{F0000}-\\u{FFFFD}\\u{100000}-\\u{10FFFD}";

// RFC 6570.
std::string uri_template() {
  const std::string percent = joined({"%", kHex, "{2}"}), varchar = "(?:[A-Za-z0-9_]|" + percent + ")";
  const std::string spec = varchar + "+(?:\\." + varchar + "+)*(?::[1-9][0-9]{0,3}|\\*)?";
  return joined(
      {"(?:[!#$&(-;=?-\\[\\]_a-z~", kUcs, kPrivate, "]|", percent, "|\\{[+#./;?&]?", spec, "(?:,", spec, ")*\\})*"});
}

const char* const kPointer = "(?:/(?:[^/~]|~[01])*)*";

std::vector<StringFormat> make_formats() {
  const std::string uuid = joined({kHex, "{8}-", kHex, "{4}-", kHex, "{4}-", kHex, "{4}-", kHex, "{12}"});
  const std::string time = time_with("+", "[Zz]");
  const FormatTerm no_year_zero{kYearZero, true}, not_reserved{kReservedLabel, true}, has_host{kNoHost, true};
  const FormatTerm short_local{kLongLocal, true};
  const UriGrammar uri = uri_grammar("", ""), iri = uri_grammar(kUcs, kPrivate);
  return {
      {"date", {{kDate, false}, no_year_zero}},
      {"time", {{time, false}}},
      {"date-time", {{kDate + ("[Tt]" + time), false}, no_year_zero}},
      {"duration", {{duration(), false}}},
      {"email", {{email(), false}, not_reserved, short_local}},
      {"idn-email", {{idn_email(), false}, not_reserved, short_local}},
      {"hostname", {{hostname(), false}, not_reserved}},
      {"idn-hostname", {{idn_hostname(), false}, not_reserved}},
      {"ipv4", {{ipv4(), false}}},
      {"ipv6", {{ipv6(), false}}},
      {"uri", {{uri.uri, false}, has_host}},
      {"uri-reference", {{uri.reference, false}, has_host}},
      {"iri", {{iri.uri, false}, has_host}},
      {"iri-reference", {{iri.reference, false}, has_host}},
      {"uuid", {{uuid, false}}},
      {"uri-template", {{uri_template(), false}}},
      {"json-pointer", {{kPointer, false}}},
      // A zero inside the number is refused by a common validator.
      {"relative-json-pointer", {{joined({"(?:0|[1-9]+0?)(?:#|", kPointer, ")"}), false}}},
  };
}

}  // namespace

const StringFormat* find_format(std::string_view name) {
  static const std::vector<StringFormat> formats = make_formats();
  const auto it = std::find_if(formats.begin(), formats.end(), [&](const StringFormat& f) { return f.name == name; });
  return it == formats.end() ? nullptr : &*it;
}

// Of bounded length where that costs nothing that people write, so that types of the language know their longest text.
const char* format_pattern(std::string_view format) {
  static const std::string time = time_with("{1,9}", "Z");
  static const std::string date_time = kDate + ("T" + time);
  static const std::string hostname_pattern = joined({kLabel, "(?:\\.", kLabel, "){0,7}"});
  static const std::string email_pattern =
      joined({"[", kAtomChars, "]{1,64}(?:\\.[", kAtomChars, "]{1,32}){0,3}@", kLabel, "(?:\\.", kLabel, "){1,4}"});
  static const std::string ipv4_pattern = ipv4();
  static constexpr const char* kUri =
      "[A-Za-z][A-Za-z0-9+.-]*:(?://(?:[A-Za-z0-9._~!$&'()*+,;=:@\\[\\]-]|%[0-9A-Fa-f]{2})*)?"
      "(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*(?:\\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
      "(?:#(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?";
  if (format == "date") return kDate;
  if (format == "time") return time.c_str();
  if (format == "date-time") return date_time.c_str();
  if (format == "email") return email_pattern.c_str();
  if (format == "uuid") return "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";
  if (format == "ipv4") return ipv4_pattern.c_str();
  if (format == "hostname") return hostname_pattern.c_str();
  if (format == "uri") return kUri;
  return nullptr;
}

}  // namespace sgl::constraint
