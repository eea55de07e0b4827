// Heads of requests: what is accepted, and that nothing that two parsers could read differently is.
#include "server/http/head.h"

#include <doctest/doctest.h>

#include <random>

using namespace sgl::server;

namespace {

int status_of(const std::string& text, const HeadLimits& limits = {}) {
  const auto parsed = parse_head(text, limits);
  const auto* error = std::get_if<HeadError>(&parsed);
  return error == nullptr ? 0 : error->status;
}

Head head_of(const std::string& text) {
  auto parsed = parse_head(text);
  REQUIRE(std::holds_alternative<Head>(parsed));
  return std::move(std::get<Head>(parsed));
}

}  // namespace

TEST_CASE("a head is taken apart") {
  const Head head =
      head_of("POST /v1/run%20me?a=1&b=x+y HTTP/1.1\r\nHost: x\r\nX-Thing:  two words \r\nContent-Length: 12\r\n\r\n");
  CHECK(head.method == "POST");
  CHECK(head.path == "/v1/run me");
  CHECK(head.query == "a=1&b=x+y");
  CHECK(head.header("x-thing") == "two words");
  CHECK(head.content_length == 12U);
  CHECK(head.keep_alive);
  CHECK(query_value(head.query, "b") == "x y");
  CHECK_FALSE(query_value(head.query, "c").has_value());
  CHECK(head_of("GET http://x/y HTTP/1.1\r\nHost: x\r\n\r\n").path == "/y");
  CHECK_FALSE(head_of("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").keep_alive);
  CHECK_FALSE(head_of("GET / HTTP/1.0\r\n\r\n").keep_alive);
}

TEST_CASE("what could smuggle a request is refused") {
  const std::string start = "POST / HTTP/1.1\r\nHost: x\r\n";
  CHECK(status_of(start + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n") == 400);
  CHECK(status_of(start + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n") == 400);
  CHECK(status_of(start + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
  CHECK(status_of(start + "Content-Length: +5\r\n\r\n") == 400);
  CHECK(status_of(start + "Content-Length: 5, 5\r\n\r\n") == 400);
  CHECK(status_of(start + "Content-Length: 99999999999999999999\r\n\r\n") == 400);
  CHECK(status_of(start + "Transfer-Encoding: gzip, chunked\r\n\r\n") == 501);
  CHECK(status_of(start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
  CHECK(status_of(start + "Transfer-Encoding : chunked\r\n\r\n") == 400);
  CHECK(status_of(start + "X: a\r\n folded\r\n\r\n") == 400);
  CHECK(status_of(start + "X: a\nContent-Length: 5\r\n\r\n") == 400);
  CHECK(status_of(start + std::string("X: a\0b\r\n\r\n", 10)) == 400);
  CHECK(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n") == 400);
  CHECK(status_of(start + "Transfer-Encoding: chunked\r\n\r\n") == 0);
}

TEST_CASE("malformed heads") {
  CHECK(status_of("GET / HTTP/1.1\r\n\r\n") == 400);  // no Host
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == 400);
  CHECK(status_of("GET /\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == 505);
  CHECK(status_of("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("GET /%2 HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("G@T / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n") == 417);
  CHECK(status_of("GET /" + std::string(3000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n") == 414);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'a') + "\r\n\r\n") == 431);
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 101; ++i) many += "X: 1\r\n";
  CHECK(status_of(many + "\r\n") == 431);
}

TEST_CASE("the canonical head says what the head says, and is stable") {
  const Head head = head_of(
      "POST /x?y HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\nAccept-Encoding: gzip\r\nContent-Length: 3\r\n\r\n");
  const std::string once = canonical_head(head);
  CHECK(once.find("Range") == std::string::npos);
  CHECK(once.find("Accept-Encoding") == std::string::npos);
  CHECK(canonical_head(head_of(once)) == once);
}

TEST_CASE("random bytes never do harm, and what is accepted stays accepted canonically") {
  std::mt19937 random(7);
  const std::string pieces[] = {"GET ",
                                "POST ",
                                "/",
                                "a",
                                "%41",
                                "%",
                                " HTTP/1.1",
                                "\r\n",
                                "\n",
                                "\r",
                                "Host: x",
                                ": ",
                                "Content-Length: 3",
                                "Transfer-Encoding: chunked",
                                "\t",
                                " ",
                                "\x80",
                                ",",
                                "Connection: close"};
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = i % 2 == 0 ? "POST / HTTP/1.1\r\nHost: x\r\n" : "";
    const std::size_t count = random() % 8;
    for (std::size_t k = 0; k < count; ++k) text += pieces[random() % std::size(pieces)];
    text += "\r\n\r\n";
    const auto parsed = parse_head(text.substr(0, *head_end(text)));
    if (const auto* head = std::get_if<Head>(&parsed)) {
      ++accepted;
      CHECK(status_of(canonical_head(*head)) == 0);
      CHECK_FALSE((head->chunked && head->content_length));
    } else {
      CHECK(std::get<HeadError>(parsed).status >= 400);
    }
  }
  CHECK(accepted > 100);
}
