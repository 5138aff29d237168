"""The providers of upstream_mimics.mjs, started and told whom they let in."""

import json
import os
import subprocess
import threading

import requests

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Mimics:
    """`issuer` is that of the server under test."""

    def __init__(self, tls, issuer):
        self.ca = os.path.join(tls, "ca.pem")
        self.process = subprocess.Popen(["node", os.path.join(HERE, "upstream_mimics.mjs"), tls, f"{issuer}/sso/"], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.errors = []
        threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True).start()
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError(f"the mimics did not start: {''.join(self.errors)[-800:]}")
        self.told = json.loads(line)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = self.ca

    def __getitem__(self, name):
        return self.told[name]

    def set(self, name, **given):
        """Who comes next, and which lie is told."""
        return self.session.post(f"{self.told[name]['address']}/control", json=given, timeout=20).json()

    def seen(self, name):
        return self.session.get(f"{self.told[name]['address']}/control", timeout=20).json()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
