"""PyPI scim2-server as a stand-in: the SCIM scripts are tried on it. What fails there is not plain SCIM, or is a row that says why."""

import os
import subprocess
import time
import urllib.error
import urllib.request

from .slapd import free_port

TOKEN = "stand-in-token"


class ScimServer:
    """Started empty; its resources are in memory."""

    def __init__(self, folder, tools):
        port = free_port()
        with open(os.path.join(folder, "scim2-server.log"), "wb") as log:
            self.process = subprocess.Popen([os.path.join(tools, "venv", "bin", "scim2-server"), "--port", str(port), "--bearer-token", TOKEN],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        base = f"http://127.0.0.1:{port}/v2"
        for _ in range(300):
            try:
                urllib.request.urlopen(base + "/ServiceProviderConfig")
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise RuntimeError("scim2-server does not answer")
        self.description = {"stand_in": "scim2-server", "base_dn": "dc=example,dc=com", "scim": {"base": base, "token": TOKEN}}

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
