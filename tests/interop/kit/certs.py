"""A throw-away CA and a leaf for localhost, by the openssl command line, for the servers that we stand beside ours."""

import os
import subprocess


def make(folder):
    """Writes ca.pem, leaf.pem and leaf.key into `folder`; returns their paths."""
    os.makedirs(folder, exist_ok=True)
    ca, ca_key, leaf, key, request, extra = (os.path.join(folder, n) for n in
                                             ["ca.pem", "ca.key", "leaf.pem", "leaf.key", "leaf.csr", "leaf.ext"])

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-days", "30", "-subj", "/CN=interop CA")
    openssl("req", *curve, "-keyout", key, "-out", request, "-subj", "/CN=localhost")
    with open(extra, "w", encoding="ascii") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "30", "-extfile", extra,
            "-out", leaf)
    return ca, leaf, key
