// The server's side of TLS: protocol and cipher policy, certificates (several, chosen by SNI), client certificates,
// OCSP stapling, rotating session tickets; reloaded without dropping a connection. OpenSSL 3.
//
// Policy (RFC 9325, Mozilla "intermediate" without CBC): TLS 1.2 and 1.3, ephemeral key exchange, AEAD ciphers, no
// compression, no renegotiation.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/base/expected.h"

namespace sgl::server {

struct CertificateFiles {
  std::string certificate;  // PEM: the leaf first, then the chain
  std::string key;          // PEM
  std::string password;     // of the key, "" for none
  std::string ocsp;         // DER OCSP response to staple, "" for none
};

enum class ClientCertificates { kNone, kOptional, kRequired };

struct TlsOptions {
  std::vector<CertificateFiles> certificates;  // at least one; the first is the default
  std::string client_ca;                       // PEM of the authorities that client certificates must come from
  ClientCertificates client_certificates = ClientCertificates::kNone;
};

class TlsContext {
 public:
  // Errors: `invalid`, naming the file and what is wrong with it (unreadable, not PEM, key does not fit, expired).
  static base::Expected<std::unique_ptr<TlsContext>> create(const TlsOptions& options);
  ~TlsContext();

  // Reads the files again. Connections that exist go on with what they have; new ones get the new certificates. On an
  // error everything stays as it was. Thread-safe.
  base::Status reload();
  // Some file has changed since it was last read (or tried). Cheap: compares times and sizes.
  bool files_changed() const;

  // A connection's state for an accepted socket; the caller owns it. Null: out of memory. Thread-safe.
  SSL* new_connection() const;
  // Days until the first of the certificates expires.
  int days_left() const;

 private:
  struct Loaded;   // one generation of certificates
  struct Tickets;  // keys of session tickets, shared by all generations
  explicit TlsContext(TlsOptions options);
  static base::Expected<std::shared_ptr<const Loaded>> load(const TlsOptions& options, Tickets& tickets);
  std::string fingerprint() const;

  const TlsOptions options_;
  std::unique_ptr<Tickets> tickets_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Loaded> loaded_;
  std::string seen_;  // fingerprint when last read
};

// Subject of the peer's verified certificate (RFC 2253), "" when it sent none.
std::string peer_subject(const SSL* ssl);

// The oldest error of OpenSSL's queue as a sentence's end; clears the queue.
std::string openssl_error();

}  // namespace sgl::server
