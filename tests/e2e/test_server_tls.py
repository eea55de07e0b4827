"""sgl serve and certificates beyond the one: several names, stapled OCSP responses. Made and read with OpenSSL's command."""
import re
import shutil
import socket
import ssl
import subprocess

from serving import serving
from support import Skip, check, equal, folder, test


def openssl(path, *words, text=""):
    done = subprocess.run(["openssl", *map(str, words)], cwd=path, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"openssl {' '.join(map(str, words))}: {done.stderr}")
    return done.stdout


def authority(path):
    """A certificate authority in `path`: ca.pem, ca.key, and what `openssl ca` keeps."""
    (path / "index.txt").touch()
    (path / "serial").write_text("01\n")
    (path / "ca.cnf").write_text(
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ncertificate=ca.pem\nprivate_key=ca.key\n"
        "default_md=sha256\ndefault_days=2\npolicy=p\ncopy_extensions=copy\n[p]\ncommonName=supplied\n"
    )
    openssl(path, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "2")


def issue(path, name):
    openssl(path, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}")
    openssl(path, "ca", "-config", "ca.cnf", "-batch", "-notext", "-in", f"{name}.csr", "-out", f"{name}.pem")
    (path / f"{name}.key").chmod(0o600)


def staple(path, name):
    """What a CA's responder answers of the certificate, as a file."""
    openssl(path, "ocsp", "-issuer", "ca.pem", "-cert", f"{name}.pem", "-reqout", f"{name}.req")
    openssl(path, "ocsp", "-index", "index.txt", "-rsigner", "ca.pem", "-rkey", "ca.key", "-CA", "ca.pem", "-reqin", f"{name}.req", "-respout", f"{name}.ocsp", "-ndays", "2")


def needed():
    if not shutil.which("openssl"):
        raise Skip("the command openssl is not installed")


@test("server/sni")
def sni():
    needed()
    with folder() as path:
        authority(path)
        files = []
        for name in ("one.test", "two.test"):
            issue(path, name)
            files += ["--ssl-certfile", path / f"{name}.pem", "--ssl-keyfile", path / f"{name}.key"]
        with serving(*files, cafile=path / "ca.pem") as s:
            context = ssl.create_default_context(cafile=path / "ca.pem")

            def shown(name):
                """The name in the certificate that the server shows to one who asks for `name`; verified against it."""
                with socket.create_connection(("127.0.0.1", s.port), timeout=20) as plain, context.wrap_socket(plain, server_hostname=name) as tls:
                    return dict(entry[0] for entry in tls.getpeercert()["subject"])["commonName"]

            equal(shown("one.test"), "one.test", "the first name")
            equal(shown("two.test"), "two.test", "the second name")
            try:
                check(not shown("three.test"), "a name without a certificate")
            except ssl.SSLCertVerificationError as error:
                check("Hostname mismatch" in str(error), error)


@test("server/ocsp")
def ocsp():
    needed()
    with folder() as path:
        authority(path)
        issue(path, "one.test")
        staple(path, "one.test")
        tls = ("--ssl-certfile", path / "one.test.pem", "--ssl-keyfile", path / "one.test.key")

        def status(s):
            return openssl(path, "s_client", "-connect", f"127.0.0.1:{s.port}", "-servername", "one.test", "-CAfile", "ca.pem", "-status", text="Q\n")

        with serving(*tls, "--ssl-ocsp-file", path / "one.test.ocsp", cafile=path / "ca.pem") as s:
            out = status(s)
            check("OCSP Response Status: successful" in out, out)
            check(re.search(r"Cert Status: good", out), out)
        with serving(*tls, cafile=path / "ca.pem") as s:
            check("OCSP response: no response sent" in status(s), "without a file nothing is stapled")
