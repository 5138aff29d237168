// A demo server for the browser tests, and acts on its accounts through the command line.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The JSON in the first line of what a child process prints; an error with what it complained of when it ends before. */
export async function firstLine(child, name) {
  let log = "";
  child.stderr.on("data", (text) => { log += text; });
  return new Promise((resolve, reject) => {
    let text = "";
    child.on("exit", (code) => reject(new Error(`${name} ended with ${code}: ${log}`)));
    child.stdout.on("data", (part) => {
      text += part;
      const end = text.indexOf("\n");
      if (end >= 0) resolve(JSON.parse(text.slice(0, end)));
    });
  });
}

/** Starts `rollbook demo` with these settings; `command` runs a command of the same program against it, `begin` one that waits. */
export async function start(binary, settings = []) {
  const data = mkdtempSync(join(tmpdir(), "rollbook-browser-"));
  const daemon = spawn(binary, ["demo", "--json", "--ports", "ephemeral", "--data", data, ...settings.flatMap((one) => ["--set", one])], { stdio: ["ignore", "pipe", "pipe"] });
  const announced = await firstLine(daemon, "the demo");
  const socket = decodeURIComponent(announced.ldapi.replace("ldapi://", ""));
  return {
    ...announced,
    // The certificate is for localhost, whichever address is announced.
    origin: `https://localhost:${new URL(announced.https).port}`,
    command(words, input = "") {
      const done = spawnSync(binary, [...words, "--socket", socket], { encoding: "utf8", input });
      if (done.status !== 0) throw new Error(`${words.join(" ")}: ${done.stderr}`);
      return done.stdout;
    },
    begin: (words) => spawn(binary, [...words, "--socket", socket], { stdio: ["ignore", "pipe", "pipe"] }),
    async stop() {
      if (daemon.exitCode !== null) return;
      daemon.removeAllListeners("exit");
      const over = new Promise((resolve) => daemon.on("close", resolve));
      daemon.kill("SIGTERM");
      await over;
      rmSync(data, { recursive: true, force: true });
    },
  };
}
