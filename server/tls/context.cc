#include "server/tls/context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>

#include "runtime/base/file.h"
#include "server/tls/tickets.h"

namespace sgl::server {
namespace {

using SslCtx = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

// ECDHE with AEAD only; TLS 1.3 has nothing else.
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kCiphers13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr std::size_t kMaxOcspBytes = 64 << 10;  // real responses have 0.5 to 2 KB

int give_password(char* buffer, int size, int, void* user) {
  const auto* password = static_cast<const std::string*>(user);
  if (password->size() > static_cast<std::size_t>(size)) return -1;
  std::copy(password->begin(), password->end(), buffer);
  return static_cast<int>(password->size());
}

base::Error file_error(const char* what, const std::string& path) {
  return base::invalid(fmt::format("{} '{}' cannot be used: {}", what, path, openssl_error()));
}

// ALPN: HTTP/1.1 is what is spoken; a client that offers only something else is refused (RFC 7301).
int choose_protocol(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* in, unsigned in_length,
                    void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, length, kOurs, sizeof kOurs - 1, in, in_length) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

int staple(SSL* ssl, void* user) {
  const auto* response = static_cast<const std::string*>(user);
  if (response->empty()) return SSL_TLSEXT_ERR_NOACK;
  auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(response->data(), response->size()));
  if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(response->size()));
  return SSL_TLSEXT_ERR_OK;
}

void apply_policy(SSL_CTX* ctx) {
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Released buffers halve what an idle connection takes.
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_cipher_list(ctx, kCiphers12);
  SSL_CTX_set_ciphersuites(ctx, kCiphers13);
  SSL_CTX_set1_groups_list(ctx, kGroups);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);  // tickets only: no server-side memory per session
  static constexpr unsigned char kContext[] = "sgl";
  SSL_CTX_set_session_id_context(ctx, kContext, sizeof kContext - 1);
  SSL_CTX_set_num_tickets(ctx, 1);
  SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, nullptr);
}

base::Status use_certificate(SSL_CTX* ctx, const CertificateFiles& files) {
  auto password = files.password;
  SSL_CTX_set_default_passwd_cb(ctx, give_password);
  SSL_CTX_set_default_passwd_cb_userdata(ctx, &password);
  if (SSL_CTX_use_certificate_chain_file(ctx, files.certificate.c_str()) != 1) {
    return file_error("the certificate", files.certificate);
  }
  const int key = SSL_CTX_use_PrivateKey_file(ctx, files.key.c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_set_default_passwd_cb_userdata(ctx, nullptr);
  if (key != 1) return file_error("the private key", files.key);
  if (SSL_CTX_check_private_key(ctx) != 1) {
    openssl_error();
    return base::invalid(
        fmt::format("the private key '{}' does not belong to the certificate '{}'", files.key, files.certificate));
  }
  if (X509_cmp_current_time(X509_get0_notAfter(SSL_CTX_get0_certificate(ctx))) < 0) {
    return base::invalid(fmt::format("the certificate '{}' has expired", files.certificate));
  }
  return {};
}

base::Status verify_clients(SSL_CTX* ctx, const TlsOptions& options) {
  if (options.client_certificates == ClientCertificates::kNone) return {};
  if (SSL_CTX_load_verify_locations(ctx, options.client_ca.c_str(), nullptr) != 1) {
    return file_error("the file of client authorities", options.client_ca);
  }
  SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(options.client_ca.c_str()));
  const int required =
      options.client_certificates == ClientCertificates::kRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | required, nullptr);
  return {};
}

}  // namespace

struct TlsContext::Loaded {
  struct One {
    SslCtx ctx{nullptr, SSL_CTX_free};
    std::string ocsp;
  };
  std::vector<std::unique_ptr<One>> all;

  // The certificate whose names cover what the client asks for; without a match the first stays.
  static int choose_by_name(SSL* ssl, int*, void* user) {
    const auto* self = static_cast<const Loaded*>(user);
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
    for (const auto& one : self->all) {
      if (X509_check_host(SSL_CTX_get0_certificate(one->ctx.get()), name, 0, 0, nullptr) != 1) continue;
      SSL_set_SSL_CTX(ssl, one->ctx.get());
      return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
  }
};

base::Expected<std::shared_ptr<const TlsContext::Loaded>> TlsContext::load(const TlsOptions& options,
                                                                           Tickets& tickets) {
  auto loaded = std::make_shared<Loaded>();
  for (const CertificateFiles& files : options.certificates) {
    auto one = std::make_unique<Loaded::One>();
    one->ctx.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX* ctx = one->ctx.get();
    if (ctx == nullptr) return base::Error{base::ErrorKind::kUnavailable, "out of memory for TLS"};
    apply_policy(ctx);
    SGL_TRY_STATUS(use_certificate(ctx, files));
    SGL_TRY_STATUS(verify_clients(ctx, options));
    if (!files.ocsp.empty()) {
      SGL_TRY(one->ocsp, base::read_file(files.ocsp, kMaxOcspBytes));
      SSL_CTX_set_tlsext_status_cb(ctx, staple);
      SSL_CTX_set_tlsext_status_arg(ctx, &one->ocsp);
    }
    tickets.install(ctx);
    loaded->all.push_back(std::move(one));
  }
  for (const auto& one : loaded->all) {
    SSL_CTX_set_tlsext_servername_callback(one->ctx.get(), Loaded::choose_by_name);
    SSL_CTX_set_tlsext_servername_arg(one->ctx.get(), loaded.get());
  }
  return std::shared_ptr<const Loaded>(std::move(loaded));
}

TlsContext::TlsContext(TlsOptions options) : options_(std::move(options)), tickets_(std::make_unique<Tickets>()) {}
TlsContext::~TlsContext() = default;

base::Expected<std::unique_ptr<TlsContext>> TlsContext::create(const TlsOptions& options) {
  if (options.certificates.empty()) return base::invalid("TLS needs a certificate and its key");
  std::unique_ptr<TlsContext> context(new TlsContext(options));
  SGL_TRY_STATUS(context->reload());
  return context;
}

std::string TlsContext::fingerprint() const {
  std::string out;
  const auto add = [&](const std::string& path) {
    struct stat info {};
    if (path.empty() || stat(path.c_str(), &info) != 0) {
      out += "-;";
      return;
    }
    out += fmt::format("{}.{}/{}/{};", info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_size, info.st_ino);
  };
  for (const CertificateFiles& files : options_.certificates) {
    for (const std::string* path : {&files.certificate, &files.key, &files.ocsp}) add(*path);
  }
  add(options_.client_ca);
  return out;
}

bool TlsContext::files_changed() const {
  const std::string now = fingerprint();
  const std::lock_guard lock(mutex_);
  return now != seen_;
}

base::Status TlsContext::reload() {
  const std::string now = fingerprint();
  auto fresh = load(options_, *tickets_);
  const std::lock_guard lock(mutex_);
  seen_ = now;
  if (!fresh.ok()) return fresh.error();
  loaded_ = std::move(*fresh);
  return {};
}

namespace {

// A connection keeps the generation of certificates it began with.
using Keep = std::shared_ptr<const void>;
void drop_generation(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Keep*>(data);
}
int generation_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, drop_generation);
  return index;
}

}  // namespace

SSL* TlsContext::new_connection() const {
  std::shared_ptr<const Loaded> loaded;
  {
    const std::lock_guard lock(mutex_);
    loaded = loaded_;
  }
  SSL* ssl = SSL_new(loaded->all.front()->ctx.get());
  if (ssl == nullptr) return nullptr;
  SSL_set_ex_data(ssl, generation_index(), new Keep(loaded));
  return ssl;
}

int TlsContext::days_left() const {
  std::shared_ptr<const Loaded> loaded;
  {
    const std::lock_guard lock(mutex_);
    loaded = loaded_;
  }
  int least = 1 << 20;
  for (const auto& one : loaded->all) {
    int days = 0;
    int seconds = 0;
    if (ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(SSL_CTX_get0_certificate(one->ctx.get()))) == 1) {
      least = std::min(least, days);
    }
  }
  return least;
}

std::string peer_subject(const SSL* ssl) {
  const std::unique_ptr<X509, decltype(&X509_free)> peer(SSL_get1_peer_certificate(ssl), X509_free);
  if (!peer || SSL_get_verify_result(ssl) != X509_V_OK) return "";
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  X509_NAME_print_ex(out.get(), X509_get_subject_name(peer.get()), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "the file has no such object";
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? fmt::format("OpenSSL error {:x}", code) : reason;
}

}  // namespace sgl::server
