"""sgl serve and certificates beyond the one: several names, stapled OCSP responses; what testssl.sh finds. Certificates are made
and read with OpenSSL's command."""
import json
import re
import shutil
import socket
import ssl
import subprocess

from serving import serving
from support import Skip, check, equal, folder, patient, test


def openssl(path, *words, text=""):
    done = subprocess.run(["openssl", *map(str, words)], cwd=path, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"openssl {' '.join(map(str, words))}: {done.stderr}")
    return done.stdout


def authority(path):
    """A certificate authority in `path`: ca.pem, ca.key, and what `openssl ca` keeps."""
    (path / "index.txt").touch()
    (path / "ca.cnf").write_text(
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ncertificate=ca.pem\nprivate_key=ca.key\nrand_serial=yes\n"
        "default_md=sha256\ndefault_days=90\npolicy=p\ncopy_extensions=copy\n[p]\ncommonName=supplied\n"
    )
    openssl(path, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "2")


def issue(path, name):
    openssl(path, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
            "-addext", "authorityInfoAccess=OCSP;URI:http://ocsp.invalid")
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
                with socket.create_connection(("127.0.0.1", s.port), timeout=patient(20)) as plain, context.wrap_socket(plain, server_hostname=name) as tls:
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


# What testssl.sh must have looked at: a scan that ended early would find nothing wrong.
LOOKED_AT = {"SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3", "cipherlist_NULL", "cipherlist_aNULL", "cipherlist_EXPORT",
             "cipherlist_LOW", "cipherlist_3DES_IDEA", "FS", "cipher_order", "cert_chain_of_trust", "cert_trust", "OCSP_stapling",
             "HSTS_time", "heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_renego", "secure_client_renego", "CRIME_TLS", "BREACH",
             "POODLE_SSL", "SWEET32", "FREAK", "DROWN", "LOGJAM", "BEAST", "LUCKY13", "RC4"}
# Findings that are not the server's.
NOT_OURS = {"DNS_CAArecord"}  # localhost has no records in the DNS
# Probes that testssl itself may lose (level WARN). Under TLS 1.3 a ticket follows the handshake; testssl leaves after the
# handshake, so on a busy machine it has none to come back with and says that it could not connect. server/tls_resumption
# waits for the ticket.
MAY_BE_LOST = {"sessionresumption_ticket"}


@test("server/tls_resumption")
def resumption():
    """A session is resumed with the ticket it was given, under both versions of TLS."""
    needed()
    with folder() as path:
        authority(path)
        issue(path, "localhost")
        with serving("--ssl-certfile", path / "localhost.pem", "--ssl-keyfile", path / "localhost.key", cafile=path / "ca.pem") as s:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = ssl.create_default_context(cafile=path / "ca.pem")
                context.minimum_version = context.maximum_version = version

                def visit(session, context=context):
                    with socket.create_connection(("127.0.0.1", s.port), timeout=patient(30)) as plain:
                        with context.wrap_socket(plain, server_hostname="localhost", session=session) as secure:
                            secure.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                            while secure.recv(4096):  # the ticket of TLS 1.3 comes before what is read here
                                pass
                            return secure.session_reused, secure.session

                reused, session = visit(None)
                check(not reused and session.has_ticket, f"{version.name}: a ticket")
                check(visit(session)[0], f"{version.name}: the session is resumed")


def scanned(path, port):
    """The findings of testssl.sh about the server at `port`, whose authority is in `path`."""
    report = path / "found.json"
    report.unlink(missing_ok=True)
    scan = ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--add-ca", path / "ca.pem", "--ip", "127.0.0.1", "--jsonfile", report,
            "--protocols", "--std", "--fs", "--server-preference", "--server-defaults", "--headers", "--vulnerable"]
    done = subprocess.run([*scan, f"https://localhost:{port}"], capture_output=True, text=True, timeout=patient(600), check=False)
    # 1 to 49 count probes without a clear answer; `inconclusive` names them.
    check(done.returncode < 50, f"exit code {done.returncode} of testssl: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    return json.loads(report.read_text())


def inconclusive(found):
    """What testssl has not looked at, or got no answer about (level WARN): on a busy machine its probes may be late."""
    seen = {"FS" if f["id"] == "PFS" else f["id"] for f in found}  # renamed after 3.0
    return sorted(LOOKED_AT - seen | {f["id"] for f in found if f["severity"] == "WARN" and f["id"] not in NOT_OURS | MAY_BE_LOST})


@test("testssl/findings")
def testssl():
    """testssl.sh against the server with a certificate of a test authority: nothing worse than its level INFO."""
    needed()
    if not shutil.which("testssl"):
        raise Skip("the command testssl (Debian's testssl.sh) is not installed")
    with folder() as path:
        authority(path)
        issue(path, "localhost")
        staple(path, "localhost")
        tls = ("--ssl-certfile", path / "localhost.pem", "--ssl-keyfile", path / "localhost.key", "--ssl-ocsp-file", path / "localhost.ocsp")
        with serving(*tls, "--log-level", "warning", cafile=path / "ca.pem") as s:
            found = scanned(path, s.port)
            if inconclusive(found):
                print(f"     testssl: probes without an answer, repeated: {inconclusive(found)}")
                found = scanned(path, s.port)
            s.good("GET", "/v1/models")
        equal(inconclusive(found), [], "what testssl could not look at")
        lost = [f for f in found if f["severity"] == "WARN" and f["id"] in MAY_BE_LOST]
        bad = [f for f in found if f["severity"] not in ("OK", "INFO") and f["id"] not in NOT_OURS and f not in lost]
        check(not bad, f"findings: {bad}")
        grade = next((f["finding"] for f in found if f["id"] == "overall_grade"), None)
        check(grade is None or grade.startswith("A"), f"grade {grade}")
        print(f"     testssl: {len(found)} findings, none worse than INFO; grade: {grade or 'this version gives none'}")
