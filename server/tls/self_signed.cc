#include "server/tls/self_signed.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <memory>

#include "server/tls/context.h"

namespace sgl::server {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Cert = std::unique_ptr<X509, decltype(&X509_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

std::string text_of(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

bool is_address(const std::string& name) {
  in6_addr ignored{};
  return inet_pton(AF_INET, name.c_str(), &ignored) == 1 || inet_pton(AF_INET6, name.c_str(), &ignored) == 1;
}

bool is_host(const std::string& name) {
  if (name.empty() || name.size() > 253) return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.*") ==
         std::string::npos;
}

bool add_extension(X509* cert, int nid, const std::string& value) {
  X509V3_CTX ctx;
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, cert, cert, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &ctx, nid, value.c_str());
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(cert, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool fill(X509* cert, EVP_PKEY* key, const std::vector<std::string>& names, int days) {
  unsigned char serial[16];
  if (RAND_bytes(serial, sizeof serial) != 1) return false;
  serial[0] &= 0x7F;
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(BN_bin2bn(serial, sizeof serial, nullptr), BN_free);
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(cert));
  X509_set_version(cert, X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(cert), -300);  // clocks differ by minutes
  X509_time_adj_ex(X509_getm_notAfter(cert), days, 0, nullptr);
  X509_set_pubkey(cert, key);
  X509_NAME* subject = X509_get_subject_name(cert);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(names.front().c_str()), -1, -1, 0);
  X509_set_issuer_name(cert, subject);
  std::string alternatives;
  for (const std::string& name : names) {
    alternatives += fmt::format("{}{}:{}", alternatives.empty() ? "" : ",", is_address(name) ? "IP" : "DNS", name);
  }
  return add_extension(cert, NID_subject_alt_name, alternatives) &&
         add_extension(cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         add_extension(cert, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
         add_extension(cert, NID_ext_key_usage, "serverAuth") &&
         add_extension(cert, NID_subject_key_identifier, "hash") && X509_sign(cert, key, EVP_sha256()) > 0;
}

}  // namespace

base::Expected<SelfSigned> make_self_signed(const std::vector<std::string>& names, int days) {
  if (names.empty()) return base::invalid("a certificate needs at least one host name or address");
  for (const std::string& name : names) {
    if (!is_address(name) && !is_host(name)) {
      return base::invalid(fmt::format("'{}' is neither a host name nor an IP address", name));
    }
  }
  const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Cert cert(X509_new(), X509_free);
  if (!key || !cert || !fill(cert.get(), key.get(), names, days)) {
    return base::Error{base::ErrorKind::kInternal, "the certificate could not be made: " + openssl_error()};
  }
  const Bio cert_out(BIO_new(BIO_s_mem()), BIO_free);
  const Bio key_out(BIO_new(BIO_s_mem()), BIO_free);
  if (PEM_write_bio_X509(cert_out.get(), cert.get()) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return base::Error{base::ErrorKind::kInternal, "the certificate could not be written: " + openssl_error()};
  }
  return SelfSigned{text_of(cert_out), text_of(key_out)};
}

base::Expected<CertificateFacts> certificate_facts(const std::string& path) {
  const Bio in(BIO_new_file(path.c_str(), "r"), BIO_free);
  if (!in) {
    openssl_error();
    return base::not_found(fmt::format("the certificate '{}' cannot be read", path));
  }
  const Cert cert(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), X509_free);
  if (!cert) return base::invalid(fmt::format("'{}' is no PEM certificate: {}", path, openssl_error()));
  CertificateFacts facts;
  const Bio subject(BIO_new(BIO_s_mem()), BIO_free);
  X509_NAME_print_ex(subject.get(), X509_get_subject_name(cert.get()), 0, XN_FLAG_RFC2253);
  facts.subject = text_of(subject);
  int seconds = 0;
  if (ASN1_TIME_diff(&facts.days_left, &seconds, nullptr, X509_get0_notAfter(cert.get())) != 1) facts.days_left = 0;
  if (seconds < 0 && facts.days_left == 0) facts.days_left = -1;
  facts.key_bits = EVP_PKEY_get_bits(X509_get0_pubkey(cert.get()));
  facts.self_signed = X509_NAME_cmp(X509_get_subject_name(cert.get()), X509_get_issuer_name(cert.get())) == 0;
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(cert.get(), NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_DNS) continue;
    facts.names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                             static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  GENERAL_NAMES_free(names);
  return facts;
}

}  // namespace sgl::server
