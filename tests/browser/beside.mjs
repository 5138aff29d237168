// Who else takes part in a sign-in: an application at an origin of its own, and the providers of upstream_mimics.mjs.

import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, request as ask } from "node:https";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { firstLine } from "./server.mjs";

/** tests/run puts a copy of it here. */
const SCRIPT = fileURLToPath(new URL("upstream_mimics.mjs", import.meta.url));

/** A CA and a certificate of it for localhost, in a folder as upstream_mimics.mjs wants it; returns the CA's file. */
export function certificates(folder) {
  const at = (name) => join(folder, name);
  const openssl = (...words) => execFileSync("openssl", words, { stdio: ["ignore", "ignore", "pipe"] });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", at("ca.key"), "-out", at("ca.pem"), "-days", "30", "-subj", "/CN=browser CA");
  openssl("req", ...key, "-keyout", at("leaf.key"), "-out", at("leaf.csr"), "-subj", "/CN=localhost");
  writeFileSync(at("leaf.ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n");
  openssl("x509", "-req", "-in", at("leaf.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "30",
    "-extfile", at("leaf.ext"), "-out", at("leaf.pem"));
  return at("ca.pem");
}

/** An application: a page that says that one has arrived. The server under test is at 127.0.0.1, this one at localhost. */
export async function application(folder) {
  const certificate = { cert: readFileSync(join(folder, "leaf.pem")), key: readFileSync(join(folder, "leaf.key")) };
  const server = createServer(certificate, (_, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": "default-src 'none'; img-src data:" });
    response.end('<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Application</title><h1>Arrived</h1>');
  });
  await new Promise((done) => { server.listen(0, "127.0.0.1", done); });
  return {
    origin: `https://localhost:${server.address().port}`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The mimics; `issuer` is that of the server under test. */
export async function providers(folder, issuer) {
  const mimics = spawn(process.execPath, [SCRIPT, folder, `${issuer}/sso/`], { stdio: ["ignore", "pipe", "pipe"] });
  const told = await firstLine(mimics, "the mimics");
  const ca = readFileSync(join(folder, "ca.pem"));
  return {
    ...told,
    /** Who comes next at one of them, and which lie it tells. */
    set(name, given) {
      return new Promise((resolve, reject) => {
        const sent = ask(`${told[name].address}/control`, { method: "POST", ca }, (answer) => answer.resume().on("end", resolve));
        sent.on("error", reject);
        sent.end(JSON.stringify(given));
      });
    },
    async stop() {
      mimics.removeAllListeners("exit");
      const over = new Promise((resolve) => { mimics.on("close", resolve); });
      mimics.kill("SIGTERM");
      await over;
    },
  };
}
